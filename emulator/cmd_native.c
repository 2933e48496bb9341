/* SPDX-License-Identifier: MIT */
/* bpf2thumb-emu native: a function of an ARM ELF on the same machine, for benchmarks. */
#include "commands.h"
#include "native.h"
#include "report.h"

#include "util/progress.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { OPT_ENTRY = CMD_LONG, OPT_MEM, OPT_MEM_SIZE, OPT_RUNS, OPT_BUDGET };

static const struct cmd_option options[] = {
    {OPT_ENTRY, "entry", "NAME", "the function to call, with memory and length (default: bench)",
     NULL},
    {OPT_MEM, "mem", "HEX|@FILE", "contents of the memory", NULL},
    {OPT_MEM_SIZE, "mem-size", "N", "bytes of memory, the rest zero (default: 4096)", NULL},
    {OPT_RUNS, "runs", "N", "call it N times; the last call counts", NULL},
    {OPT_BUDGET, "budget", "CYCLES", "stop after so many cycles", NULL},
    {0},
};

struct options {
    const char *entry, *mem;
    unsigned long long mem_size, runs, budget;
};

static bool parse(struct cmd_args *args, struct options *o) {
    for (int id; (id = cmd_next(args)) != 0;) {
        bool ok = true;
        switch (id) {
        case OPT_ENTRY: o->entry = args->value; break;
        case OPT_MEM: o->mem = args->value; break;
        case OPT_MEM_SIZE:
            ok = cmd_number(args, "--mem-size", args->value, 0, MEMMAP_ARENA_SIZE, &o->mem_size);
            break;
        case OPT_RUNS: ok = cmd_number(args, "--runs", args->value, 1, 1000000000, &o->runs); break;
        case OPT_BUDGET:
            ok = cmd_number(args, "--budget", args->value, 1, UINT64_MAX, &o->budget);
            break;
        default: ok = false;
        }
        if (!ok)
            return false;
    }
    return cmd_operands(args, 1, 1);
}

static void show(struct cmd_args *args, struct machine *m, const struct native *native,
                 const struct machine_result *result, const uint8_t *before, uint32_t length) {
    const uint8_t *memory = machine_readable(m, native->memory, native->memory_size);
    cJSON *json = args->json ? args->result : NULL;

    if (result->status != BPF_OK) {
        report_fault(result, NULL, args);
        return;
    }
    report_result(result, json);
    report_cycles(result, json);
    if (json) {
        cJSON_AddNumberToObject(json, "text", native->text);
        cJSON_AddNumberToObject(json, "rodata", native->rodata);
        cJSON_AddNumberToObject(json, "data", native->data);
    } else {
        printf("text %u bytes, rodata %u, data %u\n", native->text, native->rodata, native->data);
    }
    if (length > 0 && memcmp(memory, before, length) != 0)
        report_memory(memory, length, args);
}

static void run(struct cmd_args *args) {
    struct options o = {"bench", NULL, 4096, 1, MACHINE_BUDGET};
    struct native native;
    struct machine_result result;
    uint8_t *bytes = (uint8_t *)"";
    size_t length = 0;

    if (!parse(args, &o) ||
        (o.mem && !report_read_memory(args, o.mem, o.mem_size, &bytes, &length)))
        return;
    struct machine *m = machine_new();
    machine_set_budget(m, o.budget);
    if (native_load(m, args->argv[0], o.entry, o.mem_size, args->arena, &native, args->diag)) {
        progress_begin("running", o.runs);
        for (uint64_t i = 0; i < o.runs && (i == 0 || result.status == BPF_OK); i++) {
            progress_step(i);
            native_call(m, &native, bytes, length, &result);
        }
        progress_end();
        show(args, m, &native, &result, bytes, length);
    }
    machine_free(m);
}

const struct cmd cmd_native = {
    .name = "native",
    .brief = "run a function of an ARM ELF file on the same machine",
    .operands = "X.elf",
    .about = "Link it with text at 0x080c0000 and data at 0x20012000.",
    .example = "bpf2thumb-emu native --entry sum --mem 010203 sum.elf",
    .options = options,
    .run = run,
};
