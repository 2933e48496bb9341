/* SPDX-License-Identifier: MIT */
/* FNV-1a 64 against values published with its definition. */
#include "util/hash.h"

#include <criterion/criterion.h>

Test(hash, known_values) {
    cr_assert_eq(hash_string(""), UINT64_C(0xcbf29ce484222325));
    cr_assert_eq(hash_string("a"), UINT64_C(0xaf63dc4c8601ec8c));
    cr_assert_eq(hash_string("foobar"), UINT64_C(0x85944171f73967e8));
}

Test(hash, feeding_in_parts_is_the_same) {
    cr_assert_eq(hash_bytes(hash_bytes(HASH_INIT, "foo", 3), "bar", 3), hash_string("foobar"));
}
