// SPDX-License-Identifier: MIT
/* More hooks than a domain may have. */
#include "bpf_mcu.h"

#define HOUR(name)                                                                                 \
    SEC("timer/3600s") int name(struct bpf_ctx_timer *ctx) {                                       \
        (void)ctx;                                                                                 \
        return 0;                                                                                  \
    }
#define HOURS(name) HOUR(name##1) HOUR(name##2) HOUR(name##3) HOUR(name##4)

HOURS(a) HOURS(b) HOURS(c) HOURS(d) HOUR(one)
