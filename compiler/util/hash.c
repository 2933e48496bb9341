/* SPDX-License-Identifier: MIT */
/* FNV-1a with 64 bits; offset basis and prime as published by Fowler, Noll and Vo. */
#include "util/hash.h"

#include <string.h>

#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *p = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * FNV_PRIME;
    return hash;
}

uint64_t hash_string(const char *text) {
    return hash_bytes(HASH_INIT, text, strlen(text));
}
