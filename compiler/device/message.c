/* SPDX-License-Identifier: MIT */
#include "device/message.h"

#include <cbor.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 8 }; /* maps and arrays inside each other that an answer may have */

/* libcbor's constructors fail for want of memory only, as arenas do. */
static cbor_item_t *sure(cbor_item_t *item) {
    if (!item)
        abort();
    return item;
}

/* ---- Writing ---- */

struct cbor_item_t *message_new(void) {
    return sure(cbor_new_indefinite_map());
}

void message_free(struct cbor_item_t *m) {
    if (m)
        cbor_decref(&m);
}

static void add(cbor_item_t *m, const char *key, cbor_item_t *value) {
    struct cbor_pair pair = {cbor_move(sure(cbor_build_string(key))), cbor_move(sure(value))};

    if (!cbor_map_add(m, pair))
        abort();
}

/* In as few bytes as it takes: an upload's offsets are in every packet. */
static cbor_item_t *number(uint64_t value) {
    return value <= UINT8_MAX    ? cbor_build_uint8((uint8_t)value)
           : value <= UINT16_MAX ? cbor_build_uint16((uint16_t)value)
           : value <= UINT32_MAX ? cbor_build_uint32((uint32_t)value)
                                 : cbor_build_uint64(value);
}

void message_add_uint(cbor_item_t *m, const char *key, uint64_t value) {
    add(m, key, number(value));
}

void message_add_bool(cbor_item_t *m, const char *key, bool value) {
    add(m, key, cbor_build_bool(value));
}

void message_add_text(cbor_item_t *m, const char *key, const char *text) {
    add(m, key, cbor_build_string(text));
}

void message_add_bytes(cbor_item_t *m, const char *key, const void *bytes, size_t size) {
    /* libcbor copies with memcpy(), which may not be given NULL. */
    add(m, key, cbor_build_bytestring(size ? bytes : (const void *)"", size));
}

void message_add_texts(cbor_item_t *m, const char *key, char *const *texts, size_t count) {
    cbor_item_t *array = sure(cbor_new_definite_array(count));

    for (size_t i = 0; i < count; i++)
        if (!cbor_array_push(array, cbor_move(sure(cbor_build_string(texts[i])))))
            abort();
    add(m, key, array);
}

uint8_t *message_bytes_of(const cbor_item_t *m, struct arena *arena, size_t *size) {
    unsigned char *buffer = NULL;
    size_t room = 0;

    *size = cbor_serialize_alloc(m, &buffer, &room);
    if (!*size)
        abort();
    uint8_t *copy = arena_alloc(arena, *size);
    memcpy(copy, buffer, *size);
    free(buffer);
    return copy;
}

/* ---- Reading ---- */

/*
 * libcbor makes room for as many items as an array says it has before it has seen one, and is as deep as its
 * input likes. So the heads are walked first: all items have to be there, and nothing is deeper than DEPTH.
 */
struct walk {
    const uint8_t *at, *end;
};

static bool walk_head(struct walk *w, unsigned *major, unsigned *info, uint64_t *value) {
    if (w->at == w->end)
        return false;
    *major = *w->at >> 5;
    *info = *w->at++ & 31;
    *value = *info;
    if (*info < 24 || *info == 31)
        return true;
    size_t size = (size_t)1 << (*info - 24);
    if (*info > 27 || size > (size_t)(w->end - w->at))
        return false;
    *value = 0;
    while (size--)
        *value = *value << 8 | *w->at++;
    return true;
}

static bool walk_item(struct walk *w, unsigned depth);

static bool walk_items(struct walk *w, uint64_t count, unsigned depth) {
    if (depth == 0)
        return false;
    /* An item takes a byte at least: a count that lies ends with the bytes. */
    while (count--)
        if (!walk_item(w, depth - 1))
            return false;
    return true;
}

/* Up to a break (0xff). */
static bool walk_indefinite(struct walk *w, unsigned depth) {
    if (depth == 0)
        return false;
    while (w->at < w->end && *w->at != 0xff)
        if (!walk_item(w, depth - 1))
            return false;
    return w->at < w->end && *w->at++ == 0xff;
}

static bool walk_item(struct walk *w, unsigned depth) {
    unsigned major, info;
    uint64_t value;

    if (!walk_head(w, &major, &info, &value))
        return false;
    if (info == 31)
        return major >= 2 && major <= 5 && walk_indefinite(w, depth);
    switch (major) {
    case 2:
    case 3:
        if (value > (uint64_t)(w->end - w->at))
            return false;
        w->at += value;
        return true;
    case 4: return walk_items(w, value, depth);
    case 5: return value <= UINT32_MAX && walk_items(w, 2 * value, depth);
    case 6: return walk_items(w, 1, depth);
    default: return true;
    }
}

struct cbor_item_t *message_parse(const uint8_t *bytes, size_t size) {
    struct walk w = {bytes, bytes + size};
    struct cbor_load_result result;

