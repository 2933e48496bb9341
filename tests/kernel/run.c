/* SPDX-License-Identifier: MIT */
#include "kernel/run.h"

#include "bpf/helper.h"
#include "bpf/map.h"

#include <stdlib.h>
#include <string.h>

/* Objects lie far apart, and nothing at 0. */
#define MEMORY 0x20000000u
#define STACKS 0x30000000u /* of frame d: the 512 bytes at STACKS + d * FRAME */
#define FRAME 0x10000u
#define VALUES 0x50000000u /* of map m, one value each: at VALUES + m * FRAME */
#define MAP_HEADERS 0x60000000u
#define STACK_SIZE 512
#define DEPTH_MAX 8
#define MAPS_MAX 8
#define VALUE_MAX 256

struct frame {
    uint64_t saved[BPF_NREGS];
    uint32_t written, resume;
    uint8_t stack[STACK_SIZE];
    bool initialised[STACK_SIZE];
};

struct machine {
    const struct program *program;
    uint64_t random;
    uint64_t reg[BPF_NREGS];
    uint32_t written; /* registers, one bit each */
    struct frame frame[DEPTH_MAX];
    uint32_t depth, pc;
    uint8_t *memory;
    uint32_t size;
    uint8_t value[MAPS_MAX][VALUE_MAX];
    struct run_result result;
};

static uint64_t next(struct machine *m) {
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random * 0x2545f4914f6cdd1d;
}

static bool stop(struct machine *m, enum run_status status, const char *what) {
    m->result = (struct run_result){status, m->pc, what};
    return false;
}

/* ---- Memory ---- */

/* The bytes at an address, or NULL after a fault. For the stack: where it is marked as written. */
static uint8_t *bytes_at(struct machine *m, uint64_t address, uint32_t size, bool **initialised) {
    uint32_t frame = (uint32_t)((address - STACKS) / FRAME);
    uint32_t map = (uint32_t)((address - VALUES) / FRAME);
    uint64_t offset = (address - STACKS) % FRAME;
    *initialised = NULL;
    if (address >= MEMORY && address - MEMORY + size <= m->size)
        return m->memory + (address - MEMORY);
    if (address >= STACKS && address < VALUES && frame <= m->depth && offset + size <= STACK_SIZE) {
        *initialised = m->frame[frame].initialised + offset;
        return m->frame[frame].stack + offset;
    }
    offset = (address - VALUES) % FRAME;
    if (address >= VALUES && address < MAP_HEADERS && map < m->program->nmaps && map < MAPS_MAX &&
        offset + size <= m->program->maps[map].value_size)
        return m->value[map] + offset;
    stop(m, RUN_FAULT, "accesses memory outside of any object");
    return NULL;
}

static bool load(struct machine *m, uint64_t address, uint32_t size, uint64_t *out) {
    bool *initialised;
    const uint8_t *bytes = bytes_at(m, address, size, &initialised);
    *out = 0;
    if (!bytes)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (initialised && !initialised[i])
            return stop(m, RUN_FAULT, "reads stack that was never written");
        *out |= (uint64_t)bytes[i] << 8 * i;
    }
    return true;
}

static bool store(struct machine *m, uint64_t address, uint32_t size, uint64_t value) {
    bool *initialised;
    uint8_t *bytes = bytes_at(m, address, size, &initialised);
    if (!bytes)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
        if (initialised)
            initialised[i] = true;
    }
    return true;
}

/* ---- Instructions ---- */

static bool get(struct machine *m, unsigned reg, uint64_t *out) {
    *out = m->reg[reg];
    return m->written >> reg & 1 || stop(m, RUN_FAULT, "reads a register that was never written");
}

static void set(struct machine *m, unsigned reg, uint64_t value) {
    m->reg[reg] = value;
    m->written |= 1u << reg;
}

static uint64_t truncated(uint64_t value, unsigned width) {
    return width == 64 ? value : value & ((1ull << width) - 1);
}

static int64_t extended(uint64_t value, unsigned width) {
    return (int64_t)(value << (64 - width)) >> (64 - width);
}

