/* SPDX-License-Identifier: MIT */
/* The board's flash as files: an image that persists, and firmware from ELF. */
#ifndef EMULATOR_BOARD_IMAGE_H
#define EMULATOR_BOARD_IMAGE_H

#include "util/arena.h"
#include "util/diag.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * BOARD_FLASH_SIZE bytes: the file at `path`, mapped so that every change is in it at once, or erased memory if
 * path is null. A file that is not there is made, erased. Null after an error message.
 */
uint8_t *image_open(const char *path, struct diag *diag);
void image_close(uint8_t *flash);          /* null is allowed */
bool image_is_blank(const uint8_t *flash); /* there is nothing where a reset begins */

/* Writes an ELF's segments to where they are loaded. False after an error message. */
bool image_load(uint8_t *flash, const char *path, struct arena *arena, struct diag *diag);

#endif
