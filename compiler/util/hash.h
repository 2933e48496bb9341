/* SPDX-License-Identifier: MIT */
/* FNV-1a, for hash tables of the host tools. (Blobs use the CRC-32 of the runtime.) */
#ifndef UTIL_HASH_H
#define UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_INIT UINT64_C(0xcbf29ce484222325)

/* Feeds bytes into a hash that started as HASH_INIT. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);
uint64_t hash_string(const char *text);

#endif
