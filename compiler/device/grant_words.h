/* SPDX-License-Identifier: MIT */
/* A grant in words, for the person who is asked to give it. */
#ifndef DEVICE_GRANT_WORDS_H
#define DEVICE_GRANT_WORDS_H

#include "bpf/grant.h"
#include "util/arena.h"

/* Lines, each with its newline. */
const char *grant_words(const struct bpf_grant *grant, struct arena *arena);
/* As bpf_grant_print() writes it. */
const char *grant_text(const struct bpf_grant *grant, struct arena *arena);

#endif
