/* SPDX-License-Identifier: MIT */
/* What the libFuzzer targets share: its interface (llvm.org/docs/LibFuzzer.html), changes in place, seals. */
#ifndef LIBFUZZER_TARGET_H
#define LIBFUZZER_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

/* Changes some of the bytes; what the mutator makes shorter keeps its old end. */
static inline void target_mutate(uint8_t *bytes, size_t size) {
    if (size)
        LLVMFuzzerMutate(bytes, size, size);
}

/* Makes size and checksum of a blob right, so that what lies behind these checks is reached. */
static inline void target_seal(uint8_t *bytes, size_t size) {
    struct blob_header *h = (struct blob_header *)(void *)bytes;

    h->size = (uint32_t)size;
    h->crc = 0;
    h->crc = bpf_crc32(0, bytes, size);
}

#endif
