/* SPDX-License-Identifier: MIT */
#include "bpf/place.h"

uint32_t bpf_place_granule(uint32_t size) {
    uint32_t region = BPF_PLACE_SMALLEST;

    if (size > BPF_PLACE_LARGEST)
        return 0;
    while (region < size)
        region <<= 1;
    return region / 8;
}

bool bpf_place_next(uint32_t from, uint32_t size, uint32_t *address) {
    uint32_t granule = bpf_place_granule(size), region = granule * 8;
    uint64_t at = ((uint64_t)from + granule - 1) & ~(uint64_t)(granule - 1);

    if (granule == 0)
        return false;
    if (at % region + size > region) /* it would reach into the next one: begin there */
        at = (at + region - 1) & ~(uint64_t)(region - 1);
    *address = (uint32_t)at;
    return at + size <= UINT64_C(1) << 32;
}

bool bpf_place_region(uint32_t address, uint32_t size, struct bpf_region *region) {
    uint32_t granule = bpf_place_granule(size), first, last, at;

    if (size == 0 || !bpf_place_next(address, size, &at) || at != address)
        return false;
    region->size = granule * 8;
    region->base = address & ~(region->size - 1);
    first = (address - region->base) / granule;
    last = (address - region->base + size - 1) / granule;
    region->disabled = (uint8_t) ~((0xffu >> (7 - last)) & (0xffu << first));
    return true;
}
