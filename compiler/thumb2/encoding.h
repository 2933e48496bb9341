/* SPDX-License-Identifier: MIT */
/*
 * Thumb-2 instructions as data: every encoding is a row of thumb2.def, and what is needed to
 * choose, encode, decode and print it is derived from the row's diagram.
 *
 *     op        what is done (T2_OP_ADD), independent of operand form and width
 *     fields    its operands, as values: registers, byte offsets, immediates, not bit fields
 *     encoding  one way to write it down (T2_ADD_IMM_T3), 16 or 32 bits
 *
 *     struct t2_fields f = {.form = T2_IMM, .d = 0, .n = 0, .imm = 8};
 *     if (t2_select(T2_OP_ADD, &f, flags_dead, in_it, &enc))
 *         count = t2_encode(enc, &f, halfwords);
 *
 * Operands: d destination, n first source, then m (shifted by `shift`, `amount`) or imm. Operations
 * with one source and a form with register or immediate (MOV, MVN) and those that the manual writes
 * with Rm (CLZ, REV, SXTB, BX, ...) have their source in m. LSL, LSR, ASR, ROR shift n by m or by
 * imm. Loads and stores transfer t (and t2) at n + imm or n + (m << amount). Multiplies have a as
 * addend, the long ones lo and hi. An operand that an op does not have is ignored by the encoder
 * and 0 after decoding; form, index, shift, setflags and the condition of B always have to fit.
 */
#ifndef THUMB2_ENCODING_H
#define THUMB2_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum t2_op {
#define T2_OP(name, flags, traits) T2_OP_##name,
#include "thumb2/thumb2.def"
    T2_OP_COUNT
};

enum t2_enc {
#define T2(encoding, op, assembly, diagram, imm, rules) T2_##encoding,
#include "thumb2/thumb2.def"
    T2_ENC_COUNT
};

enum { T2_SP = 13, T2_LR = 14, T2_PC = 15 };

/* Condition codes (A7.3.1). */
enum t2_cond {
    T2_EQ,
    T2_NE,
    T2_CS,
    T2_CC,
    T2_MI,
    T2_PL,
    T2_VS,
    T2_VC,
    T2_HI,
    T2_LS,
    T2_GE,
    T2_LT,
    T2_GT,
    T2_LE,
    T2_AL
};

_Static_assert((T2_EQ ^ 1) == T2_NE && (T2_GT ^ 1) == T2_LE, "t2_cond_invert() flips bit 0");
static inline enum t2_cond t2_cond_invert(enum t2_cond cond) {
    return (enum t2_cond)(cond ^ 1);
}

/* Numbered as the type field of a shift (A7.4.2); RRX is ROR #0 there. */
enum t2_shift { T2_LSL, T2_LSR, T2_ASR, T2_ROR, T2_RRX };

/*
 * Whether the last source is a register or an immediate; ignored for an op that has one form only.
 */
enum t2_form { T2_NONE, T2_REG, T2_IMM };

/* Where the base register changes: never, before the access, after it. */
enum t2_index { T2_OFFSET, T2_PRE, T2_POST };

struct t2_fields {
    uint8_t form;          /* enum t2_form */
    uint8_t d, n, m, a;    /* destination, sources, addend */
    uint8_t t, t2;         /* registers that a load or store transfers */
    uint8_t lo, hi;        /* destination of a long multiply */
    uint8_t shift, amount; /* enum t2_shift on the last register; no shift is LSL #0, RRX has 0 */
    uint8_t cond;          /* enum t2_cond of B and IT */
    uint8_t index;         /* enum t2_index; LDM/STM: POST (IA) or PRE (DB) writes the base back */
    uint8_t lsb, width;    /* bit field; width also of a saturation */
    bool setflags;         /* the S of ADDS; ignored for comparisons */
    uint16_t reglist;      /* bit i is register i */
    int32_t imm;           /* immediate or byte offset; a branch: target - (address + 4); IT: mask;
                                ADR and literals: from Align(address + 4, 4) */
};

