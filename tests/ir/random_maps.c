/* SPDX-License-Identifier: MIT */
/*
 * Random programs with maps, global data, callbacks and tail calls: always used as a verified program would
 * use them, so that few of them fault. The tables are the same for all programs: small, so that maps get
 * full and keys meet.
 */
#include "ir/random_gen.h"

#include "bpf/helper.h"
#include "bpf/map.h"
#include "program/program.h"

#include <string.h>

enum { ARRAY, HASH, LRU, QUEUE, STACK_MAP, RINGBUF, PROGRAMS, MAP_COUNT };
enum { BSS, RODATA, DATA_COUNT };

#define BSS_SIZE 64
#define RODATA_SIZE 32
#define VALUE_AT (-STACK) /* of helpers' arguments: 24 bytes of stack */
#define KEY_AT (-STACK + 24)

static const struct prog_map maps[MAP_COUNT] = {
    [ARRAY] = {.name = "array", BPF_MAP_ARRAY, 4, 24, 4, 0, 0, 0},
    [HASH] = {.name = "hash", BPF_MAP_HASH, 4, 16, 4, 0, 0, 0},
    [LRU] = {.name = "lru", BPF_MAP_LRU_HASH, 8, 12, 3, 0, 0, 0},
    [QUEUE] = {.name = "queue", BPF_MAP_QUEUE, 0, 8, 4, 0, 0, 0},
    [STACK_MAP] = {.name = "stack", BPF_MAP_STACK, 0, 12, 3, 0, 0, 0},
    [RINGBUF] = {.name = "ring", BPF_MAP_RINGBUF, 0, 0, 128, 0, 0, 0},
    [PROGRAMS] = {.name = "programs", BPF_MAP_PROG_ARRAY, 4, 4, 4, 0, 0, 0},
};

/* Bare instructions have no maps: until random_attach() gives them some, their address is a constant
 * with this high word and the kind below it. */
#define MARK 0x6d617000

static void lddw(struct generator *g, uint8_t dst, enum bpf_pseudo pseudo, uint32_t index) {
    struct bpf_decoded d = {.op = BPF_LDDW, .dst = dst, .imm = (int64_t)index};
    if (pseudo == BPF_PSEUDO_FUNC)
        d.pseudo = pseudo;
    else
        d.imm |= (int64_t)(MARK | pseudo) << 32;
    gen_put(g, d);
}

static void call(struct generator *g, uint32_t helper) {
    gen_put(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = helper});
}

static void stack_address(struct generator *g, uint8_t reg, int32_t offset) {
    gen_mov(g, reg, BPF_R10);
    gen_alu_imm(g, BPF_ADD, 64, reg, offset);
}

/* Skips the next `slots` slots if reg is 0. */
static void unless_null(struct generator *g, uint8_t reg, int32_t slots) {
    gen_put(g, (struct bpf_decoded){.op = BPF_JEQ, .width = 64, .dst = reg, .target = 1 + slots});
}

/* ------------------------------------------------------------------------------------------ items */

/* Where maps lie depends on the level of optimisation, so addresses must not become results: they are
 * used in r7, which is never stored, and overwritten. */

static uint32_t keyed_map(struct generator *g) {
    static const uint32_t keyed[] = {ARRAY, ARRAY, HASH, LRU};
    return keyed[gen_below(g, 4)];
}

/* A key at KEY_AT: a constant or what a register says, in the array or one beyond. */
static void write_key(struct generator *g) {
    struct bpf_decoded store = {.width = 64, .dst = BPF_R10, .off = KEY_AT};
    if (gen_one_in(g, 2)) {
        store.op = BPF_ST;
        store.imm = gen_below(g, 6);
    } else {
        gen_mov(g, BPF_R2, gen_any_reg(g));
        gen_alu_imm(g, BPF_AND, 64, BPF_R2, gen_one_in(g, 2) ? 3 : 7);
        store.op = BPF_STX;
        store.src = BPF_R2;
    }
    gen_put(g, store);
    stack_address(g, BPF_R2, KEY_AT);
}

