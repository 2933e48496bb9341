// SPDX-License-Identifier: MIT
/*
 * A cache that forgets what was used longest ago: names are resolved slowly (here: a hash of many rounds in
 * place of a radio that would have to be asked) and the results are kept in an LRU map of 8 entries.
 * The memory is a list of 32-bit names, r0 is the sum of what they resolve to; the map `stats` says how
 * many were found and how many had to be resolved.
 *
 *     bpf2thumb run --mem 010000000200000001000000 lru_cache.bpf.c
 */
#include "bpf_mcu.h"

#define ROUNDS 50

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 8);
    __type(key, u32);
    __type(value, u32);
} cache SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, u32);
    __type(value, u32);
} stats SEC(".maps"); /* [0] found, [1] resolved */

/* The finalizer of MurmurHash3, again and again. */
static __noinline u32 resolve(u32 name) {
    for (u32 i = 0; i < ROUNDS; i++) {
        name ^= name >> 16;
        name *= 0x85ebca6b;
        name ^= name >> 13;
        name *= 0xc2b2ae35;
        name ^= name >> 16;
    }
    return name;
}

static u32 cached(u32 name) {
    u32 *known = bpf_map_lookup_elem(&cache, &name), missed = !known, value;
    u32 *count = bpf_map_lookup_elem(&stats, &missed);
    if (count)
        ++*count;
    if (known)
        return *known;
    value = resolve(name);
    bpf_map_update_elem(&cache, &name, &value, BPF_ANY);
    return value;
}

SEC("raw")
u64 lru_cache(const u32 *names, u32 size) {
    u64 sum = 0;
    for (u32 i = 0; i < size / 4; i++)
        sum += cached(names[i]);
    return sum;
}
