/* SPDX-License-Identifier: MIT */
/* The firmware's formatted output beside the C library's. */
#include "rtos/print.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char a[64], b[64];                                                                         \
        size_t n = format(a, sizeof(a), __VA_ARGS__);                                              \
        cr_expect_eq(n, (size_t)snprintf(b, sizeof(b), __VA_ARGS__));                              \
        cr_expect_str_eq(a, b, "\"%s\", the library has \"%s\"", a, b);                            \
    } while (0)

Test(print, numbers) {
    static const int64_t values[] = {0,   1,         -1,        9,         10,
                                     -10, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int v = (int)values[i];
        long l = (long)values[i];
        long long ll = values[i];
        SAME("%d|%5d|%-5d|%05d", v, v, v, v);
        SAME("%u|%x|%08x", (unsigned)v, (unsigned)v, (unsigned)v);
        SAME("%ld|%lu|%lx", l, (unsigned long)l, (unsigned long)l);
        SAME("%lld|%llx", ll, (unsigned long long)ll);
        SAME("%22lld|%-22llu|", ll, (unsigned long long)ll);
        SAME("%024lld", ll);
        SAME("%*d|%-*d|", 7, v, 12, v);
        SAME("%*d|%-*d|%0*d|", -7, v, -12, v, -9, v);
    }
}

Test(print, texts) {
    SAME("%s|%5s|%-5s|%2s", "abc", "abc", "abc", "abc");
    SAME("%c|%3c|%%", 'x', 'y');
    SAME("nothing");
    char text[8];
    cr_assert_eq(format(text, sizeof(text), "%s", "much too long"), 13u);
    cr_assert_str_eq(text, "much to");
    cr_assert_eq(format(text, 0, "%d", 12345), 5u);
    const char *volatile none = NULL; /* the compiler would complain */
    cr_assert_eq(format(text, sizeof(text), "%s", none), 6u);
    cr_assert_str_eq(text, "(null)");
}
