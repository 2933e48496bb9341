/* SPDX-License-Identifier: MIT */
/* DWARF 4 line information: sections .debug_abbrev, .debug_info and .debug_line. */
#ifndef BLOB_DWARF_H
#define BLOB_DWARF_H

#include "program/program.h"
#include "thumb2/code.h"

struct dwarf_section {
    const char *name;
    uint8_t *bytes;
    uint32_t size;
};

#define DWARF_SECTIONS 3

/* Fills out[] on the program's arena. False if the program has no line information. */
bool dwarf_sections(const struct program *prog, const struct code_unit *code,
                    struct dwarf_section out[DWARF_SECTIONS]);

#endif
