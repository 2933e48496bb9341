/* SPDX-License-Identifier: MIT */
/* The machine: start, arithmetic, jumps, calls. */
#include "soundness/machine.h"

#include "program/hook.h"

#include <assert.h>
#include <string.h>

/* ---- Values */

uint64_t machine_random(struct machine *m) {
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random * 0x2545f4914f6cdd1du >> 3;
}

uint64_t machine_any_number(struct machine *m) {
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     8,
                                     15,
                                     16,
                                     31,
                                     32,
                                     63,
                                     64,
                                     (uint64_t)-1,
                                     (uint64_t)-2,
                                     (uint64_t)-16,
                                     INT32_MAX,
                                     0x80000000,
                                     UINT32_MAX,
                                     0x100000000,
                                     0xffffffff00000000,
                                     0xffffffff80000000,
                                     INT64_MAX,
                                     UINT64_C(1) << 63};
    uint64_t choice = machine_random(m) % 8, v = machine_random(m);
    if (choice < 4)
        return edges[v % (sizeof(edges) / sizeof(edges[0]))];
    return choice == 4 ? v << 3 ^ v : choice == 5 ? v & UINT32_MAX : v & 63;
}

struct word machine_number(uint64_t n) {
    return (struct word){.kind = WORD_NUMBER, .n = n};
}

struct word machine_pointer(enum value_kind kind, uint32_t object, uint32_t element, int64_t off) {
    uint64_t base = 0x20000000u + 0x01000000u * kind + 0x00100000u * (object & 15);
    return (struct word){WORD_POINTER, (uint8_t)kind, object, element, off, base + (uint64_t)off};
}

bool machine_same_object(const struct word *a, const struct word *b) {
    return a->object_kind == b->object_kind && a->object == b->object && a->element == b->element;
}

bool machine_alive(const struct machine *m, const struct word *w) {
    switch ((enum value_kind)w->object_kind) {
    case VALUE_STACK: return w->object < m->depth && m->frame[w->object].serial == w->element;
    case VALUE_RECORD: return m->record[w->element].open;
    case VALUE_MAP_KEY:
        for (uint32_t i = 0; i < m->depth && w->element >= KEY_OF_ARRAY; i++)
            if (m->frame[i].iteration.number == w->element - KEY_OF_ARRAY)
                return true;
        return w->element < KEY_OF_ARRAY;
    default: return true;
    }
}

void machine_fail(struct machine *m, const char *what) {
    if (!m->fault)
        m->fault = what;
}

/* A register that an instruction reads. */
static struct word operand(struct machine *m, unsigned reg) {
    struct word w = m->reg[reg];
    if (w.kind == WORD_NONE || (w.kind == WORD_POINTER && !machine_alive(m, &w))) {
        machine_fail(m, w.kind == WORD_NONE ? "an unset register"
                                            : "a pointer to what is no longer there");
        return machine_number(0);
    }
    return w;
}

static struct word second(struct machine *m, const struct bpf_decoded *d) {
    return d->src_reg ? operand(m, d->src) : machine_number((uint64_t)d->imm);
}

/* ---- Start */

/* Numbers in all fields; `len` counts what is valid of the array behind it. */
static void fill_context(struct machine *m) {
    struct hook_field field, next;
    enum bpf_hook hook = m->program->entries[m->entry].hook;
    for (unsigned i = 0; i < CONTEXT_MAX; i += 8) {
        uint64_t v = machine_any_number(m);
        memcpy(m->context + i, &v, 8);
    }
    for (size_t i = 0; hook_field(hook, i, &field); i++)
        if (strcmp(field.name, "len") == 0 && hook_field(hook, i + 1, &next)) {
            uint32_t len =
                machine_random(m) % 3 ? (uint32_t)machine_random(m) % (next.count + 1) : next.count;
            memcpy(m->context + field.offset, &len, sizeof(len));
        }
}

static void fill_data(struct machine *m) {
    for (uint32_t i = 0; i < DATAS; i++)
        if (m->program->datas[i].image)
            memcpy(m->data[i], m->program->datas[i].image, DATA_BYTES);
    for (unsigned i = 0; i < DATA_BYTES; i += 8) {
        uint64_t v = machine_any_number(m);
        memcpy(m->data[DATA_VAR] + i, &v, 8);
    }
}

static void start_entry(struct machine *m, uint32_t entry) {
    const struct program *p = m->program;
    memset(m->reg, 0, sizeof(m->reg));
    m->entry = entry;
    m->depth = 0;
    machine_enter(m, p->entries[entry].func, UINT32_MAX);
    m->reg[BPF_R1] = machine_pointer(VALUE_CTX, entry, 0, 0);
}

