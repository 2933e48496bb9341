/* SPDX-License-Identifier: MIT */
/* In the place of runtime/scan.c: everything is admitted. */
#include "bpf/scan.h"

enum bpf_status bpf_scan(const struct blob *blob, void *scratch, size_t size, uint32_t *where) {
    (void)blob, (void)scratch, (void)size, (void)where;
    return BPF_OK;
}
