/* SPDX-License-Identifier: MIT */
#include "kernel/translate.h"

#include "bpf/helper.h"
#include "bpf/map.h"

#include <string.h>

#define PROLOGUE 8           /* slots */
#define FIRST_DEVICE_ID 1024 /* helpers from here on are this project's */
#define PAGE 4096

struct translator {
    const struct program *program;
    struct translation *out;
    bool *reached;   /* by function */
    uint32_t *start; /* by function: slot in the Linux program */
    int *map, *data; /* descriptors, by index; 0: none yet */
};

/* ---- Maps ---- */

static int open_map(struct translation *t, const struct kernel_map *map) {
    if (t->nfds == TRANSLATE_MAPS) {
        t->skip = "too many maps";
        return -1;
    }
    int fd = kernel_map_create(map);
    if (fd < 0)
        t->skip = "a map that Linux does not create";
    else
        t->fds[t->nfds++] = fd;
    return fd;
}

static int map_of(struct translator *t, uint32_t index) {
    const struct prog_map *m = &t->program->maps[index];
    struct kernel_map map = {m->type, m->key_size, m->value_size, m->max_entries, m->map_flags,
                             NULL,    false};
    if (m->type == BPF_MAP_RINGBUF) /* Linux counts in pages */
        map.max_entries = PAGE;
    if (m->type == BPF_MAP_PROG_ARRAY)
        t->out->skip = "tail calls: they take Linux's context";
    if (!t->map[index])
        t->map[index] = open_map(t->out, &map);
    return t->map[index];
}

static int data_of(struct translator *t, uint32_t index) {
    const struct prog_data *d = &t->program->datas[index];
    const struct kernel_map map = {BPF_MAP_ARRAY, 4, d->size ? d->size : 1, 1, 0,
                                   d->image,      !d->writable};
    if (d->relocated)
        t->out->skip = "data that hold addresses";
    if (!t->data[index])
        t->data[index] = open_map(t->out, &map);
    return t->data[index];
}

/* ---- Code ---- */

static uint64_t word(struct bpf_insn insn) {
    uint64_t w;
    memcpy(&w, &insn, sizeof(w));
    return w;
}

static uint32_t put(uint64_t *to, struct bpf_decoded d) {
    struct bpf_insn insn[2];
    unsigned slots = bpf_encode(&d, insn);
    for (unsigned i = 0; i < slots; i++)
        to[i] = word(insn[i]);
    return slots;
}

static void prologue(struct translation *t, uint64_t *to, uint32_t mem_size) {
    const struct kernel_map memory = {BPF_MAP_ARRAY, 4, mem_size ? mem_size : 1, 1, 0, NULL, false};
    const struct kernel_map length = {BPF_MAP_ARRAY, 4, 8, 1, 0, NULL, false};
    uint32_t memory_fd = (uint32_t)open_map(t, &memory);
    uint32_t length_fd = (uint32_t)open_map(t, &length);
    uint32_t n = put(to, (struct bpf_decoded){.op = BPF_LDDW,
                                              .dst = BPF_R2,
                                              .pseudo = BPF_PSEUDO_DATA,
                                              .imm = length_fd});
    n += put(to + n,
             (struct bpf_decoded){.op = BPF_LDX, .width = 64, .dst = BPF_R2, .src = BPF_R2});
    n += put(to + n, (struct bpf_decoded){
                         .op = BPF_JLE, .width = 64, .dst = BPF_R2, .imm = mem_size, .target = 3});
    n += put(to + n, (struct bpf_decoded){.op = BPF_MOV, .width = 64, .dst = BPF_R0});
    n += put(to + n, (struct bpf_decoded){.op = BPF_EXIT});
    put(to + n, (struct bpf_decoded){
                    .op = BPF_LDDW, .dst = BPF_R1, .pseudo = BPF_PSEUDO_DATA, .imm = memory_fd});
}

static bool takes_address(const struct bpf_decoded *d) {
    return d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_FUNC;
}

static uint32_t callee_of(const struct translator *t, const struct bpf_decoded *d, uint32_t slot) {
    if (takes_address(d))
        return (uint32_t)d->imm;
    return (uint32_t)(program_func_at(t->program, (uint32_t)((int64_t)slot + d->target)) -
                      t->program->funcs);
}

