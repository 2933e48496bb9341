/* SPDX-License-Identifier: MIT */
/* Facts for the compiler (program/facts.h), out of a walk over the fixpoint's states. */
#include "program/facts.h"

#include "verifier/fixpoint.h"
#include "verifier/values.h"

/* Values seen at a place so far. */
struct seen {
    bool any;
    struct fact fact;
};

struct facts_collector {
    const struct analysis *a;
    struct seen *after;
    struct seen **at;
    uint8_t *sides; /* by slot: bit 0: may be taken, bit 1: may be not */
};

static bool is_zext(const struct fact *f) {
    return f->kind == FACT_ZEXT || (f->kind == FACT_CONST && f->value >> 32 == 0);
}

static bool is_sext(const struct fact *f) {
    return f->kind == FACT_SEXT ||
           (f->kind == FACT_CONST && f->value == (uint64_t)(int64_t)(int32_t)f->value);
}

/* Addresses of this machine have 32 bits; only those inside an object or at its end are sure to be some. */
static bool is_address(const struct analysis *a, const struct value *v) {
    int64_t size = (int64_t)object_size(a, v);
    switch ((enum value_kind)v->kind) {
    case VALUE_MAP:
    case VALUE_FUNC:
    case VALUE_FUNC_OF:
    case VALUE_FUNC_ANY: return true;
    case VALUE_STACK: return v->n.x.smin >= -size && v->n.x.smax <= 0;
    default: return v->n.x.smin >= 0 && v->n.x.smax <= size;
    }
}

static struct fact fact_of(const struct analysis *a, const struct value *v) {
    if (value_is_pointer(v))
        return (struct fact){.kind = is_address(a, v) ? FACT_ZEXT : FACT_NONE};
    if (v->kind != VALUE_SCALAR)
        return (struct fact){0};
    if (scalar_is_const(&v->n))
        return (struct fact){FACT_CONST, v->n.x.value};
    if (v->n.x.umax <= UINT32_MAX)
        return (struct fact){.kind = FACT_ZEXT};
    if (v->n.x.smin >= INT32_MIN && v->n.x.smax <= INT32_MAX)
        return (struct fact){.kind = FACT_SEXT};
    return (struct fact){0};
}

static void see(struct seen *seen, struct fact fact) {
    struct fact *old = &seen->fact;
    if (!seen->any)
        *old = fact;
    else if (old->kind == FACT_CONST && fact.kind == FACT_CONST && old->value == fact.value)
        ;
    else if (is_zext(old) && is_zext(&fact))
        *old = (struct fact){.kind = FACT_ZEXT};
    else if (is_sext(old) && is_sext(&fact))
        *old = (struct fact){.kind = FACT_SEXT};
    else
        *old = (struct fact){0};
    seen->any = true;
}

static void note_branch(struct facts_collector *c, uint32_t slot, const struct state *s) {
    for (int taken = 0; taken < 2; taken++) {
        struct state *copy = state_copy(c->a->pool, s);
        if (transfer_branch(c->a, copy, slot, taken))
            c->sides[slot] |= taken ? 1 : 2;
        state_free(c->a->pool, copy);
    }
}

void facts_before(struct facts_collector *c, const struct summary *summary, uint32_t slot,
                  const struct state *s) {
    const struct cfg *cfg = &c->a->cfgs[summary->func];
    const struct prog_func *f = &c->a->program->funcs[summary->func];
    if (cfg->blocks[cfg->block_of[slot - f->start]].start == slot) {
        if (!c->at[slot])
            c->at[slot] = arena_alloc_array(c->a->arena, BPF_R10, sizeof(struct seen));
        for (int r = 0; r < BPF_R10; r++)
            see(&c->at[slot][r], fact_of(c->a, &s->reg[r]));
    }
    if (bpf_op_is_jcc(c->a->program->decoded[slot].op) && c->sides[slot] != 3)
        note_branch(c, slot, s);
}

void facts_after(struct facts_collector *c, uint32_t slot, const struct state *s) {
    unsigned reg = fact_register(&c->a->program->decoded[slot]);
    if (reg < BPF_R10)
        see(&c->after[slot], fact_of(c->a, &s->reg[reg]));
}

struct facts_collector *facts_start(const struct analysis *a) {
    uint32_t n = a->program->ninsns;
    struct facts_collector *c = arena_alloc(a->arena, sizeof(*c));
    *c = (struct facts_collector){.a = a,
                                  .after = arena_alloc_array(a->arena, n, sizeof(struct seen)),
                                  .at = arena_alloc_array(a->arena, n, sizeof(struct seen *)),
                                  .sides = arena_alloc_array(a->arena, n, 1)};
    return c;
}

struct facts *facts_finish(const struct facts_collector *c, struct arena *arena) {
    uint32_t n = c->a->program->ninsns;
    struct facts *facts = arena_alloc(arena, sizeof(*facts));
    struct fact *behind = arena_alloc_array(arena, n, sizeof(*behind));
    struct fact **at = arena_alloc_array(arena, n, sizeof(*at));
    uint8_t *branch = arena_alloc_array(arena, n, 1);
    for (uint32_t slot = 0; slot < n; slot++) {
        behind[slot] = c->after[slot].fact;
        branch[slot] = c->sides[slot] == 1   ? BRANCH_TAKEN
                       : c->sides[slot] == 2 ? BRANCH_NOT_TAKEN
                                             : BRANCH_EITHER;
        if (!c->at[slot])
            continue;
        at[slot] = arena_alloc_array(arena, BPF_R10, sizeof(**at));
        for (int r = 0; r < BPF_R10; r++)
            at[slot][r] = c->at[slot][r].fact;
    }
    facts->after = behind;
    facts->at = (const struct fact *const *)at;
    facts->branch = branch;
    return facts;
}
