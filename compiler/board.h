/* SPDX-License-Identifier: MIT */
/* What the commands of a board have in common beside device/: results as text and JSON. */
#ifndef BOARD_H
#define BOARD_H

#include "bpf/grant.h"
#include "device/device.h"
#include "program/program.h"

struct cJSON;

/* A program of the list, as an object. */
struct cJSON *board_program_json(const struct device_program *program);
/* "running", with why it is not, if there is a reason. On the command's arena. */
const char *board_state(struct cmd_args *args, const struct device_program *program);
/* Fills *grant from an answer's key "grant". False after a message. */
bool board_read_grant(struct device *d, const struct cbor_item_t *answer, struct bpf_grant *grant);
/* Shows it: words and text, or into the result. */
void board_show_grant(struct cmd_args *args, const struct bpf_grant *grant);
/* --grant TEXT as a whole grant. False after a message that points at what is wrong. */
bool board_parse_grant(struct cmd_args *args, const char *text, struct bpf_grant *grant);

/* A name or number of a map of a program: its index, and its sizes. False after a message. */
struct board_map {
    unsigned index;
    const char *name;
    uint64_t type, key, value, max;
    struct prog_fields key_fields, value_fields; /* with --object */
};
bool board_find_map(struct device *d, const char *program, const char *map, struct board_map *out);
/* Maps of a program; -1 after a message. */
int board_maps(struct device *d, const char *program, struct board_map **out);

/* Bytes from the command line; `what` is the key or the value. False after a message. */
bool board_parse_bytes(struct cmd_args *args, const char *what, const char *text, uint8_t *bytes,
                       uint64_t size, const struct prog_fields *fields);
/* The value of a key: NULL after a message, or, with `missing`, if there is none. */
const uint8_t *board_get(struct device *d, const char *program, const struct board_map *map,
                         const uint8_t *key, bool *missing);
/* A key or value as text: by names, if they are known. */
const char *board_key_text(const struct board_map *map, const uint8_t *key, struct arena *arena);
const char *board_value_text(const struct board_map *map, const uint8_t *value,
                             struct arena *arena);

/* {"name", "map"} of a request. */
struct cbor_item_t *board_map_request(const char *program, const struct board_map *map);

/* Calls `entry` for each entry of a map, in the board's order. False after a message. */
typedef void board_entry(void *user, const uint8_t *key, const uint8_t *value);
bool board_each_entry(struct device *d, const char *program, const struct board_map *map,
                      board_entry *entry, void *user);

/* `map watch`: board_watch.c. */
struct board_watch {
    const char *program, *key;      /* key NULL: all entries */
    unsigned long long count;       /* samples; 0: until Ctrl-C */
    unsigned interval;              /* ms */
    const struct prog_field *field; /* of the value; or NULL */
    int word;                       /* of 4 bytes; -1: a value that can be a number is one */
    bool is_unsigned;
};
void board_watch(struct device *d, const struct board_map *map, const struct board_watch *watch);

/* A line of JSON on standard output, at once; deletes the object. For commands that go on. */
void board_json_line(struct cmd_args *args, struct cJSON *object);

#endif
