/* SPDX-License-Identifier: MIT */
/*
 * Decoding and encoding of eBPF instructions (RFC 9669 3 to 5). The opcode bits of every operation
 * come from insn.def; what is written here is the shape of each instruction class: which fields it
 * has, which must be zero.
 */
#include "bpf/insn.h"

enum {
    CLASS_LD = 0,
    CLASS_LDX = 1,
    CLASS_ST = 2,
    CLASS_STX = 3,
    CLASS_ALU = 4,
    CLASS_JMP = 5,
    CLASS_JMP32 = 6,
    CLASS_ALU64 = 7,
    CODE_MOV = 0xb0,
    CODE_END = 0xd0,
    CODE_JA = 0x00,
    CODE_CALL = 0x80,
    CODE_EXIT = 0x90,
    SOURCE_REG = 0x08,
    MODE_MEM = 0x60,
    MODE_MEMSX = 0x80,
    MODE_ATOMIC = 0xc0,
    OPCODE_LDDW = 0x18,
    CALL_LOCAL = 1,
};

/* Rows of insn.def by class of instruction: the code bits (and what else selects the row). */
struct row {
    uint8_t op, code;
    int16_t selector; /* ALU: offset field; atomic: low byte of imm */
    uint8_t widths;   /* ALU: 32, 64 or 96 (both) */
    bool unary;
};

static const struct row alu_rows[] = {
#define BPF_ALU(NAME, code, off, group, widths, ...) {BPF_##NAME, code, off, widths, false},
#define BPF_ALU1(NAME, code, off, group, widths, ...) {BPF_##NAME, code, off, widths, true},
#define BPF_MOVSX(NAME, off, widths, ...) {BPF_##NAME, CODE_MOV, off, widths, false},
#include "bpf/insn.def"
};
static const struct row jcc_rows[] = {
#define BPF_JCC(NAME, code, ...) {BPF_##NAME, code, 0, 0, false},
#include "bpf/insn.def"
};
static const struct row atomic_rows[] = {
#define BPF_ATOMIC(NAME, imm, ...) {BPF_##NAME, 0, imm, 0, false},
#include "bpf/insn.def"
};
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Access widths in bits, by bits 3 and 4 of the opcode. */
static const uint8_t sizes[4] = {
#define BPF_SIZE(NAME, code, bytes, letter) [code >> 3] = 8 * bytes,
#include "bpf/insn.def"
};

static unsigned size_bits(uint8_t opcode) {
    return sizes[opcode >> 3 & 3];
}

static uint8_t size_code(unsigned bits) {
    unsigned k = 0;
    while (sizes[k] != bits)
        k++;
    return (uint8_t)(k << 3);
}

const char *bpf_refused_name(const struct bpf_insn *insn) {
    int src_field = insn->regs >> 4;
#define BPF_REFUSED(mask, opcode_bits, src, name)                                                  \
    if ((insn->opcode & mask) == opcode_bits && (src < 0 || src == src_field))                     \
        return name;
#include "bpf/insn.def"
    return NULL;
}

const char *bpf_decode_status_text(enum bpf_decode_status status) {
    static const char *const texts[] = {
        [BPF_DECODE_OK] = "ok",
        [BPF_DECODE_UNKNOWN] = "unknown opcode",
        [BPF_DECODE_REFUSED] = "instruction that is not supported here",
        [BPF_DECODE_RESERVED] = "a reserved field is not zero",
        [BPF_DECODE_REGISTER] = "no such register, or a write to the read-only r10",
        [BPF_DECODE_TRUNCATED] = "lddw without its second half",
        [BPF_DECODE_IMM] = "immediate not allowed for this instruction",
    };
    return texts[status];
}

/* ------------------------------------------------------------------------------------- decoding */

static enum bpf_decode_status decode_alu(const struct bpf_insn *i, unsigned width,
                                         struct bpf_decoded *d) {
    uint8_t code = i->opcode & 0xf0;
    const struct row *row = NULL;
    bool known = false;
    for (size_t k = 0; k < COUNT(alu_rows) && !row; k++) {
        if (alu_rows[k].code != code)
            continue;
        known = true;
        if (alu_rows[k].selector == i->off && (alu_rows[k].widths & width))
            row = &alu_rows[k];
    }
    if (!row)
        return known ? BPF_DECODE_RESERVED : BPF_DECODE_UNKNOWN;
    d->op = (enum bpf_op)row->op;
    d->width = (uint8_t)width;
    bool reg = i->opcode & SOURCE_REG;
    if (row->unary)
        return reg || d->src || i->imm ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
    if (bpf_op_is_movsx(d->op) && !reg)
        return BPF_DECODE_RESERVED;
    d->src_reg = reg;
    if (reg)
        return i->imm ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
    d->imm = i->imm;
    return d->src ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
}

