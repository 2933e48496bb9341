/* SPDX-License-Identifier: MIT */
/* What the libFuzzer targets share: its interface (llvm.org/docs/LibFuzzer.html), changes in place. */
#ifndef LIBFUZZER_TARGET_H
#define LIBFUZZER_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

/* Changes some of the bytes; what the mutator makes shorter keeps its old end. */
static inline void target_mutate(uint8_t *bytes, size_t size) {
    if (size)
        LLVMFuzzerMutate(bytes, size, size);
}

#endif
