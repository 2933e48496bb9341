/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb-conformance: the plugin that the public conformance suite calls for each of its tests,
 * and the runner for directories of such tests.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/data.h"
#include "conformance/engine.h"
#include "conformance/suite.h"
#include "util/file.h"
#include "util/vec.h"

static const char usage[] =
    "usage: bpf2thumb-conformance [MEMORY] [OPTION...] < PROGRAM\n"
    "       bpf2thumb-conformance --suite DIR [--suite DIR...] [OPTION...]\n"
    "\n"
    "Runs one eBPF program, given as hexadecimal bytes on standard input, and prints r0 in\n"
    "hexadecimal; or runs all .data files of a directory on every engine.\n"
    "\n"
    "  MEMORY           hexadecimal bytes that r1 points to; r2 is their number\n"
    "  --engine NAME    thumb (compiled code in the emulator; the default), interp (the\n"
    "                   Cortex-M4 interpreter in the emulator) or native (the interpreter here)\n"
    "  -O0 -O1 -O2 -Os  optimisation of compiled code (default -O2)\n"
    "  --elf            the program is an ELF object file; its first program is run\n"
    "  --mem-size N     bytes of memory, zeros after MEMORY (default 4096)\n"
    "  --suite DIR      run the .data files below DIR; without --engine on all engines\n"
    "  --help           this text\n"
    "\n"
    "Exit status: 0 done; 1 the program was refused or stopped, or a test failed; 2 usage.\n"
    "\n"
    "example: echo 'b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00' | bpf2thumb-conformance\n"
    "prints:  2a\n";

struct options {
    const char *memory; /* hexadecimal, or NULL */
    const char *kind;   /* of engine, or NULL */
    char level;         /* or 0 */
    bool elf, help;
    unsigned long mem_size;
    VEC(char *) suites;
};

static bool usage_error(const char *text, const char *what) {
    fprintf(stderr, "bpf2thumb-conformance: %s%s%s\n  fix: see bpf2thumb-conformance --help\n",
            text, *what ? ": " : "", what);
    return false;
}

/* The suite passes all options of a plugin as one argument, and empty strings for none: arguments
 * that start with - are split at blanks. */
static void split(struct arena *arena, int argc, char **argv, char ***out, size_t *count) {
    VEC(char *) words = {0};

    for (int i = 1; i < argc; i++) {
        char *text = arena_strdup(arena, argv[i]), *rest = NULL;
        while (isspace((unsigned char)*text))
            text++;
        if (*text != '-') {
            vec_push(arena, &words, text);
            continue;
        }
        for (char *w = strtok_r(text, " \t", &rest); w; w = strtok_r(NULL, " \t", &rest))
            vec_push(arena, &words, w);
    }
    *out = words.items;
    *count = words.count;
}

static bool parse(struct arena *arena, int argc, char **argv, struct options *o) {
    char **words;
    size_t count;

    split(arena, argc, argv, &words, &count);
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        bool takes =
            !strcmp(word, "--engine") || !strcmp(word, "--suite") || !strcmp(word, "--mem-size");
        if (takes && i + 1 == count)
            return usage_error("an argument is missing after", word);
        if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
            o->help = true;
        } else if (!strcmp(word, "--elf")) {
            o->elf = true;
        } else if (!strcmp(word, "--engine")) {
            o->kind = words[++i];
        } else if (!strcmp(word, "--suite")) {
            vec_push(arena, &o->suites, words[++i]);
        } else if (!strcmp(word, "--mem-size")) {
            char *end;
            o->mem_size = strtoul(words[++i], &end, 0);
            if (*end || end == words[i] || o->mem_size > 0x8000)
                return usage_error("not a size from 0 to 32768", words[i]);
        } else if (word[0] == '-' && word[1] == 'O' && strchr("012s", word[2]) && word[2] &&
                   !word[3]) {
            o->level = word[2];
        } else if (word[0] == '-') {
            return usage_error("unknown option", word);
        } else if (*word) {
            if (o->memory)
                return usage_error("more than one MEMORY", word);
            o->memory = word;
        }
    }
    return true;
}

