/* SPDX-License-Identifier: MIT */
// expect: SEC("timer/10") is not of the form timer/<period>
#include "common.h"

SEC("timer/10") int prog(void *ctx) {
    return 0;
}
