// SPDX-License-Identifier: MIT
/* A timer whose callback is no function, and timers that are none: not verified. */
#include "bpf_mcu.h"

struct job {
    struct bpf_timer timer;
    u32 runs;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, u32);
    __type(value, struct job);
} table SEC(".maps");

enum { WILD_CODE, WILD_TIMER, WILD_MAP, WILD_TIME, WILD_FLAGS, WILD_CLOCK };

static int once(void *map, u32 *key, struct job *job) {
    job->runs += map && key;
    return 0;
}

SEC("cmd/wild")
int wild(struct bpf_ctx_cmd *ctx) {
    u32 key = 0;
    struct job *job = bpf_map_lookup_elem(&table, &key);
    if (!job)
        return -1;
    switch (ctx->data[0]) {
    case WILD_CODE:
        bpf_timer_init(&job->timer, &table, CLOCK_MONOTONIC);
        bpf_timer_set_callback(&job->timer, (void *)0x08000101);
        return (int)bpf_timer_start(&job->timer, 1000000, 0);
    case WILD_TIMER: return (int)bpf_timer_init((void *)((u8 *)job + 4), &table, CLOCK_MONOTONIC);
    case WILD_MAP: return (int)bpf_timer_init(&job->timer, job, CLOCK_MONOTONIC);
    case WILD_TIME:
        bpf_timer_init(&job->timer, &table, CLOCK_MONOTONIC);
        bpf_timer_set_callback(&job->timer, once);
        return (int)bpf_timer_start(&job->timer, 1ull << 62, 0);
    case WILD_FLAGS:
        bpf_timer_init(&job->timer, &table, CLOCK_MONOTONIC);
        bpf_timer_set_callback(&job->timer, once);
        return (int)bpf_timer_start(&job->timer, 1000000, 1);
    default: return (int)bpf_timer_init(&job->timer, &table, 0);
    }
}
