/* SPDX-License-Identifier: MIT */
/*
 * Where a blob may lie, so that one region of the MPU covers it (ARM DDI0403, B3.5.8): a region is
 * a power of two, aligned to itself, and from 256 bytes on falls into eight sub-regions that can be
 * switched off one by one. A blob begins at a sub-region's start and ends in the same region; what lies
 * in front of and behind it in the region is switched off, to the granule. Host and board ask
 * here, nowhere else.
 */
#ifndef BPF_PLACE_H
#define BPF_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum { BPF_PLACE_SMALLEST = 256 }; /* bytes of the smallest region that has sub-regions */
#define BPF_PLACE_LARGEST 0x80000000u

struct bpf_region {
    uint32_t base;    /* a multiple of size */
    uint32_t size;    /* a power of two, 256 bytes or more */
    uint8_t disabled; /* bit i: sub-region i is off (MPU_RASR.SRD) */
};

/* Bytes of a sub-region of the smallest region that can hold `size` bytes; 0: none is so large. */
uint32_t bpf_place_granule(uint32_t size);

/* The lowest address from `from` on at which `size` bytes may lie; false: it would be behind 2^32. */
bool bpf_place_next(uint32_t from, uint32_t size, uint32_t *address);

/* The region that covers `size` bytes at `address`; false if they may not lie there. size is not 0. */
bool bpf_place_region(uint32_t address, uint32_t size, struct bpf_region *region);

#endif
