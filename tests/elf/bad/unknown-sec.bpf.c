/* SPDX-License-Identifier: MIT */
// expect: SEC("xdp") is no program type
#include "common.h"

SEC("xdp") int prog(void *ctx) {
    return 0;
}
