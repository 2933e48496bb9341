/* SPDX-License-Identifier: MIT */
/* Reading CBOR: RFC 8949, 3. Nothing here looks behind `end`, whatever the bytes are. */
#include "bpf/cbor.h"

#include <string.h>

/* The major types and the values of additional information that have a meaning of their own. */
enum {
    MAJOR_UINT,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE
};
enum { INFO_BYTE = 24, INFO_EIGHT = 27, INFO_INDEFINITE = 31, INFO_SIMPLE_MIN = 32 };
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE, SIMPLE_NULL };

struct head {
    unsigned major, info;
    uint64_t value;
};

static size_t left(struct cbor in) {
    return (size_t)(in.end - in.at);
}

/* The first byte of an item and the number that it says follows. */
static bool take_head(struct cbor *in, struct head *head) {
    if (left(*in) == 0)
        return false;
    head->major = *in->at >> 5;
    head->info = *in->at & 31;
    head->value = head->info;
    in->at++;
    if (head->info < INFO_BYTE || head->info == INFO_INDEFINITE)
        return true;
    if (head->info > INFO_EIGHT) /* reserved */
        return false;
    size_t size = (size_t)1 << (head->info - INFO_BYTE);
    if (size > left(*in))
        return false;
    head->value = 0;
    for (size_t i = 0; i < size; i++)
        head->value = head->value << 8 | *in->at++;
    return true;
}

/* Of a string that is in chunks: over them and their break (3.2.3). */
static bool take_chunks(struct cbor *in, unsigned major, struct cbor_item *out) {
    struct head head;

    out->value = 0;
    for (;;) {
        if (!take_head(in, &head))
            return false;
        if (head.major == MAJOR_SIMPLE && head.info == INFO_INDEFINITE)
            return true;
        if (head.major != major || head.info == INFO_INDEFINITE || head.value > left(*in))
            return false;
        in->at += head.value;
        out->value += head.value;
    }
}

static bool take_string(struct cbor *in, const struct head *head, struct cbor_item *out) {
    out->kind = head->major == MAJOR_BYTES ? CBOR_BYTES : CBOR_TEXT;
    out->body.at = in->at;
    if (out->indefinite) {
        if (!take_chunks(in, head->major, out))
            return false;
    } else {
        if (head->value > left(*in))
            return false;
        in->at += head->value;
    }
    out->body.end = in->at;
    return true;
}

/* What follows is only looked at later, but there has to be a byte for each item. */
static bool take_container(struct cbor *in, const struct head *head, struct cbor_item *out) {
    out->kind = head->major == MAJOR_ARRAY ? CBOR_ARRAY : CBOR_MAP;
    out->body = *in;
    if (out->indefinite) {
        out->value = 0;
        return true;
    }
    return head->value <= left(*in) / (out->kind == CBOR_MAP ? 2 : 1);
}

static bool take_simple(const struct head *head, struct cbor_item *out) {
    out->kind = CBOR_OTHER;
    out->value = 0;
    if (head->info == INFO_INDEFINITE) {
        out->kind = CBOR_BREAK;
        out->indefinite = false;
    } else if (head->info == INFO_BYTE) {
        return head->value >= INFO_SIMPLE_MIN; /* 3.3: smaller ones have one byte */
    } else if (head->info == SIMPLE_FALSE || head->info == SIMPLE_TRUE) {
        out->kind = CBOR_BOOL;
        out->value = head->info == SIMPLE_TRUE;
    } else if (head->info == SIMPLE_NULL) {
        out->kind = CBOR_NULL;
    }
    return true;
}

/* As cbor_next(), but *in may have moved when it fails. */
static bool take_item(struct cbor *in, struct cbor_item *out) {
    struct head head;

    do {
        if (!take_head(in, &head))
            return false;
    } while (head.major == MAJOR_TAG && head.info != INFO_INDEFINITE);
    *out = (struct cbor_item){.indefinite = head.info == INFO_INDEFINITE, .value = head.value};
    switch (head.major) {
    case MAJOR_UINT:
    case MAJOR_NEGATIVE:
        out->kind = head.major == MAJOR_UINT ? CBOR_UINT : CBOR_NEGATIVE;
        return !out->indefinite;
    case MAJOR_BYTES:
    case MAJOR_TEXT: return take_string(in, &head, out);
    case MAJOR_ARRAY:
    case MAJOR_MAP: return take_container(in, &head, out);
    case MAJOR_SIMPLE: return take_simple(&head, out);
    default: return false; /* a tag of indefinite length */
    }
}

