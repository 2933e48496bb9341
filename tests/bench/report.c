/* SPDX-License-Identifier: MIT */
/* The figures as a table for eyes and as JSON for scripts. */
#include "bench/bench.h"

#include "util/file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double figure(const struct bench_result *r, enum bench_engine e, enum bench_metric metric) {
    return metric == BENCH_CYCLES ? (double)r->engine[e].cycles : (double)r->engine[e].bytes;
}

static double ratio(const struct bench_result *r, enum bench_engine e, enum bench_metric metric) {
    return figure(r, e, metric) / figure(r, BENCH_NATIVE, metric);
}

double bench_geomean(const struct bench_result *results, size_t count, enum bench_group group,
                     enum bench_engine engine, enum bench_metric metric) {
    double logs = 0;
    unsigned n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct bench_result *r = &results[i];
        if (!r->ok || (group == BENCH_PLAIN && !r->plain) || (group == BENCH_WITH_MAPS && r->plain))
            continue;
        logs += log(ratio(r, engine, metric));
        n++;
    }
    return n ? exp(logs / n) : 0;
}

static void print_row(const struct bench_result *r) {
    printf("%-16s", r->bench->name);
    if (!r->ok) {
        printf("  failed\n");
        return;
    }
    for (enum bench_engine e = 0; e < BENCH_ENGINES; e++)
        printf(" %9" PRIu64, r->engine[e].cycles);
    printf(" %7.2f %7.1f  |", ratio(r, BENCH_THUMB, BENCH_CYCLES),
           ratio(r, BENCH_INTERP, BENCH_CYCLES));
    for (enum bench_engine e = 0; e < BENCH_ENGINES; e++)
        printf(" %7u", r->engine[e].bytes);
    printf(" %7.2f\n", ratio(r, BENCH_THUMB, BENCH_BYTES));
}

static void print_mean(const struct bench_result *results, size_t count, const char *name,
                       enum bench_group group) {
    printf("%-16s %29s %7.2f %7.1f  | %23s %7.2f\n", name, "",
           bench_geomean(results, count, group, BENCH_THUMB, BENCH_CYCLES),
           bench_geomean(results, count, group, BENCH_INTERP, BENCH_CYCLES), "",
           bench_geomean(results, count, group, BENCH_THUMB, BENCH_BYTES));
}

void bench_print(const struct bench_result *results, size_t count) {
    printf("%-16s %29s %15s  | %23s\n", "", "cycles", "to native", "bytes of code");
    printf("%-16s %9s %9s %9s %7s %7s  | %7s %7s %7s %7s\n", "program", "native", "thumb", "interp",
           "thumb", "interp", "native", "thumb", "bpf", "thumb/n");
    for (int plain = 1; plain >= 0; plain--) {
        printf("%s\n", plain ? "-- without maps and devices" : "-- with maps or devices");
        for (size_t i = 0; i < count; i++)
            if (results[i].plain == plain)
                print_row(&results[i]);
    }
    printf("-- geometric means\n");
    print_mean(results, count, "without maps", BENCH_PLAIN);
    print_mean(results, count, "with maps", BENCH_WITH_MAPS);
    print_mean(results, count, "all", BENCH_ALL);
}

bool bench_write_json(const char *path, const struct bench_result *results, size_t count,
                      struct diag *diag) {
    cJSON *root = cJSON_CreateObject(), *programs = cJSON_AddArrayToObject(root, "programs");

    for (size_t i = 0; i < count; i++) {
        if (!results[i].ok)
            continue;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(programs, row);
        cJSON_AddStringToObject(row, "name", results[i].bench->name);
        cJSON_AddBoolToObject(row, "maps", !results[i].plain);
        for (enum bench_engine e = 0; e < BENCH_ENGINES; e++) {
            cJSON *o = cJSON_AddObjectToObject(row, bench_engine_names[e]);
            cJSON_AddNumberToObject(o, "cycles", figure(&results[i], e, BENCH_CYCLES));
            cJSON_AddNumberToObject(o, "bytes", figure(&results[i], e, BENCH_BYTES));
        }
    }
    static const char *const groups[] = {"geomean_without_maps", "geomean_with_maps", "geomean"};
    for (enum bench_group g = BENCH_PLAIN; g <= BENCH_ALL; g++) {
        cJSON *means = cJSON_AddObjectToObject(root, groups[g]);
        cJSON_AddNumberToObject(means, "thumb_cycles",
                                bench_geomean(results, count, g, BENCH_THUMB, BENCH_CYCLES));
        cJSON_AddNumberToObject(means, "thumb_bytes",
                                bench_geomean(results, count, g, BENCH_THUMB, BENCH_BYTES));
        cJSON_AddNumberToObject(means, "interp_cycles",
                                bench_geomean(results, count, g, BENCH_INTERP, BENCH_CYCLES));
    }
    char *text = cJSON_Print(root);
    bool ok = file_write(path, text, strlen(text), diag);
    free(text);
    cJSON_Delete(root);
    return ok;
}