static uint64_t compute(const struct bpf_decoded *d, uint64_t a, uint64_t b) {
    const unsigned w = d->width;
    a = truncated(a, w);
    b = bpf_op_is_movsx(d->op) ? b : truncated(b, w);
    const int64_t sa = extended(a, w), sb = extended(b, w);
    (void)sa, (void)sb;
    switch (d->op) {
/* clang-format off */
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr) \
    case BPF_##NAME: return truncated(expr, w);
#define BPF_ALU1 BPF_ALU
#define BPF_MOVSX(NAME, off, widths, mnemonic, expr) case BPF_##NAME: return truncated(expr, w);
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr) case BPF_##NAME: return expr;
#include "bpf/insn.def"
        /* clang-format on */
    case BPF_LE: return a;
    case BPF_BE:
    case BPF_BSWAP: return __builtin_bswap64(a) >> (64 - w);
    default: abort();
    }
}

static uint64_t atomic_result(enum bpf_op op, uint64_t old, uint64_t b, uint64_t c) {
    switch (op) {
/* clang-format off */
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr) case BPF_##NAME: return expr;
#include "bpf/insn.def"
        /* clang-format on */
    default: abort();
    }
}

static bool atomic(struct machine *m, const struct bpf_decoded *d) {
    uint64_t address, b, c = 0, old;
    if (!get(m, d->dst, &address) || !get(m, d->src, &b) ||
        (d->op == BPF_ATOMIC_CMPXCHG && !get(m, BPF_R0, &c)))
        return false;
    address += (uint64_t)(int64_t)d->off;
    if (!load(m, address, d->width / 8, &old))
        return false;
    store(m, address, d->width / 8,
          atomic_result(d->op, old, truncated(b, d->width), truncated(c, d->width)));
    if (bpf_atomic_fetches(d->op))
        set(m, d->op == BPF_ATOMIC_CMPXCHG ? BPF_R0 : d->src, old);
    return true;
}

static bool memory_access(struct machine *m, const struct bpf_decoded *d) {
    bool loads = d->op == BPF_LDX || d->op == BPF_LDXS;
    uint64_t address, value = (uint64_t)d->imm;
    if (!get(m, loads ? d->src : d->dst, &address) || (d->op == BPF_STX && !get(m, d->src, &value)))
        return false;
    address += (uint64_t)(int64_t)d->off;
    if (!loads)
        return store(m, address, d->width / 8, value);
    if (!load(m, address, d->width / 8, &value))
        return false;
    set(m, d->dst, d->op == BPF_LDXS ? (uint64_t)extended(value, d->width) : value);
    return true;
}

/* An array has all its elements; a hash has one or not, as it happens. */
static bool look_up(struct machine *m) {
    uint32_t map = (uint32_t)((m->reg[BPF_R1] - MAP_HEADERS) / FRAME);
    uint64_t key = 0;
    if (map >= m->program->nmaps || map >= MAPS_MAX || m->program->maps[map].value_size > VALUE_MAX)
        return stop(m, RUN_UNKNOWN, "look-up");
    for (uint32_t i = 0; i < m->program->maps[map].key_size; i++) {
        uint64_t byte;
        if (!load(m, m->reg[BPF_R2] + i, 1, &byte))
            return false;
        key |= byte << 8 * (i & 7);
    }
    uint32_t type = m->program->maps[map].type;
    bool found = type == BPF_MAP_ARRAY || type == BPF_MAP_PERCPU_ARRAY
                     ? (uint32_t)key < m->program->maps[map].max_entries
                     : next(m) >> 63;
    set(m, BPF_R0, found ? VALUES + map * FRAME : 0);
    return true;
}

static bool call_helper(struct machine *m, uint32_t id) {
    if (id == BPF_FUNC_MAP_LOOKUP_ELEM) {
        if (!look_up(m))
            return false;
    } else if (id == BPF_FUNC_GET_PRANDOM_U32) {
        set(m, BPF_R0, (uint32_t)next(m));
    } else {
        return stop(m, RUN_UNKNOWN, "helper");
    }
    m->written &= ~0x3eu; /* r1 to r5 */
    return true;
}

static bool call_local(struct machine *m, uint32_t target) {
    struct frame *caller = &m->frame[m->depth];
    if (m->depth + 1 == DEPTH_MAX)
        return stop(m, RUN_FAULT, "calls too deeply");
    memcpy(caller->saved, m->reg, sizeof(m->reg));
    caller->written = m->written;
    caller->resume = m->pc + 1;
    m->depth++;
    memset(m->frame[m->depth].initialised, 0, STACK_SIZE);
    m->written &= 0x3e; /* r1 to r5 */
    set(m, BPF_R10, STACKS + m->depth * FRAME + STACK_SIZE);
    m->pc = target;
    return true;
}