/* The engines that the options ask for, of which `on` has room for all. */
static size_t choose(const struct options *o, const struct engine **on, bool all) {
    static const char *const kinds[] = {"native", "interp", "thumb"};
    const char *kind = o->kind ? o->kind : all && !o->level ? NULL : "thumb";
    char level = o->level ? o->level : all ? 0 : '2';
    size_t n = 0;

    for (size_t i = 0; i < engine_count; i++) {
        const struct engine *e = &engines[i];
        if (kind && strcmp(kind, kinds[e->kind]) != 0)
            continue;
        if (e->kind == ENGINE_THUMB && level && e->level != level)
            continue;
        on[n++] = e;
    }
    return n;
}

/* Standard input as bytes. False after a message. */
static bool read_program(struct arena *arena, struct diag *diag, uint8_t **bytes, uint32_t *size) {
    uint8_t *text;
    size_t length;

    if (!file_read("/dev/stdin", FILE_SIZE_LIMIT, arena, &text, &length, diag))
        return false;
    *bytes = arena_alloc(arena, length / 2 + 8);
    if (!vector_hex((const char *)text, length, *bytes, size))
        return diag_error(diag, DIAG_USAGE, NULL, "write two hexadecimal digits for each byte",
                          "standard input is not a program in hexadecimal");
    if (*size == 0)
        return diag_error(diag, DIAG_USAGE, NULL, "give the program on standard input",
                          "standard input is empty");
    return true;
}

static bool run_one(struct arena *arena, const struct options *o, const struct engine *engine,
                    struct diag *diag) {
    struct engine_input input = {.name = "stdin", .mem_size = (uint32_t)o->mem_size};
    uint8_t *bytes, *mem = arena_alloc(arena, o->memory ? strlen(o->memory) : 1);
    uint32_t size;
    uint64_t r0;

    if (o->memory && !vector_hex(o->memory, strlen(o->memory), mem, &input.mem_len))
        return diag_error(diag, DIAG_USAGE, NULL, "write two hexadecimal digits for each byte",
                          "MEMORY is not hexadecimal");
    if (input.mem_len > o->mem_size)
        return diag_error(diag, DIAG_USAGE, NULL, "give a larger --mem-size",
                          "MEMORY has %u bytes, more than --mem-size %lu", input.mem_len,
                          o->mem_size);
    input.mem = mem;
    if (!read_program(arena, diag, &bytes, &size))
        return false;
    if (o->elf) {
        input.elf = bytes;
        input.elf_size = size;
    } else if (size % sizeof(struct bpf_insn)) {
        return diag_error(diag, DIAG_INSN, NULL, "instructions have 8 bytes each",
                          "the program has %u bytes", size);
    } else {
        input.insns = (const struct bpf_insn *)bytes;
        input.count = size / sizeof(struct bpf_insn);
    }

    struct engine_session *session = engine_session_new();
    bool ok = engine_run(session, engine, arena, &input, &r0, diag);
    engine_session_free(session);
    if (ok)
        printf("%llx\n", (unsigned long long)r0);
    return ok;
}

int main(int argc, char **argv) {
    struct arena *arena = arena_new();
    struct options o = {.mem_size = ENGINE_MEM_SIZE};
    int status = 2;

    if (!parse(arena, argc, argv, &o))
        goto out;
    if (o.help) {
        fputs(usage, stdout);
        status = 0;
        goto out;
    }
    const struct engine **on = arena_alloc_array(arena, engine_count, sizeof(*on));
    size_t non = choose(&o, on, o.suites.count > 0);
    if (non == 0) {
        usage_error("no such engine (thumb, interp, native)", o.kind);
        goto out;
    }
    if (o.suites.count) {
        status = suite_run(o.suites.items, o.suites.count, on, non);
        goto out;
    }

    struct diag *diag = diag_new();
    status = run_one(arena, &o, on[0], diag) ? 0 : 1;
    diag_print(diag, stderr, diag_wants_colour(stderr));
    if (status && diag_count(diag) && diag_get(diag, 0)->category == DIAG_USAGE)
        status = 2;
    diag_free(diag);
out:
    arena_free(arena);
    if (!file_stdout_done() && status == 0)
        status = 2;
    return status;
}
