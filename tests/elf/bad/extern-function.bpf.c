/* SPDX-License-Identifier: MIT */
// expect: unresolved extern: missing() is defined nowhere
#include "common.h"

extern int missing(int);

SEC("timer/1ms") int prog(void *ctx) {
    return missing(1);
}
