/* SPDX-License-Identifier: MIT */
/*
 * eBPF as text, in the syntax of uBPF's assembler and of the public conformance suite:
 *
 *     start:                           ; comments: # ; //
 *         lddw %r1, 0x1122334455667788
 *         add32 %r1, -1                64 bits without suffix; 32 or 64 can be written
 *         lock fetch add [%r10-8], %r1
 *         jne32 %r1, %r2, start        or +N, -N: slots from the next instruction
 *         call 5                       helper; `call local label`, `call %r2`
 *         exit
 *
 * What a register or an immediate may be is the decoder's business, not the assembler's: registers up
 * to r15 are encoded, so that a test can hold an invalid program.
 */
#ifndef ASM_ASM_H
#define ASM_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/insn.h"
#include "util/arena.h"
#include "util/diag.h"

/*
 * Assembles text. `exit` as a label, unless the text defines it, is the first exit instruction.
 * `file` names the text in messages. Reports every faulty line (up to ASM_MAX_ERRORS) and returns
 * false if there was any; warns about immediates that lose bits.
 */
bool asm_parse(struct arena *arena, const char *text, const char *file, struct bpf_insn **out,
               uint32_t *count, struct diag *diag);

#define ASM_MAX_ERRORS 20

/* Writes one instruction in the form that asm_parse() reads back to the same bytes; jumps are +N or
 * -N. Returns what snprintf() would. */
int asm_print(const struct bpf_decoded *insn, char *out, size_t size);
#define ASM_PRINT_SIZE 80 /* enough for any instruction */

#endif
