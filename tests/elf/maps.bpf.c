/* SPDX-License-Identifier: MIT */
/* Maps: types of keys and values or sizes, static maps, types through typedefs, a prog_array with programs. */
#include "common.h"

struct point {
    short x, y;
};
typedef struct point place;

struct record {
    const volatile place at[3];
    enum { ON, OFF } state;
    union {
        u64 wide;
        u8 bytes[8];
    };
    u32 low : 4, high : 12;
    void *next;
};

struct {
    __uint(type, ARRAY);
    __uint(max_entries, 16);
    __type(key, u32);
    __type(value, struct record);
} records SEC(".maps");

/* The same types by other names: the same hash. */
typedef struct record record_type;
typedef u32 word;
static struct {
    __type(value, record_type);
    __type(key, const word);
    __uint(max_entries, 4);
    __uint(type, HASH);
    __uint(map_flags, 1);
} hidden SEC(".maps");

struct {
    __uint(type, LRU_HASH);
    __uint(key_size, 12);
    __uint(value_size, 20);
    __uint(max_entries, 8);
} sized SEC(".maps");

struct {
    __uint(type, RINGBUF);
    __uint(max_entries, 4096);
} events SEC(".maps");

int target(void *ctx);
int other(void *ctx);
struct {
    __uint(type, PROG_ARRAY);
    __uint(max_entries, 4);
    __uint(key_size, 4);
    __array(values, int(void *));
} programs SEC(".maps") = {
    .values = {[1] = (void *)&target, [3] = (void *)&other},
};

SEC("timer/1s") int target(void *ctx) {
    u32 key = 3;
    struct record *r = bpf_map_lookup_elem(&records, &key);

    if (r)
        r->wide++;
    r = bpf_map_lookup_elem(&hidden, &key);
    if (r)
        r->low++;
    return 0;
}

SEC("timer/1s") int other(void *ctx) {
    u64 key[2] = {bpf_ktime_get_ns(), 2};

    if (!bpf_map_lookup_elem(&sized, key))
        bpf_tail_call(ctx, &programs, 1);
    return 0;
}
