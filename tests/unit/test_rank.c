/* SPDX-License-Identifier: MIT */
/*
 * Bounds of loops: a table of loops with what has to be proven of them, and random loops that are
 * executed. The latter are asked about with values that were seen in a few runs (and more than these): no
 * bound may be below what a run did, no invariant wrong at any execution of the header.
 */
#include "verifier/rank.h"

#include "tests/unit/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(rank, .init = setup, .fini = teardown);

/* ------------------------------------------------------------------------------------- by hand */

#define NONE UINT64_MAX
#define MAX64 INT64_MAX
#define U32 UINT32_MAX

/* A location's values. */
struct known {
    int16_t where; /* register; negative: 8 bytes there from r10. 0 (r0): end of a list */
    int64_t lo, hi;
    uint32_t object;
    bool is_unsigned; /* lo and hi are */
};

#define N(where, lo, hi)                                                                           \
    { where, lo, hi, 0, false }
#define U(where, lo, hi)                                                                           \
    { where, lo, hi, 0, true }
#define P(where, lo, hi, object)                                                                   \
    { where, lo, hi, object, false }

struct row {
    const char *text;
    struct known in[4]; /* at entry; others are not known */
    struct known at[2]; /* of registers at any slot; where there are some, the query has `at` */
    struct known header[2];
    uint64_t bound;
    struct known inv[3]; /* what follows at the header */
    uint32_t loop;
};

static const struct row *now;

static bool from_list(const struct known *list, size_t n, int where, struct rank_value *out) {
    for (size_t i = 0; i < n && list[i].where; i++) {
        if (list[i].where != where)
            continue;
        out->object = list[i].object;
        out->scalar = list[i].is_unsigned
                          ? scalar_urange((uint64_t)list[i].lo, (uint64_t)list[i].hi)
                          : scalar_srange(list[i].lo, list[i].hi);
        return true;
    }
    return false;
}

static int where_of(struct rank_loc loc) {
    return loc.size ? loc.off : loc.reg;
}

static bool row_entry(void *arg, struct rank_loc loc, struct rank_value *out) {
    (void)arg;
    return from_list(now->in, 4, where_of(loc), out);
}

static bool row_header(void *arg, struct rank_loc loc, struct rank_value *out) {
    (void)arg;
    return from_list(now->header, 2, where_of(loc), out);
}

static bool row_at(void *arg, uint32_t slot, unsigned reg, struct rank_value *out) {
    (void)arg;
    (void)slot;
    return from_list(now->at, 2, (int)reg, out);
}

