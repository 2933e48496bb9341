/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb dump: what a file holds, at one of the compiler's stages. One row of `views` per stage. An
 * input is an object or C source, which is taken as far as the view needs it, or a blob, which has some
 * of the views. Views that are tables have a JSON form of their own; the others are text in JSON too.
 */
#include "asm_listing.h"
#include "blob_file.h"
#include "blob_listing.h"
#include "bpf_listing.h"
#include "clang.h"
#include "commands.h"
#include "compile.h"
#include "elf/elf.h"
#include "opt/opt.h"
#include "program/hook.h"
#include "util/file.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_TYPE = CMD_LONG,
    OPT_MEM_SIZE,
    OPT_UNVERIFIED,
    OPT_VIEW /* and as many as there are views */
};

#define DEFAULT_PASS "final"

struct dump_input {
    const char *path;
    struct compile_options options;
    const char *pass;       /* --ssa=PASS */
    bool is_blob;           /* what the file is, and then the checked blob */
    struct blob blob;       /* also of a compiled input */
    struct asm_debug debug; /* of a compiled input */
};

/* Prints the view to `out`, or adds it to the JSON result when that is NULL; false after an error. */
typedef bool view_printer(struct cmd_args *args, struct dump_input *input, FILE *out);

/* -------------------------------------------------------------------------------------- bytecode */

static struct program *read_program(struct cmd_args *args, const struct dump_input *input) {
    struct elf_options options = {
        .type = input->options.type, .name = input->path, .mem_size = input->options.mem_size};
    struct clang_object object;
    struct program *program;
    if (input->is_blob)
        return blob_program(args->arena, &input->blob, input->path, args->diag);
    bool good = clang_object_open(&object, input->path, args->arena, args->diag) &&
                elf_read(object.path, args->arena, &options, &program, args->diag);
    clang_object_close(&object);
    return good ? program : NULL;
}

static bool print_bpf(struct cmd_args *args, struct dump_input *input, FILE *out) {
    struct program *program = read_program(args, input);
    if (!program)
        return false;
    if (!input->is_blob) /* a blob's tables are the view --blob */
        bpf_list_tables(program, out);
    bpf_list_code(program, out);
    return true;
}

/* -------------------------------------------------------------------------------------------- IR */

static bool pass_exists(const char *name) {
    size_t count;
    const struct opt_pass *passes = opt_passes(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(passes[i].name, name) == 0)
            return true;
    for (const char *const *stage = compile_stages; *stage; stage++)
        if (strcmp(*stage, name) == 0)
            return true;
    return strcmp(name, "all") == 0;
}

static const char *pass_list(struct arena *arena) {
    size_t count;
    const struct opt_pass *passes = opt_passes(&count);
    const char *list = "";
    for (const char *const *stage = compile_stages; *stage; stage++)
        list = arena_printf(arena, "%s%s, ", list, *stage);
    for (size_t i = 0; i < count; i++)
        list = arena_printf(arena, "%s%s, ", list, passes[i].name);
    return arena_printf(arena, "%sall", list);
}

/* What was printed before a failure is shown as well: it leads to the cause. */
static bool print_ssa(struct cmd_args *args, struct dump_input *input, FILE *out) {
    struct compile_result result;
    if (input->is_blob)
        return diag_error(args->diag, DIAG_USAGE, NULL, "give the object or the C source",
                          "%s is a blob: it holds no IR", input->path);
    input->options.dump_pass = input->pass;
    input->options.dump = out;
    if (!compile_file(args->arena, input->path, &input->options, &result, args->diag))
        return false;
    if (ftell(out) == 0)
        return diag_error(args->diag, DIAG_USAGE, NULL, "give a higher level with -O",
                          "the pass %s does not run at this level", input->pass);
    return true;
}

/* ------------------------------------------------------------------------------------------- blob */

/* An input that is not a blob yet becomes one. */
static bool make_blob(struct cmd_args *args, struct dump_input *input) {
    struct compile_result *result = arena_alloc(args->arena, sizeof(*result));
    if (input->is_blob)
        return true;
    if (!compile_file(args->arena, input->path, &input->options, result, args->diag))
        return false;
    input->debug =
        (struct asm_debug){result->prog, result->code.lines.items, result->code.lines.count};
    return blob_check(result->blob, result->blob_size, input->path, &input->blob, args->diag);
}

static bool print_asm(struct cmd_args *args, struct dump_input *input, FILE *out) {
    const struct diag_loc loc = DIAG_OBJECT(input->path);
    if (!make_blob(args, input))
        return false;
    if (!(input->blob.header->flags & BLOB_THUMB))
        return diag_error(args->diag, DIAG_BLOB, &loc, "see its bytecode with --bpf",
                          "the blob has no compiled code");
    if (out)
        asm_list(args->arena, &input->blob, &input->debug, out);
    else
        asm_list_json(args->arena, &input->blob, &input->debug, args->result);
    return true;
}

static bool print_blob(struct cmd_args *args, struct dump_input *input, FILE *out) {
    if (!make_blob(args, input))
        return false;
    if (out)
        blob_list(&input->blob, out);
    else
        blob_list_json(&input->blob, args->result);
    return true;
}

/* ---------------------------------------------------------------------------------------- command */

enum { VIEW_BPF, VIEW_SSA, VIEW_ASM, VIEW_BLOB, VIEW_COUNT };

