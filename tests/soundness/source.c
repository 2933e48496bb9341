/* SPDX-License-Identifier: MIT */
/* Programs with the tables that all of them share, and files of them. */
#include "soundness/soundness.h"

#include "asm/asm.h"
#include "bpf/map.h"
#include "program/hook.h"
#include "util/vec.h"

#include <stdlib.h>
#include <string.h>

static const struct prog_map maps[MAPS] = {
    [MAP_ARRAY] = {.name = "array", BPF_MAP_ARRAY, 4, ARRAY_VALUE, ARRAY_ELEMENTS, 0, 0, 0},
    [MAP_HASH] = {.name = "hash", BPF_MAP_HASH, 4, HASH_VALUE, 4, 0, 0, 0},
    [MAP_LRU] = {.name = "lru", BPF_MAP_LRU_HASH, 8, LRU_VALUE, 3, 0, 0, 0},
    [MAP_QUEUE] = {.name = "queue", BPF_MAP_QUEUE, 0, QUEUE_VALUE, 4, 0, 0, 0},
    [MAP_STACK] = {.name = "stack", BPF_MAP_STACK, 0, LRU_VALUE, 3, 0, 0, 0},
    [MAP_RING] = {.name = "ring", BPF_MAP_RINGBUF, 0, 0, RING_BYTES, 0, 0, 0},
    [MAP_PROGRAMS] = {.name = "programs", BPF_MAP_PROG_ARRAY, 4, 4, TABLE_ELEMENTS, 0, 0, 0},
    [MAP_JOBS] = {.name = "jobs",
                  .type = BPF_MAP_HASH,
                  .key_size = 4,
                  .value_size = JOB_VALUE,
                  .max_entries = 4,
                  .has_timer = true,
                  .timer_off = JOB_TIMER},
};

static const uint8_t image[DATA_BYTES] = {0, 7,  14, 21, 5,   12,  19, 3, 10, 17, 1,
                                          8, 15, 22, 6,  13,  2,   20, 4, 11, 9,  16,
                                          0, 7,  3,  1,  255, 128, 0,  0, 0,  1};
static const char words[DATA_BYTES] = "a=%d, b=%llx\0\0\0\0word";
static const char formats[DATA_BYTES] = "%c%u\0%%s%x\0%-3s\0%d%%%5s\0%hhd%9x";

static const struct prog_data datas[DATAS] = {
    [DATA_CONST] = {".rodata", image, DATA_BYTES, 8, false, false},
    [DATA_VAR] = {".data", image, DATA_BYTES, 8, true, false},
    [DATA_FUNCS] = {".rodata.funcs", NULL, DATA_BYTES, 8, false, true},
    [DATA_NULLS] = {".rodata.nulls", NULL, DATA_BYTES, 8, false, true},
    [DATA_POINTERS] = {".rodata.pointers", image, DATA_BYTES, 8, false, true},
    [DATA_TEXT] = {".rodata.str", (const uint8_t *)words, DATA_BYTES, 8, false, false},
    [DATA_FORMATS] = {".rodata.formats", (const uint8_t *)formats, DATA_BYTES, 8, false, false},
};

/* ---- Tables */

static void add_functions(struct program *p, const struct source *s) {
    p->nfuncs = s->nfuncs;
    p->funcs = arena_alloc_array(p->arena, s->nfuncs, sizeof(*p->funcs));
    p->entries = arena_alloc_array(p->arena, s->nfuncs, sizeof(*p->entries));
    for (uint32_t f = 0; f < s->nfuncs; f++) {
        bool program = s->kind[f] == FUNC_MAIN || s->kind[f] == FUNC_TAIL;
        uint32_t end = f + 1 < s->nfuncs ? s->start[f + 1] : s->count;
        p->funcs[f] = (struct prog_func){.name = arena_printf(p->arena, "f%u", f),
                                         .section = "random",
                                         .start = s->start[f],
                                         .elf_insn = s->start[f],
                                         .len = end - s->start[f],
                                         .entry = program ? (int32_t)p->nentries : -1,
                                         .address_taken = !program && s->kind[f] != FUNC_SUB};
        if (program)
            p->entries[p->nentries++] = (struct prog_entry){
                .name = p->funcs[f].name,
                .section = hook_info(s->hook)->example,
                .func = f,
                .hook = s->hook,
                .ctx_size = s->hook == BPF_HOOK_RAW ? RAW_MEMORY : hook_ctx_size(s->hook)};
    }
}

/* Functions in their tables, one after another and over again; programs in the prog_array; and pointers: two
 * into the variables, one to a map, and 8 bytes of numbers. */
