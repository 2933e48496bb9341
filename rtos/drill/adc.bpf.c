// SPDX-License-Identifier: MIT
/* A block for each sample, a hundred in a millisecond: nobody gets that. */
#include "bpf_mcu.h"

SEC("adc/1/1/100kHz")
int each(struct bpf_ctx_adc *ctx) {
    (void)ctx;
    return 0;
}
