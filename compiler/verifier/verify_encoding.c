/* SPDX-License-Identifier: MIT */
/*
 * Operands that the decoder lets pass, because they have a meaning, but which no compiler means: shifts
 * by as many bits as the operand has or more, and division by a constant 0. As on Linux they are refused;
 * programs of type raw, which run the public conformance suite, get a warning instead. And helpers must
 * exist.
 */
#include "verifier/checks.h"

#include "bpf/helper.h"

/* An error in a program for the board, else a warning. */
static void complain(struct verifier *v, uint32_t slot, const char *mend, const char *text) {
    if (v->strict)
        verify_error(v, DIAG_INSN, slot, mend, "%s", text);
    else
        verify_warn(v, DIAG_INSN, slot, mend, text);
}

static bool is_shift(enum bpf_op op) {
    return op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
}

static bool is_division(enum bpf_op op) {
    return op == BPF_DIV || op == BPF_SDIV || op == BPF_MOD || op == BPF_SMOD;
}

static void check_constant(struct verifier *v, uint32_t slot, const struct bpf_decoded *d) {
    struct arena *arena = v->program->arena;

    if (is_shift(d->op) && (d->imm < 0 || d->imm >= d->width))
        complain(v, slot, arena_printf(arena, "shift by 0 to %u bits", d->width - 1),
                 arena_printf(arena, "a shift of a %u-bit number by %lld bits", d->width,
                              (long long)d->imm));
    if (is_division(d->op) && d->imm == 0)
        complain(v, slot, "check the divisor", "a division by the constant 0");
}

static void check_helper(struct verifier *v, uint32_t slot, const struct bpf_decoded *d) {
    uint32_t id = (uint32_t)d->imm;
    bool internal = id >= BPF_HELPER_INTERNAL_BASE && id < BPF_HELPER_END;
    const char *name = linux_helper_name(id);

    if (bpf_helper_by_id(id) && !internal)
        return;
    if (name)
        verify_error(v, DIAG_HELPER, slot, "use the helpers that bpf_mcu.h declares",
                     "helper bpf_%s() (id %u) is one of Linux that this board does not have", name,
                     id);
    else
        verify_error(v, DIAG_HELPER, slot, "use the helpers that bpf_mcu.h declares",
                     "there is no helper with id %u", id);
}

bool verify_encoding(struct verifier *v) {
    const struct program *p = v->program;
    unsigned before = v->errors;

    for (uint32_t i = 0; i < p->ninsns && !verify_gave_up(v); i++) {
        const struct bpf_decoded *d = &p->decoded[i];
        if (d->len == 0)
            continue;
        if (bpf_op_is_alu(d->op) && !d->src_reg)
            check_constant(v, i, d);
        if (d->op == BPF_CALL_HELPER)
            check_helper(v, i, d);
    }
    return v->errors == before;
}