static void reach(struct translator *t, uint32_t func) {
    const struct prog_func *f = &t->program->funcs[func];
    if (t->reached[func])
        return;
    t->reached[func] = true;
    for (uint32_t slot = f->start; slot < f->start + f->len; slot++) {
        const struct bpf_decoded *d = &t->program->decoded[slot];
        if (d->len == 0)
            continue;
        if (d->op == BPF_CALLX)
            t->out->skip = "calls through a register";
        if (d->op == BPF_CALL_HELPER && d->imm >= FIRST_DEVICE_ID)
            t->out->skip = "helpers of the board";
        if (d->op == BPF_CALL_HELPER && d->imm == BPF_FUNC_TAIL_CALL)
            t->out->skip = "tail calls: they take Linux's context";
        t->out->program.callbacks |= takes_address(d);
        if (takes_address(d) || d->op == BPF_CALL_LOCAL)
            reach(t, callee_of(t, d, slot));
    }
}

/* What names a function, a map or data does so in Linux's way. */
static void copy_insn(struct translator *t, uint32_t slot, uint32_t at, uint64_t *to) {
    struct bpf_insn insn = t->program->insns[slot];
    const struct bpf_decoded *d = &t->program->decoded[slot];
    if (takes_address(d) || d->op == BPF_CALL_LOCAL)
        insn.imm = (int32_t)(t->start[callee_of(t, d, slot)] - at - 1);
    else if (d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_MAP)
        insn.imm = map_of(t, (uint32_t)d->imm);
    else if (d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_DATA)
        insn.imm = data_of(t, (uint32_t)d->imm);
    to[at] = word(insn);
    if (d->len == 2)
        to[at + 1] = word(t->program->insns[slot + 1]);
}

/* The entry first, the other functions in their order. */
static void lay_out(struct translator *t, uint32_t entry) {
    const struct program *p = t->program;
    uint32_t *funcs = arena_alloc_array(p->arena, p->nfuncs, sizeof(*funcs));
    struct kernel_program *out = &t->out->program;
    funcs[0] = 0;
    out->nfuncs = 1;
    t->start[entry] = PROLOGUE;
    out->count = PROLOGUE + p->funcs[entry].len;
    for (uint32_t i = 0; i < p->nfuncs; i++) {
        if (!t->reached[i] || i == entry)
            continue;
        funcs[out->nfuncs++] = t->start[i] = out->count;
        out->count += p->funcs[i].len;
    }
    out->funcs = funcs;
}

void translate(const struct program *program, uint32_t entry, struct translation *out) {
    struct arena *arena = program->arena;
    uint32_t main = program->entries[entry].func;
    struct translator t = {
        .program = program,
        .out = out,
        .reached = arena_alloc_array(arena, program->nfuncs, sizeof(bool)),
        .start = arena_alloc_array(arena, program->nfuncs, sizeof(uint32_t)),
        .map = arena_alloc_array(arena, program->nmaps + 1, sizeof(int)),
        .data = arena_alloc_array(arena, program->ndatas + 1, sizeof(int)),
    };
    *out = (struct translation){0};
    if (program->entries[entry].hook != BPF_HOOK_RAW)
        out->skip = "program types other than raw";
    reach(&t, main);
    if (out->skip)
        return;
    lay_out(&t, main);
    uint64_t *to = arena_alloc_array(arena, out->program.count, sizeof(*to));
    prologue(out, to, program->entries[entry].ctx_size);
    for (uint32_t f = 0; f < program->nfuncs; f++)
        for (uint32_t i = 0; t.reached[f] && i < program->funcs[f].len; i++)
            if (program->decoded[program->funcs[f].start + i].len)
                copy_insn(&t, program->funcs[f].start + i, t.start[f] + i, to);
    out->program.insns = to;
}

void translate_bare(struct arena *arena, const struct bpf_insn *insns, uint32_t count,
                    uint32_t mem_size, struct translation *out) {
    static const uint32_t start = 0;
    uint64_t *to = arena_alloc_array(arena, PROLOGUE + count, sizeof(*to));
    *out = (struct translation){
        .program = {.insns = to, .count = PROLOGUE + count, .funcs = &start, .nfuncs = 1}};
    prologue(out, to, mem_size);
    memcpy(to + PROLOGUE, insns, count * sizeof(*insns));
}

void translate_free(struct translation *t) {
    for (unsigned i = 0; i < t->nfds; i++)
        kernel_close(t->fds[i]);
}
