/* SPDX-License-Identifier: MIT */
/* bpf2thumb map: maps of a program that runs: listed, read, tuned, watched. */
#include "board.h"
#include "bpf_listing.h"
#include "clang.h"
#include "commands.h"
#include "elf/elf.h"
#include "map_value.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPT_COUNT = CMD_LONG, OPT_INTERVAL, OPT_WORD, OPT_UNSIGNED, OPT_OBJECT, OPT_FIELD };

static const struct cmd_option options[] = {
    DEVICE_OPTIONS,
    {OPT_OBJECT, "object", "FILE",
     "what was installed, X.bpf.o or X.bpf.c: keys and values by name", NULL},
    {OPT_COUNT, "count", "N", "watch: end after so many samples", NULL},
    {OPT_INTERVAL, "interval", "MS", "watch: time between samples (default 200)", NULL},
    {OPT_WORD, "word", "N", "watch: which 4 bytes of a value are the number (default: all of it)",
     NULL},
    {OPT_FIELD, "field", "NAME", "watch: which field of the value, with --object", NULL},
    {OPT_UNSIGNED, "unsigned", NULL, "watch: numbers have no sign", NULL},
    {0},
};

struct job {
    struct device_place place;
    struct board_watch watch;
    const char *object, *field;
};

static bool parse(struct cmd_args *args, struct job *job) {
    struct board_watch *watch = &job->watch;
    unsigned long long number;

    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case OPT_COUNT:
            if (!cmd_number(args, "--count", args->value, 1, UINT32_MAX, &watch->count))
                return false;
            break;
        case OPT_INTERVAL:
            if (!cmd_number(args, "--interval", args->value, 1, 3600000, &number))
                return false;
            watch->interval = (unsigned)number;
            break;
        case OPT_WORD:
            if (!cmd_number(args, "--word", args->value, 0, SMP_BODY_MAX / 4, &number))
                return false;
            watch->word = (int)number;
            break;
        case OPT_OBJECT: job->object = args->value; break;
        case OPT_FIELD: job->field = args->value; break;
        case OPT_UNSIGNED: watch->is_unsigned = true; break;
        default:
            if (!device_option(args, id, &job->place))
                return false;
        }
    }
    return cmd_operands(args, 1, 5);
}

/* ---- List ---- */

static void list(struct cmd_args *args, struct device *d) {
    cJSON *rows = cJSON_AddArrayToObject(args->result, "maps");
    struct board_map *maps;
    int count = board_maps(d, args->argv[0], &maps);

    if (count == 0 && !args->json)
        printf("%s has no maps\n", args->argv[0]);
    if (count > 0 && !args->json)
        printf("%-24s %-12s %9s %11s %7s\n", "name", "type", "key bytes", "value bytes", "entries");
    for (int i = 0; i < count; i++) {
        const struct board_map *m = &maps[i];
        const char *type = bpf_list_map_type((uint32_t)m->type);
        if (!args->json) {
            printf("%-24s %-12s %9" PRIu64 " %11" PRIu64 " %7" PRIu64 "\n", m->name, type, m->key,
                   m->value, m->max);
            continue;
        }
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", m->name);
        cJSON_AddStringToObject(row, "type", type);
        cJSON_AddNumberToObject(row, "key_size", (double)m->key);
        cJSON_AddNumberToObject(row, "value_size", (double)m->value);
        cJSON_AddNumberToObject(row, "max_entries", (double)m->max);
        cJSON_AddItemToArray(rows, row);
    }
}

/* ---- Keys and values of the command line ---- */

/* The key of the command line; a queue has none, and then no operand is there for it. NULL after a message. */
static const uint8_t *key_of(struct cmd_args *args, const struct board_map *map) {
    uint8_t *key = arena_alloc(args->arena, map->key + 1);

    if (map->key && !board_parse_bytes(args, "key", args->argv[3], key, map->key, &map->key_fields))
        return NULL;
    return key;
}

/* ---- Reading ---- */

static void show_entry(struct cmd_args *args, const struct board_map *map, const uint8_t *key,
                       const uint8_t *value) {
    const char *key_text = board_key_text(map, key, args->arena);
    const char *value_text = board_value_text(map, value, args->arena);

    if (!args->json) {
        printf("%s%s%s\n", map->key ? key_text : "", map->key ? ": " : "", value_text);
        return;
    }
    cJSON *rows = cJSON_GetObjectItem(args->result, "entries"), *row = cJSON_CreateObject();
    cJSON_AddItemToArray(rows, row);
    cJSON_AddStringToObject(row, "key", map_value_hex(key, map->key, args->arena));
    cJSON_AddStringToObject(row, "value", map_value_hex(value, map->value, args->arena));
    cJSON_AddStringToObject(row, "key_text", key_text);
    cJSON_AddStringToObject(row, "value_text", value_text);
}

