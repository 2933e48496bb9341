// SPDX-License-Identifier: MIT
/* A control loop of 1 kHz, but for the control: how far apart its runs are at most, and how many periods it has missed. */
#include "bpf_mcu.h"

BPF_GRANT("budget=200us/2ms priority=5 ram=2K");

struct seen {
    u64 last, longest; /* ns; last 0: begins anew */
    u32 runs, missed;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct seen);
} seen SEC(".maps");

SEC("timer/1ms")
int loop(struct bpf_ctx_timer *ctx) {
    u32 zero = 0;
    struct seen *s = bpf_map_lookup_elem(&seen, &zero);
    if (!s)
        return 0;
    u64 now = bpf_ktime_get_ns(), gap = now - s->last;
    if (s->last) {
        s->runs++;
        s->missed += ctx->overruns;
        if (gap > s->longest)
            s->longest = gap;
    }
    s->last = now;
    return 0;
}
