/* SPDX-License-Identifier: MIT */
/* bpf2thumb stats, call: how programs on a board have run, and running one now. */
#include "board.h"
#include "commands.h"
#include "device/plot.h"
#include "map_value.h"
#include "util/file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cmd_option options[] = {DEVICE_OPTIONS, {0}};

/* ---- stats ---- */

enum { BUCKETS = 16, FIRST_BUCKET = 256 }; /* cycles: bucket i ends at FIRST_BUCKET << i */

struct entry_stats {
    const char *name, *section;
    uint64_t runs, faults, overruns, min, max, sum;
    uint64_t histogram[BUCKETS];
};

static bool read_stats(struct device *d, const char *program, uint64_t entry,
                       struct entry_stats *out) {
    const struct {
        const char *key;
        uint64_t *number;
    } rows[] = {{"runs", &out->runs}, {"faults", &out->faults}, {"overruns", &out->overruns},
                {"min", &out->min},   {"max", &out->max},       {"sum", &out->sum}};
    struct cbor_item_t *request = device_named(program);

    *out = (struct entry_stats){0};
    message_add_uint(request, "entry", entry);
    const struct cbor_item_t *answer = device_ask(d, BOARD_STATS, program, request);
    if (!answer)
        return false;
    out->name = message_text(answer, "name", d->args->arena);
    out->section = message_text(answer, "section", d->args->arena);
    if (!out->name || !out->section)
        return device_nonsense(d, "statistics without a name");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        message_uint(answer, rows[i].key, rows[i].number);
    for (size_t i = 0; i < BUCKETS; i++)
        message_item_uint(message_item(answer, "histogram", i), &out->histogram[i]);
    return true;
}

static double mean(const struct entry_stats *s) {
    return s->runs ? (double)s->sum / (double)s->runs : 0;
}

static cJSON *stats_json(const struct entry_stats *s) {
    const struct {
        const char *key;
        double number;
    } rows[] = {{"runs", (double)s->runs},
                {"faults", (double)s->faults},
                {"overruns", (double)s->overruns},
                {"min", (double)s->min},
                {"mean", mean(s)},
                {"max", (double)s->max}};
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "name", s->name);
    cJSON_AddStringToObject(row, "section", s->section);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cJSON_AddNumberToObject(row, rows[i].key, rows[i].number);
    cJSON *histogram = cJSON_AddArrayToObject(row, "histogram");
    for (unsigned i = 0; i < BUCKETS; i++)
        cJSON_AddItemToArray(histogram, cJSON_CreateNumber((double)s->histogram[i]));
    return row;
}

/* Bars of the buckets that are not empty, and of those between. */
static void show_histogram(const struct entry_stats *s) {
    char bar[PLOT_WIDTH + 1];
    unsigned first = BUCKETS, last = 0;
    uint64_t most = 0;

    for (unsigned i = 0; i < BUCKETS; i++)
        if (s->histogram[i]) {
            first = first == BUCKETS ? i : first;
            last = i;
            most = s->histogram[i] > most ? s->histogram[i] : most;
        }
    for (unsigned i = first; i < BUCKETS && i <= last; i++) {
        bool open = i == BUCKETS - 1;
        plot_bar(s->histogram[i], most, bar);
        printf("  %s %8u cycles %10" PRIu64 " %s\n", open ? "from " : "below",
               (unsigned)FIRST_BUCKET << (open ? i - 1 : i), s->histogram[i], bar);
    }
}

static void show_head(void) {
    printf("%-15s %-15s %-18s %9s %7s %8s %9s %9s %9s %10s\n", "name", "program", "hook", "runs",
           "faults", "overruns", "min", "mean", "max", "mean us");
}

static void show_stats(const struct device *d, const char *program, const struct entry_stats *s) {
    printf("%-15s %-15s %-18s %9" PRIu64 " %7" PRIu64 " %8" PRIu64 " %9" PRIu64 " %9.0f %9" PRIu64
           " %10.1f\n",
           program, s->name, s->section, s->runs, s->faults, s->overruns, s->min, mean(s), s->max,
           d->hello.hz ? mean(s) * 1e6 / (double)d->hello.hz : 0.0);
}

/* The entries of one program. */
static bool stats_of(struct cmd_args *args, struct device *d, const char *program, uint64_t entries,
                     bool histogram) {
    cJSON *object = cJSON_CreateObject(), *rows = cJSON_CreateArray();

    cJSON_AddStringToObject(object, "name", program);
    cJSON_AddItemToObject(object, "entries", rows);
    cJSON_AddItemToArray(cJSON_GetObjectItem(args->result, "programs"), object);
    for (uint64_t i = 0; i < entries; i++) {
        struct entry_stats stats;
        if (!read_stats(d, program, i, &stats))
            return false;
        if (args->json) {
            cJSON_AddItemToArray(rows, stats_json(&stats));
            continue;
        }
        show_stats(d, program, &stats);
        if (histogram)
            show_histogram(&stats);
    }
    return true;
}

