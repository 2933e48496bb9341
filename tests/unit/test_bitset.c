/* SPDX-License-Identifier: MIT */
/* Bit sets against an array of bools, for sizes around the word size. */
#include "util/bitset.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const size_t sizes[] = {0, 1, 63, 64, 65, 128, 1000};

#define FOR_SIZES(size)                                                                            \
    for (size_t size, n_ = 0; n_ < sizeof(sizes) / sizeof(sizes[0]) && (size = sizes[n_], true);   \
         n_++)

static struct bitset *random_set(struct arena *arena, size_t size, bool *model) {
    struct bitset *set = bitset_new(arena, size);

    for (size_t i = 0; i < size; i++) {
        model[i] = rand() % 3 == 0;
        if (model[i])
            bitset_set(set, i);
    }
    return set;
}

static void assert_equals(const struct bitset *set, const bool *model) {
    size_t count = 0, seen = 0;

    for (size_t i = 0; i < set->size; i++) {
        cr_assert_eq(bitset_test(set, i), model[i], "size %zu, member %zu", set->size, i);
        count += model[i];
    }
    bitset_for_each(i, set) {
        cr_assert(model[i]);
        seen++;
    }
    cr_assert_eq(seen, count);
    cr_assert_eq(bitset_count(set), count);
    cr_assert_eq(bitset_empty(set), count == 0);
}

Test(bitset, members) {
    struct arena *arena = arena_new();

    FOR_SIZES(size) {
        bool model[1000] = {0};
        struct bitset *set = bitset_new(arena, size);
        assert_equals(set, model);
        bitset_set_all(set);
        for (size_t i = 0; i < size; i++)
            model[i] = true;
        assert_equals(set, model);
        for (size_t i = 0; i < size; i += 2) {
            bitset_clear(set, i);
            model[i] = false;
        }
        assert_equals(set, model);
        bitset_clear_all(set);
        cr_assert(bitset_empty(set));
    }
    arena_free(arena);
}

/* Each operation, what it does to one member, and whether it reports a change rightly. */
Test(bitset, operations_on_two_sets) {
    struct arena *arena = arena_new();
    bool (*const operations[])(struct bitset *, const struct bitset *) = {bitset_or, bitset_and,
                                                                          bitset_andnot};

    srand(1);
    FOR_SIZES(size) {
        for (int k = 0; k < 3; k++) {
            bool a[1000], b[1000], changed = false;
            struct bitset *to = random_set(arena, size, a), *from = random_set(arena, size, b);
            for (size_t i = 0; i < size; i++) {
                bool r = k == 0 ? a[i] || b[i] : k == 1 ? a[i] && b[i] : a[i] && !b[i];
                changed = changed || r != a[i];
                a[i] = r;
            }
            cr_assert_eq(operations[k](to, from), changed);
            assert_equals(to, a);
            cr_assert_not(operations[k](to, from), "a second time nothing changes");
        }
    }
    arena_free(arena);
}

Test(bitset, copy_and_equal) {
    struct arena *arena = arena_new();
    bool model[65];
    struct bitset *a = random_set(arena, 65, model), *b = bitset_new(arena, 65);

    bitset_set(a, 64);
    cr_assert_not(bitset_equal(a, b));
    bitset_copy(b, a);
    cr_assert(bitset_equal(a, b));
    bitset_clear(b, 64);
    cr_assert_not(bitset_equal(a, b));
    cr_assert_eq(bitset_next(a, 64), 64);
    cr_assert_eq(bitset_next(b, 64), 65);
    arena_free(arena);
}
