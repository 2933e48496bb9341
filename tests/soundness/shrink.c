/* SPDX-License-Identifier: MIT */
/*
 * What of a program is needed to show an error: instructions are taken out, many at a time, then few, as
 * long as an error of the same kind stays; jumps lead where they led. Then immediates become 0 and functions
 * that nobody names are left out.
 */
#include "soundness/soundness.h"

#include <string.h>

struct shrinking {
    unsigned runs;
    enum violation violation;
};

static bool still_wrong(const struct shrinking *c, const struct source *s) {
    struct trial_result r;
    trial(s, c->runs, NULL, &r);
    return r.violation == c->violation;
}

static bool decode(const struct source *s, uint32_t slot, struct bpf_decoded *d) {
    return bpf_decode(&s->insns[slot], s->count - slot, d) == BPF_DECODE_OK;
}

static bool has_target(const struct bpf_decoded *d) {
    return d->op == BPF_JA || bpf_op_is_jcc(d->op) || d->op == BPF_CALL_LOCAL;
}

/* s without the instructions that `gone` marks by slot; what led to one leads to the next that stays. False
 * if that is no program. */
static bool without(const struct source *s, const bool *gone, struct source *out) {
    uint32_t to[SOURCE_MAX + 1], n = 0;
    struct bpf_decoded d;
    *out = *s;
    for (uint32_t i = 0; i < s->count; i += d.len) {
        if (!decode(s, i, &d))
            return false;
        to[i] = n;
        if (d.len == 2)
            to[i + 1] = n;
        n += gone[i] ? 0 : d.len;
    }
    to[s->count] = n;
    for (uint32_t i = 0; i < s->count; i += d.len) {
        decode(s, i, &d);
        if (gone[i])
            continue;
        if (has_target(&d)) {
            uint32_t target = i + (uint32_t)d.target;
            if (target >= s->count)
                return false;
            d.target = (int32_t)(to[target] - to[i]);
        }
        bpf_encode(&d, &out->insns[to[i]]);
        decode(s, i, &d);
    }
    out->count = n;
    for (uint32_t f = 0; f < s->nfuncs; f++)
        out->start[f] = to[s->start[f]];
    for (uint32_t f = 0; f < s->nfuncs; f++)
        if (out->start[f] >= (f + 1 < s->nfuncs ? out->start[f + 1] : n))
            return false;
    return n > 0;
}

/* Takes out runs of `length` slots; true if something went. */
static bool cut(const struct shrinking *c, struct source *s, uint32_t length) {
    static struct source smaller;
    bool any = false;
    for (uint32_t from = 0; from < s->count;) {
        bool gone[SOURCE_MAX] = {false};
        for (uint32_t i = from; i < from + length && i < s->count; i++)
            gone[i] = true;
        if (from > 0 && s->insns[from - 1].opcode == 0x18)
            gone[from] = gone[from - 1] = false;
        if (without(s, gone, &smaller) && smaller.count < s->count && still_wrong(c, &smaller)) {
            *s = smaller;
            any = true;
        } else {
            from += length;
        }
    }
    return any;
}

static bool simplify(const struct shrinking *c, struct source *s) {
    bool any = false;
    for (uint32_t i = 0; i < s->count; i++) {
        struct bpf_insn old = s->insns[i];
        struct bpf_decoded d;
        bool lddw = old.opcode == 0x18 || (i > 0 && s->insns[i - 1].opcode == 0x18);
        if (lddw || old.imm == 0 || !decode(s, i, &d) || has_target(&d) ||
            d.op == BPF_CALL_HELPER || bpf_op_is_end(d.op) || bpf_op_is_atomic(d.op))
            continue;
        s->insns[i].imm = 0;
        if (still_wrong(c, s))
            any = true;
        else
            s->insns[i] = old;
    }
    return any;
}

/* Whether an instruction or a table leads to function f. */
static bool is_named(const struct source *s, uint32_t f) {
    struct bpf_decoded d;
    for (uint32_t i = 0; i < s->count; i += d.len) {
        if (!decode(s, i, &d))
            return true;
        if ((d.op == BPF_LDDW && d.pseudo == BPF_PSEUDO_FUNC && d.imm == f) ||
            (d.op == BPF_CALL_LOCAL && i + (uint32_t)d.target == s->start[f]))
            return true;
    }
    return false;
}

static bool drop_functions(const struct shrinking *c, struct source *s) {
    static struct source smaller;
    uint32_t f = s->nfuncs - 1;
    if (f == 0 || is_named(s, f)) /* the last one only: others' numbers would change */
        return false;
    smaller = *s;
    smaller.nfuncs--;
    smaller.count = s->start[f];
    if (!still_wrong(c, &smaller))
        return false;
    *s = smaller;
    return true;
}

void shrink(struct source *s, unsigned runs, enum violation violation) {
    const struct shrinking c = {runs, violation};
    for (bool smaller = true; smaller;) {
        smaller = drop_functions(&c, s);
        for (uint32_t length = s->count / 2; length > 0; length /= 2)
            smaller |= cut(&c, s, length);
        smaller |= simplify(&c, s);
    }
}
