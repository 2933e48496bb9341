/* SPDX-License-Identifier: MIT */
/* Timers in maps: see bpf/timer.h. */
#include "bpf/timer.h"

#include "map_layout.h"

/* How the elements of a kind of map lie; distances from the map's start, and from an element's. */
struct layout {
    uint32_t first, stride;
    uint32_t key, value;
};

/* False: this kind of map has no elements that could hold a timer. */
static bool layout_of(const struct blob_map *def, struct layout *l) {
    uint32_t heads, value = (uint32_t)sizeof(struct bpf_hash_entry) + ((def->key_size + 7) & ~7u);
    switch (bpf_map_plain_type(def->type)) {
    case BPF_MAP_ARRAY:
        *l = (struct layout){BPF_MAP_ARRAY_VALUES, bpf_map_stride(def->value_size), 0, 0};
        return true;
    case BPF_MAP_HASH:
    case BPF_MAP_LRU_HASH:
        heads = (bpf_map_buckets(def->max_entries) * (uint32_t)sizeof(uint16_t) + 7) & ~7u;
        *l = (struct layout){(uint32_t)sizeof(struct bpf_map) + heads,
                             bpf_hash_entry_size(def->key_size, def->value_size),
                             (uint32_t)sizeof(struct bpf_hash_entry), value};
        return true;
    default: return false;
    }
}

/* The last map that begins at `off` or before; they lie in ascending order (blob_parse()). */
static uint32_t map_before(const struct blob *blob, uint32_t off) {
    uint32_t low = 0, high = blob->header->maps.count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (blob->maps[middle].off <= off)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool bpf_timer_find(const struct blob *blob, uint32_t off, struct bpf_timer_place *place) {
    struct layout l;
    uint32_t map = map_before(blob, off);
    if (map >= blob->header->maps.count || off % 8)
        return false;
    const struct blob_map *def = &blob->maps[map];
    if (off < def->off || !layout_of(def, &l) || off - def->off < l.first)
        return false;
    uint32_t at = off - def->off - l.first, element = at / l.stride, inside = at % l.stride;
    if (element >= def->max_entries || inside < l.value ||
        def->value_size < sizeof(struct bpf_timer) ||
        inside - l.value > def->value_size - sizeof(struct bpf_timer))
        return false;
    *place = (struct bpf_timer_place){map, element, inside - l.value};
    return true;
}

bool bpf_timer_element(const struct blob *blob, const uint8_t *head,
                       const struct bpf_timer_place *place, struct bpf_timer_element *element) {
    const struct blob_map *def = &blob->maps[place->map];
    struct layout l;
    if (!layout_of(def, &l))
        return false;
    uint32_t start = def->off + l.first + place->element * l.stride;
    *element = (struct bpf_timer_element){.map = def->off, .value = start + l.value};
    if (l.key == 0)
        return true;
    element->key = start + l.key;
    element->tag = bpf_hash_of_key(head + element->key, def->key_size);
    return ((const struct bpf_hash_entry *)(const void *)(head + start))->used == BPF_HASH_USED;
}

uint32_t bpf_timer_function(const struct blob *blob, uint32_t blob_addr, enum bpf_engine engine,
                            uint32_t pointer) {
    const struct blob_header *h = blob->header;
    uint32_t code = pointer - blob_addr - h->code.off - 1,
             slots = pointer - blob_addr - h->bytecode.off;
    for (uint32_t i = 0; i < h->funcs.count; i++) {
        const struct blob_func *f = &blob->funcs[i];
        if (engine == BPF_ENGINE_THUMB ? f->entry != BLOB_NONE && f->entry == code
                                       : f->start * (uint32_t)sizeof(struct bpf_insn) == slots)
            return i;
    }
    return BLOB_NONE;
}
