/* SPDX-License-Identifier: MIT */
/*
 * The arena: the one read-write region of a domain (architecture.md 8). Compiled code has its
 * static base in r9, which points to struct bpf_arena; the stack grows down from r9 to the start of
 * the region, so that an overflow leaves the region and faults.
 *
 *   low  [ stack, grows down | head | helper slots | data | maps | context copy ]  high
 *                            ^ r9
 *
 * Nothing here is trusted by privileged code: the program can write all of it.
 */
#ifndef BPF_ARENA_H
#define BPF_ARENA_H

#include <stdint.h>

#include "bpf/blob.h"

enum bpf_engine { BPF_ENGINE_THUMB, BPF_ENGINE_INTERP };

struct bpf_arena {
    uint32_t blob;       /* address of the blob */
    uint32_t base, size; /* the whole region, stack included */
    uint32_t engine;     /* enum bpf_engine: which code pointers are in the data */
    uint32_t tail_calls; /* made since the program's entry; limit BPF_TAIL_CALL_MAX */
    uint32_t prandom;    /* state of bpf_get_prandom_u32, never 0 */
    uint32_t vm;         /* of the interpreter while it is inside a helper */
    uint32_t reserved;
    uint32_t slots[]; /* helper entries (bit 0 set: Thumb), as many as the blob has helpers */
};
#define BPF_ARENA_SLOTS 32 /* offset of slots from r9 */
_Static_assert(sizeof(struct bpf_arena) == BPF_ARENA_SLOTS, "compiled code knows this offset");

#define BPF_TAIL_CALL_MAX 33
#define BPF_TAIL_CALL_FAILED (-22) /* r0 after a tail call that did not happen */
#define BPF_LOOP_MAX (1u << 23)
#define BPF_STACK_MAX 512 /* eBPF stack over all frames of a call chain */
#define BPF_FRAMES_MAX 8
/* Stack that the library needs, held by scripts/check-library: the interpreter besides the eBPF stack,
 * each level of callbacks inside it, a helper called by callx from compiled code. */
#define BPF_INTERP_STACK 1136
#define BPF_INTERP_CALLBACK 960
#define BPF_CALLX_STACK 688
/* What the processor pushes on the program's stack for an exception: eight words, and one that may be
 * needed to align them (ARM DDI0403, B1.5.6). */
#define BPF_EXCEPTION_FRAME 36

/* More for a timer's callback: the key of an array and three pairs of words for r3 to r5, which the kernel puts there; or
 * the key and what library_callback() needs more than the start of a program does. */
#define BPF_TIMER_STACK 40

/* Address of a library entry (bit 0 set) for a helper id, 0 if the library has none. */
typedef uint32_t bpf_resolve_fn(void *user, uint32_t helper_id);

/*
 * Builds the arena of a checked blob in mem (size bytes that appear at guest address `addr`):
 * zeroes it, fills head, slots, data images, map headers and contents, relocations. Every loader
 * (host interpreter, emulator, board) calls this. blob_addr is where the blob lies, resolve may be
 * NULL for the interpreter. Returns BPF_OK, or why not (error.def); *r9 is the guest address of the
 * head.
 */
enum bpf_status bpf_arena_init(const struct blob *blob, uint32_t blob_addr, enum bpf_engine engine,
                               void *mem, uint32_t addr, uint32_t size, bpf_resolve_fn *resolve,
                               void *user, uint32_t *r9);

#endif