static void look_up(struct generator *g) {
    uint32_t map = keyed_map(g);
    write_key(g);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, map);
    call(g, BPF_FUNC_MAP_LOOKUP_ELEM);
    gen_mov(g, POINTER, BPF_R0);
    gen_constant(g, BPF_R0);
    gen_after_call(g);
    bool atomic = gen_one_in(g, 3);
    unless_null(g, POINTER, 1 + atomic);
    if (atomic)
        gen_put(g,
                (struct bpf_decoded){.op = gen_one_in(g, 2) ? BPF_ATOMIC_ADD : BPF_ATOMIC_FETCH_XOR,
                                     .width = 32,
                                     .dst = POINTER,
                                     .src = BPF_R6,
                                     .off = (int16_t)(4 * gen_below(g, 3))});
    gen_access(g, POINTER, 0, map == LRU ? 8 : maps[map].value_size);
    stack_address(g, POINTER, -STACK);
}

static void update(struct generator *g) {
    write_key(g);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, keyed_map(g));
    stack_address(g, BPF_R3, VALUE_AT);
    gen_alu_imm(g, BPF_MOV, 64, BPF_R4, gen_one_in(g, 3) ? (int32_t)gen_below(g, 4) : 0);
    call(g, BPF_FUNC_MAP_UPDATE_ELEM);
    gen_after_call(g);
}

static void delete (struct generator *g) {
    write_key(g);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, keyed_map(g));
    call(g, BPF_FUNC_MAP_DELETE_ELEM);
    gen_after_call(g);
}

static void queue(struct generator *g) {
    static const uint32_t helpers[] = {BPF_FUNC_MAP_PUSH_ELEM, BPF_FUNC_MAP_PUSH_ELEM,
                                       BPF_FUNC_MAP_POP_ELEM, BPF_FUNC_MAP_PEEK_ELEM};
    stack_address(g, BPF_R2, VALUE_AT);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, gen_one_in(g, 2) ? QUEUE : STACK_MAP);
    gen_alu_imm(g, BPF_MOV, 64, BPF_R3, gen_one_in(g, 2) ? 2 : 0); /* BPF_EXIST */
    call(g, helpers[gen_below(g, 4)]);
    gen_after_call(g);
}

static void ring(struct generator *g) {
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, RINGBUF);
    switch (gen_below(g, 3)) {
    case 0:
        stack_address(g, BPF_R2, VALUE_AT);
        gen_alu_imm(g, BPF_MOV, 64, BPF_R3, (int32_t)gen_below(g, 25));
        gen_alu_imm(g, BPF_MOV, 64, BPF_R4, 0);
        call(g, BPF_FUNC_RINGBUF_OUTPUT);
        break;
    case 1:
        gen_alu_imm(g, BPF_MOV, 64, BPF_R2, 16);
        gen_alu_imm(g, BPF_MOV, 64, BPF_R3, 0);
        call(g, BPF_FUNC_RINGBUF_RESERVE);
        unless_null(g, BPF_R0, 4);
        gen_put(g, (struct bpf_decoded){.op = BPF_STX,
                                        .width = gen_size(g),
                                        .dst = BPF_R0,
                                        .src = BPF_R6,
                                        .off = (int16_t)(8 * gen_below(g, 2))});
        gen_mov(g, BPF_R1, BPF_R0);
        gen_alu_imm(g, BPF_MOV, 64, BPF_R2, 0);
        call(g, gen_one_in(g, 3) ? BPF_FUNC_RINGBUF_DISCARD : BPF_FUNC_RINGBUF_SUBMIT);
        gen_constant(g, BPF_R0);
        break;
    default:
        gen_alu_imm(g, BPF_MOV, 64, BPF_R2, (int32_t)gen_below(g, 5));
        call(g, BPF_FUNC_RINGBUF_QUERY);
        break;
    }
    gen_after_call(g);
}

