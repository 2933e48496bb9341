/* SPDX-License-Identifier: MIT */
/* Vectors: growth keeps contents; push, add, pop, last, clear, iteration. */
#include "util/vec.h"

#include <criterion/criterion.h>
#include <stdint.h>

struct pair {
    uint64_t number;
    char letter;
};

Test(vec, growth_keeps_contents) {
    struct arena *arena = arena_new();
    VEC(struct pair) pairs = {0};

    for (uint64_t i = 0; i < 1000; i++)
        vec_push(arena, &pairs, (struct pair){i, (char)(i % 26 + 'a')});
    cr_assert_eq(pairs.count, 1000);
    cr_assert_geq(pairs.capacity, pairs.count);

    uint64_t expected = 0;
    vec_for_each(struct pair, pair, &pairs) {
        cr_assert_eq(pair->number, expected);
        cr_assert_eq(pair->letter, (char)(expected % 26 + 'a'));
        expected++;
    }
    cr_assert_eq(expected, 1000);
    arena_free(arena);
}

Test(vec, stack_operations) {
    struct arena *arena = arena_new();
    VEC(int) numbers = {0};

    vec_for_each(int, number, &numbers)
        cr_assert_fail("an empty vector has element %d", *number);
    vec_push(arena, &numbers, 7);
    vec_push(arena, &numbers, 8);
    cr_assert_eq(vec_last(&numbers), 8);
    vec_last(&numbers) = 9;
    cr_assert_eq(vec_pop(&numbers), 9);
    *vec_add(arena, &numbers) += 3;
    cr_assert_eq(numbers.items[1], 3, "an added element is zeroed, although 9 was there");
    vec_clear(&numbers);
    cr_assert_eq(numbers.count, 0);
    arena_free(arena);
}

Test(vec, reserve_makes_room_at_once) {
    struct arena *arena = arena_new();
    VEC(int) numbers = {0};

    vec_reserve(arena, &numbers, 100);
    int *before = numbers.items;
    for (int i = 0; i < 100; i++)
        vec_push(arena, &numbers, i);
    cr_assert_eq(numbers.items, before);
    arena_free(arena);
}
