/* SPDX-License-Identifier: MIT */
/* bpf2thumb map: maps of a program that runs: listed, read, tuned, watched. */
#include "board.h"
#include "bpf_listing.h"
#include "commands.h"
#include "device/map_value.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPT_COUNT = CMD_LONG, OPT_INTERVAL, OPT_WORD, OPT_UNSIGNED };

static const struct cmd_option options[] = {
    DEVICE_OPTIONS,
    {OPT_COUNT, "count", "N", "watch: end after so many samples", NULL},
    {OPT_INTERVAL, "interval", "MS", "watch: time between samples (default 200)", NULL},
    {OPT_WORD, "word", "N", "watch: which 4 bytes of a value are the number (default: all of it)",
     NULL},
    {OPT_UNSIGNED, "unsigned", NULL, "watch: numbers have no sign", NULL},
    {0},
};

static bool parse(struct cmd_args *args, struct device_place *place, struct board_watch *watch) {
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
        case OPT_UNSIGNED: watch->is_unsigned = true; break;
        default:
            if (!device_option(args, id, place))
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

static const uint8_t *parse_value(struct cmd_args *args, const char *what, const char *text,
                                  uint64_t size) {
    uint8_t *bytes = arena_alloc(args->arena, size + 1);
    const char *error = map_value_parse(text, bytes, size, args->arena);

    if (!error)
        return bytes;
    diag_error(args->diag, DIAG_USAGE, NULL, "write 12, -3, 0x1f, 1,2,3 or hex:0102",
               "the %s %s %s", what, text, error);
    return NULL;
}

/* A queue has no keys: then the operand is not there. */
static bool add_key(struct cmd_args *args, const struct board_map *map, struct cbor_item_t *request,
                    const char *text) {
    const uint8_t *key = map->key ? parse_value(args, "key", text, map->key) : (const uint8_t *)"";

    if (key)
        message_add_bytes(request, "key", key, map->key);
    return key;
}

/* ---- Reading ---- */

static void show_entry(struct cmd_args *args, const struct board_map *map, const uint8_t *key,
                       const uint8_t *value) {
    const char *key_text = map_value_print(key, map->key, args->arena);
    const char *value_text = map_value_print(value, map->value, args->arena);

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

static void get_one(struct cmd_args *args, struct device *d, const struct board_map *map,
                    struct cbor_item_t *request) {
    const struct cbor_item_t *answer = device_ask(d, BOARD_GET, args->argv[1], request);
    uint8_t *key = arena_alloc(args->arena, map->key + 1);
    size_t size = 0;

    if (!answer)
        return;
    if (map->key)
        map_value_parse(args->argv[3], key, map->key, args->arena); /* good: it was sent */
    const uint8_t *value = message_bytes(answer, "value", args->arena, &size);
    if (!value || size != map->value)
        device_nonsense(d, "a value of another size than the map's");
    else
        show_entry(args, map, key, value);
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
    struct cbor_item_t *request = board_map_request(args->argv[1], map);
    if (add_key(args, map, request, args->argc > 3 ? args->argv[3] : ""))
        get_one(args, d, map, request);
    else
        message_free(request);
}

/* ---- Writing ---- */

/* Asks `command` with the key, and the value unless `value` is NULL. */
static void change(struct cmd_args *args, struct device *d, const struct board_map *map,
                   enum board_command command, const char *value_text) {
    struct cbor_item_t *request = board_map_request(args->argv[1], map);
    const uint8_t *value = NULL;
    bool good = add_key(args, map, request, args->argv[3]);

    if (good && value_text) {
        value = parse_value(args, "value", value_text, map->value);
        good = value;
    }
    if (!good) {
        message_free(request);
        return;
    }
    if (value)
        message_add_bytes(request, "value", value, map->value);
    if (device_ask(d, command, args->argv[1], request) && !args->json)
        printf("%s %s: done\n", args->argv[1], map->name);
}

static void set(struct cmd_args *args, struct device *d, const struct board_map *map) {
    if (cmd_operands(args, map->key ? 5 : 4, map->key ? 5 : 4))
        change(args, d, map, BOARD_SET, args->argv[map->key ? 4 : 3]);
}

static void delete (struct cmd_args *args, struct device *d, const struct board_map *map) {
    if (cmd_operands(args, map->key ? 4 : 3, map->key ? 4 : 3))
        change(args, d, map, BOARD_DELETE, NULL);
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

static void act(struct cmd_args *args, struct device *d, const struct verb *verb,
                struct board_watch *watch) {
    struct board_map map;

    if (!verb) {
        list(args, d);
    } else if (board_find_map(d, args->argv[1], args->argv[2], &map)) {
        watch->program = args->argv[1];
        watch->key = args->argc > 3 ? args->argv[3] : NULL;
        if (verb->act)
            verb->act(args, d, &map);
        else
            board_watch(d, &map, watch);
    }
}

static void run(struct cmd_args *args) {
    struct board_watch watch = {.interval = 200, .word = -1};
    struct device_place place = {0};
    const struct verb *verb;

    if (!parse(args, &place, &watch) || !find_verb(args, &verb))
        return;
    struct device *d = device_open(args, &place);
    if (d)
        act(args, d, verb, &watch);
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
