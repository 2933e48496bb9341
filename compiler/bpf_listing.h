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

#endif
