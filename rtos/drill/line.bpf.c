// SPDX-License-Identifier: MIT
/* Frames of a serial line, for the drill: the newest one is kept in a map, and commands send. */
#include "bpf_mcu.h"

struct newest {
    u64 time_ns;
    u32 frames, bytes, port, len;
    u8 data[256];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct newest);
} last SEC(".maps");

static u8 many[512];

SEC("uart/3")
int received(struct bpf_ctx_uart *ctx) {
    u32 key = 0, n = ctx->len <= sizeof(ctx->data) ? ctx->len : sizeof(ctx->data);
    struct newest *to = bpf_map_lookup_elem(&last, &key);
    if (!to)
        return 0;
    to->frames++;
    to->bytes += n;
    to->time_ns = ctx->time_ns;
    to->port = ctx->port;
    to->len = n;
    for (u32 i = 0; i < n && i < sizeof(to->data); i++)
        to->data[i] = ctx->data[i];
    return 0;
}

/* The first byte of the arguments is the port, the others are sent. */
SEC("cmd/send")
int send(struct bpf_ctx_cmd *ctx) {
    u32 n = ctx->len;
    if (n < 1 || n > sizeof(ctx->data))
        return -1;
    return (int)bpf_uart_write(ctx->data[0], ctx->data + 1, n - 1);
}

/* As many bytes as the first two bytes of the arguments say. */
SEC("cmd/fill")
int fill(struct bpf_ctx_cmd *ctx) {
    u32 n = ctx->data[0] | ctx->data[1] << 8;
    for (u32 i = 0; i < sizeof(many); i++)
        many[i] = 'x';
    return n <= sizeof(many) ? (int)bpf_uart_write(3, many, n) : -1;
}
