/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb dump: what a file holds, at one of the compiler's stages. One row of `views` per stage; each
 * prints to stdout, or adds to the JSON result as text.
 */
#include "bpf_listing.h"
#include "clang.h"
#include "commands.h"
#include "elf/elf.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPT_TYPE = CMD_LONG, OPT_MEM_SIZE, OPT_VIEW /* and as many as there are views */ };

struct dump_input {
    const char *path;
    struct elf_options options;
    const char *argument; /* of the view's option, or NULL */
};

/* Prints the view; false after an error. */
typedef bool view_printer(struct cmd_args *args, const struct dump_input *input, FILE *out);

static bool print_bpf(struct cmd_args *args, const struct dump_input *input, FILE *out) {
    struct clang_object object;
    struct program *program;
    bool good = clang_object_open(&object, input->path, args->arena, args->diag) &&
                elf_read(object.path, args->arena, &input->options, &program, args->diag);

    clang_object_close(&object);
    if (!good)
        return false;
    bpf_list_tables(program, out);
    bpf_list_code(program, out);
    return true;
}

static const struct {
    const char *name;
    view_printer *print;
} views[] = {
    {"bpf", print_bpf},
};

static const struct cmd_option options[] = {
    {OPT_VIEW + 0, "bpf", NULL, "the linked eBPF program of X.bpf.o or X.bpf.c (default)"},
    {OPT_TYPE, "type", "T", "program type instead of what SEC() says"},
    {OPT_MEM_SIZE, "mem-size", "N", "bytes of memory of raw programs (default 4096)"},
    {0},
};

/* The text goes to stdout at once, or into the JSON object as a whole. */
static void show(struct cmd_args *args, size_t view, const struct dump_input *input) {
    char *text = NULL;
    size_t size = 0;

    if (!args->json) {
        views[view].print(args, input, stdout);
        return;
    }
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    bool good = views[view].print(args, input, out);
    fclose(out);
    if (good)
        cJSON_AddStringToObject(args->result, views[view].name, text);
    free(text);
}

static void run(struct cmd_args *args) {
    struct dump_input input = {0};
    unsigned long long number;
    size_t view = 0;

    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case -1: return;
        case OPT_TYPE: input.options.type = args->value; break;
        case OPT_MEM_SIZE:
            if (!cmd_number(args, "--mem-size", args->value, 1, 1 << 20, &number))
                return;
            input.options.mem_size = (uint32_t)number;
            break;
        default: view = (size_t)(id - OPT_VIEW); input.argument = args->value;
        }
    }
    if (!cmd_operands(args, 1, 1))
        return;
    input.path = args->argv[0];
    show(args, view, &input);
}

const struct cmd cmd_dump = {
    .name = "dump",
    .brief = "show what an object holds",
    .operands = "X.bpf.o",
    .about = "The listing numbers instructions by their slot in the linked program.",
    .example = "bpf2thumb dump --bpf blink.bpf.o",
    .options = options,
    .run = run,
};
