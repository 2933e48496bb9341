/* SPDX-License-Identifier: MIT */
// expect: section .struct_ops
#include "common.h"

struct {
    void *f;
} ops SEC(".struct_ops");

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
