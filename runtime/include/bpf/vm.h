/* SPDX-License-Identifier: MIT */
/*
 * The interpreter: runs the bytecode of a parsed blob in an arena made by bpf_arena_init(). It has
 * the semantics of compiled code to the bit: registers never written are 0, r1 to r5 keep their
 * values over calls, addresses are the low 32 bits of register plus offset.
 */
#ifndef BPF_VM_H
#define BPF_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/arena.h"
#include "bpf/blob.h"
#include "bpf/error.h"
#include "bpf/map.h"

/* A device helper on the host: args as in r1 to r5. Returns r0. */
typedef uint64_t bpf_device_fn(void *user, uint32_t id, const uint64_t args[5]);
/* A line of bpf_printk() there, without a 0 at its end. */
typedef void bpf_log_fn(void *user, const char *line, uint32_t length);

struct bpf_vm {
    const struct blob *blob;
    uint32_t blob_addr;      /* of the blob, as the program sees it */
    uint32_t r9;             /* of the arena's head, as the program sees it */
    struct bpf_arena *arena; /* the head, as we see it */
    uint32_t stack;          /* eBPF stack in use ends here (grows down): next frame's r10 */
    uint32_t depth;          /* frames in use, callbacks included */
    /* Host only: where guest memory lies, devices, accounting. */
    uint8_t *region; /* the whole arena region, arena->base in guest terms */
    uint32_t region_addr, region_size;
    bpf_device_fn *device;
    bpf_log_fn *log;   /* NULL: nobody reads it */
    void *user;        /* of both */
    uint64_t executed; /* instructions so far */
    uint64_t budget;   /* most that may be executed, 0: no limit */
    /* Why it stopped. */
    enum bpf_status status;
    uint32_t fault_slot; /* in the bytecode */
    uint32_t fault_addr; /* of a memory access */
};

/*
 * Runs program number `program` with r1 = ctx, r2 = len. BPF_OK, and the result in *r0, or the fault,
 * with details in vm. The fields above `stack` (and on the host above `executed`) are filled in.
 */
enum bpf_status bpf_vm_run(struct bpf_vm *vm, uint32_t program, uint64_t ctx, uint64_t len,
                           uint64_t *r0);

/* Calls a function of the program from a helper. False if it faulted (vm->status). */
bool bpf_vm_callback(struct bpf_vm *vm, uint64_t fn, const uint64_t args[5], uint64_t *result);

/* Calls a helper (helper_call.c). False if it faulted or does not exist (vm->status). */
bool bpf_helper_call(struct bpf_vm *vm, uint32_t id, const uint64_t args[5], uint64_t *result);

/* prog_array look-up for a tail call: the program's index, or -1; counts the call. */
int32_t bpf_tail_program(struct bpf_arena *arena, const struct blob_header *blob,
                         const struct bpf_map *map, uint32_t index);

#endif