bool board_each_entry(struct device *d, const char *program, const struct board_map *map,
                      board_entry *entry, void *user) {
    uint64_t cursor = 0;

    for (bool more = true; more && !device_interrupted();) {
        struct cbor_item_t *request = board_map_request(program, map);
        message_add_uint(request, "cursor", cursor);
        const struct cbor_item_t *answer = device_ask(d, BOARD_NEXT, program, request);
        if (!answer)
            return false;
        for (size_t i = 0; i < message_count(answer, "items"); i++) {
            const struct cbor_item_t *pair = message_item(answer, "items", i);
            size_t key_size = 0, value_size = 0;
            const uint8_t *key =
                message_item_bytes(message_item_at(pair, 0), d->args->arena, &key_size);
            const uint8_t *value =
                message_item_bytes(message_item_at(pair, 1), d->args->arena, &value_size);
            if (!key || !value || key_size != map->key || value_size != map->value)
                return device_nonsense(d, "an entry of another size than the map's");
            entry(user, key, value);
        }
        uint64_t before = cursor;
        more = message_uint(answer, "cursor", &cursor);
        if (more && cursor <= before)
            return device_nonsense(d, "entries that do not end");
    }
    return true;
}

struct listing {
    struct cmd_args *args;
    const struct board_map *map;
};

static void list_entry(void *user, const uint8_t *key, const uint8_t *value) {
    const struct listing *listing = user;

    show_entry(listing->args, listing->map, key, value);
}

static void get(struct cmd_args *args, struct device *d, const struct board_map *map) {
    struct listing listing = {args, map};

    cJSON_AddArrayToObject(args->result, "entries");
    if (args->argc == 3 && map->key) {
        board_each_entry(d, args->argv[1], map, list_entry, &listing);
        return;
    }
    const uint8_t *key = key_of(args, map);
    const uint8_t *value = key ? board_get(d, args->argv[1], map, key, NULL) : NULL;
    if (value)
        show_entry(args, map, key, value);
}

/* ---- Writing ---- */

/* What is to be written: the value of the command line, over what is there if it names fields. */
static bool new_value(struct cmd_args *args, struct device *d, const struct board_map *map,
                      const uint8_t *key, uint8_t *value) {
    const char *text = args->argv[map->key ? 4 : 3];
    bool missing = false;

    if (map->value_fields.count && strchr(text, '=')) {
        const uint8_t *old = board_get(d, args->argv[1], map, key, &missing);
        if (!old && !missing)
            return false;
        if (old)
            memcpy(value, old, map->value);
    }
    return board_parse_bytes(args, "value", text, value, map->value, &map->value_fields);
}

/* Asks `command` with the key, and the value of the command line unless it is a deletion. */
static void change(struct cmd_args *args, struct device *d, const struct board_map *map,
                   enum board_command command) {
    const uint8_t *key = key_of(args, map);
    uint8_t *value = arena_alloc(args->arena, map->value + 1);

    if (!key || (command == BOARD_SET && !new_value(args, d, map, key, value)))
        return;
    struct cbor_item_t *request = board_map_request(args->argv[1], map);
    message_add_bytes(request, "key", key, map->key);
    if (command == BOARD_SET)
        message_add_bytes(request, "value", value, map->value);
    if (device_ask(d, command, args->argv[1], request) && !args->json)
        printf("%s %s: done\n", args->argv[1], map->name);
}

static void set(struct cmd_args *args, struct device *d, const struct board_map *map) {
    if (cmd_operands(args, map->key ? 5 : 4, map->key ? 5 : 4))
        change(args, d, map, BOARD_SET);
}

static void delete (struct cmd_args *args, struct device *d, const struct board_map *map) {
    if (cmd_operands(args, map->key ? 4 : 3, map->key ? 4 : 3))
        change(args, d, map, BOARD_DELETE);
}

/* ---- The command ---- */

static const struct verb {
    const char *name;
    int min, max; /* operands, with the verb */
    void (*act)(struct cmd_args *args, struct device *d, const struct board_map *map);
} verbs[] = {
    {"get", 3, 4, get}, {"set", 4, 5, set}, {"delete", 3, 4, delete}, {"watch", 3, 4, NULL}, {0},
};

