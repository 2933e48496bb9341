/* SPDX-License-Identifier: MIT */
/*
 * 64-bit division for a machine that has UDIV of 32 bits: eBPF's results, x / 0 = 0 and x % 0 = x,
 * INT_MIN / -1 = INT_MIN. No bit loops: a divisor of 16 bits takes one UDIV for each digit in base 2^16,
 * one of 32 bits the same with a normalised divisor (Knuth, volume 2, 4.3.1, algorithm D), one of two
 * words an estimate that is off by at most one. All of it is one inline function, so that quotient and
 * remainder each are a leaf that computes nothing but what it returns.
 */
#include "div64.h"

#define INLINE static inline __attribute__((always_inline))

struct division {
    uint64_t quotient, rest;
};

/* One digit: (*r, next) / d in base 2^16 for a normalised d (top bit set), *r < d. The guess by the
 * divisor's high half is too large by at most two. */
INLINE uint32_t digit(uint32_t *r, uint32_t next, uint32_t d) {
    uint32_t guess = *r / (d >> 16), product = guess * (d & 0xffff);
    uint32_t rest = (*r - guess * (d >> 16)) << 16 | next;
    if (rest < product) {
        guess--;
        rest += d;
        if (rest >= d && rest < product) { /* no carry: still too large */
            guess--;
            rest += d;
        }
    }
    *r = rest - product;
    return guess;
}

/* Low word of the quotient of (hi, lo) by a normalised d, hi < d. */
INLINE uint32_t digits(uint32_t hi, uint32_t lo, uint32_t d, uint32_t *rest) {
    *rest = hi;
    uint32_t high = digit(rest, lo >> 16, d);
    return high << 16 | digit(rest, lo & 0xffff, d);
}

/* The same for d < 2^16, which needs no guess. */
INLINE uint32_t digits_short(uint32_t hi, uint32_t lo, uint32_t d, uint32_t *rest) {
    uint32_t n = hi << 16 | lo >> 16, high = n / d;
    n = (n - high * d) << 16 | (lo & 0xffff);
    uint32_t low = n / d;
    *rest = n - low * d;
    return high << 16 | low;
}

INLINE struct division by_word(uint64_t n, uint32_t d) {
    uint32_t hi = (uint32_t)(n >> 32), lo = (uint32_t)n, high = 0, low, rest;
    if (hi >= d) {
        high = hi / d;
        hi -= high * d;
    }
    if (hi == 0) {
        low = lo / d;
        rest = lo - low * d;
    } else if (d >> 16 == 0) {
        low = digits_short(hi, lo, d, &rest);
    } else {
        unsigned shift = (unsigned)__builtin_clz(d);
        uint64_t left = ((uint64_t)hi << 32 | lo) << shift;
        low = digits((uint32_t)(left >> 32), (uint32_t)left, d << shift, &rest);
        rest >>= shift;
    }
    return (struct division){(uint64_t)high << 32 | low, rest};
}

/* d >= 2^32, n >= d: the quotient has one word. Half of n by the divisor's top word is an estimate. */
INLINE struct division by_pair(uint64_t n, uint64_t d) {
    unsigned shift = (unsigned)__builtin_clz((uint32_t)(d >> 32));
    uint64_t half = n >> 1; /* so that its high word is below the normalised top */
    uint32_t rest;
    uint32_t q =
        digits((uint32_t)(half >> 32), (uint32_t)half, (uint32_t)(d << shift >> 32), &rest);
    q = q >> (31 - shift);
    if (q)
        q--;
    n -= q * d;
    if (n >= d) {
        n -= d;
        q++;
    }
    return (struct division){q, n};
}

INLINE struct division divide(uint64_t n, uint64_t d) {
    if (d >> 32 == 0)
        return d ? by_word(n, (uint32_t)d) : (struct division){0, n};
    return n < d ? (struct division){0, n} : by_pair(n, d);
}

uint64_t bpf_udivmod64(uint64_t n, uint64_t d, uint64_t *rest) {
    struct division result = divide(n, d);
    *rest = result.rest;
    return result.quotient;
}

uint64_t bpf_h_udiv64(uint64_t n, uint64_t d) {
    return divide(n, d).quotient;
}

uint64_t bpf_h_umod64(uint64_t n, uint64_t d) {
    return divide(n, d).rest;
}

static uint64_t magnitude(uint64_t n) {
    return n >> 63 ? 0 - n : n;
}

uint64_t bpf_h_sdiv64(uint64_t n, uint64_t d) {
    uint64_t q = bpf_h_udiv64(magnitude(n), magnitude(d));
    return (n ^ d) >> 63 ? 0 - q : q;
}

uint64_t bpf_h_smod64(uint64_t n, uint64_t d) {
    uint64_t rest = bpf_h_umod64(magnitude(n), magnitude(d));
    return n >> 63 ? 0 - rest : rest;
}