static const struct row rows[] = {
    /* Up, signed and unsigned, tested first and last. The header is executed once more than the body
     * where the test stands first. */
    {.text = "mov r1, 0\nl:\njge r1, 10, +2\nadd r1, 1\nja l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 11,
     .inv = {N(1, 0, 10)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10,
     .inv = {N(1, 0, 9)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njsle r1, 10, l\nexit",
     .in = {N(1, -5, 0)},
     .bound = 16,
     .inv = {N(1, -5, 10)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njle r1, 10, l\nexit",
     .in = {N(1, 0, 4)},
     .bound = 11,
     .inv = {N(1, 0, 10)}},
    {.text = "mov r1, 0\nl:\nadd r1, 3\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 4,
     .inv = {N(1, 0, 9)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64)},
     .bound = 64,
     .inv = {N(1, 0, 63), N(2, 0, 64)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njgt r2, r1, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64)},
     .bound = 64,
     .inv = {N(1, 0, 63)}},
    {.text = "mov r1, 0\nl:\njge r1, r2, +2\nadd r1, 1\nja l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64)},
     .bound = 65,
     .inv = {N(1, 0, 64)}},
    /* Never again: the first test fails. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt r1, 10, l\nexit",
     .in = {N(1, 20, 30)},
     .bound = 1,
     .inv = {N(1, 20, 30)}},
    /* The limit may be the last number there is: y <= n always holds. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\njle r1, r2, l\nexit",
     .in = {N(1, 0, 0), U(2, 0, -1)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njsle r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, MAX64)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 2\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), U(2, 0, -1)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), U(2, 0, -1)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njslt r1, 10, l\nexit", .in = {U(1, 0, -1)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt r1, 10, l\nexit", .in = {N(1, -1, 0)}, .bound = NONE},
    /* The wrong way; no step; a limit that moves. */
    {.text = "mov r1, 0\nl:\nadd r1, -1\njlt r1, 10, l\nexit", .in = {N(1, 5, 5)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r2, 1\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 0)},
     .bound = NONE,
     .inv = {N(1, 0, 0)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nadd r2, 1\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 5, 9)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nldxdw r2, [r3+0]\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 5, 9)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nldxb r2, [r3+0]\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 255,
     .inv = {N(1, 0, 254)}},
    /* Down. */
    {.text = "mov r1, 0\nl:\nadd r1, -1\njsgt r1, 0, l\nexit",
     .in = {N(1, 5, 100)},
     .bound = 100,
     .inv = {N(1, 1, 100)}},
    {.text = "mov r1, 0\nl:\nsub r1, 1\njsge r1, 0, l\nexit",
     .in = {N(1, 0, 100)},
     .bound = 101,
     .inv = {N(1, 0, 100)}},
    {.text = "mov r1, 0\nl:\nsub r1, 1\njgt r1, 3, l\nexit",
     .in = {N(1, 1, 100)},
     .bound = 97,
     .inv = {N(1, 1, 100)}},
    {.text = "mov r1, 0\nl:\nsub r1, 1\njgt r1, 3, l\nexit", .in = {N(1, 0, 100)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\njle r1, 3, +2\nsub r1, 4\nja l\nexit",
     .in = {N(1, 0, 100)},
     .bound = 26,
     .inv = {N(1, 0, 100)}},
    {.text = "mov r1, 0\nl:\njle r1, 2, +2\nsub r1, 4\nja l\nexit",
     .in = {N(1, 0, 100)},
     .bound = NONE},
    /* != */
    {.text = "mov r1, 0\nl:\nadd r1, 1\njne r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 1, 64)},
     .bound = 64,
     .inv = {N(1, 0, 63)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njne r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\njeq r1, r2, +2\nadd r1, 1\nja l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64)},
     .bound = 65,
     .inv = {N(1, 0, 64)}},
    {.text = "mov r1, 0\nl:\nadd r1, -1\njne r1, 0, l\nexit",
     .in = {N(1, 1, 64)},
     .bound = 64,
     .inv = {N(1, 1, 64)}},
    {.text = "mov r1, 0\nl:\nadd r1, -1\njne r1, 0, l\nexit", .in = {N(1, 0, 64)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njne r1, 64, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 16,
     .inv = {N(1, 0, 60)}},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njne r1, 65, l\nexit", .in = {N(1, 0, 0)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njne r1, 0, l\nexit",
     .in = {N(1, -8, -3)},
     .bound = 8,
     .inv = {N(1, -8, -1)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nldxb r2, [r3+0]\njne r1, r2, l\nexit",
     .in = {N(1, 0, 0)},
     .at = {N(2, 5, 5)},
     .bound = NONE},
    /* The low halves. */
    {.text = "mov r1, 0\nl:\nadd32 r1, 1\njlt32 r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10,
     .inv = {N(1, 0, 9)}},
    {.text = "mov r1, 0\nl:\nadd32 r1, 1\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10,
     .inv = {N(1, 0, 9)}},
    {.text = "mov r1, 0\nl:\njge r1, 10, +2\nadd32 r1, 1\nja l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 11,
     .inv = {N(1, 0, 10)}},
    {.text = "mov r1, 0\nl:\njge r1, r2, +2\nadd32 r1, 1\nja l\nexit",
     .in = {N(1, 0, 0), N(2, 0, U32)},
     .bound = U32 + UINT64_C(1)},
    {.text = "mov r1, 0\nl:\njge r1, r2, +2\nadd32 r1, 1\nja l\nexit",
     .in = {N(1, 0, 0), N(2, 0, U32 + INT64_C(1))},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd32 r1, 1\njsle32 r1, 3, l\nexit",
     .in = {N(1, 0, U32)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd32 r1, 1\njslt32 r1, 3, l\nexit",
     .in = {N(1, 0, U32)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt32 r1, r2, l\nexit",
     .in = {N(1, 0, 7), N(2, 0, 64)},
     .bound = 64,
     .inv = {N(1, 0, 63)}},
    {.text = "mov r1, 0\nl:\nadd32 r1, -1\njne32 r1, 0, l\nexit",
     .in = {N(1, 1, U32)},
     .bound = U32,
     .inv = {N(1, 1, U32)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nmov32 r2, r1\njlt r2, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10,
     .inv = {N(1, 0, 9)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nmov r2, r1\nlsh r2, 32\nrsh r2, 32\njlt r2, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nmov r2, r1\nlsh r2, 32\narsh r2, 32\njslt r2, 10, l\nexit",
     .in = {N(1, -4, 0)},
     .bound = 14,
     .inv = {N(1, -4, 9)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nmovsx3264 r2, r1\njslt r2, 10, l\nexit",
     .in = {N(1, -4, 0)},
     .bound = 14},
    {.text = "mov r1, 0\nl:\nadd r1, 1\nmovsx3264 r2, r1\njlt r2, 10, l\nexit",
     .in = {N(1, -4, 0)},
     .bound = NONE},
    /* Steps that data decide. */
    {.text =
         "mov r1, 0\nl:\nldxb r2, [r3+0]\nand r2, 3\nadd r2, 1\nadd r1, r2\njlt r1, 40, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 40,
     .inv = {N(1, 0, 39)}},
    {.text = "mov r1, 0\nl:\nldxb r2, [r3+0]\nand r2, 3\nadd r1, r2\njlt r1, 40, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nldxb r2, [r3+0]\njeq r2, 0, +2\nadd r1, r2\njlt r1, 40, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 40,
     .inv = {N(1, 0, 39)}},
    {.text = "mov r1, 0\nl:\njgt r1, 39, +6\nldxb r2, [r3+0]\njne r2, 5, +2\nadd r1, 2\nja l\nadd "
             "r1, 5\nja l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 21,
     .inv = {N(1, 0, 44)}},
    {.text = "mov r1, 0\nl:\nadd r1, r4\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64), N(4, 2, 8)},
     .bound = 32,
     .inv = {N(1, 0, 63), N(4, 2, 8)}},
    {.text = "mov r1, 0\nl:\nadd r1, r4\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 64), N(4, 0, 8)},
     .bound = NONE},
    /* Division by subtraction: while x >= y, x -= y. */
    {.text = "mov r1, 0\nl:\njlt r1, r2, +2\nsub r1, r2\nja l\nexit",
     .in = {N(1, 0, 1000), N(2, 1, 9)},
     .bound = 1001,
     .inv = {N(1, 0, 1000)}},
    {.text = "mov r1, 0\nl:\njlt r1, r2, +2\nsub r1, r2\nja l\nexit",
     .in = {N(1, 0, 1000), N(2, 0, 9)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\njlt32 r1, r2, +2\nsub32 r1, r2\nja l\nexit",
     .in = {N(1, 0, 1000), N(2, 4, 9)},
     .bound = 251,
     .inv = {N(1, 0, 1000)}},
    /* Quotients and bits. */
    {.text = "mov r1, 0\nl:\nrsh r1, 1\njne r1, 0, l\nexit",
     .in = {N(1, 0, 255)},
     .bound = 8,
     .inv = {N(1, 0, 255)}},
    {.text = "mov r1, 0\nl:\njeq r1, 0, +2\nrsh r1, 1\nja l\nexit",
     .in = {N(1, 0, 255)},
     .bound = 9},
    {.text = "mov r1, 0\nl:\nrsh r1, 1\njne r1, 0, l\nexit", .in = {U(1, 0, -1)}, .bound = 64},
    {.text = "mov r1, 0\nl:\ndiv r1, 10\njgt r1, 0, l\nexit", .in = {N(1, 0, U32)}, .bound = 10},
    {.text = "mov r1, 0\nl:\ndiv32 r1, 10\njne r1, 0, l\nexit", .in = {U(1, 0, -1)}, .bound = 10},
    {.text = "mov r1, 0\nl:\njeq r1, 0, +2\ndiv32 r1, 10\nja l\nexit",
     .in = {U(1, 0, -1)},
     .bound = 12},
    {.text = "mov r1, 0\nl:\ndiv r1, 1\njne r1, 0, l\nexit", .in = {N(1, 0, 255)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\narsh r1, 1\njne r1, 0, l\nexit", .in = {N(1, 0, 255)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\nmov r2, r1\nadd r2, -1\nand r1, r2\njne r1, 0, l\nexit",
     .in = {N(1, 0, 255)},
     .bound = 8,
     .inv = {N(1, 0, 255)}},
    {.text = "mov r1, 0\nl:\njeq r1, 0, +4\nmov r2, r1\nadd r2, -1\nand r1, r2\nja l\nexit",
     .in = {N(1, 0, 255)},
     .bound = 9},
    {.text = "mov r1, 0\nl:\nmov r1, r2\nrsh r1, 1\njne r1, 0, l\nexit",
     .in = {N(1, 0, 255), N(2, 0, 255)},
     .bound = NONE},
    /* Pointers. */
    {.text = "mov r1, 0\nl:\nadd r1, 4\njne r1, r2, l\nexit",
     .in = {P(1, 0, 0, 1), P(2, 64, 64, 1)},
     .bound = 16,
     .inv = {P(1, 0, 60, 1)}},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njlt r1, r2, l\nexit",
     .in = {P(1, 0, 0, 1), P(2, 0, 64, 1)},
     .bound = 16,
     .inv = {P(1, 0, 60, 1)}},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njlt r1, r2, l\nexit",
     .in = {P(1, 0, 0, 1), P(2, 0, 64, 2)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njlt r1, r2, l\nexit",
     .in = {P(1, 0, 0, 1), P(2, 0, 64, 0)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njlt32 r1, r2, l\nexit",
     .in = {P(1, 0, 0, 1), P(2, 0, 64, 1)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 4\njlt r1, r2, l\nexit",
     .in = {P(1, -8, 0, 1), P(2, 0, 64, 1)},
     .bound = NONE},
    /* What goes along. */
    {.text = "mov r1, 0\nl:\nadd r2, 4\nsub r3, 2\nadd r1, 1\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0), P(2, 8, 8, 3), N(3, 100, 120)},
     .bound = 10,
     .inv = {P(2, 8, 44, 3), N(3, 82, 120)}},
    /* Cells of the frame. */
    {.text = "mov r1, 0\nl:\nldxdw r1, [r10-8]\nadd r1, 1\nstxdw [r10-8], r1\njlt r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = 10,
     .inv = {N(-8, 0, 9)}},
    {.text = "mov r1, 0\nl:\nldxw r1, [r10-4]\nadd r1, 1\nstxw [r10-4], r1\njlt r1, 10, l\nexit",
     .in = {N(-4, 0, 0)},
     .bound = 10,
     .inv = {N(-4, 0, 9)}},
    {.text = "mov r1, 0\nl:\nldxdw r1, [r10-8]\nadd r1, 1\nstxdw [r10-8], r1\nstw [r10-4], 0\njlt "
             "r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nldxdw r1, [r10-8]\nadd r1, 1\nstxdw [r10-8], r1\nstdw [r3+0], 0\njlt "
             "r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = 10},
    {.text = "mov r3, r10\nl:\nldxdw r1, [r10-8]\nadd r1, 1\nstxdw [r10-8], r1\nstdw [r3+0], "
             "0\njlt r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = NONE},
    {.text = "mov r3, r10\nstxdw [r10-16], r3\nl:\nldxdw r3, [r10-16]\nldxdw r1, [r10-8]\nadd r1, "
             "1\nstxdw [r10-8], r1\nstdw [r3+0], 0\njlt r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = NONE},
    {.text = "mov r3, 0\nl:\nmov r3, r10\nadd r3, -16\nldxdw r1, [r10-8]\nadd r1, 1\nstxdw "
             "[r10-8], r1\nstdw [r3+0], 0\njlt r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = 10},
    {.text = "mov r3, 0\nl:\nmov r3, r10\nadd r3, -16\nldxdw r1, [r10-8]\nadd r1, 1\nstxdw "
             "[r10-8], r1\nstdw [r3+4], 0\njlt r1, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = NONE},
    {.text = "mov r3, 0\nl:\nldxdw r6, [r10-8]\nadd r6, 1\nstxdw [r10-8], r6\ncall 5\njlt r6, 10, "
             "l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = 10},
    /* Helpers write to what an argument of theirs says, from there upwards. */
    {.text = "mov r3, 0\nl:\nldxdw r6, [r10-8]\nadd r6, 1\nstxdw [r10-8], r6\nmov r1, r10\ncall "
             "5\njlt r6, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = 10},
    {.text = "l:\nldxdw r6, [r10-8]\nadd r6, 1\nstxdw [r10-8], r6\nmov r1, r7\nmov r2, r10\nadd "
             "r2, -16\n"
             "call 88\njlt r6, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = NONE},
    {.text = "l:\nldxdw r6, [r10-16]\nadd r6, 1\nstxdw [r10-16], r6\nmov r1, r7\nmov r2, r10\nadd "
             "r2, -8\n"
             "call 88\njlt r6, 10, l\nexit",
     .in = {N(-16, 0, 0)},
     .bound = 10},
    {.text = "l:\nldxdw r6, [r10-16]\nadd r6, 1\nstxdw [r10-16], r6\nmov r1, r7\nmov r2, r10\nadd "
             "r2, -16\n"
             "call 1\njlt r6, 10, l\nexit",
     .in = {N(-16, 0, 0)},
     .bound = 10},
    {.text = "l:\nldxdw r6, [r10-16]\nadd r6, 1\nstxdw [r10-16], r6\nmov r3, r10\nadd r3, -16\n"
             "call 181\njlt r6, 10, l\nexit",
     .in = {N(-16, 0, 0)},
     .bound = NONE},
    {.text = "mov r3, 0\nl:\nlock add [r10-8], r3\nldxdw r6, [r10-8]\nadd r6, 1\nstxdw [r10-8], "
             "r6\njlt r6, 10, l\nexit",
     .in = {N(-8, 0, 0)},
     .bound = NONE},
    /* Calls. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\ncall 5\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = NONE},
    {.text = "mov r6, 0\nl:\nadd r6, 1\ncall 5\njlt r6, 10, l\nexit",
     .in = {N(6, 0, 0)},
     .bound = 10},
    /* Tests that are not made in every iteration; loops inside. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\njeq r2, r3, +1\njge r1, 10, +1\nja l\nexit",
     .in = {N(1, 0, 0)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\ni:\nadd r2, 1\njne r2, r3, i\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10,
     .inv = {N(1, 0, 9)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\ni:\nadd r1, 1\njne r2, r3, i\njlt r1, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r2, 1\ni:\nadd r1, 1\njlt r1, 10, i\njlt r2, 10, l\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10,
     .loop = 1},
    {.text = "mov r1, 0\nl:\nadd r2, 1\ni:\nadd r1, 1\njge r1, 10, +3\njne r2, r1, i\njlt r2, 10, "
             "l\nexit\nexit",
     .in = {N(1, 0, 0), N(2, 0, 0)},
     .bound = 10},
    /* JSET and == say nothing of counters. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\njset r1, 15, l\nexit", .in = {N(1, 0, 0)}, .bound = NONE},
    {.text = "mov r1, 0\nl:\nrsh r1, 1\njset r1, 15, l\nexit", .in = {N(1, 0, 255)}, .bound = 8},
    /* Values known at the test or at the header. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\nldxdw r2, [r3+0]\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0)},
     .at = {N(2, 0, 64)},
     .bound = 64,
     .inv = {N(1, 0, 63)}},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 640)},
     .at = {N(2, 0, 64)},
     .bound = 64},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njset r2, 1, l\nexit",
     .in = {N(0, 0, 0)},
     .header = {N(1, 3, 12)},
     .bound = 10},
    {.text = "mov r1, 0\nl:\nsub r1, 2\njset r2, 1, l\nexit",
     .in = {N(0, 0, 0)},
     .header = {N(1, 3, 12)},
     .bound = 5},
    {.text = "mov r1, 0\nl:\nsub r1, 4\njset r2, 1, l\nexit",
     .in = {N(0, 0, 0)},
     .header = {U(1, 3, -1)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\njset r2, 1, +2\nrsh r1, 1\nja +1\nrsh r1, 3\njne r1, 0, l\nexit",
     .in = {N(1, 0, 255)},
     .bound = 8,
     .inv = {N(1, 0, 255)}},
    {.text = "mov r1, 0\nl:\njset r2, 1, +1\nrsh r1, 1\njne r1, 0, l\nexit",
     .in = {N(1, 0, 255)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nmov r2, r1\nadd r2, -2\nand r1, r2\njne r1, 0, l\nexit",
     .in = {N(1, 0, 255)},
     .bound = NONE},
    /* Two latches, of which one is reached without the test. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\njset r2, 1, b\njge r1, 10, out\nja l\nb:\nja l\nout:\nexit",
     .in = {N(1, 0, 0)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\nadd r1, 1\njge r1, 10, out\njset r2, 1, b\nja l\nb:\nja l\nout:\nexit",
     .in = {N(1, 0, 0)},
     .bound = 10},
    /* A limit that goes up now and then. */
    {.text =
         "mov r1, 0\nl:\nadd r1, 1\nldxb r3, [r4+0]\nand r3, 1\nadd r2, r3\njlt r1, r2, l\nexit",
     .in = {N(1, 0, 0), N(2, 0, 9)},
     .bound = NONE},
    /* Loops inside that count as well. */
    {.text = "mov r1, 0\nl:\nadd r1, 1\ni:\nadd r1, 2\njset r2, 1, i\njset r2, 2, l\nexit",
     .in = {N(0, 0, 0)},
     .at = {N(1, 0, 98)},
     .header = {N(1, 0, 90)},
     .bound = 31},
    {.text = "mov r1, 0\nl:\nadd r1, 1\ni:\nadd r1, 2\njset r2, 1, i\njset r2, 2, l\nexit",
     .in = {N(0, 0, 0)},
     .at = {N(1, 0, MAX64)},
     .header = {N(1, 0, 90)},
     .bound = 31},
    {.text = "mov r1, 0\nl:\nadd r1, 1\ni:\nadd r1, 2\njset r2, 1, i\njset r2, 2, l\nexit",
     .in = {N(0, 0, 0)},
     .at = {U(1, 0, -2)},
     .header = {N(1, 0, 90)},
     .bound = NONE},
    {.text = "mov r1, 0\nl:\ni:\nsub r1, 2\njset r2, 1, i\nsub r1, 1\njset r2, 2, l\nexit",
     .in = {N(0, 0, 0)},
     .at = {N(1, 2, 98)},
     .header = {N(1, 0, 90)},
     .bound = 46},
    {.text =
         "mov r1, 0\nl:\nadd r1, 0\ni:\nsub r1, 2\njset r2, 1, i\nsub r1, 1\njset r2, 2, l\nexit",
     .in = {N(0, 0, 0)},
     .at = {N(1, 2, 98)},
     .header = {N(1, 0, 90)},
     .bound = 31},
    {.text =
         "mov r1, 0\nl:\nadd r1, 0\ni:\nsub r1, 2\nadd r1, 1\njset r2, 1, i\njset r2, 2, l\nexit",
     .in = {N(0, 0, 0)},
     .at = {N(1, 2, 98)},
     .header = {N(1, 0, 90)},
     .bound = 91},
    {.text =
         "mov r1, 0\nl:\nadd r1, 0\ni:\nadd r1, r3\njset r2, 1, i\nadd r1, 1\njset r2, 2, l\nexit",
     .in = {N(3, 1, 2)},
     .at = {N(1, 2, 98)},
     .header = {N(1, 0, 90)},
     .bound = NONE},
};

static void check_invariants(const struct row *row, const struct rank_result *result) {
    for (size_t i = 0; i < 3 && row->inv[i].where; i++) {
        struct scalar s = scalar_unknown();
        struct rank_value entry;
        bool any = from_list(row->in, 4, row->inv[i].where, &entry);
        for (uint32_t k = 0; k < result->ninvariants; k++) {
            const struct rank_invariant *inv = &result->invariants[k];
            if (where_of(inv->loc) != row->inv[i].where)
                continue;
            cr_expect_eq(inv->value.object, row->inv[i].object, "`%s`", row->text);
            cr_expect(scalar_meet(&s, &inv->value.scalar), "`%s`", row->text);
        }
        /* Nothing is said of what stays as it was. */
        if (any && s.x.smin == INT64_MIN && s.x.smax == INT64_MAX)
            s = entry.scalar;
        cr_expect(s.x.smin == row->inv[i].lo && s.x.smax == row->inv[i].hi,
                  "`%s`: %d in [%lld, %lld]", row->text, row->inv[i].where, (long long)s.x.smin,
                  (long long)s.x.smax);
    }
}

Test(rank, rows) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cfg cfg;
        uint32_t culprit;
        struct rank_result result;
        struct rank_query query = {.entry = row_entry};

        teardown();
        setup();
        now = &rows[i];
        struct program *p = from_text(now->text);
        cr_assert(cfg_build(arena, p, 0, NULL, &cfg, &culprit), "`%s`", now->text);
        struct loop_shape *shapes = loop_shapes(arena, p, &cfg, NULL);
        cr_assert_lt(now->loop, cfg.nloops, "`%s`", now->text);
        if (now->at[0].where)
            query.at = row_at;
        if (now->header[0].where)
            query.header = row_header;
        rank_loop(arena, &shapes[now->loop], &query, &result);
        cr_expect_eq(result.bound, now->bound, "`%s`: %llu", now->text,
                     (unsigned long long)result.bound);
        cr_expect_eq(result.form == RANK_NONE, now->bound == NONE);
        check_invariants(now, &result);
    }
}

/* ------------------------------------------------------------------------------ random, executed */

#define ROUNDS 10000
#define SAMPLES 5
#define STEPS 500 /* of one run, which may not end */
#define MAX_SLOTS 256
#define MAX_LOOPS 12
#define MAX_LOCS 43
#define FRAME 64               /* bytes */
#define BASE UINT64_C(0x20000) /* of what is taken for an object; the frame ends there as well */

static uint64_t seed = 88172645463325252ull;

static uint64_t random64(void) { /* xorshift64 */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint32_t below(uint32_t n) {
    return (uint32_t)(random64() >> 20) % n;
}

/* ---- programs */

struct gen {
    struct bpf_decoded insns[MAX_SLOTS];
    uint32_t n;
    uint32_t breaks[MAX_SLOTS], nbreaks; /* jumps out of the loop that is being made */
};

static void put(struct gen *g, struct bpf_decoded d) {
    d.len = 1;
    cr_assert_lt(g->n, MAX_SLOTS);
    g->insns[g->n++] = d;
}

/* Most programs keep the counters of their loops, r7 to r9, apart from what else they do. */
static bool tame;

static uint8_t counter(void) {
    static const uint8_t regs[] = {1, 3, 3, 1, 3, 7, 8};
    return regs[below(tame ? 3 : sizeof(regs))];
}

static uint8_t any_reg(void) {
    static const uint8_t regs[] = {1, 2, 2, 3, 4, 5, 7, 8, 9};
    return regs[below(sizeof(regs))];
}

static uint8_t any_result(void) {
    return tame ? counter() : any_reg();
}

static uint8_t any_width(void) {
    return below(3) ? 64 : 32;
}

static int64_t any_imm(void) {
    switch (below(8)) {
    case 0: return INT32_MAX - (int64_t)below(3);
    case 1: return INT32_MIN + (int64_t)below(3);
    case 2: return -(int64_t)below(20);
    default: return below(20);
    }
}

static void put_alu(struct gen *g, enum bpf_op op, uint8_t width, uint8_t dst, int64_t imm) {
    put(g, (struct bpf_decoded){.op = op, .width = width, .dst = dst, .imm = imm});
}

static void put_alu_reg(struct gen *g, enum bpf_op op, uint8_t width, uint8_t dst, uint8_t src) {
    put(g, (struct bpf_decoded){.op = op, .width = width, .src_reg = 1, .dst = dst, .src = src});
}

static int16_t any_cell(uint8_t *width) {
    static const int16_t offs[] = {-8, -8, -16, -24};
    *width = below(3) ? 64 : 32;
    return (int16_t)(offs[below(4)] + (*width == 32 ? (int)below(2) * 4 : 0));
}

static void put_memory(struct gen *g) {
    uint8_t width, base = below(4) ? BPF_R10 : BPF_R6;
    int16_t off = any_cell(&width);
    enum bpf_op op = below(2) ? BPF_LDX : below(3) ? BPF_STX : BPF_ST;
    if (below(12) == 0)
        width = 8;
    if (below(16) == 0)
        op = BPF_ATOMIC_ADD;
    if (op == BPF_ATOMIC_ADD && width == 8)
        width = 32;
    uint8_t reg = op == BPF_LDX || below(2) ? any_result() : any_reg();
    put(g, (struct bpf_decoded){.op = op,
                                .width = width,
                                .dst = op == BPF_LDX ? reg : base,
                                .src = op == BPF_LDX  ? base
                                       : op == BPF_ST ? 0
                                                      : reg,
                                .off = off,
                                .imm = op == BPF_ST ? (int64_t)below(9) : 0});
}

/* Patterns that the code under test looks for, and what comes near them. */
static void put_op(struct gen *g) {
    uint8_t r = counter(), width = any_width();
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        put_alu(g, below(4) ? BPF_ADD : BPF_SUB, width, r, below(6) ? 1 + below(5) : any_imm());
        break;
    case 5: put_alu_reg(g, below(2) ? BPF_ADD : BPF_SUB, width, r, any_reg()); break;
    case 6: put_alu_reg(g, BPF_MOV, width, any_result(), any_reg()); break;
    case 7: put_alu(g, below(2) ? BPF_RSH : BPF_DIV, width, r, 1 + below(4)); break;
    case 8:
        put_alu_reg(g, BPF_MOV, width, BPF_R4, r);
        put_alu(g, BPF_ADD, width, BPF_R4, -1);
        put_alu_reg(g, BPF_AND, width, r, BPF_R4);
        break;
    case 9: /* a step that data decide */
        put(g, (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = 7});
        put_alu(g, BPF_AND, 64, BPF_R0, below(2) ? 3 : 7);
        put_alu(g, BPF_ADD, width, BPF_R0, below(3));
        put_alu_reg(g, BPF_ADD, width, below(2) ? BPF_R7 : BPF_R8, BPF_R0);
        break;
    case 10:
        put_alu(g, BPF_LSH, 64, r, 32);
        put_alu(g, below(2) ? BPF_RSH : BPF_ARSH, 64, r, 32);
        break;
    case 11: put_alu(g, below(2) ? BPF_AND : BPF_MOD, width, any_result(), 1 + below(40)); break;
    case 12: put_alu(g, (enum bpf_op)below(BPF_ARSH + 1), width, r, 1 + below(9)); break;
    case 13: put_alu_reg(g, (enum bpf_op)below(BPF_ARSH + 1), width, r, any_reg()); break;
    default: put_memory(g); break;
    }
    if (g->insns[g->n - 1].op == BPF_NEG)
        g->insns[g->n - 1].src_reg = g->insns[g->n - 1].src = 0, g->insns[g->n - 1].imm = 0;
}

/* Returns its index; the target is filled in later. */
static uint32_t put_jump(struct gen *g) {
    static const enum bpf_op ops[] = {BPF_JLT,  BPF_JLE,  BPF_JGT, BPF_JGE, BPF_JSLT, BPF_JSLE,
                                      BPF_JSGT, BPF_JSGE, BPF_JNE, BPF_JNE, BPF_JEQ,  BPF_JSET};
    bool reg = below(3) == 0, zero = below(5) == 0;
    struct bpf_decoded d = {.op = ops[below(12)], .width = any_width(), .dst = counter()};
    if (below(8) == 0)
        d.dst = any_reg();
    d.src_reg = reg;
    d.src = reg ? any_reg() : 0;
    d.imm = reg || zero ? 0 : any_imm();
    put(g, d);
    return g->n - 1;
}

static void jump_to(struct gen *g, uint32_t from, uint32_t to) {
    g->insns[from].target = (int32_t)to - (int32_t)from;
}

static void put_loop(struct gen *g, int depth);

static void put_items(struct gen *g, int depth, uint32_t count) {
    while (count-- > 0 && g->n < MAX_SLOTS - 60) {
        switch (below(12)) {
        case 0: {
            uint32_t skip = put_jump(g);
            put_items(g, depth, 1 + below(2));
            jump_to(g, skip, g->n);
            break;
        }
        case 1:
            if (depth < 3)
                put_loop(g, depth + 1);
            break;
        case 2:
        case 3: g->breaks[g->nbreaks++] = put_jump(g); break;
        default: put_op(g); break;
        }
    }
}

/* A step of a loop's counter, and a test that fits it, mostly. Returns the test's index. */
struct plan {
    uint8_t reg, width;
    unsigned kind; /* 0, 1: up, down; 2: shifted; 3: loses bits */
};

static void put_step(struct gen *g, const struct plan *plan) {
    uint8_t width = below(8) ? plan->width : any_width();
    switch (plan->kind) {
    case 0:
    case 1:
        if (below(6) == 0)
            put_alu_reg(g, plan->kind ? BPF_SUB : BPF_ADD, width, plan->reg, BPF_R2);
        else
            put_alu(g, plan->kind ? BPF_SUB : BPF_ADD, width, plan->reg,
                    below(2) ? 1 : 1 + below(4));
        break;
    case 2: put_alu(g, below(2) ? BPF_RSH : BPF_DIV, width, plan->reg, 1 + below(3)); break;
    default:
        put_alu_reg(g, BPF_MOV, width, BPF_R4, plan->reg);
        put_alu(g, BPF_ADD, width, BPF_R4, -1);
        put_alu_reg(g, BPF_AND, width, plan->reg, BPF_R4);
    }
}

static uint32_t put_fitting(struct gen *g, const struct plan *plan, bool goes_on) {
    static const enum bpf_op ops[][4] = {{BPF_JLT, BPF_JSLT, BPF_JNE, BPF_JSLE},
                                         {BPF_JGT, BPF_JSGT, BPF_JNE, BPF_JSGE}};
    enum bpf_op op = plan->kind > 1 ? BPF_JNE : ops[plan->kind][below(4)];
    struct bpf_decoded d = {.width = below(8) ? plan->width : any_width(), .dst = plan->reg};
    if (plan->kind > 1 && below(4) == 0)
        op = BPF_JGT;
    d.src_reg = plan->kind < 2 && below(3) == 0;
    d.src = d.src_reg ? BPF_R2 : 0;
    d.imm = d.src_reg || plan->kind ? 0 : below(20);
    d.op = goes_on ? op : rel_inverse(op);
    put(g, d);
    return g->n - 1;
}

static void put_latch(struct gen *g, uint32_t start, const struct plan *plan, bool fitting) {
    if (fitting) {
        jump_to(g, put_fitting(g, plan, true), start);
    } else if (below(2)) {
        jump_to(g, put_jump(g), start);
    } else {
        put(g, (struct bpf_decoded){.op = BPF_JA, .width = 64});
        jump_to(g, g->n - 1, start);
    }
}

static void put_loop(struct gen *g, int depth) {
    uint32_t start = g->n, outer = g->nbreaks;
    struct plan plan = {(uint8_t)(BPF_R6 + depth - (depth > 1 && below(3) == 0)), any_width(),
                        below(3) ? below(2) : below(4)};
    bool above = tame && below(2), early = tame && below(2);

    if (above)
        g->breaks[g->nbreaks++] = put_fitting(g, &plan, false);
    else if (below(3) == 0)
        g->breaks[g->nbreaks++] = put_jump(g);
    if (early)
        put_step(g, &plan);
    put_items(g, depth, 1 + below(3));
    if (tame && !early)
        put_step(g, &plan);
    if (below(8) == 0)
        jump_to(g, put_jump(g), start); /* one more latch */
    put_latch(g, start, &plan, tame && !above);
    while (g->nbreaks > outer)
        jump_to(g, g->breaks[--g->nbreaks], g->n);
}

static struct program *random_program(void) {
    struct gen g = {.n = 0};
    struct bpf_insn insns[MAX_SLOTS];

    tame = below(4) > 0;
    put_alu(&g, BPF_MOV, 64, BPF_R0, 0);
    if (below(3) == 0) { /* a pointer into the frame */
        put_alu_reg(&g, BPF_MOV, 64, BPF_R6, BPF_R10);
        if (below(2))
            put_alu(&g, BPF_ADD, 64, BPF_R6, -8);
    } else { /* to somewhere else */
        put_alu(&g, BPF_MOV, 64, BPF_R6, 4 * FRAME);
    }
    put_loop(&g, 1);
    put_alu(&g, BPF_MOV, 64, BPF_R0, 0);
    put(&g, (struct bpf_decoded){.op = BPF_EXIT});
    for (uint32_t i = 0; i < g.n; i++)
        bpf_encode(&g.insns[i], &insns[i]);
    return from_insns(insns, g.n);
}

/* ---- execution */

struct machine {
    uint64_t reg[BPF_NREGS];
    uint8_t frame[FRAME], elsewhere[FRAME];
    uint64_t random; /* what calls return */
};

static uint64_t truncated(uint64_t v, unsigned width) {
    return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static int64_t extended(uint64_t v, unsigned width) {
    return width == 64 ? (int64_t)v : (int64_t)(int32_t)(uint32_t)v;
}

static uint64_t alu(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    a = truncated(a, w);
    b = truncated(b, w);
    int64_t sa = extended(a, w), sb = extended(b, w);
    switch (op) {
/* clang-format off */
#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    case BPF_##NAME: return truncated(expr, w);
#define BPF_ALU1(NAME, code, off, group, widths, mnemonic, symbol, expr)                           \
    case BPF_##NAME: return truncated(expr, w);
#include "bpf/insn.def"
    /* clang-format on */
    default: return 0;
    }
}

static bool condition(enum bpf_op op, unsigned w, uint64_t a, uint64_t b) {
    a = truncated(a, w);
    b = truncated(b, w);
    int64_t sa = extended(a, w), sb = extended(b, w);
    switch (op) {
/* clang-format off */
#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    case BPF_##NAME: return expr;
#include "bpf/insn.def"
    /* clang-format on */
    default: return false;
    }
}

/* Pointers are r10 or r6, neither of which changes in a loop. */
static uint8_t *memory(struct machine *m, unsigned base, int off) {
    uint64_t at = m->reg[base] + (uint64_t)(int64_t)off;
    if (at - (BASE - FRAME) < FRAME)
        return m->frame + (at - (BASE - FRAME));
    cr_assert(at - 3 * FRAME < FRAME);
    return m->elsewhere + (at - 3 * FRAME);
}

/* Executes an instruction; the next slot, or CFG_NONE. */
static uint32_t execute(struct machine *m, const struct program *p, uint32_t slot) {
    const struct bpf_decoded *d = &p->decoded[slot];
    uint64_t b = d->src_reg ? m->reg[d->src] : (uint64_t)d->imm;
    uint64_t value = d->op == BPF_ST ? (uint64_t)d->imm : m->reg[d->src];

    if (bpf_op_is_alu(d->op)) {
        m->reg[d->dst] = alu(d->op, d->width, m->reg[d->dst], b);
    } else if (bpf_op_is_jcc(d->op)) {
        if (condition(d->op, d->width, m->reg[d->dst], b))
            return slot + (uint32_t)d->target;
    } else {
        uint64_t old = 0;
        switch (d->op) {
        case BPF_JA: return slot + (uint32_t)d->target;
        case BPF_EXIT: return CFG_NONE;
        case BPF_LDX:
            m->reg[d->dst] = 0;
            memcpy(&m->reg[d->dst], memory(m, d->src, d->off), d->width / 8);
            break;
        case BPF_ATOMIC_ADD:
            memcpy(&old, memory(m, d->dst, d->off), d->width / 8);
            value += old;
            /* fall through */
        case BPF_ST:
        case BPF_STX: memcpy(memory(m, d->dst, d->off), &value, d->width / 8); break;
        case BPF_CALL_HELPER:
            for (int i = 0; i <= 5; i++) {
                m->random = m->random * 6364136223846793005u + 1442695040888963407u;
                m->reg[i] = m->random >> 32;
            }
            break;
        default: cr_assert_fail("op %d", d->op);
        }
    }
    return slot + d->len;
}

static uint64_t loc_value(const struct machine *m, struct rank_loc loc) {
    uint64_t v = 0;
    if (loc.size == 0)
        return m->reg[loc.reg];
    memcpy(&v, m->frame + FRAME + loc.off, loc.size);
    return v;
}

static uint64_t edge_value(void) {
    static const uint64_t edges[] = {0,
                                     0,
                                     BASE,
                                     UINT32_MAX,
                                     INT32_MAX,
                                     INT64_MAX,
                                     UINT64_MAX,
                                     UINT64_C(1) << 32,
                                     (uint64_t)(int64_t)INT32_MIN};
    return edges[below(9)] + (uint64_t)(int64_t)((int)below(9) - 4);
}

static uint64_t first_number(void) {
    switch (below(5)) {
    case 0: return edge_value();
    case 1: return below(64);
    case 2: return BASE + below(100);
    default: return below(12);
    }
}

static void first_state(struct machine *m) {
    memset(m, 0, sizeof(*m));
    for (int i = 0; i < BPF_NREGS; i++)
        m->reg[i] = first_number();
    for (int i = 0; i < FRAME; i += 8) {
        uint64_t v = below(3) ? below(9) : first_number();
        memcpy(m->frame + i, &v, 8);
    }
    m->reg[BPF_R10] = BASE;
    m->random = random64();
}

/* Some registers differ from sample to sample. */
static void next_sample(struct machine *m) {
    for (int i = 0; i < BPF_R10; i++)
        if (below(3) == 0)
            m->reg[i] = below(2) ? first_number() : m->reg[i] + below(3);
    m->random = random64();
}

/* ---- what was seen, which is what the queries answer */

struct seen {
    bool any;
    struct scalar s, offset; /* offset: from BASE, if all of them are above */
    bool pointer;
};

struct facts {
    struct machine samples[SAMPLES];
    const struct program *p;
    const struct cfg *cfg;
    struct loop_shape *shapes;
    struct seen entry[MAX_LOOPS][MAX_LOCS], header[MAX_LOOPS][MAX_LOCS];
    struct seen at[MAX_SLOTS][2];
    uint64_t most[MAX_LOOPS]; /* executions of the header per entry */
    struct rank_result result[MAX_LOOPS];
    uint32_t loop;  /* that is asked about */
    bool pointers;  /* what can be one is one */
    uint32_t vague; /* answers are made wider at random, or not given */
    uint64_t salt;  /* in the same way for equal questions */
};

static struct facts facts;

static void see(struct seen *seen, uint64_t v) {
    struct scalar s = scalar_const(v), offset = scalar_const(v - BASE);
    bool pointer = v - BASE < UINT64_C(1) << 31;
    seen->s = seen->any ? scalar_join(&seen->s, &s) : s;
    seen->offset = seen->any ? scalar_join(&seen->offset, &offset) : offset;
    seen->pointer = pointer && (seen->pointer || !seen->any);
    seen->any = true;
}

static bool answer(const struct seen *seen, unsigned question, struct rank_value *out) {
    uint64_t dice = (question + facts.salt) * 0x9e3779b97f4a7c15u >> 40;
    bool pointer = facts.pointers && seen->pointer;
    struct scalar more;

    if (!seen->any || (facts.vague && dice % 16 == 0))
        return false;
    *out = (struct rank_value){pointer ? seen->offset : seen->s, pointer};
    if (!facts.vague || dice % 8)
        return true;
    switch (dice / 16 % 4) {
    case 0: more = scalar_urange(0, dice / 64 % 100); break;
    case 1: more = scalar_zext(32); break;
    case 2: more = scalar_srange(-(int64_t)(dice / 64 % 100), 3); break;
    default: more = scalar_unknown(); break;
    }
    out->scalar = scalar_join(&out->scalar, &more);
    return true;
}

static uint32_t loc_index(struct rank_loc loc) {
    const struct loop_shape *shape = &facts.shapes[facts.loop];
    uint32_t i = 0;
    while (memcmp(&shape->locs[i], &loc, sizeof(loc)) != 0)
        i++;
    return i;
}

static bool seen_entry(void *arg, struct rank_loc loc, struct rank_value *out) {
    (void)arg;
    return answer(&facts.entry[facts.loop][loc_index(loc)], loc_index(loc), out);
}

static bool seen_header(void *arg, struct rank_loc loc, struct rank_value *out) {
    (void)arg;
    return answer(&facts.header[facts.loop][loc_index(loc)], 100 + loc_index(loc), out);
}

static bool seen_at(void *arg, uint32_t slot, unsigned reg, struct rank_value *out) {
    bool second = facts.p->decoded[slot].src_reg && facts.p->decoded[slot].src == reg;
    (void)arg;
    return answer(&facts.at[slot][second], 200 + 2 * slot + second, out);
}

/* The loops whose header this slot is, entered from outside or not. */
static uint32_t loop_at(uint32_t slot) {
    uint32_t block = facts.cfg->block_of[slot];
    uint32_t loop = facts.cfg->blocks[block].loop;
    bool header = loop != CFG_NONE && facts.cfg->loops[loop].header == block &&
                  facts.cfg->blocks[block].start == slot;
    return header && loop < MAX_LOOPS ? loop : CFG_NONE;
}

static void observe(const struct machine *m, uint32_t loop, bool entered) {
    const struct loop_shape *shape = &facts.shapes[loop];
    for (uint32_t i = 0; i < shape->nlocs && i < MAX_LOCS; i++) {
        if (entered)
            see(&facts.entry[loop][i], loc_value(m, shape->locs[i]));
        see(&facts.header[loop][i], loc_value(m, shape->locs[i]));
    }
}

/* What tells a failure: the program, and its first values. */
static void dump(void) {
    for (uint32_t i = 0; i < facts.p->ninsns; i++) {
        char line[ASM_PRINT_SIZE];
        asm_print(&facts.p->decoded[i], line, sizeof(line));
        fprintf(stderr, "%3u  %s\n", i, line);
    }
    for (int s = 0; s < SAMPLES; s++)
        for (int r = 1; r < 10; r++)
            fprintf(stderr, "r%d=%llx%c", r, (unsigned long long)facts.samples[s].reg[r],
                    r == 9 ? '\n' : ' ');
}

static void check_header(const struct machine *m, uint32_t loop) {
    const struct rank_result *result = &facts.result[loop];
    for (uint32_t i = 0; i < result->ninvariants; i++) {
        const struct rank_invariant *inv = &result->invariants[i];
        uint64_t v = loc_value(m, inv->loc) - (inv->value.object ? BASE : 0);
        if (!scalar_contains(&inv->value.scalar, v))
            dump();
        cr_assert(scalar_contains(&inv->value.scalar, v), "loop %u: %d is %llx", loop,
                  where_of(inv->loc), (unsigned long long)v);
    }
}

static void run(struct machine m, bool checking) {
    uint64_t count[MAX_LOOPS] = {0};
    uint32_t slot = 0, from = 0;

    for (int steps = 0; steps < STEPS && slot != CFG_NONE; steps++) {
        const struct bpf_decoded *d = &facts.p->decoded[slot];
        uint32_t loop = loop_at(slot);
        if (loop != CFG_NONE) {
            bool entered = !cfg_in_loop(facts.cfg, facts.cfg->block_of[from], loop) || steps == 0;
            count[loop] = entered ? 1 : count[loop] + 1;
            if (count[loop] > facts.most[loop])
                facts.most[loop] = count[loop];
            if (checking)
                check_header(&m, loop);
            else
                observe(&m, loop, entered);
        }
        if ((bpf_op_is_jcc(d->op) || d->op == BPF_ADD || d->op == BPF_SUB) && !checking) {
            see(&facts.at[slot][0], m.reg[d->dst]);
            if (d->src_reg)
                see(&facts.at[slot][1], m.reg[d->src]);
        }
        from = slot;
        slot = execute(&m, facts.p, slot);
    }
}

static unsigned proven[RANK_RANGE + 1], invariants, exact, endless;

static void ask(void) {
    struct rank_query query = {.entry = seen_entry};
    if (below(4) == 0)
        query.header = seen_header;
    if (below(query.header ? 2 : 3) == 0)
        query.at = seen_at;
    facts.pointers = below(3) == 0;
    facts.vague = below(3) == 0;
    facts.salt = random64();
    for (facts.loop = 0; facts.loop < facts.cfg->nloops && facts.loop < MAX_LOOPS; facts.loop++) {
        struct rank_result *result = &facts.result[facts.loop];
        rank_loop(arena, &facts.shapes[facts.loop], &query, result);
        if (!facts.header[facts.loop][0].any) { /* never executed */
            result->ninvariants = 0;
            continue;
        }
        if (facts.most[facts.loop] > result->bound)
            dump();
        cr_assert_leq(facts.most[facts.loop], result->bound, "loop %u: %llu of %llu, form %d",
                      facts.loop, (unsigned long long)facts.most[facts.loop],
                      (unsigned long long)result->bound, result->form);
        proven[result->form]++;
        endless += result->form == RANK_RANGE && facts.shapes[facts.loop].nadds > 0;
        invariants += result->ninvariants;
        exact += result->bound == facts.most[facts.loop];
    }
}

static void one_program(void) {
    struct machine *samples = facts.samples;
    struct cfg cfg;
    uint32_t culprit;

    struct program *p = random_program();
    if (!cfg_build(arena, p, 0, NULL, &cfg, &culprit))
        return;
    memset(&facts, 0, sizeof(facts));
    facts.p = p;
    facts.cfg = &cfg;
    facts.shapes = loop_shapes(arena, p, &cfg, NULL);
    first_state(&samples[0]);
    for (int i = 0; i < SAMPLES; i++) {
        if (i > 0) {
            samples[i] = samples[i - 1];
            next_sample(&samples[i]);
        }
        run(samples[i], false);
    }
    for (int i = 0; i < 3; i++) {
        ask();
        for (int k = 0; k < SAMPLES; k++)
            run(samples[k], true);
    }
}

Test(rank, executed) {
    const char *start = getenv("RANK_SEED");
    if (start)
        seed ^= strtoull(start, NULL, 0) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < ROUNDS; i++) {
        teardown();
        setup();
        one_program();
    }
    if (getenv("RANK_COUNTS"))
        fprintf(stderr,
                "endless %u, none %u, less %u, not equal %u, quotient %u, low bit %u, range %u; "
                "exact %u; "
                "%u invariants\n",
                endless, proven[RANK_NONE], proven[RANK_LESS], proven[RANK_NOT_EQUAL],
                proven[RANK_QUOTIENT], proven[RANK_LOW_BIT], proven[RANK_RANGE], exact, invariants);
    /* Each form often enough for its errors to show. */
    for (int form = RANK_LESS; form <= RANK_RANGE; form++)
        cr_expect_gt(proven[form], 200, "form %d: %u", form, proven[form]);
}

/* --------------------------------------------------------------------------------------- large */

#define SIZE 100000
#define LIMIT 4.0 /* seconds of CPU for all shapes of a function, with sanitizers */

struct code {
    struct bpf_insn *insns;
    uint32_t n;
};

static void append(struct code *code, struct bpf_decoded d) {
    code->n += bpf_encode(&d, code->insns + code->n);
}

/* Some work on registers and cells. */
static void append_work(struct code *code) {
    uint8_t reg = (uint8_t)(1 + code->n % 5);
    int16_t off = (int16_t)(-8 - (int)(code->n % 60) * 8);
    if (code->n % 3)
        append(code, (struct bpf_decoded){.op = BPF_ADD, .width = 64, .dst = reg, .imm = 1});
    else
        append(code, (struct bpf_decoded){
                         .op = BPF_STX, .width = 64, .dst = BPF_R10, .src = reg, .off = off});
}

static void append_latch(struct code *code, uint32_t header) {
    append(code,
           (struct bpf_decoded){
               .op = BPF_JGE, .width = 64, .dst = BPF_R1, .imm = (int32_t)code->n, .target = 2});
    append(code, (struct bpf_decoded){
                     .op = BPF_JA, .width = 32, .target = (int32_t)header - (int32_t)code->n});
}

static void nest(struct code *code) {
    for (uint32_t i = 0; i < SIZE / 3; i++)
        append_work(code);
    for (uint32_t i = 0; i < SIZE / 3; i++)
        append_latch(code, SIZE / 3 - 1 - i);
}

static void row(struct code *code) {
    append_work(code);
    while (code->n < SIZE) {
        append_work(code);
        append_latch(code, code->n - 1);
    }
    append_latch(code, 0);
}

/* One loop with very many ways through it. */
static void wide_body(struct code *code) {
    while (code->n < SIZE) {
        append(code, (struct bpf_decoded){.op = BPF_JEQ, .width = 64, .dst = BPF_R2, .target = 2});
        append_work(code);
    }
    append_latch(code, 0);
}

static void time_shapes(void (*shape)(struct code *)) {
    struct code code = {.insns = calloc(2 * SIZE, sizeof(struct bpf_insn))};
    struct cfg cfg;
    uint32_t culprit, known = 0;

    shape(&code);
    append(&code, (struct bpf_decoded){.op = BPF_EXIT});
    struct program *p = from_insns(code.insns, code.n);
    cr_assert(cfg_build(arena, p, 0, NULL, &cfg, &culprit));
    clock_t start = clock();
    struct loop_shape *shapes = loop_shapes(arena, p, &cfg, NULL);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    for (uint32_t i = 0; i < cfg.nloops; i++)
        known += shapes[i].known;
    cr_expect_lt(seconds, LIMIT, "%.2f s", seconds);
    if (getenv("RANK_COUNTS"))
        fprintf(stderr, "%u slots: %u of %u loops, %.1f ms, %.1f MB\n", code.n, known, cfg.nloops,
                seconds * 1e3, (double)arena_used(arena) / 1e6);
    free(code.insns);
}

Test(rank, large_nest) {
    time_shapes(nest);
}
Test(rank, large_row) {
    time_shapes(row);
}
Test(rank, large_body) {
    time_shapes(wide_body);
}
