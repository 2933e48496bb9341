/* SPDX-License-Identifier: MIT */
/*
 * A board at the end of a line: what every command that speaks with one shares. Options that say where it is,
 * the handshake, and questions whose failure becomes a message.
 *
 *     struct device *d = device_open(args->..., diag);         says what is wrong; NULL
 *     struct cbor_item_t *answer = device_ask(d, BOARD_INFO, device_named(name));
 *     device_close(d);
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include "device/message.h"
#include "device/smp_client.h"
#include "util/cmd.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DEVICE_PROTOCOL = 1, /* version that this client speaks */
    DEVICE_PACKET = 512, /* bytes of a packet, header included, that any board takes */
    DEVICE_NAME = 16,    /* of a program, with its NUL: STORE_NAME */
};

/* ---- Options that all commands of a board have ---- */

enum { OPT_BAUD = CMD_LONG + 1000, OPT_TIMEOUT };

#define DEVICE_OPTIONS                                                                             \
    {'p', "port", "PORT", "a serial device, or tcp:HOST:PORT (default: $BPF2THUMB_PORT)", NULL},   \
        {OPT_BAUD, "baud", "N", "speed of a serial device (default 115200)", NULL}, {              \
        OPT_TIMEOUT, "timeout", "SECONDS", "wait so long for an answer (default 2)", NULL          \
    }

struct device_place {
    const char *port; /* NULL: what the environment says */
    unsigned baud;    /* 0: 115200 */
    int timeout;      /* ms; 0: 2000 */
};

/* Takes the option that cmd_next() gave, if it is one of these. False after a message, and for
 * other options (also -1). */
bool device_option(struct cmd_args *args, int id, struct device_place *place);
/* For commands without options of their own: options, then min..max operands. */
bool device_parse(struct cmd_args *args, struct device_place *place, int min, int max);

/* ---- The board ---- */

/* What it says in its first answer. Missing numbers are 0. */
struct device_hello {
    uint64_t protocol, abi, library, hz;
    uint64_t programs; /* most of them */
    uint64_t ram;      /* bytes free for arenas */
    uint64_t store;    /* enum bpf_status: what is wrong with it, BPF_OK: nothing */
    uint64_t room;     /* bytes of a blob that fit into the store now */
    uint64_t compacted, replacements;
    const char *firmware, *board;
    const uint8_t *uid;
    size_t uid_size;
};

struct device {
    struct cmd_args *args; /* its arena, its messages */
    struct diag *diag;     /* args->diag, or another one for a while */
    const char *port;
    int timeout; /* ms */
    struct line_port *line;
    struct smp_client client;
    struct device_hello hello;
    struct cbor_item_t *answer; /* the last one */
    unsigned tries;             /* of the last question */
    struct {                    /* the last DEVICE_REFUSED */
        bool in_group;          /* status is an enum bpf_status, else an enum smp_error */
        unsigned status;
        bool has_where;
        uint64_t where;
        const char *text; /* or NULL */
    } refusal;
};

/* Opens and shakes hands. NULL after a message. */
struct device *device_open(struct cmd_args *args, const struct device_place *place);
/* The two steps of it, for `doctor`. */
struct device *device_connect(struct cmd_args *args, const struct device_place *place);
bool device_handshake(struct device *d);
void device_close(struct device *d); /* null is allowed */

enum device_result {
    DEVICE_DONE,    /* d->answer, until the next question */
    DEVICE_REFUSED, /* d->refusal; no message yet */
    DEVICE_LOST,    /* no answer, or nonsense: there is a message */
};

/* Asks; `request` is used up; NULL is an empty map. */
enum device_result device_try(struct device *d, enum board_command command,
                              struct cbor_item_t *request);
/* The same in another group. */
enum device_result device_try_group(struct device *d, unsigned group, unsigned id, enum smp_op op,
                                    bool repeat, struct cbor_item_t *request);
/* Asks; NULL after a message, which says what `about` (a program; or NULL) was refused. */
struct cbor_item_t *device_ask(struct device *d, enum board_command command, const char *about,
                               struct cbor_item_t *request);
/* The message for the last refusal. */
bool device_refused(struct device *d, const char *about);
/* The message for an answer that lacks what it has to have. */
bool device_nonsense(struct device *d, const char *what);

/* " (at offset 7)", " (it needs 9000 bytes)", ...: what the number beside a status says; or "". */
const char *device_where(struct arena *arena, unsigned status, uint64_t where);

/* By what the handshake has said: can it be read and written? False after a message. */
bool device_store_is_good(struct device *d);

/* Whether the last question was refused for this reason of the board's (enum bpf_status). */
bool device_status_is(const struct device *d, unsigned status);

/* A request that is {"name": name}, to add to. */
struct cbor_item_t *device_named(const char *name);

/* ---- What is there ---- */

struct device_program {
    const char *name, *state, *engine;
    bool enabled, ram;
    uint64_t seq, size, entries, maps, status, where, faults, restarts;
};

/* All programs in order of installation; -1 after a message. */
int device_list(struct device *d, struct device_program **out);
/* One of them, from an item of the list or an answer to `info`. */
bool device_read_program(struct device *d, const struct cbor_item_t *item,
                         struct device_program *out);
/* "fits: ..." or how much is missing; a note for each program that takes room. `size`: of the blob. */
void device_explain_room(struct device *d, uint64_t size);

/* Ctrl-C ends what would go on for ever, in good order. */
void device_catch_interrupt(void);
bool device_interrupted(void);
/* Waits until fd (-1: none) can be read or `ms` have gone (-1: for ever). */
enum device_wait { DEVICE_INPUT, DEVICE_TIME_OUT, DEVICE_INTERRUPTED };
enum device_wait device_wait(int fd, int ms);
/* Sleeps; false: interrupted. */
bool device_sleep(int ms);

#endif
