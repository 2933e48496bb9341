/* SPDX-License-Identifier: MIT */
#include "line.h"

size_t text_length(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

bool text_equal(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* The first length bytes of prefix, which holds that many. */
bool text_begins(const char *text, const char *prefix, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] != prefix[i]) /* also where text ends */
            return false;
    return true;
}