/* Condition flags, as masks. */
enum {
    T2_V = 1,
    T2_C = 2,
    T2_Z = 4,
    T2_N = 8,
    T2_NZ = T2_N | T2_Z,
    T2_NZC = T2_NZ | T2_C,
    T2_NZCV = T2_NZC | T2_V
};

/* Traits of an op (T2_OP in thumb2.def). */
enum {
    T2_LOAD = 1 << 0,
    T2_STORE = 1 << 1,
    T2_BRANCH = 1 << 2,
    T2_CALL = 1 << 3,
    T2_COMPARE = 1 << 4,
    T2_COMMUTES = 1 << 5,
    T2_READS_C = 1 << 6,
    T2_READS_D = 1 << 7
};

/* How a number is kept in the bits i of a diagram (thumb2.def). */
enum t2_imm {
    T2_IMM_NONE,
    T2_IMM_U1,
    T2_IMM_U2,
    T2_IMM_U4,
    T2_IMM_N1,
    T2_IMM_S1,
    T2_IMM_S4,
    T2_IMM_EXPAND,
    T2_IMM_W16,
    T2_IMM_SH31,
    T2_IMM_SH32,
    T2_IMM_ZERO,
    T2_IMM_BR,
    T2_IMM_BR3,
    T2_IMM_BR4
};

/* Words of a row's rules (thumb2.def). */
enum {
    T2_SETS_OUTSIDE_IT = 1 << 0,
    T2_ALWAYS_SETS = 1 << 1,
    T2_NOT_IN_IT = 1 << 2,
    T2_RULE_AL = 1 << 3,
    T2_RULE_SP_ADJUST = 1 << 4,
    T2_RULE_MOV_32 = 1 << 5,
    T2_RULE_HIGH = 1 << 6,
    T2_RULE_NOT_BOTH_PC = 1 << 7,
    T2_RULE_ASR = 1 << 8,
    T2_RULE_IT = 1 << 9,
    T2_RULE_LDM_16 = 1 << 10,
    T2_RULE_STM_16 = 1 << 11,
    T2_RULE_PC_ALIGNED = 1 << 12,
    T2_NO_COND = 1 << 13,
    T2_RULE_UNUSED = 1 << 14
};

/* A row of thumb2.def after parsing. A 32-bit word has the first halfword on top. */
struct t2_row {
    enum t2_op op;
    const char *name;     /* "ADD_IMM_T3" */
    const char *assembly; /* the template */
    uint32_t mask, value; /* the fixed bits of the diagram */
    uint8_t halfwords;    /* 1 or 2 */
    uint8_t form, index;  /* enum t2_form, enum t2_index */
    enum t2_imm imm;
    uint32_t rules;
    uint64_t letters; /* operands in the diagram, see t2_has() */
    /* Registers in four bits that may be sp, pc; as letters. */
    uint64_t sp_allowed, pc_allowed;
    uint8_t field_count, tie_count;
    struct t2_bits {
        char letter;
        uint8_t width;      /* sum of the parts */
        uint8_t part_count; /* the first part has the most significant bits */
        struct {
            uint8_t shift, width;
        } part[4];
    } field[8];
    struct t2_tie {
        char left, relation; /* a register letter; '=' or '!' */
        char right;          /* a register letter, or T2_SP, T2_PC */
    } tie[2];
};

static inline uint64_t t2_letter(char letter) {
    return UINT64_C(1) << (letter >= 'a' ? letter - 'a' : letter - 'A' + 32);
}

/* True if the diagram has the letter. */
static inline bool t2_has(const struct t2_row *row, char letter) {
    return row->letters & t2_letter(letter);
}

/* ---- rows.c: the parsed table ---------------------------------------------------------------- */

const struct t2_row *t2_row(enum t2_enc enc);
const char *t2_op_name(enum t2_op op); /* "ADD" */
unsigned t2_op_traits(enum t2_op op);
unsigned t2_op_flags(enum t2_op op); /* that its flag-setting variant writes */

/* The register operand of a letter (d n m a t u l h, and v for m); null for other letters. */
uint8_t *t2_register(struct t2_fields *f, char letter);

