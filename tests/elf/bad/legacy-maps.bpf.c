/* SPDX-License-Identifier: MIT */
// expect: legacy map definitions
#include "common.h"

struct bpf_map_def {
    u32 type, key_size, value_size, max_entries;
} m SEC("maps") = {2, 4, 4, 1};

SEC("timer/1ms") int prog(void *ctx) {
    return 0;
}
