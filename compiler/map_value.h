/* SPDX-License-Identifier: MIT */
/*
 * Keys and values of maps as text. As many bytes as the map says, little-endian, as the board has them:
 *
 *     12  -3  0x1f         one number, of up to 8 bytes
 *     1,2,-3               several of equal size: the words of a structure
 *     hex:0102ff           the bytes themselves
 */
#ifndef MAP_VALUE_H
#define MAP_VALUE_H

#include "program/program.h"
#include "util/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL: good; else what is wrong, as half a sentence. */
const char *map_value_parse(const char *text, uint8_t *out, size_t size, struct arena *arena);

/* "kp=3,ki=-1" into the bytes that are there: what is not named stays. NULL: good; else what is wrong. */
const char *map_value_assign(const char *text, uint8_t *bytes, const struct prog_fields *fields,
                             struct arena *arena);
/* "kp=3,ki=-1", or one number. */
const char *map_value_named(const uint8_t *bytes, const struct prog_fields *fields,
                            struct arena *arena);

/* What map_value_parse() takes again: numbers where there may be some, else hex. */
const char *map_value_print(const uint8_t *bytes, size_t size, struct arena *arena);

/* Hex digits, in memory order. */
const char *map_value_hex(const uint8_t *bytes, size_t size, struct arena *arena);

/* A number of 1, 2, 4 or 8 bytes. */
int64_t map_value_number(const uint8_t *bytes, size_t size, bool is_signed);

/* Bytes from pairs of hex digits. False: they are none. *out is on the arena. */
bool map_value_unhex(const char *text, struct arena *arena, uint8_t **out, size_t *size);

#endif
