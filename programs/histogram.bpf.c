// SPDX-License-Identifier: MIT
/*
 * Histogram in an array map: on the board, runs for each block of samples of ADC channel 1 and counts
 * them by magnitude in 16 bins of 256 codes each. The host reads the map while the program goes on and
 * shows the distribution: noise, clipping and drift are seen without moving every sample.
 */
#include "bpf_mcu.h"

BPF_GRANT("adc:1 budget=1ms/10ms");

#define BINS 16

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, BINS);
    __type(key, u32);
    __type(value, u32);
} bins SEC(".maps");

SEC("adc/1")
int histogram(struct bpf_ctx_adc *ctx) {
    u32 len = ctx->len;
    if (len > sizeof(ctx->data) / sizeof(ctx->data[0]))
        len = sizeof(ctx->data) / sizeof(ctx->data[0]);
    for (u32 i = 0; i < len; i++) {
        u32 key = ctx->data[i] >> 8;
        u32 *bin = bpf_map_lookup_elem(&bins, &key);
        if (bin)
            *bin += 1;
    }
    return 0;
}
