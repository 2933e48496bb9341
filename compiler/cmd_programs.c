/* SPDX-License-Identifier: MIT */
/* bpf2thumb list, info, enable, disable, remove, grant, rollback, compact, reset: what is installed on a board. */
#include "board.h"
#include "commands.h"
#include "map_value.h"
#include "util/file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { OPT_OBJECT = CMD_LONG };

static const struct cmd_option options[] = {DEVICE_OPTIONS, {0}};
static const struct cmd_option info_options[] = {
    DEVICE_OPTIONS,
    {OPT_OBJECT, "object", "X.elf", "what `compile --elf` has made of it, for the line for gdb",
     NULL},
    {0},
};

/* ---- list ---- */

static void add_number(cJSON *object, const char *key, uint64_t number) {
    cJSON_AddNumberToObject(object, key, (double)number);
}

static void show_program(struct cmd_args *args, const struct device_program *p) {
    printf("%-15s %-9s %7" PRIu64 "  %-7s %8" PRIu64 " %5" PRIu64 " %7" PRIu64 "%s\n", p->name,
           p->state, p->size, p->engine, p->entries, p->maps, p->faults, p->ram ? "  in RAM" : "");
    if (p->status)
        printf("  %s\n", board_state(args, p));
}

static void show_room(struct cmd_args *args, const struct device_hello *h) {
    if (args->json) {
        cJSON *room = cJSON_AddObjectToObject(args->result, "room");
        add_number(room, "store", h->room);
        add_number(room, "compacted", h->compacted);
        add_number(room, "replacements", h->replacements);
        add_number(room, "ram", h->ram);
        add_number(room, "programs", h->programs);
        return;
    }
    printf("store: %" PRIu64 " bytes free, %" PRIu64 " after compact, about %" PRIu64
           " replacements; RAM: %" PRIu64 " bytes free\n",
           h->room, h->compacted, h->replacements, h->ram);
}

static void list(struct cmd_args *args, struct device *d) {
    cJSON *rows = cJSON_AddArrayToObject(args->result, "programs");
    struct device_program *programs;
    int count = device_list(d, &programs);

    if (count > 0 && !args->json)
        printf("%-15s %-9s %7s  %-7s %8s %5s %7s\n", "name", "state", "bytes", "engine", "programs",
               "maps", "faults");
    for (int i = 0; i < count; i++)
        if (args->json)
            cJSON_AddItemToArray(rows, board_program_json(&programs[i]));
        else
            show_program(args, &programs[i]);
    if (count == 0 && !args->json)
        printf("nothing is installed\n");
    if (count < 0)
        return;
    show_room(args, &d->hello);
    device_store_is_good(d);
}

/* ---- info ---- */

static void show_word(struct cmd_args *args, const char *key, const char *what, const char *text) {
    if (args->json)
        cJSON_AddStringToObject(args->result, key, text);
    else
        printf("%-12s %s\n", what, text);
}

