/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdint.h>

#include "rtos/print.h"

struct out {
    char *text;
    size_t size, length; /* length goes on counting past size */
};

static void put(struct out *out, char c) {
    if (out->length + 1 < out->size)
        out->text[out->length] = c;
    out->length++;
}

struct spec {
    unsigned width;
    bool zero, left;
    unsigned longs; /* of %lld: 2 */
};

static void put_field(struct out *out, const char *text, size_t length, struct spec spec) {
    size_t pad = spec.width > length ? spec.width - length : 0;
    for (size_t i = 0; i < pad && !spec.left; i++)
        put(out, spec.zero ? '0' : ' ');
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
    for (size_t i = 0; i < pad && spec.left; i++)
        put(out, ' ');
}

static void put_string(struct out *out, const char *text, struct spec spec) {
    size_t length = 0;
    if (!text)
        text = "(null)";
    while (text[length])
        length++;
    spec.zero = false;
    put_field(out, text, length, spec);
}

static void put_number(struct out *out, uint64_t value, unsigned base, bool minus,
                       struct spec spec) {
    char digits[21];
    char *first = digits + sizeof(digits);
    do
        *--first = "0123456789abcdef"[value % base];
    while (value /= base);
    if (minus && spec.zero && spec.width) { /* the sign stands before the zeros */
        put(out, '-');
        spec.width--;
    } else if (minus) {
        *--first = '-';
    }
    put_field(out, first, (size_t)(digits + sizeof(digits) - first), spec);
}

static int64_t take_signed(struct spec spec, va_list *arguments) {
    switch (spec.longs) {
    case 0: return va_arg(*arguments, int);
    case 1: return va_arg(*arguments, long);
    default: return va_arg(*arguments, long long);
    }
}

static uint64_t take_unsigned(struct spec spec, va_list *arguments) {
    switch (spec.longs) {
    case 0: return va_arg(*arguments, unsigned);
    case 1: return va_arg(*arguments, unsigned long);
    default: return va_arg(*arguments, unsigned long long);
    }
}

/* Of `*`: a negative one stands for the flag `-` (C11, 7.21.6.1 p5). Returns the length of the `*`. */
static int take_width(struct spec *spec, va_list *arguments) {
    int width = va_arg(*arguments, int);
    spec->left |= width < 0;
    spec->width = width < 0 ? 0 - (unsigned)width : (unsigned)width;
    return 1;
}

static void put_argument(struct out *out, char kind, struct spec spec, va_list *arguments) {
    char c;
    int64_t value;
    switch (kind) {
    case 's': put_string(out, va_arg(*arguments, const char *), spec); break;
    case 'c':
        c = (char)va_arg(*arguments, int);
        put_field(out, &c, 1, spec);
        break;
    case 'd':
        value = take_signed(spec, arguments);
        put_number(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0, spec);
        break;
    case 'u': put_number(out, take_unsigned(spec, arguments), 10, false, spec); break;
    case 'x': put_number(out, take_unsigned(spec, arguments), 16, false, spec); break;
    default: put(out, kind); break; /* %% */
    }
}

size_t format_list(char *text, size_t size, const char *pattern, va_list list) {
    struct out out = {text, size, 0};
    va_list arguments;
    va_copy(arguments, list);
    for (const char *p = pattern; *p; p++) {
        if (*p != '%') {
            put(&out, *p);
            continue;
        }
        struct spec spec = {0};
        for (p++; *p == '0' || *p == '-'; p++)
            *(*p == '0' ? &spec.zero : &spec.left) = true;
        if (*p == '*')
            p += take_width(&spec, &arguments);
        for (; *p >= '0' && *p <= '9'; p++)
            spec.width = spec.width * 10 + (unsigned)(*p - '0');
        for (; *p == 'l'; p++)
            spec.longs++;
        if (!*p)
            break;
        put_argument(&out, *p, spec, &arguments);
    }
    va_end(arguments);
    if (size)
        text[out.length < size ? out.length : size - 1] = 0;
    return out.length;
}

size_t format(char *text, size_t size, const char *pattern, ...) {
    va_list arguments;
    va_start(arguments, pattern);
    size_t length = format_list(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}
