// SPDX-License-Identifier: MIT
/*
 * Moving average of ADC samples: on the board, runs for each block of samples of ADC channel 1, keeps
 * a running mean over the last 32 samples in a ring, and drives PWM channel 1 in proportion to it, so
 * that a noisy potentiometer dims an LED smoothly. The latest mean stands in a map for the host.
 */
#include "bpf_mcu.h"

BPF_GRANT("adc:1 pwm:1 budget=1ms/10ms");

#define WINDOW 32 /* a power of two: the ring index is masked, the division a shift */
#define FULL 4095

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
} mean SEC(".maps");

static u16 ring[WINDOW];
static u32 next, sum;

SEC("adc/1")
int moving_average(struct bpf_ctx_adc *ctx) {
    u32 len = ctx->len;
    if (len > sizeof(ctx->data) / sizeof(ctx->data[0]))
        len = sizeof(ctx->data) / sizeof(ctx->data[0]);
    for (u32 i = 0; i < len; i++) {
        u32 sample = ctx->data[i];
        sum += sample - ring[next & (WINDOW - 1)];
        ring[next & (WINDOW - 1)] = sample;
        next++;
    }
    u32 average = sum / WINDOW, key = 0;
    bpf_map_update_elem(&mean, &key, &average, BPF_ANY);
    bpf_pwm_set(1, average * 1000 / FULL);
    return 0;
}
