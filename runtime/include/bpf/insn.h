/* SPDX-License-Identifier: MIT */
/*
 * eBPF instructions: the wire form (RFC 9669 3) and the decoded form that everything above works
 * on. insn.def holds the operations; insn.c decodes and encodes; nobody else knows opcode bits,
 * except the interpreter's dispatch table, which is generated from the same lists.
 */
#ifndef BPF_INSN_H
#define BPF_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wire form, little-endian, 8 bytes. lddw takes two of them. */
struct bpf_insn {
    uint8_t opcode;
    uint8_t regs; /* dst in bits 0..3, src in bits 4..7 */
    int16_t off;
    int32_t imm;
};
_Static_assert(sizeof(struct bpf_insn) == 8, "wire format");

enum bpf_op {
#define BPF_ALU(NAME, ...) BPF_##NAME,
#define BPF_ALU1(NAME, ...) BPF_##NAME,
#define BPF_MOVSX(NAME, ...) BPF_##NAME,
#define BPF_END(NAME, ...) BPF_##NAME,
#define BPF_JCC(NAME, ...) BPF_##NAME,
#define BPF_MEM(NAME, ...) BPF_##NAME,
#define BPF_ATOMIC(NAME, ...) BPF_##NAME,
#define BPF_CTRL(NAME, ...) BPF_##NAME,
#include "bpf/insn.def"
    BPF_OP_COUNT
};

/* What lddw's source field says about its immediates. In an ELF object always 0, with a relocation
 * beside it; the linked program and the blob's bytecode use the others, as table indices. */
enum bpf_pseudo {
    BPF_PSEUDO_NONE = 0, /* imm64 = the value */
    BPF_PSEUDO_MAP = 1,  /* imm = map index, result = address of the map's header */
    BPF_PSEUDO_DATA = 2, /* imm = data section index, next imm = offset: its address */
    BPF_PSEUDO_FUNC = 4, /* imm = function index, result = its code pointer (callbacks, callx) */
};

enum { BPF_R0, BPF_R1, BPF_R2, BPF_R3, BPF_R4, BPF_R5, BPF_R6, BPF_R7, BPF_R8, BPF_R9, BPF_R10 };
#define BPF_NREGS 11
#define BPF_FP BPF_R10

/* A decoded instruction. Fields that an operation does not have are 0. */
struct bpf_decoded {
    enum bpf_op op;
    uint8_t width;   /* ALU and jumps: 32 or 64. Memory and atomics: access size in bits, 8 to 64.
                        LE/BE/BSWAP: 16, 32 or 64 */
    uint8_t src_reg; /* ALU, jumps: the second operand is register src, not imm */
    uint8_t dst, src;
    uint8_t len;    /* in 8-byte slots: 2 for lddw, else 1 */
    uint8_t pseudo; /* lddw: enum bpf_pseudo */
    int16_t off;    /* memory: byte offset */
    int32_t target; /* jumps, local calls: target relative to this instruction's index, in slots */
    int64_t imm;    /* sign-extended to 64 bits; lddw: the whole constant (NONE), or
                        low word = index and high word = offset (MAP, DATA, FUNC) */
};

enum bpf_decode_status {
    BPF_DECODE_OK,
    BPF_DECODE_UNKNOWN,   /* no such opcode */
    BPF_DECODE_REFUSED,   /* known elsewhere, refused by name: see bpf_refused_name() */
    BPF_DECODE_RESERVED,  /* a reserved field is not zero */
    BPF_DECODE_REGISTER,  /* register number above 10, or a write to r10 */
    BPF_DECODE_TRUNCATED, /* lddw without its second half */
    BPF_DECODE_IMM,       /* immediate not allowed (byte-swap width, atomic code, helper id < 0) */
};

/* Decodes insns[0], of which `avail` slots can be read. On any status but OK, *out is zeroed. */
enum bpf_decode_status bpf_decode(const struct bpf_insn *insns, size_t avail,
                                  struct bpf_decoded *out);

/* Encodes d into out[0..1]; returns the slots used (1 or 2). The inverse of bpf_decode(). A JA of
 * width 32 is gotol (class JMP32), and so becomes one of width 64 whose target does not fit 16
 * bits. */
unsigned bpf_encode(const struct bpf_decoded *d, struct bpf_insn out[2]);

/* Name of a refused opcode, or NULL if it is not a refused one. */
const char *bpf_refused_name(const struct bpf_insn *insn);
const char *bpf_decode_status_text(enum bpf_decode_status status);

/* The instruction at slot pc in llvm-objdump's syntax, jumps with absolute slots (native/disasm.c: host only).
 * Returns the length of the whole text, as snprintf() does. */
size_t bpf_disasm(char *buf, size_t size, const struct bpf_decoded *d, uint32_t pc);

static inline bool bpf_op_is_alu(enum bpf_op op) {
    return op <= BPF_ARSH;
}
static inline bool bpf_op_is_movsx(enum bpf_op op) {
    return op >= BPF_MOVSX8 && op <= BPF_MOVSX32;
}
static inline bool bpf_op_is_end(enum bpf_op op) {
    return op >= BPF_LE && op <= BPF_BSWAP;
}
static inline bool bpf_op_is_jcc(enum bpf_op op) {
    return op >= BPF_JEQ && op <= BPF_JSLE;
}
/* Conditional or not: `target` is where it leads to. */
static inline bool bpf_op_is_jump(enum bpf_op op) {
    return op == BPF_JA || bpf_op_is_jcc(op);
}
/* Of a helper or of a function: what leaves r0 and nothing in r1 to r5. */
static inline bool bpf_op_is_call(enum bpf_op op) {
    return op == BPF_CALL_HELPER || op == BPF_CALL_LOCAL || op == BPF_CALLX;
}
static inline bool bpf_op_is_atomic(enum bpf_op op) {
    return op >= BPF_ATOMIC_ADD && op <= BPF_ATOMIC_CMPXCHG;
}
/* A row before the first or behind the last of its kind would be none of it: then these change, too. */
_Static_assert(BPF_ADD == 0 && BPF_MOVSX8 == BPF_ARSH + 1 && BPF_LE == BPF_MOVSX32 + 1 &&
                   BPF_JEQ == BPF_BSWAP + 1 && BPF_LDX == BPF_JSLE + 1 &&
                   BPF_ATOMIC_ADD == BPF_STX + 1 && BPF_JA == BPF_ATOMIC_CMPXCHG + 1,
               "the kinds above name their first and last rows");

static inline bool bpf_atomic_fetches(enum bpf_op op) {
    return op >= BPF_ATOMIC_FETCH_ADD && op <= BPF_ATOMIC_CMPXCHG;
}
/* The register that gets the old value from an atomic operation that fetches. */
static inline unsigned bpf_atomic_result(const struct bpf_decoded *d) {
    return d->op == BPF_ATOMIC_CMPXCHG ? (unsigned)BPF_R0 : d->src;
}

#endif
