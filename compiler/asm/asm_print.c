/* SPDX-License-Identifier: MIT */
/* The inverse of the assembler, one instruction at a time. */
#include <inttypes.h>
#include <stdio.h>

#include "asm/asm.h"
#include "asm/asm_table.h"

/* The second operand: register or immediate. */
static const char *operand(const struct bpf_decoded *d, char out[24]) {
    if (d->src_reg)
        snprintf(out, 24, "%%r%u", d->src);
    else
        snprintf(out, 24, "%" PRId64, d->imm);
    return out;
}

/* The wire counts from the next instruction, struct bpf_decoded from this one; both wrap. */
static int distance(const struct bpf_decoded *d) {
    return (int32_t)((uint32_t)d->target - 1);
}

static int print_lddw(const struct bpf_decoded *d, char *out, size_t size) {
    static const char *const tables[] = {
        [BPF_PSEUDO_MAP] = "map",
        [BPF_PSEUDO_DATA] = "data",
        [BPF_PSEUDO_FUNC] = "func",
    };
    uint32_t index = (uint32_t)d->imm, offset = (uint32_t)((uint64_t)d->imm >> 32);

    if (d->pseudo == BPF_PSEUDO_NONE)
        return snprintf(out, size, "lddw %%r%u, 0x%" PRIx64, d->dst, (uint64_t)d->imm);
    return snprintf(out, size, offset ? "lddw %%r%u, %s %u+%u" : "lddw %%r%u, %s %u", d->dst,
                    tables[d->pseudo], index, offset);
}

static int print_control(const struct bpf_decoded *d, char *out, size_t size) {
    switch (d->op) {
    case BPF_JA: return snprintf(out, size, "ja%s %+d", d->width == 32 ? "32" : "", distance(d));
    case BPF_CALL_HELPER: return snprintf(out, size, "call %" PRId64, d->imm);
    case BPF_CALL_LOCAL: return snprintf(out, size, "call local %+d", distance(d));
    case BPF_CALLX: return snprintf(out, size, "callx %%r%u", d->dst);
    case BPF_LDDW: return print_lddw(d, out, size);
    default: return snprintf(out, size, "exit");
    }
}

int asm_print(const struct bpf_decoded *d, char *out, size_t size) {
    const struct asm_row *row = asm_row_of(d->op);
    const char *name = row->name, *suffix = asm_suffix_of(row->form, d->width), *lock = "lock ";
    char second[24];

    switch (row->form) {
    case ASM_ALU:
    case ASM_MOVSX:
        return snprintf(out, size, "%s%s %%r%u, %s", name, suffix, d->dst, operand(d, second));
    case ASM_ALU1:
    case ASM_END: return snprintf(out, size, "%s%s %%r%u", name, suffix, d->dst);
    case ASM_JCC:
        return snprintf(out, size, "%s%s %%r%u, %s, %+d", name, suffix, d->dst, operand(d, second),
                        distance(d));
    case ASM_LOAD:
        return snprintf(out, size, "%s%s %%r%u, [%%r%u%+d]", name, suffix, d->dst, d->src, d->off);
    case ASM_STORE_IMM:
        return snprintf(out, size, "%s%s [%%r%u%+d], %" PRId64, name, suffix, d->dst, d->off,
                        d->imm);
    case ASM_ATOMIC:
        /* fetch_add is written `lock fetch add` */
        if (bpf_atomic_fetches(d->op) && d->op != BPF_ATOMIC_XCHG && d->op != BPF_ATOMIC_CMPXCHG) {
            lock = "lock fetch ";
            name += sizeof("fetch_") - 1;
        }
        return snprintf(out, size, "%s%s%s [%%r%u%+d], %%r%u", lock, name, suffix, d->dst, d->off,
                        d->src);
    case ASM_STORE_REG:
        return snprintf(out, size, "%s%s [%%r%u%+d], %%r%u", name, suffix, d->dst, d->off, d->src);
    case ASM_CTRL: break;
    }
    return print_control(d, out, size);
}
