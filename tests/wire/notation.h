/* SPDX-License-Identifier: MIT */
/*
 * CBOR as text, both ways, for tests that are tables: {name: 'blink', key: h'0102', list: [1, -1, true, null]}. Of the
 * diagnostic notation of RFC 8949, 8, but texts stand in single quotes, and not at all if they are words that are keys.
 */
#ifndef WIRE_NOTATION_H
#define WIRE_NOTATION_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/cbor.h"

/* All of the text has to be one item; stops the test otherwise. */
size_t notation_parse(const char *text, uint8_t *out, size_t size);
/* Bytes that are one well-formed item; the text is there until the next call. */
const char *notation_print(struct cbor in);

#endif
