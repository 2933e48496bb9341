/* SPDX-License-Identifier: MIT */
/* Formatting: see bpf/format.h. */
#include "bpf/format.h"

#include "bpf/map.h"

#include <stdbool.h>
#include <string.h>

struct text {
    char *out;
    uint32_t size, length; /* room; characters so far, whether they fit or not */
};

struct conversion {
    bool left, zero, upper;
    uint32_t width;
    uint8_t bits; /* of the argument */
};

static void put(struct text *t, char c) {
    if (t->length + 1 < t->size)
        t->out[t->length] = c;
    t->length++;
}

static void pad(struct text *t, char c, uint32_t count) {
    while (count--)
        put(t, c);
}

/* A sign and digits with padding: zeros go between the two. */
static void put_padded(struct text *t, const struct conversion *c, const char *sign,
                       const char *digits, uint32_t length) {
    uint32_t whole = length + (uint32_t)strlen(sign);
    uint32_t fill = c->width > whole ? c->width - whole : 0;
    if (!c->left && !c->zero)
        pad(t, ' ', fill);
    while (*sign)
        put(t, *sign++);
    if (!c->left && c->zero)
        pad(t, '0', fill);
    for (uint32_t i = 0; i < length; i++)
        put(t, digits[i]);
    if (c->left)
        pad(t, ' ', fill);
}

/* Decimal by pairs of 32-bit divisions, because a 64-bit one is a library call on the board. */
static uint32_t div10(uint64_t *n) {
    uint32_t hi = (uint32_t)(*n >> 32), lo = (uint32_t)*n;
    uint32_t qh = hi / 10, rest = hi % 10;
    uint32_t middle = rest << 16 | lo >> 16;
    uint32_t qm = middle / 10;
    uint32_t low = (middle % 10) << 16 | (lo & 0xffff);
    *n = (uint64_t)qh << 32 | ((uint64_t)qm << 16) | low / 10;
    return low % 10;
}

static void put_number(struct text *t, const struct conversion *c, const char *sign, uint64_t n,
                       bool hex) {
    char digits[20];
    uint32_t at = sizeof(digits);
    do {
        uint32_t digit = hex ? (uint32_t)n & 15 : div10(&n);
        if (hex)
            n >>= 4;
        digits[--at] = (char)(digit < 10 ? '0' + digit : (c->upper ? 'A' : 'a') + digit - 10);
    } while (n);
    put_padded(t, c, sign, digits + at, (uint32_t)sizeof(digits) - at);
}

static void put_string(struct text *t, const struct conversion *c, uint32_t addr,
                       bpf_format_read *read, void *user) {
    uint32_t length = 0;
    while (length < 512 && read(user, addr + length) > 0)
        length++;
    uint32_t fill = c->width > length ? c->width - length : 0;
    if (!c->left)
        pad(t, ' ', fill);
    for (uint32_t i = 0; i < length; i++)
        put(t, (char)read(user, addr + i));
    if (c->left)
        pad(t, ' ', fill);
}

/* Flags, width and length modifiers; returns where the conversion's letter is. */
static uint32_t parse(struct conversion *c, const char *fmt, uint32_t i, uint32_t end) {
    *c = (struct conversion){.bits = 32};
    for (; i < end && (fmt[i] == '0' || fmt[i] == '-'); i++)
        *(fmt[i] == '0' ? &c->zero : &c->left) = true;
    for (; i < end && fmt[i] >= '0' && fmt[i] <= '9'; i++)
        if (c->width < 100)
            c->width = c->width * 10 + (uint32_t)(fmt[i] - '0');
    for (; i < end && (fmt[i] == 'l' || fmt[i] == 'h'); i++)
        c->bits = fmt[i] == 'l' ? 64 : c->bits / 2; /* long has 64 bits in eBPF */
    return i;
}

static bool convert(struct text *t, struct conversion *c, char letter, uint64_t arg,
                    bpf_format_read *read, void *user) {
    uint64_t mask = c->bits < 8 ? 0xff : c->bits == 64 ? UINT64_MAX : (1ull << c->bits) - 1;
    uint64_t sign = (mask >> 1) + 1;
    bool negative = arg & sign;
    c->upper = letter == 'X';
    switch (letter) {
    case 'c': put_padded(t, c, "", &(char){(char)arg}, 1); return true;
    case 's': put_string(t, c, (uint32_t)arg, read, user); return true;
    case 'd':
    case 'i':
        put_number(t, c, negative ? "-" : "", (negative ? 0 - arg : arg) & mask, false);
        return true;
    case 'u': put_number(t, c, "", arg & mask, false); return true;
    case 'x':
    case 'X': put_number(t, c, "", arg & mask, true); return true;
    case 'p':
        c->zero = true;
        c->width = 10;
        put_number(t, c, "0x", (uint32_t)arg, true);
        return true;
    default: return false;
    }
}

/* LDRD faults where a program's array is not aligned; memcpy() does not. */
static uint64_t argument(const void *args, uint32_t i) {
    uint64_t value;
    memcpy(&value, (const uint8_t *)args + 8 * i, sizeof(value));
    return value;
}

int32_t bpf_format(char *out, uint32_t size, const char *fmt, uint32_t fmt_size, const void *args,
                   uint32_t nargs, bpf_format_read *read, void *user) {
    struct text t = {out, size, 0};
    uint32_t used = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && i < fmt_size && fmt[i]; i++) {
        if (fmt[i] != '%') {
            put(&t, fmt[i]);
            continue;
        }
        struct conversion c;
        i = parse(&c, fmt, i + 1, fmt_size);
        if (i < fmt_size && fmt[i] == '%')
            put(&t, '%');
        else if (i < fmt_size && used < nargs)
            ok = convert(&t, &c, fmt[i], argument(args, used++), read, user);
        else
            ok = false;
    }
    if (size)
        out[t.length < size ? t.length : size - 1] = '\0';
    return ok ? (int32_t)t.length : -BPF_EINVAL;
}