static void global_data(struct generator *g) {
    bool constant = gen_one_in(g, 3);
    lddw(g, POINTER, BPF_PSEUDO_DATA, constant ? RODATA : BSS);
    if (constant)
        gen_put(g, (struct bpf_decoded){.op = BPF_LDX,
                                        .width = 64,
                                        .dst = BPF_R0,
                                        .src = POINTER,
                                        .off = (int16_t)(8 * gen_below(g, RODATA_SIZE / 8))});
    else
        gen_access(g, POINTER, 0, BSS_SIZE);
    stack_address(g, POINTER, -STACK);
}

/* A later function of a kind, or 0. */
static uint32_t later(struct generator *g, enum func_kind kind) {
    uint32_t found = 0, n = 0;
    for (uint32_t f = g->func + 1; f < g->nfuncs; f++)
        if (g->kind[f] == kind && gen_one_in(g, ++n))
            found = f;
    return found;
}

static void callback(struct generator *g) {
    bool loop = gen_one_in(g, 2);
    uint32_t func = later(g, loop ? FUNC_LOOP : FUNC_EACH);
    if (!func)
        return;
    if (loop)
        gen_alu_imm(g, BPF_MOV, 64, BPF_R1, (int32_t)gen_below(g, 5));
    else
        lddw(g, BPF_R1, BPF_PSEUDO_MAP, keyed_map(g));
    gen_fixup(g, FIX_FUNC, func);
    lddw(g, BPF_R2, BPF_PSEUDO_FUNC, 0);
    gen_mov(g, BPF_R3, CTX);
    gen_alu_imm(g, BPF_MOV, 64, BPF_R4, 0);
    call(g, loop ? BPF_FUNC_LOOP : BPF_FUNC_FOR_EACH_MAP_ELEM);
    gen_after_call(g);
}

static void tail_call(struct generator *g) {
    if (g->func != 0 && g->kind[g->func] != FUNC_TAIL)
        return; /* from programs only */
    gen_mov(g, BPF_R1, CTX);
    lddw(g, BPF_R2, BPF_PSEUDO_MAP, PROGRAMS);
    if (gen_one_in(g, 2))
        gen_mov(g, BPF_R3, BPF_R6);
    else
        gen_alu_imm(g, BPF_MOV, 64, BPF_R3, (int32_t)gen_below(g, 6));
    call(g, BPF_FUNC_TAIL_CALL);
    gen_after_call(g);
}

void gen_map_item(struct generator *g) {
    switch (gen_below(g, 12)) {
    case 0:
    case 1:
    case 2: look_up(g); break;
    case 3:
    case 4: update(g); break;
    case 5: delete (g); break;
    case 6: queue(g); break;
    case 7: ring(g); break;
    case 8:
    case 9: callback(g); break;
    case 10: global_data(g); break;
    default:
        if (gen_one_in(g, 3))
            tail_call(g);
        break;
    }
}

/* -------------------------------------------------------------------------------------- functions */

/* Targets of tail calls stand nowhere else: func 0 begins by naming them, for random_attach(). */
void gen_name_targets(struct generator *g) {
    for (uint32_t f = 1; f < g->nfuncs; f++)
        if (g->kind[f] == FUNC_TAIL) {
            gen_fixup(g, FIX_FUNC, f);
            lddw(g, BPF_R0, BPF_PSEUDO_FUNC, 0);
            gen_alu_imm(g, BPF_MOV, 64, BPF_R0, 0); /* code pointers differ between engines */
        }
}

