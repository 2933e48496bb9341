/* SPDX-License-Identifier: MIT */
/*
 * Timers in maps: what the kernel has to know of a program's memory to serve bpf_timer_*() (docs/helpers.md).
 * For privileged code. Addresses and code pointers come from the program, and the arena may hold
 * anything: only the blob's tables are trusted, and of a timer's 16 bytes none is ever looked at.
 */
#ifndef BPF_TIMER_H
#define BPF_TIMER_H

#include "bpf/arena.h"
#include "bpf/blob.h"

#include <stdbool.h>
#include <stdint.h>

/* Which timer: the key of the kernel's table. Two timers of a domain are the same if all three are. */
struct bpf_timer_place {
    uint32_t map;     /* index into the blob's maps */
    uint32_t element; /* index in an array, number of the entry in a hash */
    uint32_t offset;  /* of the timer in the element's value */
};

/* The timer at an address, given as its distance from r9. False: no timer can be there. */
bool bpf_timer_find(const struct blob *blob, uint32_t off, struct bpf_timer_place *place);

/* The element that a timer is in, as its callback gets it; distances from r9. */
struct bpf_timer_element {
    uint32_t map, value;
    uint32_t key; /* of a hash. 0: an array, whose key is the index place.element */
    uint32_t tag; /* a hash of the key: another one says that the entry was given to another key */
};

/* False: the entry of the hash is not in use any more. `head` is where r9 points, in this address space;
 * the place is one that bpf_timer_find() gave for this blob. */
bool bpf_timer_element(const struct blob *blob, const uint8_t *head,
                       const struct bpf_timer_place *place, struct bpf_timer_element *element);

/* The function that a code pointer means, an index into the blob's functions; BLOB_NONE: none that may
 * be called by its address. Looks at all functions: not for a supervisor call. */
uint32_t bpf_timer_function(const struct blob *blob, uint32_t blob_addr, enum bpf_engine engine,
                            uint32_t pointer);

#endif
