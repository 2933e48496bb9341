/* SPDX-License-Identifier: MIT */
/* The host's side of port.h: guest memory is the blob (read only) and the arena. */
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

#include "bpf/vm.h"

#define PORT_CHECKED 1

static inline void *port_guest(const struct bpf_vm *vm, uint32_t addr, uint32_t size, bool write) {
    uint32_t off = addr - vm->region_addr;
    if (off <= vm->region_size && size <= vm->region_size - off)
        return vm->region + off;
    off = addr - vm->blob_addr;
    uint32_t blob_size = vm->blob->header->size;
    if (!write && off <= blob_size && size <= blob_size - off)
        return (void *)(uintptr_t)(vm->blob->base + off);
    return NULL;
}

static inline uint32_t port_address(const struct bpf_vm *vm, const void *pointer) {
    return pointer ? vm->region_addr + (uint32_t)((const uint8_t *)pointer - vm->region) : 0;
}

/* The machine that is inside a helper call, for helpers that need it. */
extern _Thread_local struct bpf_vm *port_vm;

static inline struct bpf_vm *port_enter(struct bpf_vm *vm) {
    struct bpf_vm *outer = port_vm;
    port_vm = vm;
    return outer;
}

static inline void port_leave(struct bpf_vm *outer) {
    port_vm = outer;
}

static inline struct bpf_arena *port_arena(void) {
    return port_vm->arena;
}

static inline uint32_t port_addr(const void *pointer) {
    return port_address(port_vm, pointer);
}

static inline const uint8_t *port_string(uint32_t addr) {
    return port_guest(port_vm, addr, 1, false);
}

/* A word of guest memory for what a callback gets a pointer to: one for each frame at the high end of the
 * stack, where the board has its C stack. NULL, and a fault, if the blob claims to need no stack there. */
static inline uint32_t *port_scratch(uint32_t *local) {
    (void)local;
    uint32_t *word = port_guest(port_vm, port_vm->r9 - 8 * port_vm->depth, 4, true);
    if (!word)
        port_vm->status = BPF_FAULT_STACK;
    return word;
}

static inline bool port_callback(uint32_t fn, const uint64_t args[5], uint64_t *result) {
    return bpf_vm_callback(port_vm, fn, args, result);
}

static inline void port_log(const char *line, uint32_t length) {
    if (port_vm->log)
        port_vm->log(port_vm->user, line, length);
}

static inline uint64_t port_device(struct bpf_vm *vm, uint32_t id, const uint8_t kinds[5],
                                   const uint64_t args[5]) {
    (void)kinds;
    return vm->device ? vm->device(vm->user, id, args) : 0;
}

#endif