void machine_start(struct machine *m, const struct program *p, uint64_t seed) {
    memset(m, 0, sizeof(*m));
    m->program = p;
    m->random = (seed + 1) * 0x9e3779b97f4a7c15u | 1;
    for (int i = 0; i < 4; i++)
        machine_random(m);
    fill_context(m);
    fill_data(m);
    machine_init_maps(m);
    m->npointers = 1;
    start_entry(m, 0);
    uint32_t size = p->entries[0].ctx_size, choice = machine_random(m) % 3;
    if (p->entries[0].hook == BPF_HOOK_RAW)
        m->reg[BPF_R2] = machine_number(choice == 0   ? size
                                        : choice == 1 ? machine_random(m) % 4
                                                      : machine_random(m) % (size + 1));
}

/* ---- Arithmetic */

static uint64_t alu(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    uint64_t mask = w == 32 ? UINT32_MAX : UINT64_MAX;
    a &= mask;
    b &= mask;
    int64_t sa = w == 32 ? (int32_t)a : (int64_t)a, sb = w == 32 ? (int32_t)b : (int64_t)b;
    switch (op) {
/* clang-format off */
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    case BPF_##NAME: return (expr) & mask;
#define BPF_ALU1 BPF_ALU
#define BPF_MOVSX(NAME, off, widths, mnemonic, expr)                                               \
    case BPF_##NAME: return (expr) & mask;
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(0); return 0;
    }
}

static bool condition(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    uint64_t mask = w == 32 ? UINT32_MAX : UINT64_MAX;
    a &= mask;
    b &= mask;
    int64_t sa = w == 32 ? (int32_t)a : (int64_t)a, sb = w == 32 ? (int32_t)b : (int64_t)b;
    switch (op) {
/* clang-format off */
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    case BPF_##NAME: return expr;
#include "bpf/insn.def"
    /* clang-format on */
    default: assert(0); return false;
    }
}

static uint64_t swap_bytes(enum bpf_op op, unsigned w, uint64_t v) {
    uint64_t mask = w == 64 ? UINT64_MAX : (UINT64_C(1) << w) - 1;
    return op == BPF_LE ? v & mask : __builtin_bswap64(v & mask) >> (64 - w);
}

static struct word moved(const struct word *p, uint64_t by) {
    return machine_pointer((enum value_kind)p->object_kind, p->object, p->element,
                           (int64_t)((uint64_t)p->off + by));
}

static bool moves(const struct word *p) {
    return p->object_kind != VALUE_MAP && p->object_kind != VALUE_FUNC;
}

/* A sum or difference with a pointer in it. */
static struct word pointer_alu(struct machine *m, const struct bpf_decoded *d, struct word x,
                               struct word y) {
    bool px = x.kind == WORD_POINTER, py = y.kind == WORD_POINTER;
    if (d->width == 64 && moves(px ? &x : &y)) {
        if (d->op == BPF_SUB && px && py && machine_same_object(&x, &y))
            return machine_number((uint64_t)x.off - (uint64_t)y.off);
        if (d->op == BPF_ADD && px != py)
            return px ? moved(&x, y.n) : moved(&y, x.n);
        if (d->op == BPF_SUB && px && !py)
            return moved(&x, 0 - y.n);
    }
    machine_fail(m, "arithmetic on an address");
    return machine_number(0);
}

static void exec_alu(struct machine *m, const struct bpf_decoded *d) {
    struct word y = d->op == BPF_NEG ? machine_number(0) : second(m, d);
    if (d->op == BPF_MOV && d->width == 64) {
        m->reg[d->dst] = y;
        return;
    }
    if (d->op == BPF_MOV && y.kind == WORD_POINTER)
        machine_fail(m, "half an address");
    struct word x = d->op == BPF_MOV ? machine_number(0) : operand(m, d->dst);
    bool numbers = d->op == BPF_MOV || (x.kind == WORD_NUMBER && y.kind == WORD_NUMBER);
    m->reg[d->dst] =
        numbers ? machine_number(alu(d->op, d->width, x.n, y.n)) : pointer_alu(m, d, x, y);
}

static void exec_unary(struct machine *m, const struct bpf_decoded *d) {
    struct word y = operand(m, bpf_op_is_movsx(d->op) ? d->src : d->dst);
    if (y.kind != WORD_NUMBER)
        machine_fail(m, "arithmetic on an address");
    m->reg[d->dst] = machine_number(bpf_op_is_movsx(d->op) ? alu(d->op, d->width, 0, y.n)
                                                           : swap_bytes(d->op, d->width, y.n));
}

