/* SPDX-License-Identifier: MIT */
// expect: configuration values of a Linux kernel
#include "common.h"

extern int CONFIG_HZ SEC(".kconfig");

SEC("timer/1ms") int prog(void *ctx) {
    return CONFIG_HZ;
}
