/* SPDX-License-Identifier: MIT */
/* Writing CBOR in its preferred serialization (RFC 8949, 4.1), texts in pieces excepted. */
#include "bpf/cbor.h"

#include <string.h>

enum { UINT = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, SIMPLE = 7 };
enum { FALSE = 20, NOTHING = 22, BYTE_FOLLOWS = 24, INDEFINITE = 31 };
enum { STRING_HEAD = 3, LENGTH_MAX = 0xffff }; /* of a string whose length comes last */

static size_t room(const struct cbor_writer *w) {
    size_t left = w->size - w->used;

    return left < w->reserved ? 0 : left - w->reserved;
}

size_t cbor_room(const struct cbor_writer *w) {
    return w->overflow ? 0 : room(w);
}

/* Makes room for size bytes; NULL: there is none, or was none before. */
static uint8_t *take(struct cbor_writer *w, size_t size) {
    if (w->overflow || size > room(w)) {
        w->overflow = true;
        return NULL;
    }
    uint8_t *to = w->bytes + w->used;
    w->used += size;
    return to;
}

/* A head, and room for `more` bytes behind it, which are returned. The value is in the first byte, or in 1, 2, 4 or
 * 8 that follow. */
static uint8_t *put(struct cbor_writer *w, unsigned major, uint64_t value, size_t more) {
    unsigned power = 0;
    while (power < 3 && value >> (8u << power))
        power++;
    bool in_first = value < BYTE_FOLLOWS;
    unsigned bytes = in_first ? 0 : 1u << power;
    unsigned info = in_first ? (unsigned)value : BYTE_FOLLOWS + power;
    if (more > w->size) { /* 1 + bytes + more could wrap */
        w->overflow = true;
        return NULL;
    }
    uint8_t *to = take(w, 1 + bytes + more);
    if (!to)
        return NULL;
    *to++ = (uint8_t)(major << 5 | info);
    for (unsigned i = bytes; i-- > 0;)
        *to++ = (uint8_t)(value >> 8 * i);
    return to;
}

static void put_byte(struct cbor_writer *w, unsigned major, unsigned info) {
    uint8_t *to = take(w, 1);
    if (to)
        *to = (uint8_t)(major << 5 | info);
}

static void put_string(struct cbor_writer *w, unsigned major, const void *bytes, size_t size) {
    uint8_t *to = put(w, major, size, size);
    if (to && size)
        memcpy(to, bytes, size);
}

void cbor_uint(struct cbor_writer *w, uint64_t value) {
    put(w, UINT, value, 0);
}

void cbor_int(struct cbor_writer *w, int64_t value) {
    if (value < 0)
        put(w, NEGATIVE, ~(uint64_t)value, 0);
    else
        put(w, UINT, (uint64_t)value, 0);
}

void cbor_bytes(struct cbor_writer *w, const void *bytes, size_t size) {
    put_string(w, BYTES, bytes, size);
}

uint8_t *cbor_room_for_bytes(struct cbor_writer *w, size_t size) {
    return put(w, BYTES, size, size);
}

void cbor_text_of(struct cbor_writer *w, const char *text, size_t length) {
    put_string(w, TEXT, text, length);
}

void cbor_text(struct cbor_writer *w, const char *text) {
    size_t length = 0;

    while (text[length])
        length++;
    put_string(w, TEXT, text, length);
}

void cbor_bool(struct cbor_writer *w, bool value) {
    put_byte(w, SIMPLE, FALSE + value);
}

void cbor_null(struct cbor_writer *w) {
    put_byte(w, SIMPLE, NOTHING);
}

void cbor_array(struct cbor_writer *w, uint64_t items) {
    put(w, ARRAY, items, 0);
}

void cbor_map(struct cbor_writer *w, uint64_t pairs) {
    put(w, MAP, pairs, 0);
}

void cbor_begin_array(struct cbor_writer *w) {
    put_byte(w, ARRAY, INDEFINITE);
}

void cbor_begin_map(struct cbor_writer *w) {
    put_byte(w, MAP, INDEFINITE);
}

void cbor_end(struct cbor_writer *w) {
    put_byte(w, SIMPLE, INDEFINITE);
}

/* ----- strings of a length that is not known yet --------------------------------------------------- */

static void set_length(struct cbor_writer *w, size_t begin, unsigned major, size_t length) {
    uint8_t *head = w->bytes + begin;

    head[0] = (uint8_t)(major << 5 | (BYTE_FOLLOWS + 1)); /* two bytes of length follow */
    head[1] = (uint8_t)(length >> 8);
    head[2] = (uint8_t)length;
}

size_t cbor_begin_text(struct cbor_writer *w) {
    size_t begin = w->used;

    if (take(w, STRING_HEAD))
        set_length(w, begin, TEXT, 0);
    return begin;
}

size_t cbor_add_text(struct cbor_writer *w, size_t begin, const char *text, size_t length) {
    if (w->overflow)
        return 0;
    size_t sofar = w->used - begin - STRING_HEAD, most = room(w);
    if (most > LENGTH_MAX - sofar)
        most = LENGTH_MAX - sofar;
    if (length > most)
        length = most;
    memcpy(w->bytes + w->used, text, length);
    w->used += length;
    return length;
}

void cbor_end_text(struct cbor_writer *w, size_t begin) {
    if (!w->overflow)
        set_length(w, begin, TEXT, w->used - begin - STRING_HEAD);
}

size_t cbor_begin_bytes(struct cbor_writer *w) {
    size_t begin = w->used;

    take(w, STRING_HEAD);
    return begin;
}

void cbor_end_bytes(struct cbor_writer *w, size_t begin, size_t size) {
    if (size > LENGTH_MAX || !take(w, size))
        w->overflow = true;
    else
        set_length(w, begin, BYTES, size);
}

/* ----- what may not fit --------------------------------------------------------------------------- */

static const size_t NOWHERE = SIZE_MAX;

size_t cbor_mark(const struct cbor_writer *w) {
    return w->overflow ? NOWHERE : w->used;
}

void cbor_rewind(struct cbor_writer *w, size_t mark) {
    if (mark == NOWHERE)
        return;
    w->used = mark;
    w->overflow = false;
}

void cbor_reserve(struct cbor_writer *w, size_t size) {
    w->reserved += size;
    if (w->reserved > w->size - w->used)
        w->overflow = true;
}

void cbor_release(struct cbor_writer *w, size_t size) {
    w->reserved -= size;
}