    if (!walk_item(&w, DEPTH) || w.at != w.end)
        return NULL;
    cbor_item_t *m = cbor_load(bytes, size, &result);
    if (!m)
        return NULL;
    if (result.error.code == CBOR_ERR_NONE && result.read == size && cbor_isa_map(m))
        return m;
    message_free(m);
    return NULL;
}

/* Bytes of a string, of which the parts may come one by one. */
static const uint8_t *string_of(const cbor_item_t *item, bool text, struct arena *arena,
                                size_t *size) {
    if (!item || (text ? !cbor_isa_string(item) : !cbor_isa_bytestring(item)))
        return NULL;
    bool whole = text ? cbor_string_is_definite(item) : cbor_bytestring_is_definite(item);
    size_t count = whole  ? 1
                   : text ? cbor_string_chunk_count(item)
                          : cbor_bytestring_chunk_count(item);
    cbor_item_t **chunks = whole  ? NULL
                           : text ? cbor_string_chunks_handle(item)
                                  : cbor_bytestring_chunks_handle(item);
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        const cbor_item_t *chunk = whole ? item : chunks[i];
        *size += text ? cbor_string_length(chunk) : cbor_bytestring_length(chunk);
    }
    uint8_t *copy = arena_alloc(arena, *size + 1), *at = copy;
    for (size_t i = 0; i < count; i++) {
        const cbor_item_t *chunk = whole ? item : chunks[i];
        size_t length = text ? cbor_string_length(chunk) : cbor_bytestring_length(chunk);
        if (length)
            memcpy(at, text ? cbor_string_handle(chunk) : cbor_bytestring_handle(chunk), length);
        at += length;
    }
    return copy;
}

static const cbor_item_t *find(const cbor_item_t *m, const char *key) {
    if (!m || !cbor_isa_map(m))
        return NULL;
    const struct cbor_pair *pairs = cbor_map_handle(m);
    for (size_t i = 0; i < cbor_map_size(m); i++) {
        const cbor_item_t *k = pairs[i].key;
        if (cbor_isa_string(k) && cbor_string_is_definite(k) &&
            cbor_string_length(k) == strlen(key) &&
            memcmp(cbor_string_handle(k), key, strlen(key)) == 0)
            return pairs[i].value;
    }
    return NULL;
}

bool message_item_uint(const cbor_item_t *item, uint64_t *out) {
    if (!item || !cbor_isa_uint(item))
        return false;
    *out = cbor_get_int(item);
    return true;
}

bool message_uint(const cbor_item_t *m, const char *key, uint64_t *out) {
    return message_item_uint(find(m, key), out);
}

bool message_int(const cbor_item_t *m, const char *key, int64_t *out) {
    const cbor_item_t *item = find(m, key);

    if (!item || !cbor_is_int(item) || cbor_get_int(item) > INT64_MAX)
        return false;
    int64_t value = (int64_t)cbor_get_int(item);
    *out = cbor_isa_uint(item) ? value : -1 - value;
    return true;
}

bool message_bool(const cbor_item_t *m, const char *key, bool *out) {
    const cbor_item_t *item = find(m, key);

    /* Of a number with a fraction libcbor may not be asked whether it is a bool: it ends the process. */
    if (!item || !cbor_isa_float_ctrl(item) || !cbor_float_ctrl_is_ctrl(item) ||
        !cbor_is_bool(item))
        return false;
    *out = cbor_get_bool(item);
    return true;
}

const char *message_text(const cbor_item_t *m, const char *key, struct arena *arena) {
    size_t size;
    char *text = (char *)string_of(find(m, key), true, arena, &size);

    if (!text)
        return NULL;
    /* Texts of boards are ASCII, whatever a blob has as the name of a map: what is not would be a terminal's
     * command, or no JSON. */
    for (size_t i = 0; i < size; i++)
        if ((text[i] < ' ' || text[i] > '~') && text[i] != '\n' && text[i] != '\t')
            text[i] = '?';
    return text;
}

const uint8_t *message_item_bytes(const cbor_item_t *item, struct arena *arena, size_t *size) {
    return string_of(item, false, arena, size);
}

const uint8_t *message_bytes(const cbor_item_t *m, const char *key, struct arena *arena,
                             size_t *size) {
    return string_of(find(m, key), false, arena, size);
}

const struct cbor_item_t *message_map(const cbor_item_t *m, const char *key) {
    const cbor_item_t *item = find(m, key);
    return item && cbor_isa_map(item) ? item : NULL;
}

bool message_is_array(const cbor_item_t *m, const char *key) {
    const cbor_item_t *item = find(m, key);
    return item && cbor_isa_array(item);
}

size_t message_count(const cbor_item_t *m, const char *key) {
    const cbor_item_t *item = find(m, key);
    return item && cbor_isa_array(item) ? cbor_array_size(item) : 0;
}

const struct cbor_item_t *message_item_at(const cbor_item_t *item, size_t index) {
    if (!item || !cbor_isa_array(item) || index >= cbor_array_size(item))
        return NULL;
    return cbor_array_handle(item)[index];
}

const struct cbor_item_t *message_item(const cbor_item_t *m, const char *key, size_t index) {
    return message_item_at(find(m, key), index);
}
