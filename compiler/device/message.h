/* SPDX-License-Identifier: MIT */
/*
 * The maps that questions and answers are: built and read with libcbor. The board has a codec of its own
 * (bpf/cbor.h), so neither side's mistakes are hidden by the other's. No header but this one is needed:
 * those of libcbor and of the board's codec have names in common.
 *
 * What is read is copied to an arena, or a number; a key that is missing or of another kind is false or NULL.
 */
#ifndef DEVICE_MESSAGE_H
#define DEVICE_MESSAGE_H

#include "util/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cbor_item_t;

/* ---- Writing. Keys are literals or live as long as the message. ---- */

struct cbor_item_t *message_new(void);
void message_free(struct cbor_item_t *m); /* null is allowed */
void message_add_uint(struct cbor_item_t *m, const char *key, uint64_t value);
void message_add_bool(struct cbor_item_t *m, const char *key, bool value);
void message_add_text(struct cbor_item_t *m, const char *key, const char *text);
void message_add_bytes(struct cbor_item_t *m, const char *key, const void *bytes, size_t size);
void message_add_texts(struct cbor_item_t *m, const char *key, char *const *texts, size_t count);
/* The bytes on the arena. */
uint8_t *message_bytes_of(const struct cbor_item_t *m, struct arena *arena, size_t *size);

/* ---- Reading ---- */

/* NULL unless the bytes are one well-formed map, not too deep, and nothing else. */
struct cbor_item_t *message_parse(const uint8_t *bytes, size_t size);

bool message_uint(const struct cbor_item_t *m, const char *key, uint64_t *out);
bool message_int(const struct cbor_item_t *m, const char *key, int64_t *out);
bool message_bool(const struct cbor_item_t *m, const char *key, bool *out);
/* Text without control characters but newline and tab: it goes to a terminal. */
const char *message_text(const struct cbor_item_t *m, const char *key, struct arena *arena);
/* NULL: not there. */
const uint8_t *message_bytes(const struct cbor_item_t *m, const char *key, struct arena *arena,
                             size_t *size);
const struct cbor_item_t *message_map(const struct cbor_item_t *m, const char *key);

/* Arrays: whether there is one, the number of items (0: also if there is none), and one of them. */
bool message_is_array(const struct cbor_item_t *m, const char *key);
size_t message_count(const struct cbor_item_t *m, const char *key);
const struct cbor_item_t *message_item(const struct cbor_item_t *m, const char *key, size_t index);
/* Of an item of an array. `pair[i]`: for arrays in arrays. */
bool message_item_uint(const struct cbor_item_t *item, uint64_t *out);
const uint8_t *message_item_bytes(const struct cbor_item_t *item, struct arena *arena,
                                  size_t *size);
const struct cbor_item_t *message_item_at(const struct cbor_item_t *item, size_t index);

#endif