static void add_relocations(struct program *p, const struct source *s) {
    VEC(struct prog_reloc) relocs = {0};
    uint32_t table[SOURCE_FUNCS], ntable = 0;
    for (uint32_t f = 0; f < s->nfuncs; f++)
        if (s->kind[f] == FUNC_TABLE)
            table[ntable++] = f;
    for (uint32_t i = 0; ntable && i < TABLE_ELEMENTS; i++) {
        struct prog_reloc element = {PROG_RELOC_FUNC, DATA_FUNCS, 8 * i, table[i % ntable], 0};
        vec_push(p->arena, &relocs, element);
        element.data = DATA_NULLS;
        if (i != s->seed % TABLE_ELEMENTS)
            vec_push(p->arena, &relocs, element);
    }
    vec_push(p->arena, &relocs,
             (struct prog_reloc){PROG_RELOC_DATA, DATA_POINTERS, 0, DATA_VAR, 8});
    vec_push(p->arena, &relocs,
             (struct prog_reloc){PROG_RELOC_DATA, DATA_POINTERS, 8, DATA_VAR, 0});
    vec_push(p->arena, &relocs,
             (struct prog_reloc){PROG_RELOC_MAP, DATA_POINTERS, 16, MAP_ARRAY, 0});
    /* A raw program that is called so has no length in r2, so the first one is not. */
    for (uint32_t e = s->hook == BPF_HOOK_RAW; e < p->nentries && e < TABLE_ELEMENTS - 1; e++)
        vec_push(p->arena, &relocs, (struct prog_reloc){PROG_RELOC_PROG, MAP_PROGRAMS, e, e, 0});
    p->relocs = relocs.items;
    p->nrelocs = (uint32_t)relocs.count;
}

struct program *source_program(const struct source *s, struct arena *arena) {
    struct program *p = arena_alloc(arena, sizeof(*p));
    struct diag *diag = diag_new();
    *p = (struct program){.arena = arena, .file = "random", .ninsns = s->count};
    p->insns = arena_alloc_array(arena, s->count, sizeof(*p->insns));
    memcpy(p->insns, s->insns, s->count * sizeof(*p->insns));
    add_functions(p, s);
    bool good = program_decode(p, diag);
    if (!good)
        diag_print(diag, stderr, false);
    diag_free(diag);
    p->nmaps = MAPS;
    p->maps = arena_alloc_array(arena, MAPS, sizeof(*p->maps));
    memcpy(p->maps, maps, sizeof(maps));
    for (uint32_t i = 0; i < MAPS; i++)
        p->maps[i].bytes = bpf_map_bytes(maps[i].type, maps[i].key_size, maps[i].value_size,
                                         maps[i].max_entries, 0, NULL);
    p->ndatas = DATAS;
    p->datas = arena_alloc_array(arena, DATAS, sizeof(*p->datas));
    memcpy(p->datas, datas, sizeof(datas));
    add_relocations(p, s);
    return good ? p : NULL;
}

/* ---- Files: assembler text with what else there is in comments: `; hook N`, `; seed N`, `; func KIND SLOT` */

void source_print(const struct source *s, FILE *out) {
    fprintf(out, "; hook %d\n; seed %llu\n", (int)s->hook, (unsigned long long)s->seed);
    for (uint32_t f = 0; f < s->nfuncs; f++)
        fprintf(out, "; func %d %u\n", (int)s->kind[f], s->start[f]);
    struct bpf_decoded d;
    for (uint32_t i = 0; i < s->count; i += d.len) {
        char line[ASM_PRINT_SIZE];
        if (bpf_decode(&s->insns[i], s->count - i, &d) != BPF_DECODE_OK)
            return;
        asm_print(&d, line, sizeof(line));
        fprintf(out, "    %-36s ; %u\n", line, i);
    }
}

static void read_header(struct source *s, const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        unsigned hook, kind, start;
        unsigned long long seed;
        line += strspn(line, "\n");
        if (sscanf(line, "; hook %u", &hook) == 1 && hook < BPF_HOOK_COUNT)
            s->hook = (enum bpf_hook)hook;
        else if (sscanf(line, "; seed %llu", &seed) == 1)
            s->seed = seed;
        else if (sscanf(line, "; func %u %u", &kind, &start) == 2 && s->nfuncs < SOURCE_FUNCS) {
            s->kind[s->nfuncs] = (enum func_kind)kind;
            s->start[s->nfuncs++] = start;
        }
    }
}

bool source_read(struct source *s, const char *path) {
    static char text[1 << 18];
    struct bpf_insn *insns;
    FILE *in = fopen(path, "r");
    if (!in)
        return false;
    text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
    fclose(in);
    *s = (struct source){0};
    read_header(s, text);
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    bool good = asm_parse(arena, text, path, &insns, &s->count, diag) && s->count <= SOURCE_MAX;
    if (good)
        memcpy(s->insns, insns, s->count * sizeof(*insns));
    diag_print(diag, stderr, false);
    diag_free(diag);
    arena_free(arena);
    for (uint32_t f = 0; f < s->nfuncs; f++) /* ascending, none empty */
        good &= s->start[f] < (f + 1 < s->nfuncs ? s->start[f + 1] : s->count);
    return good && s->nfuncs && s->start[0] == 0;
}