static void exec_atomic(struct machine *m, const struct bpf_decoded *d) {
    unsigned size = d->width / 8;
    uint64_t mask = size == 4 ? UINT32_MAX : UINT64_MAX;
    struct word to = operand(m, d->dst), src = operand(m, d->src);
    struct word r0 = d->op == BPF_ATOMIC_CMPXCHG ? operand(m, BPF_R0) : machine_number(0);
    struct word found = machine_load(m, &to, d->off, size);
    if (src.kind != WORD_NUMBER || found.kind != WORD_NUMBER || r0.kind != WORD_NUMBER) {
        machine_fail(m, "an atomic operation on something other than numbers");
        return;
    }
    uint64_t old = found.n & mask, b = src.n & mask, c = r0.n & mask, result = 0;
    switch (d->op) {
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr)                                             \
    case BPF_##NAME:                                                                               \
        result = expr;                                                                             \
        break;
#include "bpf/insn.def"
    default: assert(0);
    }
    machine_store(m, &to, d->off, size, machine_number(result & mask));
    if (bpf_atomic_fetches(d->op))
        m->reg[d->op == BPF_ATOMIC_CMPXCHG ? BPF_R0 : d->src] = machine_number(old);
}

/* ---- Jumps */

static bool exec_condition(struct machine *m, const struct bpf_decoded *d) {
    struct word x = operand(m, d->dst), y = second(m, d);
    bool px = x.kind == WORD_POINTER, py = y.kind == WORD_POINTER;
    if (!px && !py)
        return condition(d->op, d->width, x.n, y.n);
    bool equality = d->op == BPF_JEQ || d->op == BPF_JNE;
    bool null = px != py && (px ? y.n : x.n) == 0 && equality;
    bool code = px && py && x.object_kind == VALUE_FUNC && y.object_kind == VALUE_FUNC && equality;
    if (d->width == 32 || (!null && !code && !(px && py && machine_same_object(&x, &y))))
        machine_fail(m, "a comparison that tells an address");
    return condition(d->op, d->width, x.n, y.n);
}

/* ---- Calls */

void machine_clobber(struct machine *m) {
    for (int r = BPF_R1; r <= BPF_R5; r++)
        m->reg[r] = (struct word){0};
}

/* Stack and frames in use, against what the verifier says of the program. */
static void check_depth(struct machine *m) {
    const struct verify_func *top = &m->funcs[m->frame[0].func];
    uint32_t stack = 0;
    for (uint32_t i = 0; i < m->depth; i++)
        stack += m->funcs[m->frame[i].func].stack;
    m->too_deep |= m->depth > top->frames || stack > top->chain_stack || stack > VERIFY_STACK_MAX;
}

void machine_enter(struct machine *m, uint32_t func, uint32_t back) {
    if (m->depth == VERIFY_FRAMES_MAX) {
        machine_fail(m, "too many frames");
        return;
    }
    struct call_frame *f = &m->frame[m->depth];
    memset(f, 0, sizeof(*f));
    f->func = func;
    f->back = back;
    f->serial = ++m->serial;
    for (int i = 0; i < 4; i++) {
        f->saved[i] = m->reg[BPF_R6 + i];
        m->reg[BPF_R6 + i] = (struct word){0};
    }
    m->reg[BPF_R0] = (struct word){0};
    m->reg[BPF_R10] = machine_pointer(VALUE_STACK, m->depth, f->serial, 0);
    m->depth++;
    m->slot = m->program->funcs[func].start;
    if (m->funcs)
        check_depth(m);
}

/* A program ends, or what a timer has called: then come the callbacks of timers. */
static void finish(struct machine *m) {
    const struct hook_info *hook = hook_info(m->program->entries[m->entry].hook);
    struct word r0 = operand(m, BPF_R0);
    if (r0.kind != WORD_NUMBER)
        machine_fail(m, "the result is an address");
    else if (m->frame[0].iteration.kind == TIMED && r0.n)
        machine_fail(m, "the callback of a timer returns something other than 0");
    else if (m->frame[0].iteration.kind == TIMED)
        ;
    else if ((int64_t)r0.n < hook->min || (int64_t)r0.n > hook->max)
        machine_fail(m, "the result is none that the hook takes");
    for (uint32_t i = 0; i < m->nrecords; i++)
        if (m->record[i].open)
            machine_fail(m, "a record was not given back");
    m->done = m->fault || !machine_fire(m);
}

static void leave(struct machine *m) {
    if (m->depth == 1) {
        finish(m);
        return;
    }
    const struct call_frame *f = &m->frame[--m->depth];
    for (int i = 0; i < 4; i++)
        m->reg[BPF_R6 + i] = f->saved[i];
    m->reg[BPF_R10] = machine_pointer(VALUE_STACK, m->depth - 1, m->frame[m->depth - 1].serial, 0);
    if (f->iteration.kind != CALLED) {
        machine_next_run(m, f);
        return;
    }
    machine_clobber(m);
    m->slot = f->back;
}

