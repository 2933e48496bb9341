/* SPDX-License-Identifier: MIT */
/* bpf2thumb compile: an eBPF object (or its C source) to a blob for the board. */
#include "blob/elf_write.h"
#include "commands.h"
#include "compile.h"
#include "program/hook.h"
#include "util/file.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { OPT_TYPE = CMD_LONG, OPT_MEM_SIZE, OPT_UNVERIFIED, OPT_BYTECODE, OPT_ELF, OPT_STATS };

static const struct cmd_option options[] = {
    {'o', NULL, "FILE", "the blob to write (default: X.blob beside the object)", NULL},
    {'O', NULL, "LEVEL", "0, 1, 2 (default) or s: smaller code", COMPILE_LEVELS},
    {OPT_TYPE, "type", "TYPE", "program type instead of what SEC() says, such as raw",
     hook_examples},
    {OPT_MEM_SIZE, "mem-size", "N", "bytes of memory that raw programs get (default 4096)", NULL},
    {OPT_UNVERIFIED, "unverified", NULL,
     "do not ask the verifier: the blob is marked as not proven safe", NULL},
    {OPT_BYTECODE, "with-bytecode", NULL, "put the bytecode into the blob too, for the interpreter",
     NULL},
    {OPT_ELF, "elf", "FILE", "write the code as an ARM ELF file with symbols and lines as well",
     NULL},
    {OPT_STATS, "stats", NULL, "print sizes, stack and what register allocation left", NULL},
    {0},
};

struct job {
    struct compile_options compile;
    const char *blob, *elf;
    bool stats;
};

static bool parse(struct cmd_args *args, struct job *job) {
    unsigned long long number;
    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case 'o': job->blob = args->value; break;
        case 'O':
            if (!compile_level(args->value, &job->compile))
                return diag_error(args->diag, DIAG_USAGE, NULL, "use -O0, -O1, -O2 or -Os",
                                  "unknown level -O%s", args->value);
            break;
        case OPT_TYPE: job->compile.type = args->value; break;
        case OPT_MEM_SIZE:
            if (!cmd_number(args, "--mem-size", args->value, 1, BPF_RAW_MEM_MAX, &number))
                return false;
            job->compile.mem_size = (uint32_t)number;
            break;
        case OPT_UNVERIFIED: job->compile.verify = COMPILE_UNVERIFIED; break;
        case OPT_BYTECODE: job->compile.bytecode = true; break;
        case OPT_ELF: job->elf = args->value; break;
        case OPT_STATS: job->stats = true; break;
        default: return false;
        }
    }
    return cmd_operands(args, 1, 1);
}

/* X.bpf.o, X.bpf.c, X.o -> X.blob */
static const char *blob_name(const char *path, struct arena *arena) {
    size_t len = strlen(path);
    if (len > 2 && path[len - 2] == '.')
        len -= 2;
    if (len > 4 && strncmp(path + len - 4, ".bpf", 4) == 0)
        len -= 4;
    return arena_printf(arena, "%.*s.blob", (int)len, path);
}

static void report_func(struct cmd_args *args, const struct code_func *func, cJSON *funcs) {
    if (!args->json) {
        printf("  %-24s %6u bytes of code, %4u bytes of stack\n", func->name, func->size,
               func->stack);
        return;
    }
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "name", func->name);
    cJSON_AddNumberToObject(row, "bytes", func->size);
    cJSON_AddNumberToObject(row, "stack", func->stack);
    cJSON_AddItemToArray(funcs, row);
}

static void report(struct cmd_args *args, const struct job *job, const struct compile_result *r) {
    cJSON_AddStringToObject(args->result, "blob", job->blob);
    cJSON_AddNumberToObject(args->result, "size", r->blob_size);
    cJSON_AddNumberToObject(args->result, "code_size", r->code.size);
    cJSON_AddBoolToObject(args->result, "verified", r->verified);
    if (!args->json)
        printf("%s: %u bytes, %u of them code%s\n", job->blob, r->blob_size, r->code.size,
               r->verified ? "" : ", not verified");
    if (!job->stats)
        return;
    cJSON *funcs = cJSON_AddArrayToObject(args->result, "functions");
    vec_for_each(struct code_func, func, &r->code.funcs)
        report_func(args, func, funcs);
    cJSON_AddNumberToObject(args->result, "arena_size", r->layout.size);
    cJSON_AddNumberToObject(args->result, "copies", r->ncopies);
    cJSON_AddNumberToObject(args->result, "spills", r->nspills);
    cJSON_AddNumberToObject(args->result, "reloads", r->nreloads);
    if (!args->json)
        printf("  code %u bytes, blob %u bytes, arena %u bytes without stack\n"
               "  left by register allocation: %u copies, %u spills, %u reloads\n",
               r->code.size, r->blob_size, r->layout.size, r->ncopies, r->nspills, r->nreloads);
}

/* No output may take the place of the input or of the other one. */
static bool check_outputs(struct cmd_args *args, const struct job *job, const char *input) {
    if (!file_spares(job->blob, input, args->diag) ||
        (job->elf && !file_spares(job->elf, input, args->diag)))
        return false;
    if (job->elf && file_same(job->elf, job->blob))
        return diag_error(args->diag, DIAG_USAGE, NULL, "name different files",
                          "blob and ELF file are both %s", job->blob);
    return true;
}

/* Both outputs, or none. */
static bool write_outputs(struct cmd_args *args, const struct job *job,
                          const struct compile_result *result) {
    struct file_output outputs[2] = {
        {.path = job->blob, .bytes = result->blob, .size = result->blob_size}, {.path = job->elf}};
    return (!job->elf || elf_write(result->prog, &result->code, &outputs[1], args->diag)) &&
           file_write_all(outputs, job->elf ? 2 : 1, args->diag);
}

static void run(struct cmd_args *args) {
    struct job job = {.compile = {.level = 2, .verify = COMPILE_VERIFIED}};
    if (!parse(args, &job))
        return;
    const char *path = args->argv[0];
    if (!job.blob)
        job.blob = blob_name(path, args->arena);
    struct compile_result result;
    if (!check_outputs(args, &job, path))
        return;
    if (!compile_file(args->arena, path, &job.compile, &result, args->diag))
        return;
    if (write_outputs(args, &job, &result))
        report(args, &job, &result);
}

const struct cmd cmd_compile = {
    .name = "compile",
    .brief = "compile an eBPF object ahead of time to Thumb-2",
    .operands = "X.bpf.o|X.bpf.c",
    .about = "Proves that the program is safe (bpf2thumb verify), translates it for Cortex-M4 and "
             "writes\n"
             "a blob (docs/blob.md), which the board and the emulator run. One object file makes "
             "one blob.",
    .example = "bpf2thumb compile -O2 -o blink.blob blink.bpf.o",
    .options = options,
    .run = run,
};
