/* SPDX-License-Identifier: MIT */
/* The arena's layout: see layout.h. */
#include "thumb2/layout.h"

#include <assert.h>

#include "bpf/arena.h"

void layout_add_helper(struct arena_layout *layout, uint32_t id) {
    for (uint32_t i = 0; i < layout->nhelpers; i++)
        if (layout->helpers[i] == id)
            return;
    assert(layout->nhelpers < LAYOUT_MAX_HELPERS);
    layout->helpers[layout->nhelpers++] = id;
}

uint32_t layout_slot(const struct arena_layout *layout, uint32_t id) {
    for (uint32_t i = 0; i < layout->nhelpers; i++)
        if (layout->helpers[i] == id)
            return BPF_ARENA_SLOTS + 4 * i;
    assert(!"helper without a slot");
    return 0;
}

static uint32_t round_up(uint32_t n, uint32_t align) {
    return (n + align - 1) / align * align;
}

void layout_finish(struct arena_layout *layout, const struct program *prog) {
    layout->data_in_code = arena_alloc_array(prog->arena, prog->ndatas, sizeof(bool));
    layout->data_off = arena_alloc_array(prog->arena, prog->ndatas, sizeof(uint32_t));
    layout->map_off = arena_alloc_array(prog->arena, prog->nmaps, sizeof(uint32_t));
    uint32_t off = round_up(BPF_ARENA_SLOTS + 4 * layout->nhelpers, 8), rodata = 0;
    for (uint32_t i = 0; i < prog->ndatas; i++) {
        const struct prog_data *data = &prog->datas[i];
        layout->data_in_code[i] = !data->writable && !data->relocated && data->image;
        uint32_t *place = layout->data_in_code[i] ? &rodata : &off;
        layout->data_off[i] = *place;
        *place = round_up(*place + data->size, 8);
    }
    layout->rodata_size = rodata;
    for (uint32_t i = 0; i < prog->nmaps; i++) {
        layout->map_off[i] = off;
        off += prog->maps[i].bytes;
    }
    layout->ctx_off = off;
    for (uint32_t i = 0; i < prog->nentries; i++)
        if (prog->entries[i].ctx_size > layout->ctx_size)
            layout->ctx_size = prog->entries[i].ctx_size;
    layout->ctx_size = round_up(layout->ctx_size, 8);
    layout->size = off + layout->ctx_size;
}
