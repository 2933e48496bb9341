/* SPDX-License-Identifier: MIT */
/* In the place of runtime/scan.c: everything is admitted. */
#include "bpf/scan.h"

enum bpf_status bpf_scan(const struct blob *blob, uint32_t *where) {
    (void)blob, (void)where;
    return BPF_OK;
}
