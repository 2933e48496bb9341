/* SPDX-License-Identifier: MIT */
/*
 * CBOR (RFC 8949) as far as a management protocol needs it, without memory of its own: a reader that
 * walks over bytes that nobody vouches for, and a writer into a bounded buffer.
 *
 *     struct cbor map = {bytes, bytes + size}, at;
 *     struct cbor_item item;
 *     if (!cbor_well_formed(map))
 *         refuse;
 *     if (cbor_find(map, "off", &item) && item.kind == CBOR_UINT) use(item.value);
 *     if (cbor_find(map, "data", &item) && item.kind == CBOR_BYTES) length = cbor_copy_string(&item, buffer, sizeof(buffer));
 *
 * The functions have no name in common with libcbor's, which may be in the same process.
 *
 * Floats, tags, undefined and other simple values are understood and carry no value. Text is not
 * checked for being UTF-8.
 */
#ifndef BPF_CBOR_H
#define BPF_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CBOR_DEPTH = 8 }; /* maps and arrays inside each other */

enum cbor_kind {
    CBOR_UINT,     /* value */
    CBOR_NEGATIVE, /* -1 - value */
    CBOR_BYTES,    /* value: its length; cbor_copy_string(), cbor_chunk() */
    CBOR_TEXT,     /* the same */
    CBOR_ARRAY, /* value: number of items, which follow; unless `indefinite`: then CBOR_BREAK follows them */
    CBOR_MAP,  /* value: number of pairs; the same */
    CBOR_BOOL, /* value: 0 or 1 */
    CBOR_NULL,
    CBOR_OTHER, /* a float or another simple value */
    CBOR_BREAK, /* the end of an indefinite array or map */
};

/* Bytes that are still to be read. */
struct cbor {
    const uint8_t *at, *end;
};

struct cbor_item {
    enum cbor_kind kind;
    bool indefinite; /* of unknown length, or a string in chunks */
    uint64_t value;
    struct cbor
        body; /* of a string: its bytes, or its chunks; of an array or map: what follows its head */
};

/* ----- read.c ------------------------------------------------------------------------------------------- */

/* The next item: a string with all of its bytes, only the head of an array or map. False: there is none, or it
 * is malformed; then nothing was read. Tags in front of an item are skipped. */
bool cbor_next(struct cbor *in, struct cbor_item *out);
/* Over one item, with what is in it. False: malformed, or nested deeper than CBOR_DEPTH. */
bool cbor_skip(struct cbor *in);
/* Exactly one item, well-formed to its last byte. */
bool cbor_well_formed(struct cbor in);

/* The value of a text key in a map that is well-formed; of equal keys the first one's. False: no such key, or it
 * is no map. */
bool cbor_find(struct cbor map, const char *key, struct cbor_item *out);
/* The items of an array or map that is well-formed, one after another; a map gives keys and values in turn. *in
 * begins as body of its item, *left as its value (two times that for a map). False: that was all. */
bool cbor_element(const struct cbor_item *container, struct cbor *in, uint64_t *left,
                  struct cbor_item *out);

/* Strings. A chunk, in order: *in begins as body. False: that was all. */
bool cbor_chunk(const struct cbor_item *string, struct cbor *in, struct cbor *out);
/* All bytes. False: it is no string, or has more than size bytes; out may have been written to. */
bool cbor_copy_string(const struct cbor_item *string, void *out, size_t size);
/* The bytes where they are. NULL: it is no string, or comes in more than one chunk. */
const uint8_t *cbor_whole(const struct cbor_item *string);
bool cbor_is_text(const struct cbor_item *item, const char *text);

/* ----- write.c ------------------------------------------------------------------------------------------ */

/* An item that does not fit is not begun, and nothing after it is written: overflow stays. */
struct cbor_writer {
    uint8_t *bytes;
    size_t size, used;
    size_t reserved; /* at the end: cbor_reserve() */
    bool overflow;
};

void cbor_uint(struct cbor_writer *w, uint64_t value);
void cbor_int(struct cbor_writer *w, int64_t value);
void cbor_bytes(struct cbor_writer *w, const void *bytes, size_t size);
/* A string of this size whose bytes are written by the caller; NULL: it does not fit. */
uint8_t *cbor_room_for_bytes(struct cbor_writer *w, size_t size);
void cbor_text(struct cbor_writer *w, const char *text); /* up to its 0 */
void cbor_text_of(struct cbor_writer *w, const char *text, size_t length);
void cbor_bool(struct cbor_writer *w, bool value);
void cbor_null(struct cbor_writer *w);
void cbor_array(struct cbor_writer *w, uint64_t items);
void cbor_map(struct cbor_writer *w, uint64_t pairs);
/* Of unknown length, up to cbor_end(). */
void cbor_begin_array(struct cbor_writer *w);
void cbor_begin_map(struct cbor_writer *w);
void cbor_end(struct cbor_writer *w);

/* Strings whose length is only known at the end: it always takes two bytes. The begin functions return where it
 * begins, for the others. Text may come in pieces and be cut: cbor_add_text() returns how many bytes were taken. Bytes
 * are written to bytes + used by the caller, as many as cbor_room() says. */
size_t cbor_begin_text(struct cbor_writer *w);
size_t cbor_add_text(struct cbor_writer *w, size_t begin, const char *text, size_t length);
void cbor_end_text(struct cbor_writer *w, size_t begin);
size_t cbor_begin_bytes(struct cbor_writer *w);
void cbor_end_bytes(struct cbor_writer *w, size_t begin, size_t size);

/* Lists that take what fits: a place to go back to when an item did not, and bytes that are kept for what has to
 * come behind the list. An overflow from before the mark stays. */
size_t cbor_mark(const struct cbor_writer *w);
void cbor_rewind(struct cbor_writer *w, size_t mark);
void cbor_reserve(struct cbor_writer *w, size_t size);
void cbor_release(struct cbor_writer *w, size_t size);
size_t cbor_room(const struct cbor_writer *w); /* bytes; 0 after an overflow */

#endif
