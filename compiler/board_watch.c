/* SPDX-License-Identifier: MIT */
/* `bpf2thumb map watch`: a map's entries over time, as a curve, bars, or lines of JSON. */
#include "board.h"
#include "device/plot.h"
#include "map_value.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES_MAX = 64 };

struct sample {
    const uint8_t *key, *value;
    int64_t number;
};

struct watching {
    struct device *d;
    const struct board_map *map;
    const struct board_watch *how;
    struct sample samples[ENTRIES_MAX];
    unsigned count;
    uint8_t *key; /* of one entry */
    struct plot plot;
    unsigned drawn; /* lines of the last picture, to be drawn over */
};

static double seconds(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The number of a value that is to be seen: all of it, or a word. */
static int64_t number_of(const struct watching *w, const uint8_t *value) {
    const struct prog_field *field = w->how->field;
    uint64_t size = w->map->value;

    if (field)
        return map_value_number(value + field->offset, field->size, field->is_signed);
    bool whole = w->how->word < 0 && (size == 1 || size == 2 || size == 4 || size == 8);
    unsigned at = w->how->word < 0 ? 0 : 4 * (unsigned)w->how->word;
    size_t left = at < size ? size - at : 0;

    return map_value_number(value + (left ? at : 0),
                            whole      ? size
                            : left < 4 ? left
                                       : 4,
                            !w->how->is_unsigned);
}

static void add_sample(void *user, const uint8_t *key, const uint8_t *value) {
    struct watching *w = user;

    if (w->count < ENTRIES_MAX)
        w->samples[w->count++] = (struct sample){key, value, number_of(w, value)};
}

static bool take_samples(struct watching *w) {
    w->count = 0;
    if (!w->key && w->map->key)
        return board_each_entry(w->d, w->how->program, w->map, add_sample, w);
    const uint8_t *value = board_get(w->d, w->how->program, w->map, w->key, NULL);
    if (value)
        add_sample(w, w->key, value);
    return value;
}

/* ---- Pictures ---- */

static void put_json(struct watching *w, double time) {
    struct arena *arena = w->d->args->arena;
    cJSON *line = cJSON_CreateObject(), *rows;

    cJSON_AddNumberToObject(line, "seconds", time);
    rows = cJSON_AddArrayToObject(line, "entries");
    for (unsigned i = 0; i < w->count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "key", map_value_hex(w->samples[i].key, w->map->key, arena));
        cJSON_AddStringToObject(row, "value",
                                map_value_hex(w->samples[i].value, w->map->value, arena));
        cJSON_AddNumberToObject(row, "number", (double)w->samples[i].number);
        cJSON_AddItemToArray(rows, row);
    }
    board_json_line(w->d->args, line);
}

/* One line a sample; a new scale where the old one is too small. */
static void put_curve(struct watching *w, double time) {
    char text[PLOT_WIDTH + 1];
    int64_t number = w->samples[0].number;

    if (plot_fit(&w->plot, number))
        printf("%8s %12s  %-*" PRId64 "%*" PRId64 "\n", "seconds", "value", PLOT_WIDTH / 2,
               w->plot.low, PLOT_WIDTH / 2, w->plot.high);
    plot_line(&w->plot, number, text);
    printf("%8.1f %12" PRId64 "  %s\n", time, number, text);
}

/* A bar an entry; on a terminal the new picture lies over the old one. */
static void put_bars(struct watching *w, double time) {
    struct arena *arena = w->d->args->arena;
    char bar[PLOT_WIDTH + 1];
    uint64_t most = 1;

    for (unsigned i = 0; i < w->count; i++)
        if (w->samples[i].number > 0 && (uint64_t)w->samples[i].number > most)
            most = (uint64_t)w->samples[i].number;
    if (w->drawn && diag_is_terminal(stdout))
        printf("\033[%uA\033[J", w->drawn);
    printf("after %.1f s\n", time);
    for (unsigned i = 0; i < w->count; i++) {
        int64_t number = w->samples[i].number;
        plot_bar(number > 0 ? (uint64_t)number : 0, most, bar);
        printf("%12s %12" PRId64 " %s\n", board_key_text(w->map, w->samples[i].key, arena), number,
               bar);
    }
    w->drawn = w->count + 1;
}

static void put_picture(struct watching *w, double time) {
    if (w->d->args->json)
        put_json(w, time);
    else if (w->key || !w->map->key)
        put_curve(w, time);
    else
        put_bars(w, time);
    fflush(stdout);
}

static bool prepare(struct watching *w) {
    struct cmd_args *args = w->d->args;

    if (w->how->word >= 0 && (uint64_t)w->how->word >= (w->map->value + 3) / 4)
        return diag_error(args->diag, DIAG_USAGE, NULL, NULL,
                          "--word %d: a value of %s has %" PRIu64 " bytes", w->how->word,
                          w->map->name, w->map->value);
    if (!w->how->key && w->map->key)
        return true;
    w->key = arena_alloc(args->arena, w->map->key + 1);
    return !w->map->key ||
           board_parse_bytes(args, "key", w->how->key, w->key, w->map->key, &w->map->key_fields);
}

void board_watch(struct device *d, const struct board_map *map, const struct board_watch *watch) {
    struct watching w = {.d = d, .map = map, .how = watch};
    struct arena *own = d->args->arena;
    double begin = seconds();

    if (!prepare(&w))
        return;
    device_catch_interrupt();
    for (unsigned long long i = 0; !watch->count || i < watch->count; i++) {
        /* Samples live as long as their picture: this may go on for days. */
        d->args->arena = arena_new();
        bool good = (i == 0 || device_sleep((int)watch->interval)) && take_samples(&w);
        if (good && !device_interrupted())
            put_picture(&w, seconds() - begin);
        arena_free(d->args->arena);
        d->args->arena = own;
        if (!good || device_interrupted())
            return;
    }
}
