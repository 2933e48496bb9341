/* SPDX-License-Identifier: MIT */
// expect: this eBPF object is big-endian
// flags: -target bpfeb
#include "common.h"

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
