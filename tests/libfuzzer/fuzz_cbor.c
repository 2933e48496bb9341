/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: what a packet says it carries. The reader stays inside of it, the same bytes are well-formed for
 * cbor_skip() and for a walk through all items, and what the walk finds is written again with the same meaning.
 */
#include "bpf/cbor.h"
#include "libfuzzer/target.h"

#include <stdlib.h>
#include <string.h>

static void walk(const struct cbor_item *item, struct cbor_writer *w, unsigned depth);

static void walk_string(const struct cbor_item *item, struct cbor_writer *w) {
    struct cbor in = item->body, chunk;
    uint64_t sum = 0;
    uint8_t *copy = malloc(item->value + 1);
    while (cbor_chunk(item, &in, &chunk))
        sum += (uint64_t)(chunk.end - chunk.at);
    if (sum != item->value || !cbor_copy_string(item, copy, item->value) ||
        (sum && cbor_copy_string(item, copy, sum - 1)))
        abort();
    copy[sum] = 0;
    if (item->kind == CBOR_TEXT && strlen((char *)copy) == sum && !cbor_is_text(item, (char *)copy))
        abort();
    if (item->kind == CBOR_TEXT)
        cbor_text_of(w, (char *)copy, sum);
    else
        cbor_bytes(w, copy, sum);
    free(copy);
}

static void walk_container(const struct cbor_item *item, struct cbor_writer *w, unsigned depth) {
    bool map = item->kind == CBOR_MAP;
    struct cbor in = item->body;
    uint64_t left = item->value << map, count = 0;
    struct cbor_item element;
    if (depth == CBOR_DEPTH)
        abort();
    (map ? cbor_begin_map : cbor_begin_array)(w);
    for (; cbor_element(item, &in, &left, &element); count++)
        walk(&element, w, depth + 1);
    if (map ? count % 2 : 0)
        abort();
    if (!item->indefinite && count != item->value << map)
        abort();
    cbor_end(w);
}

static void walk(const struct cbor_item *item, struct cbor_writer *w, unsigned depth) {
    switch (item->kind) {
    case CBOR_UINT: cbor_uint(w, item->value); break;
    case CBOR_NEGATIVE: cbor_int(w, -1 - (int64_t)(item->value & INT64_MAX)); break;
    case CBOR_BYTES:
    case CBOR_TEXT: walk_string(item, w); break;
    case CBOR_ARRAY:
    case CBOR_MAP: walk_container(item, w, depth); break;
    case CBOR_BOOL: cbor_bool(w, item->value); break;
    case CBOR_NULL:
    case CBOR_OTHER: cbor_null(w); break;
    case CBOR_BREAK: abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1), *again = malloc(2 * size + 64);
    struct cbor in = {copy, copy + size};
    struct cbor_item item;
    struct cbor_writer w = {.bytes = again, .size = 2 * size + 64};
    memcpy(copy, bytes, size);
    cbor_find(in, "data", &item);
    if (cbor_well_formed(in)) {
        if (!cbor_next(&in, &item))
            abort();
        walk(&item, &w, 0);
        if (w.overflow || !cbor_well_formed((struct cbor){again, again + w.used}))
            abort();
    }
    free(copy);
    free(again);
    return 0;
}
