// SPDX-License-Identifier: MIT
/* Timers, for the drill: one call of a helper for each command, and what the callbacks saw. */
#include "bpf_mcu.h"

struct job {
    u64 time_ns;
    struct bpf_timer timer;
    u32 runs, key, found; /* found: through the map that the callback got */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 12);
    __type(key, u32);
    __type(value, struct job);
} table SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2);
    __type(key, u32);
    __type(value, struct job);
} jobs SEC(".maps");

enum { INIT, ONCE, AGAIN, SPIN, START, CANCEL, CREATE = 0 };

static int once(void *map, u32 *key, struct job *job) {
    job->runs++;
    job->key = *key;
    job->time_ns = bpf_ktime_get_ns();
    struct job *found = bpf_map_lookup_elem(map, key);
    if (found)
        found->found++;
    return 0;
}

static int again(void *map, u32 *key, struct job *job) {
    bpf_timer_start(&job->timer, 5000000, 0);
    return once(map, key, job);
}

static int nothing(u32 i, void *sum) {
    *(u64 *)sum += i;
    return 0;
}

static int spin(void *map, u32 *key, struct job *job) {
    u64 sum = *key;
    (void)map;
    bpf_loop(8000000, nothing, &sum, 0);
    job->time_ns = sum;
    return 0;
}

#define ORDERS(map)                                                                                \
    u32 what = ctx->data[0], key = ctx->data[1], ms = ctx->data[2];                                \
    struct job *job = bpf_map_lookup_elem(&map, &key);                                             \
    if (!job)                                                                                      \
        return -2;                                                                                 \
    switch (what) {                                                                                \
    case INIT: return (int)bpf_timer_init(&job->timer, &map, CLOCK_MONOTONIC);                     \
    case ONCE: return (int)bpf_timer_set_callback(&job->timer, once);                              \
    case AGAIN: return (int)bpf_timer_set_callback(&job->timer, again);                            \
    case SPIN: return (int)bpf_timer_set_callback(&job->timer, spin);                              \
    case START: return (int)bpf_timer_start(&job->timer, ms * 1000000ull, 0);                      \
    case CANCEL: return (int)bpf_timer_cancel(&job->timer);                                        \
    default: return -1;                                                                            \
    }

/* What, which key, how many ms. */
SEC("cmd/table")
int in_table(struct bpf_ctx_cmd *ctx){ORDERS(table)}

SEC("cmd/jobs") int in_jobs(struct bpf_ctx_cmd *ctx){ORDERS(jobs)}

SEC("cmd/element") int element(struct bpf_ctx_cmd *ctx) {
    u32 key = ctx->data[1];
    struct job none = {0};
    if (ctx->data[0] == CREATE)
        return (int)bpf_map_update_elem(&jobs, &key, &none, BPF_ANY);
    return (int)bpf_map_delete_elem(&jobs, &key);
}