bool cbor_next(struct cbor *in, struct cbor_item *out) {
    struct cbor at = *in;

    if (!take_item(&at, out))
        return false;
    *in = at;
    return true;
}

/* A break has no tag, and stands only where cbor_skip() expects one. */
static bool is_break(struct cbor in) {
    return left(in) && *in.at == (MAJOR_SIMPLE << 5 | INFO_INDEFINITE);
}

/* What is open inside of the item that is skipped. */
struct level {
    bool indefinite, is_map, odd; /* odd: a key is there, its value is not */
    uint64_t items;               /* that are still to come, of a definite one */
};

static bool level_ends(struct level *level, struct cbor *in) {
    if (!level->indefinite)
        return level->items == 0;
    if (!is_break(*in) || (level->is_map && level->odd))
        return false;
    in->at++;
    return true;
}

bool cbor_skip(struct cbor *in) {
    struct level levels[CBOR_DEPTH];
    struct cbor at = *in;
    struct cbor_item item;
    unsigned depth = 0;

    do {
        if (!take_item(&at, &item) || item.kind == CBOR_BREAK)
            return false;
        if (depth) {
            levels[depth - 1].items--;
            levels[depth - 1].odd = !levels[depth - 1].odd;
        }
        if (item.kind == CBOR_ARRAY || item.kind == CBOR_MAP) {
            if (depth == CBOR_DEPTH)
                return false;
            bool is_map = item.kind == CBOR_MAP;
            levels[depth++] =
                (struct level){item.indefinite, is_map, false, item.value << (is_map ? 1 : 0)};
        }
        while (depth && level_ends(&levels[depth - 1], &at))
            depth--;
    } while (depth);
    *in = at;
    return true;
}

bool cbor_well_formed(struct cbor in) {
    return cbor_skip(&in) && left(in) == 0;
}

/* ----- arrays and maps ---------------------------------------------------------------------------- */

bool cbor_element(const struct cbor_item *container, struct cbor *in, uint64_t *items,
                  struct cbor_item *out) {
    struct cbor at = *in;

    if (!container->indefinite && (*items)-- == 0) {
        *items = 0;
        return false;
    }
    if (!take_item(&at, out) || out->kind == CBOR_BREAK)
        return false;
    return cbor_skip(in);
}

bool cbor_find(struct cbor map, const char *key, struct cbor_item *out) {
    struct cbor_item item;

    if (!cbor_next(&map, &item) || item.kind != CBOR_MAP)
        return false;
    struct cbor in = item.body;
    uint64_t items = item.value * 2;
    struct cbor_item name;
    while (cbor_element(&item, &in, &items, &name)) {
        if (!cbor_element(&item, &in, &items, out))
            return false;
        if (cbor_is_text(&name, key))
            return true;
    }
    return false;
}

/* ----- strings ------------------------------------------------------------------------------------ */

static bool is_string(const struct cbor_item *item) {
    return item->kind == CBOR_BYTES || item->kind == CBOR_TEXT;
}

bool cbor_chunk(const struct cbor_item *string, struct cbor *in, struct cbor *out) {
    struct head head;

    if (!is_string(string) || left(*in) == 0)
        return false;
    if (!string->indefinite) {
        *out = *in;
        in->at = in->end;
        return true;
    }
    if (is_break(*in) || !take_head(in, &head) || head.value > left(*in))
        return false;
    *out = (struct cbor){in->at, in->at + head.value};
    in->at = out->end;
    return true;
}

bool cbor_copy_string(const struct cbor_item *string, void *out, size_t size) {
    struct cbor in = string->body, chunk;
    uint8_t *to = out;

    if (!is_string(string) || string->value > size)
        return false;
    while (cbor_chunk(string, &in, &chunk)) {
        memcpy(to, chunk.at, left(chunk));
        to += left(chunk);
    }
    return true;
}

const uint8_t *cbor_whole(const struct cbor_item *string) {
    struct cbor in = string->body, chunk;

    if (!is_string(string))
        return NULL;
    if (!cbor_chunk(string, &in, &chunk)) /* without bytes: any address will do */
        return string->body.end;
    return left(chunk) == string->value ? chunk.at : NULL;
}

bool cbor_is_text(const struct cbor_item *item, const char *text) {
    struct cbor in = item->body, chunk;

    if (item->kind != CBOR_TEXT)
        return false;
    while (cbor_chunk(item, &in, &chunk))
        for (; chunk.at < chunk.end; chunk.at++, text++)
            if (*text == 0 || (uint8_t)*text != *chunk.at)
                return false;
    return *text == 0;
}
