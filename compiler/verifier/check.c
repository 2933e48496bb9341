/* SPDX-License-Identifier: MIT */
/* May this instruction run in this state? Checks change nothing. */
#include "verifier/analysis.h"

#include <inttypes.h>

struct checking {
    const struct analysis *a;
    const struct state *s;
    uint32_t slot;
    const struct bpf_decoded *d;
    struct problem *problem;
};

/* ---- Registers */

/* "`x`" where the source names the place, else "r3". */
static const char *operand_name(const struct checking *c, unsigned reg) {
    const char *expression = problem_expression(c->a, c->slot);
    return expression ? arena_printf(c->a->arena, "`%s` (r%u)", expression, reg)
                      : arena_printf(c->a->arena, "r%u", reg);
}

/* A register that is read. */
static bool readable(const struct checking *c, unsigned reg) {
    const struct value *v = &c->s->reg[reg];
    if (v->kind != VALUE_NONE)
        return true;
    if (!c->problem)
        return false;
    const char *name = operand_name(c, reg);
    switch ((enum none_reason)v->reason) {
    case NONE_CALL:
        return PROBLEM(c, DIAG_UNINIT, "keep what you need after a call in another variable",
                       "%s is used after a call, which leaves nothing in r1 to r5", name);
    case NONE_MIXED:
        return PROBLEM(c, DIAG_UNINIT, "give it the same kind of value on every path",
                       "%s is not initialised on every path, or a pointer on one and a number on "
                       "another",
                       name);
    case NONE_RELEASED:
        return PROBLEM(c, DIAG_RECORD, "use a record only before it is submitted or discarded",
                       "%s is a ring buffer record that was given back", name);
    case NONE_FRAME:
        return PROBLEM(c, DIAG_POINTER, "return values, not addresses of local variables",
                       "%s points to a local variable of a function that has returned", name);
    case NONE_POINTER:
        return PROBLEM(c, DIAG_POINTER, "use pointers as a whole", "%s is what became of a pointer",
                       name);
    case NONE_CALLBACK:
        return PROBLEM(
            c, DIAG_POINTER, "copy the key: `*out = *key`",
            "%s points to a key that a callback was given, and the callback has returned", name);
    case NONE_UNWRITTEN: break;
    }
    return PROBLEM(c, DIAG_UNINIT, "give the variable a value where it is declared",
                   "%s is used before it has a value", name);
}

static const char *name_of(const struct checking *c, const struct value *v) {
    return object_name(c->a, c->s, v);
}

/* ---- Arithmetic */

static bool is_arithmetic_kind(const struct value *v) {
    return v->kind != VALUE_MAP && !value_is_code(v);
}

static bool check_pointer_arithmetic(const struct checking *c, const struct value *x,
                                     const struct value *y) {
    const struct value *p = value_is_pointer(x) ? x : y;
    const char *name = c->problem ? name_of(c, p) : "";
    if (c->d->op == BPF_MOV)
        return PROBLEM(c, DIAG_POINTER, "keep pointers in pointer variables, not in 32-bit numbers",
                       "the address of %s is cut to 32 bits", name);
    if (x->nullable || (value_is_pointer(y) && y->nullable))
        return PROBLEM(c, DIAG_NULL, "test the pointer first: `if (!p) return 0;`",
                       "arithmetic on a pointer to %s that may be null", name);
    bool both = value_is_pointer(x) && value_is_pointer(y);
    bool same = both && value_same_object(x, y);
    bool fits = c->d->width == 64 && is_arithmetic_kind(p) &&
                ((c->d->op == BPF_ADD && !both) ||
                 (c->d->op == BPF_SUB && value_is_pointer(x) && (!both || same)));
    if (fits)
        return true;
    if (both)
        return PROBLEM(c, DIAG_LEAK, "subtract only pointers into the same object",
                       "arithmetic on two pointers, to %s and to %s", name, name_of(c, y));
    return PROBLEM(c, DIAG_LEAK, "add or subtract an index; anything else needs a number",
                   "%s on the address of %s: its value would tell where things lie in memory",
                   is_arithmetic_kind(p) ? "arithmetic other than + and -" : "arithmetic", name);
}

static bool check_alu(const struct checking *c) {
    const struct bpf_decoded *d = c->d;
    const struct value *x = &c->s->reg[d->dst], *y = d->src_reg ? &c->s->reg[d->src] : NULL;
    static const struct value number = {.kind = VALUE_SCALAR};
    if (y && !readable(c, d->src))
        return false;
    if (d->op == BPF_MOV) {
        if (y && d->width == 32 && value_is_pointer(y))
            return check_pointer_arithmetic(c, y, &number);
        return true;
    }
    if (!readable(c, d->dst))
        return false;
    if (value_is_pointer(x) || (y && value_is_pointer(y)))
        return check_pointer_arithmetic(c, x, y ? y : &number);
    return true;
}

