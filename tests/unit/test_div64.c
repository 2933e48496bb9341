/* SPDX-License-Identifier: MIT */
/* 64-bit division against the host's own, with eBPF's results for a divisor of 0 (RFC 9669 4.1). */
#include "runtime/div64.h"

#include <criterion/criterion.h>

static void agrees(uint64_t n, uint64_t d) {
    int64_t sn = (int64_t)n, sd = (int64_t)d;
    uint64_t rest, minus = 0 - n;
    bool overflows = sn == INT64_MIN && sd == -1;
    uint64_t q = d ? n / d : 0, r = d ? n % d : n;
    uint64_t sq = !d ? 0 : overflows ? minus : (uint64_t)(sn / sd);
    uint64_t sr = !d ? n : overflows ? 0 : (uint64_t)(sn % sd);
    cr_assert_eq(bpf_udivmod64(n, d, &rest), q, "%#lx / %#lx", n, d);
    cr_assert_eq(rest, r, "%#lx %% %#lx", n, d);
    cr_assert_eq(bpf_h_udiv64(n, d), q);
    cr_assert_eq(bpf_h_umod64(n, d), r);
    cr_assert_eq(bpf_h_sdiv64(n, d), sq, "%#lx s/ %#lx", n, d);
    cr_assert_eq(bpf_h_smod64(n, d), sr, "%#lx s%% %#lx", n, d);
}

/* Powers of two and their neighbours of both signs: all pairs. */
Test(div64, corners) {
    uint64_t corners[64 * 6 + 1];
    size_t count = 0;
    corners[count++] = 0;
    for (unsigned bit = 0; bit < 64; bit++)
        for (uint64_t near = 0; near < 3; near++) {
            corners[count++] = (UINT64_C(1) << bit) + near - 1;
            corners[count++] = 0 - ((UINT64_C(1) << bit) + near - 1);
        }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            agrees(corners[i], corners[k]);
}

/* Random numbers of random lengths, and quotients that are just reached or just missed. */
Test(div64, random_operands) {
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 500000; i++) {
        uint64_t v[2];
        for (int k = 0; k < 2; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            v[k] = x >> (x >> 3 & 63);
        }
        agrees(v[0], v[1]);
        agrees(v[0] * v[1], v[1]);
        agrees(v[0] * v[1] - 1, v[1]);
    }
}
