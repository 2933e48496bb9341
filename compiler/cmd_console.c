/* SPDX-License-Identifier: MIT */
/* bpf2thumb ring, log, shell: what programs and the board's shell have to say. */
#include "board.h"
#include "commands.h"
#include "map_value.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

enum { OPT_FOLLOW = CMD_LONG, POLL_MS = 200 };

static const struct cmd_option options[] = {DEVICE_OPTIONS, {0}};
static const struct cmd_option follow_options[] = {
    DEVICE_OPTIONS,
    {OPT_FOLLOW, "follow", NULL, "go on with what comes, until Ctrl-C", NULL},
    {0},
};

/* ---- ring ---- */

/* Records that are there now. Each has been taken out of the board when it is shown here. */
static bool take_records(struct device *d, const char *program, const struct board_map *map,
                         bool follow) {
    struct cmd_args *args = d->args;

    for (bool more = true; more && !device_interrupted();) {
        const struct cbor_item_t *answer =
            device_ask(d, BOARD_RING, program, board_map_request(program, map));
        if (!answer)
            return false;
        for (size_t i = 0; i < message_count(answer, "records"); i++) {
            size_t size = 0;
            const uint8_t *record =
                message_item_bytes(message_item(answer, "records", i), args->arena, &size);
            if (!record)
                return device_nonsense(d, "a record without bytes");
            const char *hex = map_value_hex(record, size, args->arena);
            cJSON *line = cJSON_CreateObject();
            cJSON_AddStringToObject(line, "data", hex);
            if (args->json && follow) {
                board_json_line(args, line);
                continue;
            }
            cJSON_AddItemToArray(cJSON_GetObjectItem(args->result, "records"), line);
            if (!args->json)
                printf("%4zu bytes  %s\n", size, hex);
        }
        more = false;
        message_bool(answer, "more", &more);
    }
    fflush(stdout);
    return true;
}

static void ring(struct cmd_args *args, struct device *d, bool follow) {
    struct board_map map;

    if (!board_find_map(d, args->argv[0], args->argv[1], &map))
        return;
    cJSON_AddArrayToObject(args->result, "records");
    while (take_records(d, args->argv[0], &map, follow) && follow && device_sleep(POLL_MS))
        ;
}

/* ---- log ---- */

/* The text from *cursor on. False: that was all there is now, or a message. */
static bool take_text(struct device *d, uint64_t *cursor, bool follow, const char **text) {
    struct cbor_item_t *request = message_new();
    uint64_t before = *cursor, lost = 0;

    *text = "";
    message_add_uint(request, "cursor", *cursor);
    const struct cbor_item_t *answer = device_ask(d, BOARD_LOG, NULL, request);
    if (!answer)
        return false;
    *text = message_text(answer, "text", d->args->arena);
    message_uint(answer, "lost", &lost);
    if (!*text || !message_uint(answer, "cursor", cursor)) {
        *text = "";
        return device_nonsense(d, "a log without text");
    }
    /* What had gone before anybody asked is not news. */
    if (lost && before)
        diag_warn(d->diag, DIAG_DEVICE, NULL, NULL, "%" PRIu64 " bytes of the log were lost", lost);
    if (**text && !d->args->json) {
        fputs(*text, stdout);
        fflush(stdout);
    } else if (**text && follow) {
        cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "text", *text);
        board_json_line(d->args, line);
    }
    return **text && *cursor != before;
}

static void show_log(struct cmd_args *args, struct device *d, bool follow) {
    const char *all = "", *text;
    uint64_t cursor = 0;

    do {
        while (take_text(d, &cursor, follow, &text) && !device_interrupted())
            if (!follow)
                all = arena_printf(args->arena, "%s%s", all, text);
    } while (follow && !diag_has_errors(args->diag) && device_sleep(POLL_MS));
    if (args->json && !follow)
        cJSON_AddStringToObject(args->result, "text", all);
}

/* ---- shell ---- */

static void shell(struct cmd_args *args, struct device *d) {
    enum { SHELL_EXECUTE = 0 };
    struct cbor_item_t *request = message_new();
    int64_t status = 0;
    uint64_t lost = 0;

    message_add_texts(request, "argv", args->argv, (size_t)args->argc);
    enum device_result result =
        device_try_group(d, SMP_GROUP_SHELL, SHELL_EXECUTE, SMP_WRITE, false, request);
    /* The command's own status is "ret"; firmware of old calls it "rc". */
    const char *text = result == DEVICE_LOST ? NULL : message_text(d->answer, "o", args->arena);
    if (result == DEVICE_REFUSED && !text) {
        device_refused(d, args->argv[0]);
        return;
    }
    if (!text)
        return;
    if (!message_int(d->answer, "ret", &status))
        message_int(d->answer, "rc", &status);
    cJSON_AddStringToObject(args->result, "text", text);
    cJSON_AddNumberToObject(args->result, "status", (double)status);
    if (!args->json)
        fputs(text, stdout);
    if (message_uint(d->answer, "lost", &lost) && lost)
        diag_warn(args->diag, DIAG_DEVICE, NULL, "ask for less, or use a terminal",
                  "%" PRIu64 " bytes of what it wrote did not fit into the answer", lost);
    if (status)
        diag_error(args->diag, DIAG_DEVICE, NULL, "`bpf2thumb shell help` lists its commands",
                   "the board's shell says %" PRId64, status);
}

/* ---- The table ---- */

static void run(struct cmd_args *args) {
    struct device_place place = {0};
    bool follow = false, is_ring = args->cmd == &cmd_ring, is_shell = args->cmd == &cmd_shell;

    for (int id; (id = cmd_next(args)) != 0;)
        if (id == OPT_FOLLOW)
            follow = true;
        else if (!device_option(args, id, &place))
            return;
    if (!cmd_operands(args, is_ring ? 2 : is_shell, is_ring ? 2 : is_shell ? INT_MAX : 0))
        return;
    struct device *d = device_open(args, &place);
    if (follow)
        device_catch_interrupt();
    if (d && is_ring)
        ring(args, d, follow);
    else if (d && is_shell)
        shell(args, d);
    else if (d)
        show_log(args, d, follow);
    device_close(d);
}

const struct cmd cmd_ring = {
    .name = "ring",
    .brief = "take the records out of a ring buffer of a program on a board",
    .operands = "NAME MAP",
    .about =
        "What is shown is gone from the board. With --follow and --json, each record is a line.",
    .example = "bpf2thumb ring event_log events --port /dev/ttyACM0",
    .options = follow_options,
    .run = run,
};

const struct cmd cmd_log = {
    .name = "log",
    .brief = "show what programs on a board have printed",
    .about = "The text of bpf_printk() of all programs, from the oldest that the board still has.",
    .example = "bpf2thumb log --port /dev/ttyACM0",
    .options = follow_options,
    .run = run,
};

const struct cmd cmd_shell = {
    .name = "shell",
    .brief = "run a command of the board's own shell",
    .operands = "TEXT...",
    .example = "bpf2thumb shell help --port /dev/ttyACM0",
    .options = options,
    .run = run,
};
