/* SPDX-License-Identifier: MIT */
/* Program of the IR tests: `text FILE...` or `random FIRST COUNT`; prints `N passed, N failed`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/test.h"

int main(int argc, char **argv) {
    struct test_count count = {0};
    if (argc >= 3 && !strcmp(argv[1], "text")) {
        for (int i = 2; i < argc; i++)
            test_text_file(argv[i], &count);
    } else if (argc == 4 && !strcmp(argv[1], "random")) {
        test_random(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0), &count);
    } else {
        fprintf(stderr, "usage: ir-tests text FILE... | random FIRST COUNT\n");
        return 2;
    }
    printf("%u passed, %u failed\n", count.passed, count.failed);
    return count.failed != 0;
}
