/* SPDX-License-Identifier: MIT */
/*
 * Control flow: every jump leads to an instruction of its own function, no path runs past a function's
 * last instruction, and code that no path gets to is pointed out. Unreachable code is not an error: it
 * is never executed, and the compiler leaves it out.
 */
#include "verifier/checks.h"

/* Jumps of all instructions, also of unreachable ones: those are what a damaged object has. */
static bool check_jumps(struct verifier *v) {
    const struct program *p = v->program;
    unsigned before = v->errors;

    for (uint32_t f = 0; f < p->nfuncs; f++) {
        int64_t start = p->funcs[f].start, end = start + p->funcs[f].len;
        for (int64_t i = start; i < end && !verify_gave_up(v); i++) {
            const struct bpf_decoded *d = &p->decoded[i];
            int64_t to = i + d->target;
            if (d->len == 0 || !bpf_op_is_jump(d->op))
                continue;
            if (to < start || to >= end)
                verify_error(
                    v, DIAG_CFG, (uint32_t)i, "jump to an instruction of the function",
                    "a jump to instruction %lld leaves function %s (instructions %u to %u)",
                    (long long)(to - start) + p->funcs[f].elf_insn, p->funcs[f].name,
                    p->funcs[f].elf_insn, p->funcs[f].elf_insn + p->funcs[f].len - 1);
            else if (p->decoded[to].len == 0)
                verify_error(v, DIAG_CFG, (uint32_t)i, "jump to the first half",
                             "a jump into the second half of a 64-bit load");
        }
    }
    return v->errors == before;
}

/* Marks what the start of a function leads to. */
static bool walk(struct verifier *v, const struct prog_func *f) {
    const struct program *p = v->program;
    struct bitset *reachable = v->result->reachable;
    VEC(uint32_t) todo = {0};
    bool good = true;

    vec_push(p->arena, &todo, f->start);
    while (todo.count) {
        for (uint32_t i = vec_pop(&todo); !bitset_test(reachable, i);) {
            const struct bpf_decoded *d = &p->decoded[i];
            bitset_set(reachable, i);
            if (d->op == BPF_EXIT)
                break;
            uint32_t next = d->op == BPF_JA ? i + (uint32_t)d->target : i + d->len;
            if (bpf_op_is_jcc(d->op))
                vec_push(p->arena, &todo, i + (uint32_t)d->target);
            if (next >= f->start + f->len) {
                good = verify_error(v, DIAG_CFG, i, "end every path with return",
                                    "control flow runs past the end of function %s: its last "
                                    "instruction is neither exit nor a jump",
                                    f->name);
                break;
            }
            i = next;
        }
    }
    return good;
}

static void warn_unreachable(struct verifier *v, const struct prog_func *f) {
    const struct program *p = v->program;
    const struct bitset *reachable = v->result->reachable;
    uint32_t end = f->start + f->len;

    for (uint32_t i = f->start; i < end;) {
        unsigned count = 0;
        uint32_t first = i;
        /* The second half of a 64-bit load (len 0) is no instruction of its own. */
        if (bitset_test(reachable, i) || p->decoded[i].len == 0) {
            i++;
            continue;
        }
        for (; i < end && !bitset_test(reachable, i); i++)
            count += p->decoded[i].len > 0;
        verify_warn(v, DIAG_CFG, first, "remove it, or correct the jump that should lead to it",
                    arena_printf(p->arena, "%u instruction%s of function %s can never be reached",
                                 count, count == 1 ? "" : "s", f->name));
    }
}

bool verify_cfg(struct verifier *v) {
    const struct program *p = v->program;
    bool good = true;

    v->result->reachable = bitset_new(p->arena, p->ninsns);
    if (!check_jumps(v))
        return false;
    for (uint32_t f = 0; f < p->nfuncs && !verify_gave_up(v); f++) {
        if (walk(v, &p->funcs[f]))
            warn_unreachable(v, &p->funcs[f]);
        else
            good = false;
    }
    return good;
}
