/* SPDX-License-Identifier: MIT */
/*
 * A small blob with one of everything: both kinds of code, three functions, two programs, a map of each
 * kind, data in the arena and outside it, a relocation of each kind. Built by hand, not by the
 * compiler, so that a test knows where each field is.
 */
#ifndef RUNTIME_SAMPLE_H
#define RUNTIME_SAMPLE_H

#include "bpf/blob.h"

enum sample_map {
    SAMPLE_ARRAY, /* 4 values of 12 bytes */
    SAMPLE_HASH,  /* 5 entries, keys of 4, values of 8 bytes */
    SAMPLE_LRU,
    SAMPLE_QUEUE, /* 2 values of 4 bytes */
    SAMPLE_STACK,
    SAMPLE_RINGBUF, /* 128 bytes */
    SAMPLE_PROGS,   /* prog_array with 2 slots; slot 1: program 1 */
    SAMPLE_MAPS
};

enum sample_func {
    SAMPLE_MAIN, /* program 0: writes 1 to its context, tail-calls slot r2 - 1; returns 41 */
    SAMPLE_VISIT, /* callback: counts its calls in .bss+8, sums r1 in .bss+16, stops after as many calls
                   * as .bss+24 says; writes the word in .bss+40 to the address in .bss+32, if any */
    SAMPLE_NEXT, /* program 1: returns 77 */
    SAMPLE_FUNCS
};

enum sample_data {
    SAMPLE_RODATA, /* in the code: "text %d\0" and 8 more bytes */
    SAMPLE_DATA,   /* arena, 40 bytes: 8 bytes of value, then one relocation each */
    SAMPLE_BSS,    /* arena, 64 bytes */
    SAMPLE_DATAS
};

#define SAMPLE_CONTEXT 64 /* bytes of program 0's context */

/* Rows of a table of a blob that can be written. */
#define SAMPLE_ROWS(bytes, table, type)                                                            \
    ((type *)(void *)((bytes) + sample_header(bytes)->table.off))

/* The blob in memory of exactly its size, 8-aligned, to be freed. */
uint8_t *sample_blob(uint32_t *size);
/* The same without one kind of code. */
uint8_t *sample_blob_with(uint32_t flags, uint32_t *size);
struct blob_header *sample_header(uint8_t *bytes);
/* Makes the CRC right again. */
void sample_seal(uint8_t *bytes);

#endif
