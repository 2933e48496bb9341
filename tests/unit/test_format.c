/* SPDX-License-Identifier: MIT */
/* Formatting: a table of what is promised, then random formats against the C library's snprintf(). */
#include "bpf/format.h"
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Strings of the "guest": address 0x100 and up. */
static const char strings[] = "hello\0\0long string of many letters";
#define HELLO 0x100u
#define EMPTY 0x106u
#define LONG 0x107u

static int read_string(void *user, uint32_t addr) {
    (void)user;
    return addr >= 0x100 && addr - 0x100 < sizeof(strings) ? strings[addr - 0x100] : -1;
}

/* Formats into memory of exactly `size` bytes. */
static int32_t format(char **out, uint32_t size, const char *fmt, const uint64_t *args,
                      uint32_t nargs) {
    *out = malloc(size ? size : 1);
    memset(*out, '#', size ? size : 1);
    return bpf_format(*out, size, fmt, (uint32_t)strlen(fmt), args, nargs, read_string, NULL);
}

#define A(...)                                                                                     \
    { __VA_ARGS__ }

Test(format, promises) {
    static const struct {
        const char *fmt;
        uint64_t args[3];
        const char *expected;
    } cases[] = {
        {"plain", A(0), "plain"},
        {"%%", A(0), "%"},
        {"%d", A(0xffffffff), "-1"},
        {"%d", A(0x80000000), "-2147483648"},
        {"%i|%d", A(0x100000007, 0), "7|0"},
        {"%ld", A(UINT64_MAX), "-1"},
        {"%lld", A(UINT64_C(1) << 63), "-9223372036854775808"},
        {"%u", A(UINT64_MAX), "4294967295"},
        {"%lu", A(UINT64_MAX), "18446744073709551615"},
        {"%llu", A(10000000000000000000u), "10000000000000000000"},
        {"%x %X", A(0xabcdef01deadbeef, 0xbeef), "deadbeef BEEF"},
        {"%lx", A(0xabcdef01deadbeef), "abcdef01deadbeef"},
        {"%hx %hhx", A(0x12345, 0x12345), "2345 45"},
        {"%hd %hhd", A(0x8000, 0xff), "-32768 -1"},
        {"%p", A(0x20010000), "0x20010000"},
        {"%p", A(0), "0x00000000"},
        {"%c%c", A('o', 0x16b), "ok"},
        {"[%s][%s]", A(HELLO, EMPTY), "[hello][]"},
        {"[%8s][%-8s]", A(HELLO, HELLO), "[   hello][hello   ]"},
        {"[%5d][%-5d][%05d]", A(42, 42, 0xffffffd6), "[   42][42   ][-0042]"},
        {"[%3x]", A(0x12345), "[12345]"},
        {"[%-05d]", A(7), "[7    ]"},
        {"[%4c]", A('x'), "[   x]"},
        {"%s", A(LONG), "long string of many letters"},
        {"%s", A(0xdead), ""}, /* cannot be read */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *out;
        int32_t length = format(&out, 100, cases[i].fmt, cases[i].args, 3);
        cr_expect_str_eq(out, cases[i].expected, "%s: %s", cases[i].fmt, out);
        cr_expect_eq(length, (int32_t)strlen(cases[i].expected), "%s", cases[i].fmt);
        free(out);
    }
}

Test(format, what_is_wrong_ends_the_text) {
    static const char *const wrong[] = {"ab%q", "ab%", "ab%l", "ab%5", "ab%f", "ab%n", "ab%.3d"};
    const uint64_t args[3] = {1, 2, 3};
    char *out;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(format(&out, 20, wrong[i], args, 3), -BPF_EINVAL, "%s", wrong[i]);
        cr_expect_str_eq(out, "ab");
        free(out);
    }
    cr_expect_eq(format(&out, 20, "%d %d %d %d", args, 3), -BPF_EINVAL, "an argument too few");
    cr_expect_str_eq(out, "1 2 3 ");
    free(out);
}

/* What does not fit is counted, not written; the format may end without a NUL. */
Test(format, bounds) {
    const uint64_t args[1] = {HELLO};
    for (uint32_t size = 0; size < 12; size++) {
        char *out;
        cr_expect_eq(format(&out, size, "<%s>%3s", args, 1), -BPF_EINVAL);
        free(out);
        cr_expect_eq(format(&out, size, "<%7s>", args, 1), 9);
        cr_expect_eq(strncmp(out, "<  hello>", size ? size - 1 : 0), 0);
        cr_expect_eq(out[size ? size - 1 : 0], size == 0 ? '#' : size <= 9 ? '\0' : out[size - 1]);
        if (size)
            cr_expect_eq(strlen(out), size - 1 < 9 ? size - 1 : 9);
        free(out);
    }
    char *fmt = malloc(4), out[10];
    memcpy(fmt, "ab%d", 4);
    cr_expect_eq(bpf_format(out, 10, fmt, 4, args, 1, read_string, NULL), 5);
    cr_expect_str_eq(out, "ab256");
    cr_expect_eq(bpf_format(out, 10, fmt, 3, args, 1, read_string, NULL), -BPF_EINVAL);
    cr_expect_eq(bpf_format(out, 10, fmt, 2, args, 1, read_string, NULL), 2);
    free(fmt);
}

Test(format, numbers_like_the_c_library) {
    static const char *const flags[] = {"", "0", "-", "-0"};
    static const char letters[] = "diuxX";
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 60000; i++) {
        char fmt[32], expected[200], out[200];
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        uint64_t value = i % 7 ? x >> (x & 63) : 0 - (x >> (x & 63));
        int width = i % 3 ? (int)(x >> 40 & 31) : 0, wide = i & 1;
        char letter = letters[x >> 20 & 3 ? i % 5 : 0], number[8] = "";
        if (width)
            snprintf(number, sizeof(number), "%d", width);
        snprintf(fmt, sizeof(fmt), "<%%%s%s%s%c>", flags[i % 4], number, wide ? "ll" : "", letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int length = wide ? snprintf(expected, sizeof(expected), fmt, (long long)value)
                          : snprintf(expected, sizeof(expected), fmt, (int)value);
#pragma GCC diagnostic pop
        cr_assert_eq(
            bpf_format(out, sizeof(out), fmt, (uint32_t)strlen(fmt), &value, 1, read_string, NULL),
            length);
        cr_assert_str_eq(out, expected, "%s of %#" PRIx64 ": %s, expected %s", fmt, value, out,
                         expected);
    }
}
