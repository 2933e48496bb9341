/* SPDX-License-Identifier: MIT */
/* Arena: zeroed, aligned, separate allocations of every size class. */
#include "util/arena.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(arena, allocations_are_zeroed_aligned_and_apart) {
    struct arena *arena = arena_new();
    static const size_t sizes[] = {0, 1, 7, 8, 9, 4096, 20000, 70000, 3, 1000000, 5};
    uint8_t *blocks[sizeof(sizes) / sizeof(sizes[0])];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        blocks[i] = arena_alloc(arena, sizes[i]);
        cr_assert_eq((uintptr_t)blocks[i] % 8, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(blocks[i][k], 0, "allocation %zu, byte %zu", i, k);
        memset(blocks[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(blocks[i][k], i + 1, "allocation %zu was overwritten", i);
    cr_assert_neq(blocks[0], blocks[1], "an empty allocation has an address of its own");
    arena_free(arena);
}

Test(arena, many_small_allocations_stay_apart) {
    struct arena *arena = arena_new();
    uint32_t *numbers[50000];

    for (uint32_t i = 0; i < 50000; i++) {
        numbers[i] = arena_alloc(arena, sizeof(uint32_t));
        *numbers[i] = i;
    }
    for (uint32_t i = 0; i < 50000; i++)
        cr_assert_eq(*numbers[i], i);
    cr_assert_eq(arena_used(arena), 50000 * 8);
    arena_free(arena);
}

Test(arena, strings) {
    struct arena *arena = arena_new();

    cr_assert_str_eq(arena_strdup(arena, "blink"), "blink");
    cr_assert_str_eq(arena_printf(arena, "%s+%d", "timer", 12), "timer+12");
    cr_assert_str_eq(arena_printf(arena, "%s", ""), "");
    arena_free(arena);
    arena_free(NULL);
}
