/* SPDX-License-Identifier: MIT */
/* What clang wrote to stderr, as messages in the user's words. */
#ifndef CLANG_MESSAGES_H
#define CLANG_MESSAGES_H

#include "util/arena.h"
#include "util/diag.h"

/* `output` is changed. `source` is the file that was compiled. */
void clang_translate(char *output, const char *source, struct arena *arena, struct diag *diag);

#endif
