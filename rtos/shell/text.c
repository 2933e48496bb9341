/* SPDX-License-Identifier: MIT */
#include "line.h"

/* The first length bytes of prefix, which holds that many. */
bool text_begins(const char *text, const char *prefix, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] != prefix[i]) /* also where text ends */
            return false;
    return true;
}