/* False at the end of the program. A function may leave r0 unwritten, if its caller does not read it. */
static bool leave(struct machine *m) {
    uint64_t result;
    if (m->depth == 0)
        return get(m, BPF_R0, &result) && stop(m, RUN_ENDED, NULL);
    const struct frame *caller = &m->frame[--m->depth];
    uint32_t has_result = m->written & 1;
    result = m->reg[BPF_R0];
    memcpy(m->reg, caller->saved, sizeof(m->reg));
    m->written = (caller->written & ~0x3fu) | has_result;
    m->reg[BPF_R0] = result;
    m->pc = caller->resume;
    return true;
}

static bool arithmetic(struct machine *m, const struct bpf_decoded *d) {
    uint64_t a = 0, b = (uint64_t)d->imm;
    if ((d->op != BPF_MOV && !bpf_op_is_movsx(d->op) && !get(m, d->dst, &a)) ||
        ((d->src_reg || bpf_op_is_movsx(d->op)) && !get(m, d->src, &b)))
        return false;
    uint64_t result = compute(d, a, b);
    if (!bpf_op_is_jcc(d->op))
        set(m, d->dst, result);
    else if (result)
        m->pc = (uint32_t)((int64_t)m->pc + d->target - 1);
    return true;
}

static bool load_address(struct machine *m, const struct bpf_decoded *d) {
    if (d->pseudo == BPF_PSEUDO_MAP)
        set(m, d->dst, MAP_HEADERS + (uint32_t)d->imm * FRAME);
    else if (d->pseudo == BPF_PSEUDO_NONE)
        set(m, d->dst, (uint64_t)d->imm);
    else
        return stop(m, RUN_UNKNOWN, "lddw");
    return true;
}

static bool step(struct machine *m) {
    const struct bpf_decoded *d = &m->program->decoded[m->pc];
    bool good = true;
    switch (d->op) {
    case BPF_EXIT: return leave(m);
    case BPF_CALL_LOCAL: return call_local(m, (uint32_t)((int64_t)m->pc + d->target));
    case BPF_JA: m->pc = (uint32_t)((int64_t)m->pc + d->target); return true;
    case BPF_CALL_HELPER: good = call_helper(m, (uint32_t)d->imm); break;
    case BPF_LDDW: good = load_address(m, d); break;
    case BPF_CALLX: return stop(m, RUN_UNKNOWN, "callx");
    case BPF_LDX:
    case BPF_LDXS:
    case BPF_ST:
    case BPF_STX: good = memory_access(m, d); break;
    default: good = bpf_op_is_atomic(d->op) ? atomic(m, d) : arithmetic(m, d);
    }
    m->pc += d->len;
    return good;
}

/* ---- Inputs ---- */

/* Words of all kinds: random, small, all ones, near powers of two. */
static void fill(struct machine *m) {
    for (uint32_t i = 0; i < m->size; i++) {
        uint64_t r = next(m);
        switch (r >> 60) {
        case 0:
        case 1:
        case 2:
        case 3: m->memory[i] = 0; break;
        case 4: m->memory[i] = 0xff; break;
        case 5:
        case 6:
        case 7: m->memory[i] = (uint8_t)(r >> 20 & 31); break;
        case 8: m->memory[i] = 0x80; break;
        default: m->memory[i] = (uint8_t)(r >> 20);
        }
    }
}

static struct run_result run_once(struct machine *m) {
    m->depth = m->written = 0;
    memset(m->frame[0].initialised, 0, STACK_SIZE);
    set(m, BPF_R1, MEMORY);
    set(m, BPF_R2, next(m) % 4 ? next(m) % (m->size + 1) : m->size);
    set(m, BPF_R10, STACKS + STACK_SIZE);
    m->pc = m->program->funcs[m->program->entries[0].func].start;
    fill(m);
    m->result = (struct run_result){RUN_LONG, 0, "takes long"};
    for (uint32_t steps = 0; steps < RUN_STEPS && step(m); steps++)
        ;
    return m->result;
}

struct run_result run_random(const struct program *program, uint64_t seed, unsigned runs) {
    struct machine *m = calloc(1, sizeof(*m));
    struct run_result worst = {RUN_ENDED, 0, NULL};
    m->program = program;
    m->random = seed * 2 + 1;
    m->size = program->entries[0].ctx_size;
    m->memory = calloc(m->size + 1, 1);
    for (unsigned i = 0; i < runs && worst.status == RUN_ENDED; i++)
        worst = run_once(m);
    free(m->memory);
    free(m);
    return worst;
}
