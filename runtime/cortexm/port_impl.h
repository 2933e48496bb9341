/* SPDX-License-Identifier: MIT */
/*
 * The board's side of port.h: a guest address is an address, and what the program may not touch, the
 * MPU stops. The arena is where r9 points (all of this is built with -ffixed-r9).
 */
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

#include "bpf/vm.h"

#define PORT_CHECKED 0

static inline struct bpf_arena *port_arena(void) {
    struct bpf_arena *arena;
    __asm__("mov %0, r9" : "=r"(arena));
    return arena;
}

static inline void *port_guest(const struct bpf_vm *vm, uint32_t addr, uint32_t size, bool write) {
    (void)vm, (void)size, (void)write;
    return (void *)addr;
}

static inline uint32_t port_address(const struct bpf_vm *vm, const void *pointer) {
    (void)vm;
    return (uint32_t)pointer;
}

static inline uint32_t port_addr(const void *pointer) {
    return (uint32_t)pointer;
}

static inline const uint8_t *port_string(uint32_t addr) {
    return (const uint8_t *)addr;
}

/* The interpreter that is inside a helper call: in the arena's head, for callbacks. */
static inline struct bpf_vm *port_enter(struct bpf_vm *vm) {
    struct bpf_arena *arena = port_arena();
    struct bpf_vm *outer = (struct bpf_vm *)arena->vm;
    arena->vm = (uint32_t)vm;
    return outer;
}

static inline void port_leave(struct bpf_vm *outer) {
    port_arena()->vm = (uint32_t)outer;
}

/* A word that a callback gets a pointer to; the C stack lies in the arena. */
static inline uint32_t *port_scratch(uint32_t *local) {
    return local;
}

/* The canonical ABI: five word pairs. */
typedef uint64_t port_code(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static inline bool port_callback(uint32_t fn, const uint64_t args[5], uint64_t *result) {
    struct bpf_arena *arena = port_arena();
    if (arena->engine == BPF_ENGINE_INTERP)
        return bpf_vm_callback((struct bpf_vm *)arena->vm, fn, args, result);
    *result = ((port_code *)fn)(args[0], args[1], args[2], args[3], args[4]);
    return true;
}

/* The stub of helper.def's LOG. */
int32_t bpf_h_log(const char *line, uint32_t length);
static inline void port_log(const char *line, uint32_t length) {
    bpf_h_log(line, length);
}

/* library.c */
uint64_t port_device(struct bpf_vm *vm, uint32_t id, const uint8_t kinds[5],
                     const uint64_t args[5]);

#endif
