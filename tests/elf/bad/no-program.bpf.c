/* SPDX-License-Identifier: MIT */
// expect: the object has no program
#include "common.h"

int prog(void *ctx) {
    return 0;
}
