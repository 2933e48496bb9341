/* SPDX-License-Identifier: MIT */
#include "wire/notation.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 1 << 16 };

#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "notation: %s\n", #condition);                                         \
            abort();                                                                               \
        }                                                                                          \
    while (0)

/* ----- printing ----------------------------------------------------------------------------------- */

static struct {
    char text[MAX];
    size_t length;
} out;

__attribute__((format(printf, 1, 2))) static void print(const char *pattern, ...) {
    va_list arguments;
    va_start(arguments, pattern);
    out.length +=
        (size_t)vsnprintf(out.text + out.length, sizeof(out.text) - out.length, pattern, arguments);
    va_end(arguments);
    CHECK(out.length < sizeof(out.text));
}

static bool is_word(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!isalpha(bytes[i]) && bytes[i] != '_')
            return false;
    return size > 0;
}

static void print_string(const struct cbor_item *item, bool is_key) {
    uint8_t *bytes = malloc(item->value + 1);
    const uint8_t *whole = cbor_whole(item);
    CHECK(cbor_copy_string(item, bytes, item->value));
    CHECK(!item->value || !cbor_copy_string(item, bytes, item->value - 1));
    CHECK(whole ? memcmp(whole, bytes, item->value) == 0 : item->indefinite);
    if (item->kind == CBOR_TEXT) {
        const char *quote = is_key && is_word(bytes, item->value) ? "" : "'";
        print("%s%.*s%s", quote, (int)item->value, (char *)bytes, quote);
    } else {
        print("h'");
        for (uint64_t i = 0; i < item->value; i++)
            print("%02x", bytes[i]);
        print("'");
    }
    free(bytes);
}

static void print_item(const struct cbor_item *item, bool is_key) {
    bool map = item->kind == CBOR_MAP;
    struct cbor in = item->body;
    struct cbor_item element;
    uint64_t left = item->value << map;
    switch (item->kind) {
    case CBOR_UINT: print("%llu", (unsigned long long)item->value); break;
    case CBOR_NEGATIVE:
        if (item->value < INT64_MAX)
            print("%lld", -1 - (long long)item->value);
        else
            print("-1-%llu", (unsigned long long)item->value);
        break;
    case CBOR_BOOL: print(item->value ? "true" : "false"); break;
    case CBOR_NULL: print("null"); break;
    case CBOR_OTHER: print("other"); break;
    case CBOR_BREAK: print("break"); break;
    case CBOR_BYTES:
    case CBOR_TEXT: print_string(item, is_key); break;
    case CBOR_ARRAY:
    case CBOR_MAP:
        print(map ? "{" : "[");
        for (unsigned i = 0; cbor_element(item, &in, &left, &element); i++) {
            print("%s", i == 0 ? "" : map && i % 2 ? ": " : ", ");
            print_item(&element, map && i % 2 == 0);
        }
        print(map ? "}" : "]");
    }
}

const char *notation_print(struct cbor in) {
    struct cbor_item item;
    out.length = 0;
    CHECK(cbor_well_formed(in));
    CHECK(cbor_next(&in, &item));
    print_item(&item, false);
    return out.text;
}

/* ----- parsing ------------------------------------------------------------------------------------ */

static void blanks(const char **at) {
    while (**at == ' ')
        ++*at;
}

static bool take(const char **at, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*at, word, length))
        return false;
    *at += length;
    return true;
}

static void parse_bytes(const char **at, struct cbor_writer *w) {
    uint8_t bytes[4096];
    size_t size = 0;
    while (**at != '\'') {
        unsigned byte;
        CHECK(sscanf(*at, "%2x", &byte) == 1 && size < sizeof(bytes));
        bytes[size++] = (uint8_t)byte;
        *at += 2;
    }
    ++*at;
    cbor_bytes(w, bytes, size);
}

static void parse_word(const char **at, struct cbor_writer *w, const char *end) {
    cbor_text_of(w, *at, (size_t)(end - *at));
    *at = end;
}

static void parse_item(const char **at, struct cbor_writer *w);

static void parse_items(const char **at, struct cbor_writer *w, bool map) {
    (map ? cbor_begin_map : cbor_begin_array)(w);
    for (blanks(at); !take(at, map ? "}" : "]"); blanks(at)) {
        parse_item(at, w);
        blanks(at);
        if (map) {
            CHECK(take(at, ":"));
            parse_item(at, w);
            blanks(at);
        }
        if (**at != '}' && **at != ']')
            CHECK(take(at, ","));
    }
    cbor_end(w);
}

static void parse_item(const char **at, struct cbor_writer *w) {
    blanks(at);
    const char *end = *at;
    while (isalnum((unsigned char)*end) || *end == '_')
        end++;
    if (take(at, "{")) {
        parse_items(at, w, true);
    } else if (take(at, "[")) {
        parse_items(at, w, false);
    } else if (take(at, "h'")) {
        parse_bytes(at, w);
    } else if (take(at, "'")) {
        parse_word(at, w, strchr(*at, '\''));
        ++*at;
    } else if (take(at, "true") || take(at, "false")) {
        cbor_bool(w, end[-2] == 'u');
    } else if (take(at, "null")) {
        cbor_null(w);
    } else if (isdigit((unsigned char)**at) || **at == '-') {
        char *behind;
        if (**at == '-')
            cbor_int(w, strtoll(*at, &behind, 0));
        else
            cbor_uint(w, strtoull(*at, &behind, 0));
        *at = behind;
    } else {
        CHECK(end > *at);
        parse_word(at, w, end);
    }
}

size_t notation_parse(const char *text, uint8_t *bytes, size_t size) {
    struct cbor_writer w = {.bytes = bytes, .size = size};
    parse_item(&text, &w);
    CHECK(*text == 0 && !w.overflow);
    return w.used;
}
