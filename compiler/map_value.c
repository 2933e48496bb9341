/* SPDX-License-Identifier: MIT */
#include "map_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool map_value_unhex(const char *text, struct arena *arena, uint8_t **out, size_t *size) {
    size_t length = strlen(text);

    *size = length / 2;
    *out = arena_alloc(arena, *size + 1);
    for (size_t i = 0; i < *size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        (*out)[i] = (uint8_t)(high << 4 | low);
    }
    return length % 2 == 0;
}

const char *map_value_hex(const uint8_t *bytes, size_t size, struct arena *arena) {
    char *text = arena_alloc(arena, 2 * size + 1);

    for (size_t i = 0; i < size; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    return text;
}

static const char *parse_hex(const char *text, uint8_t *out, size_t size, struct arena *arena) {
    uint8_t *bytes;
    size_t count;

    if (!map_value_unhex(text, arena, &bytes, &count))
        return "is not pairs of hex digits";
    if (count != size)
        return arena_printf(arena, "has %zu bytes, not %zu", count, size);
    memcpy(out, bytes, size);
    return NULL;
}

/* One number into `size` bytes. It may be meant as signed or not: both ranges fit. */
static const char *parse_number(const char *text, size_t length, uint8_t *out, size_t size,
                                struct arena *arena) {
    char *copy = arena_printf(arena, "%.*s", (int)length, text), *end;
    bool negative = copy[0] == '-';
    const char *digits = copy + negative;

    errno = 0;
    uint64_t value = strtoull(digits, &end, 0);
    if (!isdigit((unsigned char)digits[0]) || *end)
        return arena_printf(arena, "has %s, which is no number", copy);
    uint64_t most = size >= 8 ? UINT64_MAX : ((uint64_t)1 << 8 * size) - 1;
    if (errno || value > (negative ? most / 2 + 1 : most))
        return arena_printf(arena, "has %s, which does not fit into %zu byte%s", copy, size,
                            size == 1 ? "" : "s");
    value = negative ? 0 - value : value;
    for (size_t i = 0; i < size; i++)
        out[i] = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
    return NULL;
}

const char *map_value_parse(const char *text, uint8_t *out, size_t size, struct arena *arena) {
    size_t count = 1;

    if (strncmp(text, "hex:", 4) == 0)
        return parse_hex(text + 4, out, size, arena);
    for (const char *p = text; *p; p++)
        count += *p == ',';
    size_t each = size / count;
    if (count > 1 && (each * count != size || (each != 1 && each != 2 && each != 4 && each != 8)))
        return arena_printf(arena, "has %zu numbers for %zu bytes: each takes 1, 2, 4 or 8", count,
                            size);
    if (count == 1 && size > 8)
        return arena_printf(arena,
                            "has one number for %zu bytes: write %zu with commas, or hex:...", size,
                            (size + 3) / 4);
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(text, ",");
        const char *error = parse_number(text, length, out + i * each, each, arena);
        if (error)
            return error;
        text += length + 1;
    }
    return NULL;
}

static const struct prog_field *find_field(const char *name, size_t length,
                                           const struct prog_fields *fields) {
    for (uint32_t i = 0; i < fields->count; i++)
        if (strlen(fields->items[i].name) == length &&
            memcmp(fields->items[i].name, name, length) == 0)
            return &fields->items[i];
    return NULL;
}

const char *map_value_assign(const char *text, uint8_t *bytes, const struct prog_fields *fields,
                             struct arena *arena) {
    for (bool more = true; more; more = *text++ == ',') {
        size_t length = strcspn(text, ","), name = strcspn(text, "=,");
        const struct prog_field *f = find_field(text, name, fields);
        const char *names = "";
        for (uint32_t i = 0; !f && i < fields->count; i++)
            names = arena_printf(arena, "%s%s%s", names, i ? ", " : "", fields->items[i].name);
        if (!f)
            return arena_printf(arena, "has no %.*s, but %s", (int)name, text, names);
        if (name == length)
            return arena_printf(arena, "has no number for %s", f->name);
        const char *error =
            parse_number(text + name + 1, length - name - 1, bytes + f->offset, f->size, arena);
        if (error)
            return error;
        text += length;
    }
    return NULL;
}

const char *map_value_named(const uint8_t *bytes, const struct prog_fields *fields,
                            struct arena *arena) {
    const char *text = "";

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct prog_field *f = &fields->items[i];
        int64_t number = map_value_number(bytes + f->offset, f->size, f->is_signed);
        const char *digits = arena_printf(arena, f->is_signed ? "%" PRId64 : "%" PRIu64, number);
        text = arena_printf(arena, "%s%s%s%s%s", text, i ? "," : "", f->name, *f->name ? "=" : "",
                            digits);
    }
    return text;
}

int64_t map_value_number(const uint8_t *bytes, size_t size, bool is_signed) {
    uint64_t value = 0;

    for (size_t i = 0; i < size && i < 8; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    if (is_signed && size > 0 && size < 8 && bytes[size - 1] & 0x80)
        value |= UINT64_MAX << 8 * size;
    return (int64_t)value;
}

const char *map_value_print(const uint8_t *bytes, size_t size, struct arena *arena) {
    size_t each = size <= 8 && (size == 1 || size == 2 || size == 4 || size == 8) ? size
                  : size > 0 && size % 4 == 0 && size <= 32                       ? 4
                                                                                  : 0;
    const char *text = "";

    if (!each)
        return arena_printf(arena, "hex:%s", map_value_hex(bytes, size, arena));
    for (size_t i = 0; i < size; i += each)
        text = arena_printf(arena, "%s%s%" PRId64, text, i ? "," : "",
                            map_value_number(bytes + i, each, true));
    return text;
}