static bool check_unary(const struct checking *c, unsigned reg) {
    if (!readable(c, reg))
        return false;
    if (!value_is_pointer(&c->s->reg[reg]))
        return true;
    return PROBLEM(c, DIAG_POINTER, "keep pointers in pointer variables, not in 32-bit numbers",
                   "a part of the address of %s is used as a number", name_of(c, &c->s->reg[reg]));
}

/* ---- Memory */

static bool access_at(const struct checking *c, unsigned reg, bool write, bool atomic) {
    struct access access = {.pointer = &c->s->reg[reg],
                            .off = c->d->off,
                            .size = c->d->width / 8u,
                            .write = write,
                            .atomic = atomic};
    return readable(c, reg) && check_access(c->a, c->s, c->slot, &access, c->problem);
}

/* A pointer may be kept on the stack only, whole, at a known place. */
static bool check_stored(const struct checking *c) {
    const struct value *to = &c->s->reg[c->d->dst], *v = &c->s->reg[c->d->src];
    int64_t low, high;
    if (!readable(c, c->d->src))
        return false;
    if (!value_is_pointer(v))
        return true;
    if (to->kind != VALUE_STACK)
        return PROBLEM(c, DIAG_LEAK, "keep pointers in local variables, and store numbers",
                       "the address of %s is stored in %s", name_of(c, v), name_of(c, to));
    if (c->d->width != 64)
        return PROBLEM(c, DIAG_POINTER, "keep pointers in pointer variables",
                       "a part of the address of %s is stored", name_of(c, v));
    if (!object_range(to, c->d->off, &low, &high) || low != high)
        return PROBLEM(c, DIAG_POINTER, "keep pointers in variables of their own, not in arrays",
                       "the address of %s is stored at a place on the stack that is not known",
                       name_of(c, v));
    return true;
}

static bool check_atomic(const struct checking *c) {
    if (!readable(c, c->d->src))
        return false;
    if (c->d->op == BPF_ATOMIC_CMPXCHG && !readable(c, BPF_R0))
        return false;
    if (value_is_pointer(&c->s->reg[c->d->src]) ||
        (c->d->op == BPF_ATOMIC_CMPXCHG && value_is_pointer(&c->s->reg[BPF_R0])))
        return PROBLEM(c, DIAG_LEAK, "use numbers", "an atomic operation with an address");
    return access_at(c, c->d->dst, true, true);
}

/* ---- Conditional jumps */

static bool check_comparison(const struct checking *c, const struct value *x,
                             const struct value *y) {
    const struct value *p = value_is_pointer(x) ? x : y, *other = p == x ? y : x;
    if (!value_is_pointer(p))
        return true;
    bool equality = c->d->op == BPF_JEQ || c->d->op == BPF_JNE;
    if (c->d->width == 32)
        return PROBLEM(c, DIAG_LEAK, "compare whole pointers", "a comparison of half an address");
    if (value_is_null(other) && equality && (p->nullable || object_is_near(p)))
        return true;
    /* Whether it is the same function does not depend on where functions lie. */
    if (equality && value_is_code(x) && value_is_code(y))
        return true;
    if (!value_same_object(x, y))
        return PROBLEM(
            c, DIAG_LEAK, "compare pointers with null, or with pointers into the same object",
            "a comparison of the address of %s with %s: it would tell where things lie in "
            "memory",
            name_of(c, p), name_of(c, other));
    if (x->nullable || y->nullable)
        return PROBLEM(c, DIAG_NULL, "test the pointer first: `if (!p) return 0;`",
                       "a comparison of a pointer to %s that may be null", name_of(c, p));
    if (!object_is_near(x) || !object_is_near(y) || c->d->op == BPF_JSET)
        return PROBLEM(c, DIAG_BOUNDS, "test the index before you add it to the pointer",
                       "a comparison of pointers to %s with an offset that may be anything",
                       name_of(c, p));
    return true;
}

static bool check_jump(const struct checking *c) {
    struct value imm = value_const((uint64_t)c->d->imm);
    if (!readable(c, c->d->dst) || (c->d->src_reg && !readable(c, c->d->src)))
        return false;
    return check_comparison(c, &c->s->reg[c->d->dst], c->d->src_reg ? &c->s->reg[c->d->src] : &imm);
}

/* ---- All */

bool check_insn(const struct analysis *a, const struct state *s, uint32_t slot,
                struct problem *problem) {
    const struct bpf_decoded *d = &a->program->decoded[slot];
    struct checking c = {a, s, slot, d, problem};
    if (bpf_op_is_alu(d->op))
        return check_alu(&c);
    if (bpf_op_is_movsx(d->op))
        return check_unary(&c, d->src);
    if (bpf_op_is_end(d->op))
        return check_unary(&c, d->dst);
    if (bpf_op_is_jcc(d->op))
        return check_jump(&c);
    if (bpf_op_is_atomic(d->op))
        return check_atomic(&c);
    if (d->op == BPF_LDX || d->op == BPF_LDXS)
        return access_at(&c, d->src, false, false);
    if (d->op == BPF_ST)
        return access_at(&c, d->dst, true, false);
    if (d->op == BPF_STX)
        return access_at(&c, d->dst, true, false) && check_stored(&c);
    return true;
}