/* The encodings of an op from short to long, ended by T2_ENC_COUNT. */
const enum t2_enc *t2_forms(enum t2_op op);

/* ---- encode.c: choosing and encoding --------------------------------------------------------- */

/*
 * True if the operands fit the encoding: registers, ranges, alignment, nothing UNPREDICTABLE. A
 * 16-bit encoding that sets flags outside IT blocks fits with setflags and without.
 */
bool t2_encodable(enum t2_enc enc, const struct t2_fields *f);

/* Precondition: t2_encodable(). Returns the number of halfwords. */
unsigned t2_encode(enum t2_enc enc, const struct t2_fields *f, uint16_t out[2]);

/*
 * The shortest encoding of op that fits the operands, does what f->setflags says, and writes flags
 * beyond that only with flags_dead. False if there is none: the operands need other instructions.
 */
bool t2_select(enum t2_op op, const struct t2_fields *f, bool flags_dead, bool in_it,
               enum t2_enc *enc);

/* ThumbExpandImm (A5.3.2) and its inverse. The expansion of an UNPREDICTABLE imm12 is 0. */
uint32_t t2_expand_imm(uint32_t imm12);
bool t2_modified_imm(uint32_t value, uint32_t *imm12);

/* ---- decode.c: back from halfwords, and what an instruction does ----------------------------- */

/*
 * Decodes the instruction at the start of `code`. False, with *len 1 or 2 (0 if halfwords is too
 * few), for everything that t2_encode() does not produce: what thumb2.def does not list,
 * UNPREDICTABLE operands, and second spellings of the same operands (such as an offset of -0).
 * `in_it` tells what a 16-bit data-processing instruction does to the flags.
 */
bool t2_decode(const uint16_t *code, size_t halfwords, bool in_it, enum t2_enc *enc,
               struct t2_fields *f, unsigned *len);

/*
 * The operands of a word that has the fixed bits of the encoding. Those of a word that it cannot
 * have are not t2_encodable().
 */
struct t2_fields t2_unpack(enum t2_enc enc, uint32_t word, bool in_it);

/*
 * Flags (T2_N and so on) that a condition looks at, and that an instruction reads (apart from its
 * condition in an IT block) and writes.
 */
unsigned t2_cond_flags(enum t2_cond cond);
unsigned t2_flags_read(enum t2_enc enc, const struct t2_fields *f);
unsigned t2_flags_written(enum t2_enc enc, const struct t2_fields *f, bool in_it);

/* Registers that an instruction reads and writes, as masks; a branch writes pc, a call also lr. */
uint32_t t2_regs_read(enum t2_enc enc, const struct t2_fields *f);
uint32_t t2_regs_written(enum t2_enc enc, const struct t2_fields *f);

/*
 * The state of an IT block (ITSTATE, A7.3.3): 0 outside. Start it after an IT, look at the
 * condition of the next instruction, step after each.
 */
static inline uint8_t t2_it_start(const struct t2_fields *it) {
    return (uint8_t)(it->cond << 4 | it->imm);
}

static inline enum t2_cond t2_it_cond(uint8_t state) {
    return state ? (enum t2_cond)(state >> 4) : T2_AL;
}

static inline bool t2_it_last(uint8_t state) {
    return (state & 15) == 8;
}

static inline uint8_t t2_it_next(uint8_t state) {
    return state & 7 ? (uint8_t)((state & 0xe0) | (state << 1 & 0x1f)) : 0;
}

/* ---- disasm.c -------------------------------------------------------------------------------- */

/*
 * The text of an instruction at `address`, nearly as objdump writes it: "ldr.w\tr0, [r1, #256]".
 * `cond` is t2_it_cond() at the instruction. Cuts the text to size; returns its full length.
 */
size_t t2_disasm(char *buf, size_t size, uint32_t address, enum t2_enc enc,
                 const struct t2_fields *f, enum t2_cond cond);

const char *t2_cond_name(enum t2_cond cond); /* "eq"; "" for AL */

#endif
