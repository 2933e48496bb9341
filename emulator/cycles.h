/* SPDX-License-Identifier: MIT */
/*
 * Cycle model R of the Cortex-M4: zero wait states, no contention (docs/emulator.md has every rule
 * with its source). Two parts: cycles_decode() says what the pipeline sees of an instruction, and
 * cycles_step() charges instructions in the order in which they run. Figures are those of the
 * documents, uncalibrated: nobody has compared them with a chip yet.
 */
#ifndef EMULATOR_CYCLES_H
#define EMULATOR_CYCLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CYCLES_HZ 168000000u /* the board's core clock: turns cycles into time */
#define CYCLES_REFILL 2      /* P, the pipeline refill of a taken branch (the manual says 1 to 3) */
#define CYCLES_DIVIDE_MAX 12 /* the longest UDIV or SDIV */

enum cycles_class {
    CYCLES_UNKNOWN, /* not in the model: it must not run */
    CYCLES_ALU,     /* data processing, multiplication included */
    CYCLES_DIVIDE,  /* UDIV, SDIV: operands decide */
    CYCLES_LOAD,    /* one register; exclusives too */
    CYCLES_STORE,   /* one register */
    CYCLES_DUAL,    /* LDRD, STRD */
    CYCLES_LDM,     /* LDM, POP */
    CYCLES_STM,     /* STM, PUSH */
    CYCLES_BRANCH,  /* always taken: B, BL, BX, BLX */
    CYCLES_COND,    /* B<c>, CBZ, CBNZ */
    CYCLES_TABLE,   /* TBB, TBH */
    CYCLES_IT,      /* opens an IT block */
    CYCLES_SYSTEM,  /* MRS, MSR, CPS */
    CYCLES_BARRIER, /* DMB, DSB, ISB */
    CYCLES_SVC,     /* its handler is charged by cycles_add() */
    CYCLES_FIXED, /* `fixed` cycles: what cycles_decode() does not know and others do (the board) */
};

/* What the model, and the machine's checks, know of one instruction. */
struct cycles_insn {
    uint8_t class;    /* enum cycles_class */
    uint8_t size;     /* bytes: 2 or 4 */
    uint8_t words;    /* LDM, STM: registers in the list */
    bool aligned;     /* faults on a misaligned address even with UNALIGN_TRP = 0 (A3.2.1) */
    uint16_t writes;  /* registers that a following address would have to wait for */
    uint16_t address; /* registers that its own address is made of */
    uint8_t dividend; /* DIVIDE: register numbers */
    uint8_t divisor;
    bool is_signed;     /* DIVIDE: SDIV */
    uint8_t it_count;   /* IT: instructions in the block */
    uint8_t it_size[4]; /* their sizes */
    uint8_t fixed;      /* FIXED */
};

/*
 * Decodes the instruction at code[0], of which `count` halfwords can be read. CYCLES_UNKNOWN with a
 * size for what the model does not have, or what is cut off by the end.
 */
struct cycles_insn cycles_decode(const uint16_t *code, size_t count);

enum cycles_part { CYCLES_PROGRAM, CYCLES_LIBRARY, CYCLES_KERNEL, CYCLES_PARTS };

struct cycles {
    uint64_t total;
    uint64_t part[CYCLES_PARTS]; /* where they were spent; the sum is total */
    uint64_t instructions;       /* executed, and skipped in IT blocks */

    struct cycles_insn last; /* the previous instruction; class UNKNOWN: none that matters */
    uint32_t next;           /* the address that follows it */
    enum cycles_part where;  /* part it was charged to */
    const uint8_t *it_size;  /* sizes of what is left of the IT block */
    uint8_t it_left;
    uint32_t it_next; /* address of the first of them */
    uint8_t it_sizes[4];
};

void cycles_reset(struct cycles *c);

/*
 * Charges the instruction at pc, which is about to run. `divide` is cycles_divide() of its operands
 * for a DIVIDE, else not read. Penalties of unaligned accesses are added when they happen.
 */
void cycles_step(struct cycles *c, const struct cycles_insn *insn, uint32_t pc,
                 enum cycles_part where, unsigned divide);
/* The instruction flow was broken by an exception: what comes next owes nothing to what was last. */
void cycles_break(struct cycles *c);
/* Extra cycles of the instruction that runs (unaligned access), or of a handler (SVC). */
void cycles_add(struct cycles *c, unsigned count, enum cycles_part where);

/* UDIV and SDIV: 2 and 5 for every 16 quotient bits, rounded up; 2 to 12. */
unsigned cycles_divide(uint32_t dividend, uint32_t divisor, bool is_signed);
/* Bus cycles that an access of `size` bytes costs on top, because it is split. */
unsigned cycles_unaligned(uint32_t address, unsigned size);

static inline uint64_t cycles_to_ns(uint64_t cycles) {
    /* 125 / 21 ns each; the split keeps the product within 64 bits for 4,600 years. */
    return cycles / 21 * 125 + cycles % 21 * 125 / 21;
}

static inline uint64_t cycles_from_ns(uint64_t ns) {
    return ns / 125 * 21 + (ns % 125 * 21 + 124) / 125;
}
_Static_assert(CYCLES_HZ / 1000000 == 168 && 168 * 125 == 21 * 1000, "125/21 ns a cycle");

#endif