/* r1: context, r2: prog_array, r3: index. On failure the program goes on with r0 = -22. */
static void tail_call(struct machine *m) {
    struct word context = operand(m, BPF_R1), map = operand(m, BPF_R2), index = operand(m, BPF_R3);
    const struct program *p = m->program;
    if (context.object_kind != VALUE_CTX || context.off || map.object_kind != VALUE_MAP ||
        map.object != MAP_PROGRAMS || index.kind != WORD_NUMBER)
        machine_fail(m, "arguments of a tail call");
    for (uint32_t i = 0; i < m->nrecords; i++)
        if (m->record[i].open)
            machine_fail(m, "a tail call with an open record");
    for (uint32_t i = 0; i < p->nrelocs && m->tail_calls < 33; i++)
        if (p->relocs[i].kind == PROG_RELOC_PROG && p->relocs[i].off == (uint32_t)index.n &&
            m->depth == 1) {
            m->tail_calls++;
            start_entry(m, p->relocs[i].target);
            if (p->entries[m->entry].hook == BPF_HOOK_RAW)
                m->reg[BPF_R2] = machine_number(0);
            return;
        }
    machine_clobber(m);
    m->reg[BPF_R0] = machine_number((uint64_t)-22);
    m->slot++;
}

static void call_helper(struct machine *m, uint32_t id) {
    if (id == 12)
        tail_call(m);
    else
        machine_helper(m, id);
}

static void exec_callx(struct machine *m, const struct bpf_decoded *d) {
    struct word w = operand(m, d->dst);
    if (w.kind == WORD_POINTER && w.object_kind == VALUE_FUNC)
        machine_enter(m, w.object, m->slot + 1);
    else if (w.kind == WORD_NUMBER && w.n < 2048)
        call_helper(m, (uint32_t)w.n);
    else
        machine_fail(m, "a call of what is no function");
}

/* ---- Instructions */

static void exec_lddw(struct machine *m, const struct bpf_decoded *d) {
    uint32_t index = (uint32_t)d->imm;
    int64_t off = (int32_t)((uint64_t)d->imm >> 32);
    switch ((enum bpf_pseudo)d->pseudo) {
    case BPF_PSEUDO_MAP: m->reg[d->dst] = machine_pointer(VALUE_MAP, index, 0, off); break;
    case BPF_PSEUDO_DATA: m->reg[d->dst] = machine_pointer(VALUE_DATA, index, 0, off); break;
    case BPF_PSEUDO_FUNC: m->reg[d->dst] = machine_pointer(VALUE_FUNC, index, 0, 0); break;
    default: m->reg[d->dst] = machine_number((uint64_t)d->imm);
    }
}

static void exec_load(struct machine *m, const struct bpf_decoded *d) {
    struct word p = operand(m, d->src), w = machine_load(m, &p, d->off, d->width / 8);
    if (d->op == BPF_LDXS) {
        unsigned shift = 64 - d->width;
        if (w.kind != WORD_NUMBER)
            machine_fail(m, "half an address");
        w = machine_number((uint64_t)((int64_t)(w.n << shift) >> shift));
    }
    m->reg[d->dst] = w;
}

static void exec_store(struct machine *m, const struct bpf_decoded *d) {
    struct word p = operand(m, d->dst);
    struct word w = d->op == BPF_ST ? machine_number((uint64_t)d->imm) : operand(m, d->src);
    machine_store(m, &p, d->off, d->width / 8, w);
}

static void exec_straight(struct machine *m, const struct bpf_decoded *d) {
    if (bpf_op_is_alu(d->op))
        exec_alu(m, d);
    else if (bpf_op_is_movsx(d->op) || bpf_op_is_end(d->op))
        exec_unary(m, d);
    else if (bpf_op_is_atomic(d->op))
        exec_atomic(m, d);
    else if (d->op == BPF_LDDW)
        exec_lddw(m, d);
    else if (d->op == BPF_LDX || d->op == BPF_LDXS)
        exec_load(m, d);
    else
        exec_store(m, d);
}

void machine_step(struct machine *m) {
    const struct program *p = m->program;
    const struct bpf_decoded *d = &p->decoded[m->slot];
    switch (d->op) {
    case BPF_EXIT: leave(m); return;
    case BPF_CALL_HELPER: call_helper(m, (uint32_t)d->imm); return;
    case BPF_CALLX: exec_callx(m, d); return;
    case BPF_CALL_LOCAL:
        machine_enter(m, (uint32_t)(program_func_at(p, m->slot + (uint32_t)d->target) - p->funcs),
                      m->slot + 1);
        return;
    case BPF_JA: m->slot += (uint32_t)d->target; return;
    default: break;
    }
    if (bpf_op_is_jcc(d->op)) {
        m->slot = exec_condition(m, d) ? m->slot + (uint32_t)d->target : m->slot + 1;
        return;
    }
    exec_straight(m, d);
    m->slot += d->len;
}
