// SPDX-License-Identifier: MIT
/* Five that want the same samples: two such domains are more than the interrupt serves. */
#include "bpf_mcu.h"

#define LISTENER(name)                                                                             \
    SEC("adc/1/100/100kHz") int name(struct bpf_ctx_adc *ctx) {                                    \
        (void)ctx;                                                                                 \
        return 0;                                                                                  \
    }

LISTENER(a) LISTENER(b) LISTENER(c) LISTENER(d) LISTENER(e)
