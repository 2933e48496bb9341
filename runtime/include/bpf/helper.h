/* SPDX-License-Identifier: MIT */
/* The helper table's enums and look-up; rows are in helper.def. */
#ifndef BPF_HELPER_H
#define BPF_HELPER_H

#include <stddef.h>
#include <stdint.h>

/* What an argument is. Sizes of KEY and VALUE are those of the map in the MAP argument. */
enum bpf_arg {
    BPF_ARG_NONE,
    BPF_ARG_MAP,           /* a map's header */
    BPF_ARG_RINGBUF,       /* a map of type ringbuf */
    BPF_ARG_PROG_ARRAY,    /* a map of type prog_array */
    BPF_ARG_MAP_KEY,       /* reads key_size bytes */
    BPF_ARG_MAP_VALUE,     /* reads value_size bytes */
    BPF_ARG_MAP_VALUE_OUT, /* writes value_size bytes */
    BPF_ARG_MEM,           /* reads as many bytes as the next argument says */
    BPF_ARG_MEM_OUT,       /* writes as many bytes as the next argument says */
    BPF_ARG_SIZE,          /* bytes of the preceding memory, at least 1 */
    BPF_ARG_SIZE0,         /* the same, 0 allowed */
    BPF_ARG_CONST_SIZE,    /* a constant known to the verifier */
    BPF_ARG_STR,           /* NUL-terminated string in read-only data */
    BPF_ARG_CTX,           /* the program's context */
    BPF_ARG_FUNC,          /* a function of the program (callback) */
    BPF_ARG_CALLBACK_CTX,  /* any pointer or 0, handed to the callback */
    BPF_ARG_RINGBUF_MEM,   /* what ringbuf_reserve returned */
    BPF_ARG_TIMER,         /* the struct bpf_timer in a map's value */
    BPF_ARG_U32,           /* a number; the high word is ignored */
    BPF_ARG_U64,           /* a number; the only kind that takes two words */
};

/* What the helper itself does to the memory that an argument points to: nothing, read it, or write it.
 * What a callback does to its context, or to the elements that it is given, is the callback's doing. */
enum bpf_arg_access { BPF_ARG_UNTOUCHED, BPF_ARG_READ, BPF_ARG_WRITTEN };

static inline enum bpf_arg_access bpf_arg_access(enum bpf_arg kind) {
    switch (kind) { /* no default: the compiler asks for each new kind */
    case BPF_ARG_MAP_VALUE_OUT:
    case BPF_ARG_MEM_OUT: return BPF_ARG_WRITTEN;
    case BPF_ARG_MAP_KEY:
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MEM:
    case BPF_ARG_STR: return BPF_ARG_READ;
    case BPF_ARG_NONE:
    case BPF_ARG_MAP:
    case BPF_ARG_RINGBUF:
    case BPF_ARG_PROG_ARRAY:
    case BPF_ARG_SIZE:
    case BPF_ARG_SIZE0:
    case BPF_ARG_CONST_SIZE:
    case BPF_ARG_CTX:
    case BPF_ARG_FUNC:
    case BPF_ARG_CALLBACK_CTX:
    case BPF_ARG_RINGBUF_MEM:
    case BPF_ARG_TIMER: /* the kernel's: no access of the program meets it */
    case BPF_ARG_U32:
    case BPF_ARG_U64: break;
    }
    return BPF_ARG_UNTOUCHED;
}

enum bpf_ret {
    BPF_RET_VOID,                /* r0 = 0 */
    BPF_RET_S32,                 /* int, sign-extended */
    BPF_RET_U32,                 /* zero-extended */
    BPF_RET_U64,                 /* r1:r0 */
    BPF_RET_MAP_VALUE_OR_NULL,   /* pointer, zero-extended */
    BPF_RET_RINGBUF_MEM_OR_NULL, /* pointer, zero-extended */
};

enum bpf_where { BPF_PURE, BPF_SVC, BPF_BUILTIN };

enum bpf_helper_id {
#define BPF_HELPER(NAME, id, ...) BPF_FUNC_##NAME = id,
#include "bpf/helper.def"
};
#define BPF_HELPER_INTERNAL_BASE 2048 /* ids from here to BPF_HELPER_END - 1: the compiler's own */
#define BPF_HELPER_END 4096

/* Most of a line of bpf_trace_printk(), its NUL included, and of the arguments of bpf_trace_vprintk(). */
#define BPF_LOG_LINE 128
#define BPF_LOG_ARGUMENTS 12

struct bpf_helper {
    uint16_t id;
    uint8_t ret;    /* enum bpf_ret */
    uint8_t arg[5]; /* enum bpf_arg */
    uint8_t nargs;
    uint8_t where;   /* enum bpf_where */
    uint16_t stack;  /* bytes */
    uint16_t cycles; /* bound, model R; 0: not bounded by itself */
    const char *name;
    const char *prototype;
};

/* The row of a helper id, or NULL. Host only (the board knows ids by its slots). */
const struct bpf_helper *bpf_helper_by_id(uint32_t id);
/* All rows, in id order; *count is their number. */
const struct bpf_helper *bpf_helpers(size_t *count);

#endif
