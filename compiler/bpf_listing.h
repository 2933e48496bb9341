/* SPDX-License-Identifier: MIT */
/* The linked program as text for people: tables, and instructions with symbols and source lines. */
#ifndef BPF_LISTING_H
#define BPF_LISTING_H

#include "program/program.h"

#include <stdio.h>

/* Maps, data sections, pointers in them, programs and functions: all but the instructions. */
void bpf_list_tables(const struct program *program, FILE *out);
/* Every function with its instructions, below the source lines that they come from. */
void bpf_list_code(const struct program *program, FILE *out);

/* "array"; "unknown" if there is no such type. */
const char *bpf_list_map_type(uint32_t type);
/* Text from a file may hold anything; the terminal gets no control characters. */
void bpf_list_text(const char *text, FILE *out);
/* A heading `; blink.bpf.c:14: source text`, indented. */
void bpf_list_line(const struct prog_line *line, FILE *out);
/* Whether two rows of the line table name the same source line; either may be NULL. */
bool bpf_list_same_line(const struct prog_line *a, const struct prog_line *b);

#endif