static void show_place(struct cmd_args *args, const struct cbor_item_t *answer) {
    const struct {
        const char *key, *what, *format;
    } rows[] = {{"address", "blob at", "0x%08" PRIx64},
                {"arena", "arena at", "0x%08" PRIx64},
                {"arena_size", "arena", "%" PRIu64 " bytes"},
                {"head", "r9", "0x%08" PRIx64},
                {"repaired", "repaired", "%" PRIu64 " maps"},
                {"good_runs", "good runs", "%" PRIu64 " since it was installed"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t number;
        if (!message_uint(answer, rows[i].key, &number))
            continue;
        if (args->json) {
            add_number(args->result, rows[i].key, number);
            continue;
        }
        printf("%-12s ", rows[i].what);
        printf(rows[i].format, number);
        putchar('\n');
    }
}

static void show_rest(struct cmd_args *args, struct device *d, const struct cbor_item_t *answer) {
    struct bpf_grant grant;
    bool can_roll_back = false;
    size_t size;
    const uint8_t *id = message_bytes(answer, "id", args->arena, &size);

    if (id)
        show_word(args, "id", "blob id", map_value_hex(id, size, args->arena));
    message_bool(answer, "can_roll_back", &can_roll_back);
    if (args->json)
        cJSON_AddBoolToObject(args->result, "can_roll_back", can_roll_back);
    else if (can_roll_back)
        printf("%-12s `bpf2thumb rollback` brings it back\n", "predecessor");
    if (!board_read_grant(d, answer, &grant))
        return;
    if (!args->json)
        printf("it\n");
    board_show_grant(args, &grant);
}

/* The board has no symbols: gdb takes them from what was compiled, and the board says where it lies. */
static void show_gdb(struct cmd_args *args, const struct cbor_item_t *answer, const char *object) {
    uint64_t code;

    if (!message_uint(answer, "code", &code))
        return;
    if (!object)
        object = arena_printf(args->arena, "%s.elf", args->argv[0]);
    if (args->json)
        add_number(args->result, "code", code);
    show_word(args, "gdb", "gdb",
              arena_printf(args->arena, "add-symbol-file %s 0x%08" PRIx64, object, code));
}

static void info(struct cmd_args *args, struct device *d, const char *object) {
    const struct cbor_item_t *answer =
        device_ask(d, BOARD_INFO, args->argv[0], device_named(args->argv[0]));
    struct device_program p;

    if (!answer || !device_read_program(d, answer, &p))
        return;
    if (args->json) {
        cJSON_AddItemToObject(args->result, "program", board_program_json(&p));
    } else {
        printf("%-12s %s\n%-12s %s%s\n", "name", p.name, "state", board_state(args, &p),
               p.enabled ? "" : ", not enabled");
        printf("%-12s %" PRIu64 " bytes%s, %" PRIu64 " programs, %" PRIu64 " maps, engine %s\n",
               "blob", p.size, p.ram ? " in RAM" : "", p.entries, p.maps, p.engine);
        printf("%-12s %" PRIu64 " faults, %" PRIu64 " restarts\n", "so far", p.faults, p.restarts);
    }
    show_place(args, answer);
    show_rest(args, d, answer);
    show_gdb(args, answer, object);
}

/* gdb would read an eBPF object without a word, and then disassemble nonsense. */
static bool is_for_gdb(struct cmd_args *args, const char *path) {
    enum { E_MACHINE = 18, EM_ARM = 40 };
    uint8_t *bytes;
    size_t size;

    if (!file_read(path, FILE_SIZE_LIMIT, args->arena, &bytes, &size, args->diag))
        return false;
    if (size > E_MACHINE && memcmp(bytes, "\177ELF", 4) == 0 && bytes[E_MACHINE] == EM_ARM)
        return true;
    return diag_error(args->diag, DIAG_USAGE, NULL, "make it with `bpf2thumb compile --elf X.elf`",
                      "%s is no ELF of compiled code", path);
}

static void run_info(struct cmd_args *args) {
    struct device_place place = {0};
    const char *object = NULL;

    for (int id; (id = cmd_next(args)) != 0;)
        if (id == OPT_OBJECT)
            object = args->value;
        else if (!device_option(args, id, &place))
            return;
    if (!cmd_operands(args, 1, 1) || (object && !is_for_gdb(args, object)))
        return;
    struct device *d = device_open(args, &place);
    if (d)
        info(args, d, object);
    device_close(d);
}

/* ---- One question for each name ---- */

static void done(struct cmd_args *args, const char *name, const char *what) {
    cJSON *names = cJSON_GetObjectItem(args->result, "done");

    cJSON_AddItemToArray(names ? names : cJSON_AddArrayToObject(args->result, "done"),
                         cJSON_CreateString(name));
    if (!args->json)
        printf("%s: %s\n", name, what);
}

/* Goes on behind a refusal, not behind silence: the others would not be heard either. */
static void for_each_name(struct cmd_args *args, struct device *d, enum board_command command,
                          const char *what) {
    for (int i = 0; i < args->argc; i++) {
        const char *name = args->argv[i];
        struct cbor_item_t *request = device_named(name);
        if (command == BOARD_ENABLE)
            message_add_bool(request, "enable", args->cmd == &cmd_enable);
        enum device_result result = device_try(d, command, request);
        if (result == DEVICE_LOST)
            return;
        if (result == DEVICE_REFUSED)
            device_refused(d, name);
        else
            done(args, name, what);
    }
}

static void enable(struct cmd_args *args, struct device *d) {
    for_each_name(args, d, BOARD_ENABLE, args->cmd == &cmd_enable ? "enabled" : "disabled");
}

static void remove_programs(struct cmd_args *args, struct device *d) {
    for_each_name(args, d, BOARD_REMOVE, "removed");
}

static void roll_back(struct cmd_args *args, struct device *d) {
    for_each_name(args, d, BOARD_ROLLBACK, "its predecessor is back");
}

/* ---- grant, compact, reset ---- */

static void show_granted(struct cmd_args *args, struct device *d) {
    const struct cbor_item_t *answer =
        device_ask(d, BOARD_INFO, args->argv[0], device_named(args->argv[0]));
    struct bpf_grant grant;

    if (!answer || !board_read_grant(d, answer, &grant))
        return;
    if (!args->json)
        printf("%s\n", args->argv[0]);
    board_show_grant(args, &grant);
}

static void grant(struct cmd_args *args, struct device *d) {
    struct bpf_grant wanted;

    if (args->argc == 1) {
        show_granted(args, d);
        return;
    }
    if (!board_parse_grant(args, args->argv[1], &wanted))
        return;
    struct cbor_item_t *request = device_named(args->argv[0]);
    message_add_bytes(request, "grant", &wanted, sizeof(wanted));
    if (!device_ask(d, BOARD_GRANT, args->argv[0], request))
        return;
    if (!args->json)
        printf("%s\n", args->argv[0]);
    board_show_grant(args, &wanted);
}

static void compact(struct cmd_args *args, struct device *d) {
    const struct cbor_item_t *answer = device_ask(d, BOARD_COMPACT, "the store", NULL);
    uint64_t room = 0;

    if (!answer)
        return;
    message_uint(answer, "room", &room);
    add_number(args->result, "bytes", room);
    if (!args->json)
        printf("the store has room for %" PRIu64 " bytes\n", room);
}

static void reset(struct cmd_args *args, struct device *d) {
    enum { OS_RESET = 5 };
    enum device_result result = device_try_group(d, SMP_GROUP_OS, OS_RESET, SMP_WRITE, false, NULL);

    if (result == DEVICE_REFUSED)
        device_refused(d, NULL);
    if (result == DEVICE_DONE && !args->json)
        printf("the board starts anew\n");
}

/* ---- The table ---- */

static void run(struct cmd_args *args) {
    static const struct {
        const struct cmd *cmd;
        int min, max;
        void (*act)(struct cmd_args *args, struct device *d);
    } rows[] = {
        {&cmd_list, 0, 0, list},
        {&cmd_enable, 1, INT_MAX, enable},
        {&cmd_disable, 1, INT_MAX, enable},
        {&cmd_remove, 1, INT_MAX, remove_programs},
        {&cmd_rollback, 1, 1, roll_back},
        {&cmd_grant, 1, 2, grant},
        {&cmd_compact, 0, 0, compact},
        {&cmd_reset, 0, 0, reset},
    };
    struct device_place place = {0};
    unsigned i = 0;

    while (rows[i].cmd != args->cmd)
        i++;
    if (!device_parse(args, &place, rows[i].min, rows[i].max))
        return;
    struct device *d = device_open(args, &place);
    if (d)
        rows[i].act(args, d);
    device_close(d);
}

const struct cmd cmd_list = {
    .name = "list",
    .brief = "list the programs that are installed on a board",
    .about = "And how much room there is for more. A program that the board has refused has the "
             "reason below it.",
    .example = "bpf2thumb list --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_info = {
    .name = "info",
    .brief = "show all that a board knows of a program",
    .operands = "NAME",
    .about = "Its last line makes a gdb on the board know the program's functions and lines.",
    .example = "bpf2thumb info blink --port /dev/ttyACM0",
    .options = info_options,
    .run = run_info,
};

const struct cmd cmd_enable = {
    .name = "enable",
    .brief = "let programs run, now and after each reset",
    .operands = "NAME...",
    .example = "bpf2thumb enable blink --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_disable = {
    .name = "disable",
    .brief = "stop programs; they stay installed",
    .operands = "NAME...",
    .about = "Their outputs go to the safe levels of their grants.",
    .example = "bpf2thumb disable blink --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_remove = {
    .name = "remove",
    .brief = "remove programs from a board",
    .operands = "NAME...",
    .about = "`bpf2thumb compact` gives their room back.",
    .example = "bpf2thumb remove blink --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_rollback = {
    .name = "rollback",
    .brief = "bring back what a program has replaced",
    .operands = "NAME",
    .about = "A predecessor stays until its successor has run without a fault for a while.",
    .example = "bpf2thumb rollback blink --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_grant = {
    .name = "grant",
    .brief = "show or change what a program may do",
    .operands = "NAME [TEXT]",
    .about = "TEXT is the whole grant: what it does not name has its default. docs/grant.md has "
             "all that it may say.",
    .example = "bpf2thumb grant blink 'gpio:PD12-15=out, budget=1ms/10ms' --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_compact = {
    .name = "compact",
    .brief = "give back the room of removed and replaced programs",
    .about = "All programs stop for the seconds that it takes, with safe outputs, and start anew.",
    .example = "bpf2thumb compact --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_reset = {
    .name = "reset",
    .brief = "restart a board",
    .example = "bpf2thumb reset --port /dev/ttyACM0",
    .options = options,
    .run = run,
};
