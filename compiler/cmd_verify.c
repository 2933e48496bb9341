/* SPDX-License-Identifier: MIT */
/* bpf2thumb verify: checks an object's programs and says what they need. */
#include "clang.h"
#include "commands.h"
#include "elf/elf.h"
#include "program/hook.h"
#include "verifier/verifier.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPT_TYPE = CMD_LONG, OPT_MEM_SIZE, OPT_PROG, OPT_LOG };

static const struct cmd_option options[] = {
    {OPT_TYPE, "type", "T", "program type instead of what SEC() says", hook_examples},
    {OPT_MEM_SIZE, "mem-size", "N", "bytes of memory of raw programs (default 4096)", NULL},
    {OPT_PROG, "prog", "NAME", "report on this program only; all are checked", NULL},
    {OPT_LOG, "log", NULL, "print what is known before each instruction, to stderr", NULL},
    {0},
};

/* The loops of a program's own function and of those that it calls, directly or not. */
static void report_loops(struct cmd_args *args, const struct program *p,
                         const struct verify_result *result, uint32_t func, cJSON *loops) {
    const struct verify_func *f = &result->funcs[func];

    for (uint32_t i = 0; i < result->nloops; i++) {
        const struct verify_loop *loop = &result->loops[i];
        struct diag_loc loc;
        if (loop->func != func || loop->bound == 0)
            continue;
        program_loc(p, loop->slot, &loc);
        if (!args->json) {
            printf("  loop in %s, ", p->funcs[func].name);
            printf(loc.line ? "line %u" : "instruction %u", loc.line ? loc.line : loop->slot);
            printf(": at most %llu time%s\n", (unsigned long long)loop->bound,
                   loop->bound == 1 ? "" : "s");
            continue;
        }
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "function", p->funcs[func].name);
        cJSON_AddNumberToObject(object, "insn", loc.insn);
        if (loc.line)
            cJSON_AddNumberToObject(object, "line", loc.line);
        cJSON_AddNumberToObject(object, "bound", (double)loop->bound);
        cJSON_AddItemToArray(loops, object);
    }
    for (uint32_t i = 0; i < f->ncallees; i++)
        report_loops(args, p, result, f->callees[i], loops);
}

static void report_all_loops(struct cmd_args *args, const struct program *p,
                             const struct verify_result *result, uint32_t func, cJSON *loops) {
    const struct verify_func *f = &result->funcs[func];

    report_loops(args, p, result, func, loops);
    for (uint32_t i = 0; i < f->ntimers; i++)
        report_loops(args, p, result, f->timers[i], loops);
}

static void report(struct cmd_args *args, const struct program *p,
                   const struct verify_result *result, const struct prog_entry *entry,
                   cJSON *programs) {
    struct verify_depth depth = verify_depth_of(result, entry->func);

    if (!args->json) {
        printf("%s: SEC(\"%s\"): %u bytes of stack, %u function%s deep\n", entry->name,
               entry->section, depth.stack, depth.frames, depth.frames == 1 ? "" : "s");
        report_all_loops(args, p, result, entry->func, NULL);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", entry->name);
    cJSON_AddStringToObject(object, "section", entry->section);
    cJSON_AddNumberToObject(object, "instructions", p->funcs[entry->func].len);
    cJSON_AddNumberToObject(object, "stack", depth.stack);
    cJSON_AddNumberToObject(object, "frames", depth.frames);
    report_all_loops(args, p, result, entry->func, cJSON_AddArrayToObject(object, "loops"));
    cJSON_AddItemToArray(programs, object);
}

/* What it took to follow paths, where there was something left to settle. */
static void report_cost(struct cmd_args *args, const struct verify_cost *cost) {
    if (!args->json) {
        if (cost->explored)
            printf("paths: %" PRIu64 " instructions followed, %" PRIu64 " states kept, %" PRIu64
                   " paths met one of them, %.1f MiB\n",
                   cost->explored, cost->visited, cost->pruned, (double)cost->bytes / 1048576);
        return;
    }
    cJSON *object = cJSON_AddObjectToObject(args->result, "paths");
    cJSON_AddNumberToObject(object, "instructions", (double)cost->explored);
    cJSON_AddNumberToObject(object, "states", (double)cost->visited);
    cJSON_AddNumberToObject(object, "met", (double)cost->pruned);
    cJSON_AddNumberToObject(object, "bytes", (double)cost->bytes);
}

static void check(struct cmd_args *args, const struct program *p, const char *name, bool log) {
    cJSON *programs = cJSON_AddArrayToObject(args->result, "programs");
    struct verify_result result;
    bool found = name == NULL;

    if (!verify_logged(p, &result, args->diag, log ? stderr : NULL))
        return;
    for (uint32_t i = 0; i < p->nentries; i++) {
        if (name && strcmp(p->entries[i].name, name) != 0)
            continue;
        found = true;
        report(args, p, &result, &p->entries[i], programs);
    }
    report_cost(args, &result.cost);
    if (!found) {
        diag_error(args->diag, DIAG_USAGE, NULL, "see the programs with `bpf2thumb dump`",
                   "there is no program %s in %s", name, p->file);
        return;
    }
}

static void run(struct cmd_args *args) {
    struct elf_options elf_options = {0};
    const char *prog = NULL;
    bool log = false;
    unsigned long long number;

    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case OPT_TYPE: elf_options.type = args->value; break;
        case OPT_PROG: prog = args->value; break;
        case OPT_LOG: log = true; break;
        case OPT_MEM_SIZE:
            if (!cmd_number(args, "--mem-size", args->value, 1, BPF_RAW_MEM_MAX, &number))
                return;
            elf_options.mem_size = (uint32_t)number;
            break;
        default: return;
        }
    }
    if (!cmd_operands(args, 1, 1))
        return;
    elf_options.name = args->argv[0];
    struct clang_object object;
    struct program *program;
    bool good = clang_object_open(&object, args->argv[0], args->arena, args->diag) &&
                elf_read(object.path, args->arena, &elf_options, &program, args->diag);
    clang_object_close(&object);
    if (good)
        check(args, program, prog, log);
}

const struct cmd cmd_verify = {
    .name = "verify",
    .brief = "check the programs of an object",
    .operands = "X.bpf.o|X.bpf.c",
    .about =
        "Proves that a program is safe to run on the board: that it stays inside its memory, uses\n"
        "nothing uninitialised, gives records back, keeps addresses to itself, and ends. Prints "
        "what\n"
        "each program needs, and how often its loops can run. docs/verifier.md explains refusals.",
    .example = "bpf2thumb verify blink.bpf.o",
    .options = options,
    .run = run,
};
