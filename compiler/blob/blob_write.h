/* SPDX-License-Identifier: MIT */
/* From compiled code and tables to a blob (bpf/blob.h, docs/blob.md). */
#ifndef BLOB_BLOB_WRITE_H
#define BLOB_BLOB_WRITE_H

#include "bpf/blob.h"
#include "program/program.h"
#include "thumb2/code.h"
#include "thumb2/layout.h"

/* What goes into a blob. */
struct blob_parts {
    const struct program *prog;
    const struct arena_layout *layout;
    const struct code_unit *code; /* NULL: bytecode only */
    const int32_t *entry_func;    /* by entry: index into code->funcs */
    const int32_t *callable_func; /* by function: index into code->funcs of what calls and code
                                      pointers reach, or -1 */
    const uint32_t *func_stack;   /* eBPF stack bytes by function */
    const uint32_t *stack_thumb;  /* bytes by entry */
    const uint32_t *stack_bpf;    /* eBPF stack of the chain of calls, bytes by entry */
    const uint32_t *stack_interp; /* bytes by entry */
    bool verified;
    bool bytecode;
};

/* The blob's bytes, in the program's arena; *size is a multiple of 8. Deterministic. */
uint8_t *blob_write(const struct blob_parts *parts, uint32_t *size);

#endif
