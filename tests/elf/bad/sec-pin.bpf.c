/* SPDX-License-Identifier: MIT */
// expect: SEC("gpio/PZ9/rising") is not of the form
#include "common.h"

SEC("gpio/PZ9/rising") int prog(void *ctx) {
    return 0;
}
