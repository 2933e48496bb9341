// SPDX-License-Identifier: MIT
/* Callbacks with pointers to the caller's stack, a table of strings, printk with many arguments. */
#include "bpf_mcu.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16);
    __type(key, u32);
    __type(value, u64);
} squares SEC(".maps");

static const char *const names[] = {"zero", "one", "two"};

static long fill(u32 i, void *ctx) {
    (void)ctx;
    u64 value = (u64)i * i;
    bpf_map_update_elem(&squares, &i, &value, BPF_ANY);
    return i == 7;
}

static long add(void *map, const u32 *key, const u64 *value, u64 *sum) {
    (void)map;
    *sum += *value * *key;
    return 0;
}

SEC("raw")
u64 callbacks(void *memory, u32 length) {
    (void)memory;
    u64 sum = 0;
    long loops = bpf_loop(100, fill, NULL, 0);
    long visited = bpf_for_each_map_elem(&squares, add, &sum, 0);
    bpf_printk("loops %d, visited %d, sum %llu, %s", (int)loops, (int)visited, sum,
               names[length % 3]);
    return sum;
}