static enum bpf_decode_status decode_end(const struct bpf_insn *i, struct bpf_decoded *d) {
    bool found = false;
#define BPF_END(NAME, class, source, mnemonic, swaps)                                              \
    if (i->opcode == (class | source | CODE_END)) {                                                \
        d->op = BPF_##NAME;                                                                        \
        found = true;                                                                              \
    }
#include "bpf/insn.def"
    if (!found)
        return BPF_DECODE_UNKNOWN;
    if (d->src || i->off)
        return BPF_DECODE_RESERVED;
    if (i->imm != 16 && i->imm != 32 && i->imm != 64)
        return BPF_DECODE_IMM;
    d->width = (uint8_t)i->imm;
    return BPF_DECODE_OK;
}

static enum bpf_decode_status decode_call(const struct bpf_insn *i, struct bpf_decoded *d) {
    if (i->opcode & SOURCE_REG) { /* callx: the register is in dst (clang-19) or imm (clang-14) */
        d->op = BPF_CALLX;
        if (i->off || d->src || (d->dst && i->imm))
            return BPF_DECODE_RESERVED;
        if (i->imm < 0 || i->imm > BPF_R10)
            return BPF_DECODE_REGISTER;
        d->dst = (uint8_t)(d->dst | i->imm);
        return BPF_DECODE_OK;
    }
    if (d->dst || i->off || d->src > CALL_LOCAL)
        return BPF_DECODE_RESERVED;
    if (d->src == CALL_LOCAL) {
        d->op = BPF_CALL_LOCAL;
        d->src = 0;
        d->target = (int32_t)((uint32_t)i->imm + 1);
        return BPF_DECODE_OK;
    }
    d->op = BPF_CALL_HELPER;
    d->imm = i->imm;
    return i->imm < 0 ? BPF_DECODE_IMM : BPF_DECODE_OK;
}

static enum bpf_decode_status decode_jump(const struct bpf_insn *i, unsigned width,
                                          struct bpf_decoded *d) {
    uint8_t code = i->opcode & 0xf0;
    bool reg = i->opcode & SOURCE_REG;
    if (code == CODE_JA) {
        if (reg || d->dst || d->src || (width == 64 ? i->imm : i->off))
            return BPF_DECODE_RESERVED;
        d->op = BPF_JA;
        d->width = (uint8_t)width;
        d->target = width == 64 ? i->off + 1 : (int32_t)((uint32_t)i->imm + 1);
        return BPF_DECODE_OK;
    }
    if (code == CODE_CALL && width == 64)
        return decode_call(i, d);
    if (code == CODE_EXIT && width == 64) {
        d->op = BPF_EXIT;
        return reg || d->dst || d->src || i->off || i->imm ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
    }
    for (size_t k = 0; k < COUNT(jcc_rows); k++) {
        if (jcc_rows[k].code != code)
            continue;
        d->op = (enum bpf_op)jcc_rows[k].op;
        d->width = (uint8_t)width;
        d->target = i->off + 1;
        d->src_reg = reg;
        d->imm = reg ? 0 : i->imm;
        return (reg ? i->imm : d->src) ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
    }
    return BPF_DECODE_UNKNOWN;
}

static enum bpf_decode_status decode_atomic(const struct bpf_insn *i, struct bpf_decoded *d) {
    if (d->width < 32)
        return BPF_DECODE_UNKNOWN;
    for (size_t k = 0; k < COUNT(atomic_rows); k++)
        if (atomic_rows[k].selector == i->imm) {
            d->op = (enum bpf_op)atomic_rows[k].op;
            return BPF_DECODE_OK;
        }
    return BPF_DECODE_IMM;
}