/* `map get` with nothing behind it lists the maps of a program that is called get. */
static bool find_verb(struct cmd_args *args, const struct verb **verb) {
    *verb = NULL;
    if (args->argc == 1)
        return true;
    for (const struct verb *v = verbs; v->name && !*verb; v++)
        if (strcmp(v->name, args->argv[0]) == 0)
            *verb = v;
    if (*verb)
        return cmd_operands(args, (*verb)->min, (*verb)->max);
    return diag_error(args->diag, DIAG_USAGE, NULL, "map NAME, map get NAME MAP [KEY], ...",
                      "map: %s is none of get, set, delete, watch", args->argv[0]);
}

/* Names from what was installed, if that is at hand. */
static bool read_fields(struct cmd_args *args, const char *path, struct board_map *map) {
    const struct elf_options how = {.name = path};
    struct clang_object object;
    struct program *program;

    if (!path)
        return true;
    bool good = clang_object_open(&object, path, args->arena, args->diag) &&
                elf_read(object.path, args->arena, &how, &program, args->diag);
    clang_object_close(&object);
    for (uint32_t i = 0; good && i < program->nmaps; i++) {
        const struct prog_map *m = &program->maps[i];
        if (strcmp(m->name, map->name) != 0 || m->key_size != map->key ||
            m->value_size != map->value)
            continue;
        map->key_fields = m->key_fields;
        map->value_fields = m->value_fields;
        return true;
    }
    return good &&
           diag_error(args->diag, DIAG_DEVICE, NULL, "give what was installed",
                      "%s has no map %s with keys of %" PRIu64 " and values of %" PRIu64 " bytes",
                      path, map->name, map->key, map->value);
}

static bool find_field(struct cmd_args *args, const char *name, const struct board_map *map,
                       struct board_watch *watch) {
    const struct prog_fields *fields = &map->value_fields;
    const char *names = "";

    if (!name)
        return true;
    for (uint32_t i = 0; i < fields->count; i++) {
        names =
            arena_printf(args->arena, "%s%s%s", names, i ? ", " : "it has ", fields->items[i].name);
        if (strcmp(fields->items[i].name, name) == 0)
            watch->field = &fields->items[i];
    }
    return watch->field ||
           diag_error(args->diag, DIAG_USAGE, NULL, *names ? names : "give --object X.bpf.o",
                      "--field %s: values of %s have no such field", name, map->name);
}

static void act(struct cmd_args *args, struct device *d, const struct verb *verb, struct job *job) {
    struct board_map map;

    if (!verb) {
        list(args, d);
        return;
    }
    if (!board_find_map(d, args->argv[1], args->argv[2], &map) ||
        !read_fields(args, job->object, &map) || !find_field(args, job->field, &map, &job->watch))
        return;
    job->watch.program = args->argv[1];
    job->watch.key = args->argc > 3 ? args->argv[3] : NULL;
    if (verb->act)
        verb->act(args, d, &map);
    else
        board_watch(d, &map, &job->watch);
}

static void run(struct cmd_args *args) {
    struct job job = {.watch = {.interval = 200, .word = -1}};
    const struct verb *verb;

    if (!parse(args, &job) || !find_verb(args, &verb))
        return;
    struct device *d = device_open(args, &job.place);
    if (d)
        act(args, d, verb, &job);
    device_close(d);
}

const struct cmd cmd_map = {
    .name = "map",
    .brief = "list, read, change and watch the maps of a program on a board",
    .operands = "NAME | get NAME MAP [KEY] | set NAME MAP KEY VALUE | delete NAME MAP KEY | watch "
                "NAME MAP [KEY]",
    .operand_values = "get set delete watch",
    .about =
        "MAP is a name or number. Keys and values are numbers (12, -3, 0x1f), several of equal "
        "size\n"
        "(1,2,3), or bytes (hex:0102). watch draws one entry as a curve, or all of them as "
        "bars, until\n"
        "Ctrl-C or --count; with --json, each sample is a line.",
    .example = "bpf2thumb map pid_motor --port /dev/ttyACM0\n"
               "bpf2thumb map get pid_motor tuning --port /dev/ttyACM0\n"
               "bpf2thumb map set pid_motor tuning 0 655360,1310720,131072,0 --port /dev/ttyACM0\n"
               "bpf2thumb map watch pid_motor seen 0 --count 5 --port /dev/ttyACM0",
    .options = options,
    .run = run,
};
