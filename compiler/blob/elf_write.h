/* SPDX-License-Identifier: MIT */
/*
 * The compiled code as an ARM ELF object for tools: objdump, gdb (add-symbol-file X.elf ADDRESS, with
 * the address of the code on the board). .text is the blob's code section byte for byte, from 0.
 */
#ifndef BLOB_ELF_WRITE_H
#define BLOB_ELF_WRITE_H

#include "program/program.h"
#include "thumb2/code.h"
#include "util/diag.h"
#include "util/file.h"

/* Makes the contents of the file, in the program's arena. False after an error message. */
bool elf_write(const struct program *prog, const struct code_unit *code, struct file_output *out,
               struct diag *diag);

#endif