static enum bpf_decode_status decode_memory(const struct bpf_insn *i, struct bpf_decoded *d) {
    uint8_t mode = i->opcode & 0xe0, class = i->opcode & 7;
    d->width = (uint8_t)size_bits(i->opcode);
    d->off = i->off;
    if (class == CLASS_STX && mode == MODE_ATOMIC)
        return decode_atomic(i, d);
    if (class == CLASS_LDX && (mode == MODE_MEM || (mode == MODE_MEMSX && d->width < 64))) {
        d->op = mode == MODE_MEM ? BPF_LDX : BPF_LDXS;
        return i->imm ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
    }
    if (mode != MODE_MEM || class == CLASS_LDX)
        return BPF_DECODE_UNKNOWN;
    if (class == CLASS_STX) {
        d->op = BPF_STX;
        return i->imm ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
    }
    d->op = BPF_ST;
    d->imm = i->imm;
    return d->src ? BPF_DECODE_RESERVED : BPF_DECODE_OK;
}

static enum bpf_decode_status decode_lddw(const struct bpf_insn *i, size_t avail,
                                          struct bpf_decoded *d) {
    if (avail < 2)
        return BPF_DECODE_TRUNCATED;
    if (i->off || i[1].opcode || i[1].regs || i[1].off)
        return BPF_DECODE_RESERVED;
    if (d->src != BPF_PSEUDO_NONE && d->src != BPF_PSEUDO_MAP && d->src != BPF_PSEUDO_DATA &&
        d->src != BPF_PSEUDO_FUNC)
        return BPF_DECODE_RESERVED;
    d->op = BPF_LDDW;
    d->pseudo = d->src;
    d->src = 0;
    d->len = 2;
    d->imm = (int64_t)((uint64_t)(uint32_t)i[1].imm << 32 | (uint32_t)i->imm);
    return BPF_DECODE_OK;
}

static enum bpf_decode_status decode_class(const struct bpf_insn *i, size_t avail,
                                           struct bpf_decoded *d) {
    switch (i->opcode & 7) {
    case CLASS_LD: return i->opcode == OPCODE_LDDW ? decode_lddw(i, avail, d) : BPF_DECODE_UNKNOWN;
    case CLASS_ALU:
    case CLASS_ALU64:
        if ((i->opcode & 0xf0) == CODE_END)
            return decode_end(i, d);
        return decode_alu(i, (i->opcode & 7) == CLASS_ALU ? 32 : 64, d);
    case CLASS_JMP:
    case CLASS_JMP32: return decode_jump(i, (i->opcode & 7) == CLASS_JMP ? 64 : 32, d);
    default: return decode_memory(i, d);
    }
}

/* Whether the instruction writes its dst field (r10 must not be written). */
static bool writes_dst(const struct bpf_decoded *d) {
    return bpf_op_is_alu(d->op) || bpf_op_is_movsx(d->op) || bpf_op_is_end(d->op) ||
           d->op == BPF_LDX || d->op == BPF_LDXS || d->op == BPF_LDDW;
}

enum bpf_decode_status bpf_decode(const struct bpf_insn *insns, size_t avail,
                                  struct bpf_decoded *out) {
    *out = (struct bpf_decoded){0};
    if (avail == 0)
        return BPF_DECODE_TRUNCATED;
    if (bpf_refused_name(insns))
        return BPF_DECODE_REFUSED;
    struct bpf_decoded d = {.dst = insns->regs & 15, .src = insns->regs >> 4, .len = 1};
    enum bpf_decode_status status = decode_class(insns, avail, &d);
    if (status != BPF_DECODE_OK)
        return status;
    bool src_written =
        bpf_op_is_atomic(d.op) && bpf_atomic_fetches(d.op) && d.op != BPF_ATOMIC_CMPXCHG;
    if (d.dst > BPF_R10 || d.src > BPF_R10 || (writes_dst(&d) && d.dst == BPF_R10) ||
        (src_written && d.src == BPF_R10))
        return BPF_DECODE_REGISTER;
    *out = d;
    return BPF_DECODE_OK;
}

/* ------------------------------------------------------------------------------------- encoding */

static const struct row *row_of(const struct row *rows, size_t count, enum bpf_op op) {
    for (size_t k = 0; k < count; k++)
        if (rows[k].op == op)
            return &rows[k];
    return NULL;
}

