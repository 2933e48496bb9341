// SPDX-License-Identifier: MIT
/* Tail calls by a prog_array that is filled at compile time, back and forth between two programs. */
#include "bpf_mcu.h"

int first(void *ctx);
int second(void *ctx);
int endless(void *ctx);

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u32);
    __array(values, int(void *));
} jumps SEC(".maps") = {
    .values = {[0] = (void *)&endless, [1] = (void *)&second, [2] = (void *)&first}};

static u32 count;

SEC("raw")
int first(void *ctx) {
    count++;
    bpf_tail_call(ctx, &jumps, 1);
    return 111;
}

SEC("raw")
int second(void *ctx) {
    count += 100;
    if (count < 1000)
        bpf_tail_call(ctx, &jumps, 2);
    else if (count == 1010)
        bpf_tail_call(ctx, &jumps, 3); /* empty: goes on here */
    return count;
}

/* Never stops by itself: the limit of 33 does. */
SEC("raw")
int endless(void *ctx) {
    count++;
    bpf_tail_call(ctx, &jumps, 0);
    return count;
}

/* Memory on the stack, and nothing else to save but lr. */
SEC("raw")
int with_stack(void *ctx) {
    volatile u32 a[4] = {1, 2, 3, 4};
    count = a[1] + a[3];
    bpf_tail_call(ctx, &jumps, 3);
    bpf_tail_call(ctx, &jumps, 2);
    return count + a[0];
}
