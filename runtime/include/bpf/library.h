/* SPDX-License-Identifier: MIT */
/*
 * The library image that unprivileged programs call: what stands at its start (MEMMAP_LIBRARY). Entries
 * have bit 0 set. Supervisor calls come from the library alone: the loader refuses them in programs.
 * A fault that the library finds (a wild callx, a fault of the interpreter) is `udf #status`, with a
 * number from error.def; r0 then holds the bytecode slot, or the value called, and r1 the address of the
 * access.
 */
#ifndef BPF_LIBRARY_H
#define BPF_LIBRARY_H

#define LIBRARY_SVC_EXIT 0   /* the program has returned; its result is in r1:r0 */
#define LIBRARY_SVC_HELPER 1 /* helper r12, arguments by AAPCS (r0-r3, then stack words) */

#ifndef __ASSEMBLER__
#include <stdint.h>

#define LIBRARY_MAGIC 0x42494c42u /* "BLIB" */
#define LIBRARY_VERSION 2

struct library_row {
    uint32_t id; /* helper */
    uint32_t entry;
};

struct library_header {
    uint32_t magic, version;
    uint32_t size;        /* bytes of the whole image */
    uint32_t exit;        /* where a program returns to: lr at its entry */
    uint32_t interpreter; /* r0 = program index, r1 = context, r2 = length; r9 = arena; returns */
    uint32_t callback; /* the same for a function: r0 = its code pointer, r1 to r3 for r1 to r3 */
    uint32_t count;    /* of rows */
    struct library_row rows[];
};
#endif

#endif
