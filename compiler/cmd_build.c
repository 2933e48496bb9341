/* SPDX-License-Identifier: MIT */
/* bpf2thumb build: a program in C to an eBPF object, through clang. */
#include "clang.h"
#include "commands.h"
#include "util/file.h"
#include "util/vec.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { OPT_CPU = CMD_LONG };

static const struct cmd_option options[] = {
    {'o', NULL, "FILE", "the object to write (default: X.bpf.o beside the source)", NULL},
    {'I', NULL, "DIR", "look for headers in DIR too", NULL},
    {'D', NULL, "NAME[=V]", "define a macro", NULL},
    {OPT_CPU, "cpu", "vN",
     "eBPF version for clang's -mcpu: v1 to v4 (default " CLANG_DEFAULT_CPU ")", "v1 v2 v3 v4"},
    {0},
};

static bool cpu_is_known(const char *cpu) {
    return cpu[0] == 'v' && cpu[1] >= '1' && cpu[1] <= '4' && cpu[2] == '\0';
}

static void run(struct cmd_args *args) {
    struct clang_job job = {0};
    VEC(const char *) flags = {0};

    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case 'o': job.object = args->value; break;
        case 'I':
        case 'D':
            vec_push(args->arena, &flags, arena_printf(args->arena, "-%c%s", id, args->value));
            break;
        case OPT_CPU:
            job.cpu = args->value;
            if (!cpu_is_known(job.cpu)) {
                diag_error(args->diag, DIAG_USAGE, NULL, "use v1, v2, v3 or v4", "unknown --cpu %s",
                           job.cpu);
                return;
            }
            break;
        default: return;
        }
    }
    if (!cmd_operands(args, 1, 1))
        return;
    job.source = args->argv[0];
    job.flags = flags.items;
    job.flag_count = flags.count;
    if (!job.object)
        job.object = clang_object_name(job.source, args->arena);
    if (file_spares(job.object, job.source, args->diag) &&
        clang_compile(&job, args->arena, args->diag))
        cJSON_AddStringToObject(args->result, "object", job.object);
}

const struct cmd cmd_build = {
    .name = "build",
    .brief = "compile a program in C to an eBPF object with clang",
    .operands = "X.bpf.c",
    .about =
        "Runs clang -target bpf -O2 -g with the directory of bpf_mcu.h in its include path. The\n"
        "environment variable CLANG names another clang than clang-19.",
    .example = "bpf2thumb build -o blink.bpf.o blink.bpf.c",
    .options = options,
    .run = run,
};
