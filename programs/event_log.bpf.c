// SPDX-License-Identifier: MIT
/*
 * Event logger: on the board, runs at each rising edge of the button (PA0) and appends a record with
 * the time, a sequence number and the interval since the last edge to a ring buffer that the host
 * drains over the serial line. When the ring is full, records are counted as lost instead of
 * blocking: a control loop must never wait for its log.
 */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PA0=in budget=1ms/10ms");

struct event {
    u64 time_ns;
    u64 interval_ns;
    u32 sequence;
    u32 pin;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024); /* bytes */
} events SEC(".maps");

u32 lost;
static u32 sequence;
static u64 last_ns;

SEC("gpio/PA0/rising")
int event_log(struct bpf_ctx_gpio *ctx) {
    struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
    u64 now = ctx->time_ns;
    if (!e) {
        lost++;
        return 0;
    }
    e->time_ns = now;
    e->interval_ns = last_ns ? now - last_ns : 0;
    e->sequence = sequence++;
    e->pin = ctx->pin;
    last_ns = now;
    bpf_ringbuf_submit(e, 0);
    return 0;
}
