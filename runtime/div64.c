/* SPDX-License-Identifier: MIT */
/*
 * 64-bit division for a machine that has UDIV of 32 bits: eBPF's results, x / 0 = 0 and x % 0 = x,
 * INT_MIN / -1 = INT_MIN. No bit loops: a divisor of one word takes two or three UDIV steps of 16
 * bits each, a divisor of two words one estimate that is off by at most one (Knuth, volume 2, 4.3.1, in
 * base 2^32 with the divisor normalised).
 */
#include "div64.h"

/* High word of the quotient of (hi, lo) by a normalised d (top bit set), hi < d: two steps in base
 * 2^16. */
static uint32_t div_step(uint32_t hi, uint32_t lo, uint32_t d, uint32_t *rest) {
    uint32_t d1 = d >> 16, d0 = d & 0xffff;
    uint32_t q[2], r = hi;
    for (int i = 0; i < 2; i++) {
        uint32_t next = i ? lo & 0xffff : lo >> 16;
        uint32_t guess = r / d1, part = r - guess * d1;
        while (guess * d0 > (part << 16 | next)) {
            guess--;
            part += d1;
            if (part >> 16)
                break;
        }
        r = (r << 16 | next) - guess * d;
        q[i] = guess;
    }
    *rest = r;
    return q[0] << 16 | q[1];
}

static uint64_t div_by_word(uint64_t n, uint32_t d, uint64_t *rest) {
    uint32_t hi = (uint32_t)(n >> 32), lo = (uint32_t)n, r;
    uint32_t qh = hi / d;
    hi -= qh * d;
    if (hi == 0) {
        uint32_t ql = lo / d;
        *rest = lo - ql * d;
        return (uint64_t)qh << 32 | ql;
    }
    unsigned shift = (unsigned)__builtin_clz(d);
    uint32_t top = shift ? hi << shift | lo >> (32 - shift) : hi;
    uint32_t ql = div_step(top, lo << shift, d << shift, &r);
    *rest = r >> shift;
    return (uint64_t)qh << 32 | ql;
}

/* d >= 2^32: the quotient has one word. Estimate with the top words, correct by at most one. */
static uint64_t div_by_pair(uint64_t n, uint64_t d, uint64_t *rest) {
    unsigned shift = (unsigned)__builtin_clz((uint32_t)(d >> 32));
    uint32_t top = (uint32_t)(d << shift >> 32), r;
    uint64_t half = n >> 1; /* so that its high word is below the normalised top */
    uint64_t q = div_step((uint32_t)(half >> 32), (uint32_t)half, top, &r);
    q = q << shift >> 31;
    if (q)
        q--;
    n -= q * d;
    if (n >= d) {
        n -= d;
        q++;
    }
    *rest = n;
    return q;
}

uint64_t bpf_udivmod64(uint64_t n, uint64_t d, uint64_t *rest) {
    if (n < d || d == 0) {
        *rest = n;
        return 0;
    }
    if (n >> 32 == 0) {
        uint32_t q = (uint32_t)n / (uint32_t)d;
        *rest = (uint32_t)n - q * (uint32_t)d;
        return q;
    }
    return d >> 32 ? div_by_pair(n, d, rest) : div_by_word(n, (uint32_t)d, rest);
}

static uint64_t magnitude(uint64_t n) {
    return n >> 63 ? 0 - n : n;
}

uint64_t bpf_h_udiv64(uint64_t n, uint64_t d) {
    uint64_t rest;
    return bpf_udivmod64(n, d, &rest);
}

uint64_t bpf_h_umod64(uint64_t n, uint64_t d) {
    uint64_t rest;
    bpf_udivmod64(n, d, &rest);
    return rest;
}

uint64_t bpf_h_sdiv64(uint64_t n, uint64_t d) {
    uint64_t rest, q = bpf_udivmod64(magnitude(n), magnitude(d), &rest);
    return (n ^ d) >> 63 ? 0 - q : q;
}

uint64_t bpf_h_smod64(uint64_t n, uint64_t d) {
    uint64_t rest;
    bpf_udivmod64(magnitude(n), magnitude(d), &rest);
    return n >> 63 ? 0 - rest : rest;
}
