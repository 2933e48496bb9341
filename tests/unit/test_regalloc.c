/* SPDX-License-Identifier: MIT */
/* Register allocation: random functions through an independent checker, and small ones by hand. */
#include <criterion/criterion.h>

#include "regalloc/regalloc_test.h"

#define ALL_REGISTERS 0x5dffu /* all but r9 and sp */

static void allocate_and_check(const struct random_mir *options) {
    struct arena *arena = arena_new();
    struct mir_fn *fn = random_mir(arena, options);
    struct mir_original *original = mir_original_take(arena, fn);
    regalloc(fn);
    const char *error = mir_allocation_error(arena, original, fn);
    cr_assert_null(error, "seed %llu, %u variables, registers %x: %s",
                   (unsigned long long)options->seed, options->nvars, options->allocatable, error);
    arena_free(arena);
}

static void many(uint32_t count, uint32_t nvars, uint32_t calls, uint16_t allocatable) {
    for (uint64_t seed = 1; seed <= count; seed++)
        allocate_and_check(&(struct random_mir){seed, 1 + (uint32_t)(seed * 7 % nvars),
                                                20 + (uint32_t)(seed * 13 % 200), calls,
                                                allocatable});
}

Test(regalloc, low_pressure) {
    many(400, 8, 5, ALL_REGISTERS);
}

Test(regalloc, high_pressure) {
    many(400, 40, 5, ALL_REGISTERS);
}

Test(regalloc, many_calls) {
    many(400, 20, 40, ALL_REGISTERS);
}

Test(regalloc, six_registers) {
    many(400, 30, 10, 0x003f);
    many(100, 30, 10, 0x00f3);
}

Test(regalloc, with_r9) {
    many(200, 20, 10, 0x5fff);
}

Test(regalloc, no_argument_registers) {
    many(200, 20, 10, 0x1df0);
}
