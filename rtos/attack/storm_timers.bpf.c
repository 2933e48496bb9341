// SPDX-License-Identifier: MIT
/* Eight timers that start themselves and all others anew, at once. */
#include "bpf_mcu.h"

struct job {
    struct bpf_timer timer;
    u32 runs;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 8);
    __type(key, u32);
    __type(value, struct job);
} jobs SEC(".maps");

static int start_all(void) {
    for (u32 key = 0; key < 8; key++) {
        struct job *job = bpf_map_lookup_elem(&jobs, &key);
        if (job)
            bpf_timer_start(&job->timer, 0, 0);
    }
    return 0;
}

static int again(void *map, u32 *key, struct job *job) {
    (void)map, (void)key;
    job->runs++;
    return start_all();
}

SEC("timer/1ms")
int begin(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    for (u32 key = 0; key < 8; key++) {
        struct job *job = bpf_map_lookup_elem(&jobs, &key);
        if (job && bpf_timer_init(&job->timer, &jobs, CLOCK_MONOTONIC) == 0)
            bpf_timer_set_callback(&job->timer, again);
    }
    return start_all();
}
