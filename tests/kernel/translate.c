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
    bool *live;      /* by slot: can be reached */
    uint32_t *place; /* by slot that is live: slot in the Linux program */
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
    struct kernel_map map = {.type = m->type,
                             .key_size = m->key_size,
                             .value_size = m->value_size,
                             .max_entries = m->max_entries,
                             .flags = m->map_flags,
                             .has_timer = m->has_timer,
                             .timer_off = m->timer_off};
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
    const struct kernel_map map = {.type = BPF_MAP_ARRAY,
                                   .key_size = 4,
                                   .value_size = d->size ? d->size : 1,
                                   .max_entries = 1,
                                   .image = d->image,
                                   .constant = !d->writable};
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
    const struct kernel_map memory = {.type = BPF_MAP_ARRAY,
                                      .key_size = 4,
                                      .value_size = mem_size ? mem_size : 1,
                                      .max_entries = 1};
    const struct kernel_map length = {
        .type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    uint32_t memory_fd = (uint32_t)open_map(t, &memory);
    uint32_t length_fd = (uint32_t)open_map(t, &length);
    uint32_t n =
        put(to, (struct bpf_decoded){
                    .op = BPF_LDDW, .dst = BPF_R2, .pseudo = BPF_PSEUDO_DATA, .imm = length_fd});
    n +=
        put(to + n, (struct bpf_decoded){.op = BPF_LDX, .width = 64, .dst = BPF_R2, .src = BPF_R2});
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
        return t->program->funcs[d->imm].start;
    return (uint32_t)((int64_t)slot + d->target);
}

static void refuse(struct translator *t, const struct bpf_decoded *d) {
    if (d->op == BPF_CALLX)
        t->out->skip = "calls through a register";
    if (d->op == BPF_CALL_HELPER && d->imm >= FIRST_DEVICE_ID)
        t->out->skip = "helpers of the board";
    if (d->op == BPF_CALL_HELPER && d->imm == BPF_FUNC_TAIL_CALL)
        t->out->skip = "tail calls: they take Linux's context";
    t->out->program.callbacks |= takes_address(d);
}

static void add_slot(struct translator *t, uint32_t *work, uint32_t *n, int64_t slot) {
    if (slot < 0 || slot >= t->program->ninsns || t->program->decoded[slot].len == 0) {
        t->out->skip = "jumps to where no instruction is";
    } else if (!t->live[slot]) {
        t->live[slot] = true;
        work[(*n)++] = (uint32_t)slot;
    }
}

/* What control flow gets to from `start`, through calls as well. Linux refuses all other code. */
static void reach(struct translator *t, uint32_t start) {
    uint32_t *work = arena_alloc_array(t->program->arena, t->program->ninsns, sizeof(*work)), n = 0;
    add_slot(t, work, &n, start);
    while (n) {
        uint32_t slot = work[--n];
        const struct bpf_decoded *d = &t->program->decoded[slot];
        refuse(t, d);
        if (takes_address(d) || d->op == BPF_CALL_LOCAL)
            add_slot(t, work, &n, callee_of(t, d, slot));
        if (d->op == BPF_JA || bpf_op_is_jcc(d->op))
            add_slot(t, work, &n, (int64_t)slot + d->target);
        if (d->op != BPF_JA && d->op != BPF_EXIT)
            add_slot(t, work, &n, (int64_t)slot + d->len);
    }
}

/* What names a function, a map or data does so in Linux's way; distances are those between live code. */
static void copy_insn(struct translator *t, uint32_t slot, uint64_t *to) {
    struct bpf_decoded d = t->program->decoded[slot];
    uint32_t at = t->place[slot];
    if (takes_address(&d))
        d.imm = (int64_t)t->place[callee_of(t, &d, slot)] - at - 1;
    else if (d.op == BPF_CALL_LOCAL || d.op == BPF_JA || bpf_op_is_jcc(d.op))
        d.target = (int32_t)(t->place[(int64_t)slot + d.target] - at);
    else if (d.op == BPF_LDDW && d.pseudo == BPF_PSEUDO_MAP)
        d.imm = map_of(t, (uint32_t)d.imm);
    else if (d.op == BPF_LDDW && d.pseudo == BPF_PSEUDO_DATA)
        d.imm = (d.imm & ~(int64_t)UINT32_MAX) | data_of(t, (uint32_t)d.imm);
    put(to + at, d);
}

static void place_func(struct translator *t, const struct prog_func *f, uint32_t *funcs) {
    struct kernel_program *out = &t->out->program;
    if (!t->live[f->start])
        return;
    funcs[out->nfuncs++] = out->count;
    for (uint32_t slot = f->start; slot < f->start + f->len; slot++) {
        t->place[slot] = out->count;
        out->count += t->live[slot] ? t->program->decoded[slot].len : 0;
    }
}

/* The entry first, the other functions in their order. */
static void lay_out(struct translator *t, const struct prog_func *entry) {
    const struct program *p = t->program;
    uint32_t *funcs = arena_alloc_array(p->arena, p->nfuncs, sizeof(*funcs));
    t->out->program.count = PROLOGUE;
    place_func(t, entry, funcs);
    for (uint32_t i = 0; i < p->nfuncs; i++)
        if (&p->funcs[i] != entry)
            place_func(t, &p->funcs[i], funcs);
    funcs[0] = 0;
    t->out->program.funcs = funcs;
}

void translate(const struct program *program, uint32_t entry, struct translation *out) {
    struct arena *arena = program->arena;
    const struct prog_func *main = &program->funcs[program->entries[entry].func];
    struct translator t = {
        .program = program,
        .out = out,
        .live = arena_alloc_array(arena, program->ninsns, sizeof(bool)),
        .place = arena_alloc_array(arena, program->ninsns, sizeof(uint32_t)),
        .map = arena_alloc_array(arena, program->nmaps + 1, sizeof(int)),
        .data = arena_alloc_array(arena, program->ndatas + 1, sizeof(int)),
    };
    *out = (struct translation){0};
    if (program->entries[entry].hook != BPF_HOOK_RAW)
        out->skip = "program types other than raw";
    reach(&t, main->start);
    if (out->skip)
        return;
    lay_out(&t, main);
    uint64_t *to = arena_alloc_array(arena, out->program.count, sizeof(*to));
    prologue(out, to, program->entries[entry].ctx_size);
    for (uint32_t slot = 0; slot < program->ninsns; slot++)
        if (t.live[slot])
            copy_insn(&t, slot, to);
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
