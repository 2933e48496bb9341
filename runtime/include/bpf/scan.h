/* SPDX-License-Identifier: MIT */
/*
 * The loader's scan of a blob's Thumb-2 code: a second line of defence behind the MPU and the checks of
 * supervisor calls (docs/architecture.md 8). What it promises of code that it lets through, as long as
 * control comes in at the entries of programs and functions:
 *
 *   - only instructions that the compiler emits stand in the ranges of code: no SVC, BKPT, CPS, MSR, MRS,
 *     coprocessor or hint; the pc is written by branches, BX, BLX and POP alone, and sp as a
 *     destination only has constants added and subtracted, by PUSH and POP too;
 *   - a direct branch leads to the beginning of an instruction of the blob, never into an IT block, and
 *     control does not run from code into data;
 *   - an IT block lies in one range, holds no IT, and branches at its end only;
 *   - a literal comes from the blob's code section.
 *
 * It does not follow values: where BX, BLX and POP lead, and what is read and written, is for the MPU to
 * say. What is admitted is a table that gen_admitted.c makes from the compiler's own (thumb2.def).
 */
#ifndef BPF_SCAN_H
#define BPF_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/blob.h"

/*
 * Bytes of scratch memory for code of `bytes` bytes in one go: a bit for each halfword, 8 KiB for the
 * largest blob. With less it takes one more go for each part; the loader has the memory that becomes the
 * arena.
 */
#define BPF_SCAN_SCRATCH(bytes) (((bytes) + 15) / 16)
enum { BPF_SCAN_SCRATCH_MAX = BPF_SCAN_SCRATCH(BLOB_MAX_SIZE) };

/*
 * Looks at the compiled code of a parsed blob; one without is fine. BPF_BLOB_INSN, BPF_BLOB_BRANCH: *where is
 * the offset in the blob of the instruction at fault (of the row, for an entry; of the range, when control
 * leaves at its end). BPF_ARENA_SIZE: no scratch memory at all.
 */
enum bpf_status bpf_scan(const struct blob *blob, void *scratch, size_t size, uint32_t *where);

/* ---- The table (admitted.h, generated) -------------------------------------------------------- */

/* A word, with the first halfword of 32 bits on top, that has the bits of `value` in `mask`. */
struct bpf_pattern {
    uint32_t mask, value;
};

/* What is to be known of an instruction besides being admitted. Direct branches are the first ones. */
enum bpf_flow {
    BPF_FLOW_B8,  /* B, encoding T1 */
    BPF_FLOW_B11, /* T2 */
    BPF_FLOW_B20, /* T3 */
    BPF_FLOW_B24, /* T4, and BL */
    BPF_FLOW_BL,
    BPF_FLOW_CBZ,
    BPF_FLOW_BX,
    BPF_FLOW_BLX,
    BPF_FLOW_POP, /* may have the pc in its list */
    BPF_FLOW_UDF, /* goes no further */
    BPF_FLOW_IT,
    BPF_FLOW_NOP,
    BPF_FLOW_LITERAL, /* LDR (literal), encoding T1 */
    BPF_FLOW_PLAIN,
};

/* Conditions that no pattern expresses. Nibbles are named by their lowest bit. */
enum bpf_scan_check {
    BPF_SCAN_NOT_IN_IT = 1 << 0,
    BPF_SCAN_12_NOT_16 = 1 << 1, /* two registers differ */
    BPF_SCAN_12_NOT_8 = 1 << 2,
    BPF_SCAN_16_IS_0 = 1 << 3,    /* two registers are the same */
    BPF_SCAN_SP_FROM_SP = 1 << 4, /* destination sp (8): only if the source (16) is sp */
    BPF_SCAN_TWO = 1 << 5,        /* two registers or more in the list */
    BPF_SCAN_FIELD = 1 << 6,      /* least significant bit + width <= 32 */
};

/* An encoding: what has the pattern and none of the excluded ones, and passes the checks. */
struct bpf_admitted {
    struct bpf_pattern pattern;
    uint32_t excluded; /* bit i: bpf_excluded[i] */
    uint8_t flow;      /* enum bpf_flow */
    uint8_t checks;    /* enum bpf_scan_check */
};

#endif
