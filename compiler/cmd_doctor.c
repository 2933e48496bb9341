/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb doctor: one thing after the other that has to be right between a user and a program that runs. Each
 * check has messages of its own; the first of them is why it failed, and what to do.
 */
#include "board.h"
#include "bpf/blob.h"
#include "bpf/error.h"
#include "bpf/library.h"
#include "commands.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OPT_FORMAT = CMD_LONG };

static const struct cmd_option options[] = {
    DEVICE_OPTIONS,
    {OPT_FORMAT, "format", NULL, "empty the store first: all installed programs are lost", NULL},
    {0},
};

struct visit {
    struct cmd_args *args;
    struct device_place place;
    struct device *device;
    bool format;
    const char *found; /* what a check that is passed has to tell; or NULL */
    struct diag *diag; /* of the check */
    cJSON *checks;
};

/* ---- Checks: false after a message ---- */

static bool check_port(struct visit *v) {
    struct diag *before = v->args->diag;

    v->args->diag = v->diag;
    v->device = device_connect(v->args, &v->place);
    v->args->diag = before;
    if (v->device)
        v->found = v->device->port;
    return v->device;
}

/* An echo of some length, several times: a bad line shows here. */
static bool check_answer(struct visit *v) {
    enum { OS_ECHO = 0, TIMES = 5 };
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct device *d = v->device;
    struct timespec a, b;
    unsigned tries = 0;

    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < TIMES; i++) {
        struct cbor_item_t *request = message_new();
        message_add_text(request, "d", text);
        enum device_result result =
            device_try_group(d, SMP_GROUP_OS, OS_ECHO, SMP_WRITE, true, request);
        if (result == DEVICE_LOST)
            return false;
        const char *back =
            result == DEVICE_DONE ? message_text(d->answer, "r", v->args->arena) : NULL;
        if (back && strcmp(back, text) != 0)
            return device_nonsense(d, "an echo that differs");
        tries += d->tries;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    double ms = ((double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
    v->found = arena_printf(v->args->arena, "%.1f ms for question and answer", ms / TIMES);
    if (tries > TIMES)
        v->found =
            arena_printf(v->args->arena, "%s; %u of %u had to be repeated: try a lower --baud",
                         v->found, tries - TIMES, tries);
    return true;
}

static bool check_firmware(struct visit *v) {
    if (!device_handshake(v->device))
        return false;
    const struct device_hello *h = &v->device->hello;
    v->found = arena_printf(v->args->arena, "%s on %s", h->firmware, h->board ? h->board : "?");
    return true;
}

static bool check_versions(struct visit *v) {
    const struct device_hello *h = &v->device->hello;

    if (h->abi != BLOB_ABI)
        return diag_error(v->diag, DIAG_DEVICE, NULL,
                          h->abi > BLOB_ABI ? "update bpf2thumb" : "update the firmware",
                          "the firmware runs code of ABI %" PRIu64 ", bpf2thumb makes ABI %d",
                          h->abi, BLOB_ABI);
    v->found =
        arena_printf(v->args->arena, "protocol %" PRIu64 ", ABI %" PRIu64 ", library %" PRIu64,
                     h->protocol, h->abi, h->library);
    return true;
}

static bool check_store(struct visit *v) {
    struct device_program *programs;

    if (v->format) {
        struct cbor_item_t *request = message_new();
        message_add_bool(request, "format", true);
        if (!device_ask(v->device, BOARD_MAINTENANCE, "the store", request))
            return false;
        if (!device_handshake(v->device)) /* for the room that there is now */
            return false;
    }
    int count = device_store_is_good(v->device) ? device_list(v->device, &programs) : -1;
    if (count >= 0)
        v->found = arena_printf(v->args->arena, "%d program%s%s", count, count == 1 ? "" : "s",
                                v->format ? ", it has been emptied" : "");
    return count >= 0;
}

static bool check_room(struct visit *v) {
    const struct device_hello *h = &v->device->hello;

    if (h->room == 0)
        return diag_error(v->diag, DIAG_DEVICE, NULL,
                          h->compacted ? "bpf2thumb compact" : "remove a program, then compact",
                          "the store is full; compacting gives %" PRIu64 " bytes", h->compacted);
    if (h->ram == 0)
        return diag_error(v->diag, DIAG_DEVICE, NULL, "disable or remove a program",
                          "there is no RAM left for another program");
    v->found = arena_printf(v->args->arena, "%" PRIu64 " bytes of flash, %" PRIu64 " of RAM",
                            h->room, h->ram);
    return true;
}

static bool check_programs(struct visit *v) {
    struct device_program *programs;
    int count = device_list(v->device, &programs), bad = 0;

    for (int i = 0; i < count; i++) {
        const struct device_program *p = &programs[i];
        bool stopped = strcmp(p->state, "stopped") == 0, refused = strcmp(p->state, "refused") == 0;
        if (stopped)
            diag_error(v->diag, DIAG_DEVICE, NULL,
                       arena_printf(v->args->arena,
                                    "`bpf2thumb log` may say why; `bpf2thumb "
                                    "enable %s` starts it again",
                                    p->name),
                       "%s was stopped after %" PRIu64 " faults", p->name, p->faults);
        if (refused)
            diag_error(v->diag, DIAG_DEVICE, NULL, "install it again, or change its grant",
                       "%s is %s", p->name, board_state(v->args, p));
        bad += stopped || refused;
    }
    if (count >= 0 && !bad)
        v->found = "none is stopped or refused";
    return count >= 0 && !bad;
}

/* ---- All of them ---- */

static const struct check {
    const char *name, *what;
    bool (*look)(struct visit *v);
    bool go_on; /* what follows can be looked at even if this is not right */
} checks[] = {
    {"port", "the port can be opened", check_port, false},
    {"answer", "something answers", check_answer, false},
    {"firmware", "it is bpf2thumb's firmware", check_firmware, false},
    {"versions", "versions fit together", check_versions, true},
    {"store", "the store can be read", check_store, false},
    {"room", "there is room for more", check_room, true},
    {"programs", "programs are well", check_programs, true},
};

/* A line a check; what fails is an error of the command as well, for its exit status and JSON. */
static void report(struct visit *v, const struct check *check, bool good) {
    const struct diag_message *first = diag_count(v->diag) ? diag_get(v->diag, 0) : NULL;
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "name", check->name);
    cJSON_AddBoolToObject(row, "good", good);
    if (v->found)
        cJSON_AddStringToObject(row, "found", v->found);
    cJSON_AddItemToArray(v->checks, row);
    if (!v->args->json)
        printf("%-4s  %s%s%s\n", good ? "ok" : "FAIL", check->what, v->found ? ": " : "",
               v->found ? v->found : "");
    for (size_t i = 0; !good && i < diag_count(v->diag); i++) {
        const struct diag_message *m = diag_get(v->diag, i);
        if (!v->args->json)
            printf("      %s\n%s%s%s", m->text, m->mend ? "      fix: " : "",
                   m->mend ? m->mend : "", m->mend ? "\n" : "");
    }
    if (!good && v->args->json && first)
        diag_error(v->args->diag, first->category, NULL, first->mend, "%s", first->text);
}

/* Exit status: 2 when the board could not be reached, 1 when it is not well. */
static void look(struct visit *v) {
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        v->diag = diag_new();
        v->found = NULL;
        if (v->device)
            v->device->diag = v->diag;
        bool good = checks[i].look(v);
        report(v, &checks[i], good);
        bool io = !good && diag_count(v->diag) && diag_get(v->diag, 0)->category != DIAG_DEVICE;
        if (!good && v->args->status == CMD_DONE)
            v->args->status = io ? CMD_USAGE : CMD_REFUSED;
        diag_free(v->diag);
        if (!good && !checks[i].go_on)
            return;
    }
}

static void run(struct cmd_args *args) {
    struct visit v = {.args = args};

    for (int id; (id = cmd_next(args)) != 0;)
        if (id == OPT_FORMAT)
            v.format = true;
        else if (!device_option(args, id, &v.place))
            return;
    if (!cmd_operands(args, 0, 0))
        return;
    v.checks = cJSON_AddArrayToObject(args->result, "checks");
    look(&v);
    device_close(v.device);
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .brief = "find out what is wrong between this computer and a board",
    .about =
        "One line a check, ok or FAIL with what to do. --format empties a store that cannot be "
        "read.",
    .example = "bpf2thumb doctor --port /dev/ttyACM0",
    .options = options,
    .run = run,
};