static void stats(struct cmd_args *args, struct device *d) {
    const char *wanted = args->argc ? args->argv[0] : NULL;
    struct device_program *programs;
    int count = device_list(d, &programs);
    bool found = !wanted;

    cJSON_AddArrayToObject(args->result, "programs");
    cJSON_AddNumberToObject(args->result, "hz", (double)d->hello.hz);
    for (int i = 0; i < count; i++) {
        const struct device_program *p = &programs[i];
        /* Without a domain there is nothing to count; who asks for it by name hears so. */
        if (wanted ? strcmp(wanted, p->name) != 0 : strcmp(p->state, "disabled") == 0)
            continue;
        if (!args->json && (wanted || !found || i == 0))
            show_head();
        found = true;
        if (!stats_of(args, d, p->name, p->entries, wanted))
            return;
    }
    if (count >= 0 && !found)
        diag_error(args->diag, DIAG_DEVICE, NULL, "see the programs with `bpf2thumb list`",
                   "there is no program %s", wanted);
}

/* ---- call ---- */

/* The number of a program of the blob, by number or name. */
static bool find_entry(struct cmd_args *args, struct device *d, const char *program,
                       const char *text, uint64_t *entry) {
    const struct cbor_item_t *answer = device_ask(d, BOARD_INFO, program, device_named(program));
    const char *names = "";
    uint64_t count = 0;
    char *end;

    if (!answer)
        return false;
    message_uint(answer, "entries", &count);
    *entry = strtoul(text, &end, 10);
    if (*text && !*end && *entry < count)
        return true;
    for (*entry = 0; *entry < count; (*entry)++) {
        struct entry_stats s;
        if (!read_stats(d, program, *entry, &s))
            return false;
        if (strcmp(s.name, text) == 0)
            return true;
        names = arena_printf(args->arena, "%s%s%s", names, *entry ? ", " : "it has ", s.name);
    }
    return diag_error(args->diag, DIAG_DEVICE, NULL, names, "%s: there is no program %s in it",
                      program, text);
}

static bool read_data(struct cmd_args *args, const char *text, uint8_t **data, size_t *size) {
    enum { MOST = 256 }; /* the largest payload of a hook */

    if (text[0] == '@') {
        if (!file_read(text + 1, MOST, args->arena, data, size, args->diag))
            return false;
    } else if (!map_value_unhex(text, args->arena, data, size)) {
        return diag_error(args->diag, DIAG_USAGE, NULL, "pairs of hex digits, or @FILE",
                          "%s is not bytes", text);
    }
    return *size <= MOST || diag_error(args->diag, DIAG_USAGE, NULL, NULL,
                                       "%zu bytes: at most %d can be given", *size, (int)MOST);
}

static void call(struct cmd_args *args, struct device *d) {
    const char *program = args->argv[0];
    uint64_t entry = 0, result = 0, cycles = 0;
    uint8_t *data = NULL;
    size_t size = 0;

    if ((args->argc > 2 && !read_data(args, args->argv[2], &data, &size)) ||
        (args->argc > 1 && !find_entry(args, d, program, args->argv[1], &entry)))
        return;
    struct cbor_item_t *request = device_named(program);
    message_add_uint(request, "entry", entry);
    message_add_bytes(request, "data", data, size);
    const struct cbor_item_t *answer = device_ask(d, BOARD_RUN, program, request);
    if (!answer)
        return;
    if (!message_uint(answer, "result", &result)) {
        device_nonsense(d, "no result");
        return;
    }
    message_uint(answer, "cycles", &cycles);
    if (!args->json)
        printf("result 0x%" PRIx64 " (%" PRId64 "), %" PRIu64 " cycles\n", result, (int64_t)result,
               cycles);
    cJSON_AddStringToObject(args->result, "result",
                            arena_printf(args->arena, "0x%" PRIx64, result));
    cJSON_AddStringToObject(args->result, "result_signed",
                            arena_printf(args->arena, "%" PRId64, (int64_t)result));
    cJSON_AddNumberToObject(args->result, "cycles", (double)cycles);
}

static void run(struct cmd_args *args) {
    struct device_place place = {0};
    bool is_call = args->cmd == &cmd_call;

    if (!device_parse(args, &place, is_call, is_call ? 3 : 1))
        return;
    struct device *d = device_open(args, &place);
    if (d && is_call)
        call(args, d);
    else if (d)
        stats(args, d);
    device_close(d);
}

const struct cmd cmd_stats = {
    .name = "stats",
    .brief = "show how often and how long programs on a board have run",
    .operands = "[NAME]",
    .about = "Times are in cycles of the processor. With NAME, a histogram of them as well.",
    .example = "bpf2thumb stats blink --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

const struct cmd cmd_call = {
    .name = "call",
    .brief = "run a program on a board once, now",
    .operands = "NAME [PROGRAM [HEX|@FILE]]",
    .about = "PROGRAM: a name or number, for a blob with several (default 0). The bytes are the "
             "payload of its\n"
             "context: what a cmd program has as its arguments. `bpf2thumb run` is for the "
             "emulator.",
    .example = "bpf2thumb call blink 0 --port /dev/ttyACM0",
    .options = options,
    .run = run,
};