/* ---- Ends and calls through registers */

static void no_visit(void *arg, uint32_t func) {
    (void)arg;
    (void)func;
}

/* The end of a callback that a timer has called. */
static bool check_timer_exit(const struct checking *c) {
    const struct value *r0 = &c->s->reg[BPF_R0];
    if (c->s->nrecords > 0)
        return PROBLEM(c, DIAG_RECORD,
                       "call bpf_ringbuf_submit() or bpf_ringbuf_discard() on every path",
                       "the callback of a timer ends with a ring buffer record that was reserved "
                       "and not given back");
    if (r0->kind == VALUE_SCALAR && scalar_is_const(&r0->n) && r0->n.x.value == 0)
        return true;
    return PROBLEM(c, DIAG_RETURN, "`return 0;`",
                   "the callback of a timer returns something other than 0");
}

bool check_exit(const struct analysis *a, const struct state *s, uint32_t slot,
                struct problem *problem) {
    struct checking c = {a, s, slot, &a->program->decoded[slot], problem};
    const struct value *r0 = &s->reg[BPF_R0];
    if (s->nframes > 1)
        return true;
    if (s->frame[0]->call == STATE_CALL_TIMER)
        return check_timer_exit(&c);
    const struct prog_func *f = &a->program->funcs[s->frame[0]->func];
    const struct hook_info *hook = hook_info(a->program->entries[f->entry].hook);
    if (s->nrecords > 0)
        return PROBLEM(&c, DIAG_RECORD,
                       "call bpf_ringbuf_submit() or bpf_ringbuf_discard() on every path",
                       "the program ends with a ring buffer record that was reserved and not given "
                       "back");
    if (r0->kind == VALUE_NONE)
        return PROBLEM(&c, DIAG_RETURN, "return a number on every path",
                       "the program ends without a result on some path");
    if (r0->kind != VALUE_SCALAR)
        return PROBLEM(&c, DIAG_LEAK, "return a number", "the program returns the address of %s",
                       name_of(&c, r0));
    if (r0->n.x.smin >= hook->min && r0->n.x.smax <= hook->max)
        return true;
    const char *range = hook->min == hook->max ? arena_printf(a->arena, "%" PRId64, hook->min)
                                               : arena_printf(a->arena, "%" PRId64 " to %" PRId64,
                                                              hook->min, hook->max);
    return PROBLEM(
        &c, DIAG_RETURN, arena_printf(a->arena, "`return %s;`", range),
        "the program returns %s%s, and programs of type %s return %s",
        scalar_is_const(&r0->n) ? "" : "a number that may be ",
        scalar_is_const(&r0->n)
            ? arena_printf(a->arena, "%" PRId64, (int64_t)r0->n.x.value)
            : arena_printf(a->arena, "%" PRId64 " to %" PRId64, r0->n.x.smin, r0->n.x.smax),
        hook->prefix, range);
}

bool check_callback_result(const struct analysis *a, const struct state *s, uint32_t slot,
                           struct problem *problem) {
    struct checking c = {a, s, slot, &a->program->decoded[slot], problem};
    const struct value *r0 = &s->reg[BPF_R0];
    if (r0->kind == VALUE_SCALAR && r0->n.x.umax <= 1)
        return true;
    return PROBLEM(&c, DIAG_RETURN, "`return 0;` to go on, `return 1;` to stop",
                   "the callback returns something other than 0 or 1");
}

bool check_callx(const struct analysis *a, const struct state *s, uint32_t slot,
                 struct problem *problem) {
    struct checking c = {a, s, slot, &a->program->decoded[slot], problem};
    const struct value *v = &s->reg[c.d->dst];
    if (!readable(&c, c.d->dst))
        return false;
    bool helper =
        v->kind == VALUE_SCALAR && scalar_is_const(&v->n) && v->n.x.value < BPF_HELPER_END;
    if (helper &&
        v->n.x.value == BPF_FUNC_TAIL_CALL) /* no function: the engines do it themselves */
        return PROBLEM(&c, DIAG_CALL, "call bpf_tail_call() by its name",
                       "a tail call through a register");
    if (helper)
        return check_helper(a, s, slot, (uint32_t)v->n.x.value, problem);
    if (!v->nullable && object_functions(a, v, no_visit, NULL))
        return true;
    return PROBLEM(&c, DIAG_CALL,
                   v->kind == VALUE_FUNC_OF
                       ? "test the index first, and give every element of the table a function"
                       : "call functions by name, or out of a `static const` table",
                   "a call through %s, which need not be a function of the program",
                   name_of(&c, v));
}