/* The context comes in another register; for_each hands over key and value as well. */
void gen_callback_prologue(struct generator *g) {
    if (g->kind[g->func] == FUNC_LOOP) {
        gen_mov(g, CTX, BPF_R2);
        gen_put(g, (struct bpf_decoded){
                       .op = BPF_STX, .width = 32, .dst = CTX, .src = BPF_R1, .off = 24});
        return;
    }
    gen_mov(g, CTX, BPF_R4);
    gen_put(g, (struct bpf_decoded){.op = BPF_LDX, .width = 32, .dst = BPF_R6, .src = BPF_R2});
    gen_alu_imm(g, BPF_ADD, 32, BPF_R6, 1);
    gen_put(g, (struct bpf_decoded){.op = BPF_STX, .width = 32, .dst = BPF_R3, .src = BPF_R6});
}

/* By kind of function: what a callback returns ends its loop or goes on. */
void gen_callback_epilogue(struct generator *g) {
    gen_alu_imm(g, BPF_AND, 64, BPF_R0, gen_one_in(g, 2) ? 1 : 0);
}

/* ----------------------------------------------------------------------------------------- program */

static void attach_programs(struct program *p, uint32_t *target, uint32_t count) {
    struct prog_entry *entries = arena_alloc_array(p->arena, count + 1, sizeof(*entries));
    struct prog_reloc *relocs = arena_alloc_array(p->arena, count + 1, sizeof(*relocs));
    entries[0] = p->entries[0];
    for (uint32_t i = 0; i < count; i++) {
        entries[i + 1] = p->entries[0];
        entries[i + 1].name = p->funcs[target[i]].name;
        entries[i + 1].func = target[i];
        p->funcs[target[i]].entry = (int32_t)(i + 1);
        relocs[i] = (struct prog_reloc){PROG_RELOC_PROG, PROGRAMS, i, i + 1, 0};
    }
    relocs[count] = (struct prog_reloc){PROG_RELOC_PROG, PROGRAMS, 3, 0, 0}; /* func 0, once more */
    p->entries = entries;
    p->nentries = count + 1;
    p->relocs = relocs;
    p->nrelocs = count + 1;
}

static void attach_addresses(struct program *p) {
    for (uint32_t slot = 0; slot < p->ninsns; slot++) {
        struct bpf_decoded *d = &p->decoded[slot];
        uint32_t high = (uint32_t)((uint64_t)d->imm >> 32);
        if (d->len == 0 || d->op != BPF_LDDW || d->pseudo != BPF_PSEUDO_NONE ||
            (high != (MARK | BPF_PSEUDO_MAP) && high != (MARK | BPF_PSEUDO_DATA)))
            continue;
        d->pseudo = (uint8_t)(high & ~(uint32_t)MARK);
        d->imm &= UINT32_MAX;
        bpf_encode(d, &p->insns[slot]);
    }
}

void random_attach(struct program *p) {
    static const uint8_t image[RODATA_SIZE] = {1, 2, 0x80, 0xff, 0x7f, 5,
                                               6, 7, 0xff, 0xff, 0xff, 0xff};
    uint32_t target[3], count = 0;
    for (uint32_t slot = 0;
         count < 3 && p->decoded[slot].op == BPF_LDDW && p->decoded[slot].pseudo == BPF_PSEUDO_FUNC;
         slot += 3)
        target[count++] = (uint32_t)p->decoded[slot].imm;
    p->maps = arena_alloc_array(p->arena, MAP_COUNT, sizeof(*p->maps));
    memcpy(p->maps, maps, sizeof(maps));
    p->nmaps = MAP_COUNT;
    for (uint32_t i = 0; i < MAP_COUNT; i++)
        p->maps[i].bytes = bpf_map_bytes(maps[i].type, maps[i].key_size, maps[i].value_size,
                                         maps[i].max_entries, 0, NULL);
    p->datas = arena_alloc_array(p->arena, DATA_COUNT, sizeof(*p->datas));
    p->datas[BSS] = (struct prog_data){".bss", NULL, BSS_SIZE, 8, true, false};
    p->datas[RODATA] = (struct prog_data){".rodata", image, RODATA_SIZE, 8, false, false};
    p->ndatas = DATA_COUNT;
    attach_addresses(p);
    attach_programs(p, target, count);
}
