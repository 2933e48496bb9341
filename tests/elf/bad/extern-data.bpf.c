/* SPDX-License-Identifier: MIT */
// expect: unresolved extern: missing is defined nowhere
#include "common.h"

extern int missing;

SEC("timer/1ms") int prog(void *ctx) {
    return missing;
}
