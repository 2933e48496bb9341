/* SPDX-License-Identifier: MIT */
/* The parts of the IR tests' program (main.c). */
#ifndef TESTS_IR_TEST_H
#define TESTS_IR_TEST_H

#include <stdint.h>

#include "ir/ir.h"

struct test_count {
    unsigned passed, failed;
};

/* Runs the cases of one *.ir file; prints those that fail. */
void test_text_file(const char *path, struct test_count *count);

/* The function's text, on the arena. */
char *test_text_of(struct arena *arena, const struct ir_fn *fn);

/* Random programs [first, first + n): every pass and every -O level against the IR as built. Prints
 * the first failures with the pass that is wrong. */
void test_random(uint64_t first, uint64_t n, struct test_count *count);

#endif
