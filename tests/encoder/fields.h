/* SPDX-License-Identifier: MIT */
/* Operands for tests of the encoder: random ones, and those at the edges of their ranges. */
#ifndef ENCODER_FIELDS_H
#define ENCODER_FIELDS_H

#include "thumb2/encoding.h"

/* A small generator (splitmix64), so that every run sees the same samples. */
uint32_t random_next(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t limit);

/*
 * Operands for the encoding in the form that the decoder gives back: what the encoding has is
 * random, everything else 0. Mostly encodable; the caller asks t2_encodable().
 */
struct t2_fields fields_random(enum t2_enc enc, bool in_it, uint64_t *state);

/* The same until they are encodable. */
struct t2_fields fields_encodable(enum t2_enc enc, bool in_it, uint64_t *state);

bool fields_equal(const struct t2_fields *a, const struct t2_fields *b);

#endif