static void encode_end(const struct bpf_decoded *d, struct bpf_insn *out) {
    static const uint8_t opcodes[] = {
#define BPF_END(NAME, class, source, mnemonic, swaps) [BPF_##NAME - BPF_LE] = class | source,
#include "bpf/insn.def"
    };
    out->opcode = opcodes[d->op - BPF_LE] | CODE_END;
    out->imm = d->width;
}

static void encode_operands(const struct bpf_decoded *d, struct bpf_insn *out, uint8_t opcode) {
    out->opcode = (uint8_t)(opcode | (d->src_reg ? SOURCE_REG : 0));
    out->imm = d->src_reg ? 0 : (int32_t)d->imm;
}

static void encode_ja(const struct bpf_decoded *d, struct bpf_insn *out) {
    int32_t distance = (int32_t)((uint32_t)d->target - 1); /* wraps, as decoding does */
    if (d->width == 32 || distance < INT16_MIN || distance > INT16_MAX) {
        out->opcode = CLASS_JMP32 | CODE_JA;
        out->imm = distance;
    } else {
        out->opcode = CLASS_JMP | CODE_JA;
        out->off = (int16_t)distance;
    }
}

static void encode_memory(const struct bpf_decoded *d, struct bpf_insn *out) {
    static const uint8_t base[] = {
#define BPF_MEM(NAME, class, mode, mnemonic) [BPF_##NAME - BPF_LDX] = class | mode,
#include "bpf/insn.def"
    };
    out->opcode = (uint8_t)(base[d->op - BPF_LDX] | size_code(d->width));
    out->off = d->off;
    out->imm = d->op == BPF_ST ? (int32_t)d->imm : 0;
}

static unsigned encode_control(const struct bpf_decoded *d, struct bpf_insn out[2]) {
    switch (d->op) {
    case BPF_JA: encode_ja(d, out); return 1;
    case BPF_CALL_HELPER:
        out->opcode = CLASS_JMP | CODE_CALL;
        out->imm = (int32_t)d->imm;
        return 1;
    case BPF_CALL_LOCAL:
        out->opcode = CLASS_JMP | CODE_CALL;
        out->regs = CALL_LOCAL << 4;
        out->imm = (int32_t)((uint32_t)d->target - 1);
        return 1;
    case BPF_CALLX: out->opcode = CLASS_JMP | CODE_CALL | SOURCE_REG; return 1;
    case BPF_EXIT: out->opcode = CLASS_JMP | CODE_EXIT; return 1;
    default: /* BPF_LDDW */
        out->opcode = OPCODE_LDDW;
        out->regs = (uint8_t)(d->dst | d->pseudo << 4);
        out->imm = (int32_t)(uint32_t)d->imm;
        out[1] = (struct bpf_insn){.imm = (int32_t)(uint32_t)((uint64_t)d->imm >> 32)};
        return 2;
    }
}

unsigned bpf_encode(const struct bpf_decoded *d, struct bpf_insn out[2]) {
    out[0] = (struct bpf_insn){.regs = (uint8_t)(d->dst | d->src << 4)};
    if (bpf_op_is_alu(d->op) || bpf_op_is_movsx(d->op)) {
        const struct row *row = row_of(alu_rows, COUNT(alu_rows), d->op);
        encode_operands(d, out, (uint8_t)(row->code | (d->width == 32 ? CLASS_ALU : CLASS_ALU64)));
        out->off = row->selector;
        return 1;
    }
    if (bpf_op_is_jcc(d->op)) {
        const struct row *row = row_of(jcc_rows, COUNT(jcc_rows), d->op);
        encode_operands(d, out, (uint8_t)(row->code | (d->width == 32 ? CLASS_JMP32 : CLASS_JMP)));
        out->off = (int16_t)(d->target - 1);
        return 1;
    }
    if (bpf_op_is_atomic(d->op)) {
        out->opcode = (uint8_t)(CLASS_STX | MODE_ATOMIC | size_code(d->width));
        out->off = d->off;
        out->imm = row_of(atomic_rows, COUNT(atomic_rows), d->op)->selector;
        return 1;
    }
    if (bpf_op_is_end(d->op)) {
        encode_end(d, out);
        return 1;
    }
    if (d->op >= BPF_LDX && d->op <= BPF_STX) {
        encode_memory(d, out);
        return 1;
    }
    return encode_control(d, out);
}
