// SPDX-License-Identifier: MIT
/* Many runs, each of which does nothing. */
#include "bpf_mcu.h"

#define EMPTY(name)                                                                                \
    SEC("timer/1ms") int name(struct bpf_ctx_timer *ctx) {                                         \
        (void)ctx;                                                                                 \
        return 0;                                                                                  \
    }
#define EMPTIES(name) EMPTY(name##1) EMPTY(name##2) EMPTY(name##3) EMPTY(name##4)

EMPTIES(a) EMPTIES(b) EMPTIES(c) EMPTIES(d)
