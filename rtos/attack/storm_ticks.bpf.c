// SPDX-License-Identifier: MIT
/* As many hooks of the shortest period as fit into a grant, each of which takes more time than there is. */
#include "bpf_mcu.h"

static u32 total;

#define TICK(n)                                                                                    \
    SEC("timer/1ms") int tick##n(struct bpf_ctx_timer *ctx) {                                      \
        u32 sum = ctx->overruns;                                                                   \
        for (u32 i = 0; i < 2000; i++)                                                             \
            sum = sum * 7 + bpf_get_prandom_u32();                                                 \
        total += sum;                                                                              \
        return 0;                                                                                  \
    }
TICK(0)
TICK(1)
TICK(2)
TICK(3)
TICK(4)
TICK(5) TICK(6) TICK(7) TICK(8) TICK(9) TICK(10) TICK(11) TICK(12) TICK(13) TICK(14) TICK(15)