static const struct {
    const char *name;
    view_printer *print;
    bool tables; /* has a JSON form of its own */
} views[VIEW_COUNT] = {
    [VIEW_BPF] = {"bpf", print_bpf, false},
    [VIEW_SSA] = {"ssa", print_ssa, false},
    [VIEW_ASM] = {"asm", print_asm, true},
    [VIEW_BLOB] = {"blob", print_blob, true},
};

/* For completion: what pass_list() has. */
static const char pass_names[] = "all"
#define STAGE(name) " " #name
#define OPT_PASS(name, level, about) STAGE(name)
    COMPILE_STAGES(STAGE)
#include "opt/passes.def"
#undef STAGE
    ;

static const struct cmd_option options[] = {
    {OPT_VIEW + VIEW_BPF, "bpf", NULL, "the linked eBPF program (default of objects and sources)",
     NULL},
    {OPT_VIEW + VIEW_SSA, "ssa", "[PASS]", "the IR after a pass, or all; default: the final one",
     pass_names},
    {OPT_VIEW + VIEW_ASM, "asm", NULL, "the compiled code", NULL},
    {OPT_VIEW + VIEW_BLOB, "blob", NULL, "header and tables of the blob (default of blobs)", NULL},
    {'O', NULL, "LEVEL", "0, 1, 2 (default) or s: how to compile an object or source",
     COMPILE_LEVELS},
    {OPT_TYPE, "type", "T", "program type instead of what SEC() says", hook_examples},
    {OPT_MEM_SIZE, "mem-size", "N", "bytes of memory of raw programs (default 4096)", NULL},
    {OPT_UNVERIFIED, "unverified", NULL, "compile as if nothing had been proven of the program",
     NULL},
    {0},
};

/* The text goes to stdout, or into the JSON object as a whole. */
static void show(struct cmd_args *args, int view, struct dump_input *input) {
    char *text = NULL;
    size_t size = 0;
    if (args->json && views[view].tables) {
        views[view].print(args, input, NULL);
        return;
    }
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    bool good = views[view].print(args, input, out);
    fclose(out);
    if (!args->json)
        fwrite(text, 1, size, stdout);
    else if (good)
        cJSON_AddStringToObject(args->result, views[view].name, text);
    free(text);
}

static bool parse(struct cmd_args *args, struct dump_input *input, int *view) {
    unsigned long long number;
    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case -1: return false;
        case 'O':
            if (!compile_level(args->value, &input->options))
                return diag_error(args->diag, DIAG_USAGE, NULL, "use -O0, -O1, -O2 or -Os",
                                  "unknown level -O%s", args->value);
            break;
        case OPT_TYPE: input->options.type = args->value; break;
        case OPT_UNVERIFIED: input->options.verify = COMPILE_UNVERIFIED; break;
        case OPT_MEM_SIZE:
            if (!cmd_number(args, "--mem-size", args->value, 1, BPF_RAW_MEM_MAX, &number))
                return false;
            input->options.mem_size = (uint32_t)number;
            break;
        default:
            *view = id - OPT_VIEW;
            if (args->value)
                input->pass = args->value;
        }
    }
    if (!pass_exists(input->pass))
        return diag_error(args->diag, DIAG_USAGE, NULL,
                          arena_printf(args->arena, "it is one of %s", pass_list(args->arena)),
                          "there is no pass %s", input->pass);
    return cmd_operands(args, 1, 1);
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

/* A blob is known by its first bytes. One whose first bytes are damaged is known by its name; and what
 * is no object is taken for a blob where one was asked for. */
static bool find_blob(struct cmd_args *args, struct dump_input *input, int view) {
    uint8_t *bytes;
    size_t size;
    if (ends_with(input->path, ".c"))
        return true;
    if (!file_read(input->path, FILE_SIZE_LIMIT, args->arena, &bytes, &size, args->diag))
        return false;
    input->is_blob = blob_is_meant(bytes, size, input->path, view == VIEW_BLOB);
    return !input->is_blob || blob_check(bytes, size, input->path, &input->blob, args->diag);
}

static void run(struct cmd_args *args) {
    struct dump_input input = {.options = {.level = 2, .verify = COMPILE_TRY},
                               .pass = DEFAULT_PASS};
    int view = -1;
    if (!parse(args, &input, &view))
        return;
    input.path = args->argv[0];
    if (!find_blob(args, &input, view))
        return;
    if (view < 0)
        view = input.is_blob ? VIEW_BLOB : VIEW_BPF;
    show(args, view, &input);
}

const struct cmd cmd_dump = {
    .name = "dump",
    .brief = "show what an object, a C source or a blob holds, at any stage of the compiler",
    .operands = "X.bpf.o|X.bpf.c|X.blob",
    .about =
        "Instructions of eBPF are numbered by their slot in the linked program. Addresses of code\n"
        "count from the start of the code. A blob has no source lines; --bpf shows one that was\n"
        "compiled --with-bytecode. docs/ir.md describes the IR and its passes.",
    .example = "bpf2thumb dump --bpf blink.bpf.o\nbpf2thumb dump --asm -O1 blink.bpf.c\n"
               "bpf2thumb dump --ssa=gvn blink.bpf.c\nbpf2thumb dump blink.blob",
    .options = options,
    .run = run,
};
