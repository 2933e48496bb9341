// SPDX-License-Identifier: MIT
/* Large, for the soak: a few of it fill the store. Two hooks with events of their own. */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PA0=in gpio:PD13=out budget=200us/5ms ram=6K queue=4 policy=continue");

#define ROW(n) n, n + 1, n + 2, n + 3, n + 5, n + 7, n + 11, n + 13
#define ROWS(n)                                                                                    \
    ROW(n), ROW(n + 16), ROW(n + 32), ROW(n + 48), ROW(n + 64), ROW(n + 80), ROW(n + 96),          \
        ROW(n + 112)
#define TABLE                                                                                      \
    ROWS(1), ROWS(200), ROWS(3000), ROWS(40000), ROWS(500000), ROWS(6000000), ROWS(70000000),      \
        ROWS(800000000)
static const u32 table[] = {TABLE, TABLE, TABLE, TABLE};
static u32 at, sum;

SEC("timer/5ms")
int walk(struct bpf_ctx_timer *ctx) {
    at = (at + 1) % (sizeof(table) / sizeof(table[0]));
    sum += table[at];
    bpf_gpio_write(BPF_PIN('D', 13), sum & 1);
    return 0;
}

SEC("gpio/PA0/both")
int pressed(struct bpf_ctx_gpio *ctx) {
    sum += ctx->level + ctx->lost;
    return 0;
}
