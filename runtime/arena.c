/* SPDX-License-Identifier: MIT */
/* Building the arena of a blob: see bpf/arena.h. Runs before any program does, on a checked blob. */
#include "bpf/arena.h"

#include "bpf/map.h"

#include <string.h>

struct builder {
    const struct blob *blob;
    uint32_t blob_addr, r9;
    enum bpf_engine engine;
    uint8_t *head; /* where r9 points, in this address space */
};

static void copy_data(const struct builder *b) {
    for (uint32_t i = 0; i < b->blob->header->datas.count; i++) {
        const struct blob_data *d = &b->blob->datas[i];
        if ((d->flags & BLOB_DATA_ARENA) && d->image != BLOB_NONE)
            memcpy(b->head + d->off, b->blob->base + d->image, d->size);
    }
}

static void init_maps(const struct builder *b) {
    for (uint32_t i = 0; i < b->blob->header->maps.count; i++) {
        const struct blob_map *def = &b->blob->maps[i];
        bpf_map_init((struct bpf_map *)(void *)(b->head + def->off), def);
    }
}

/* The code pointer of a function, as each engine calls it. */
static uint32_t code_pointer(const struct builder *b, const struct blob_func *f) {
    const struct blob_header *h = b->blob->header;
    if (b->engine == BPF_ENGINE_THUMB)
        return (b->blob_addr + h->code.off + f->entry) | 1;
    return b->blob_addr + h->bytecode.off + f->start * (uint32_t)sizeof(struct bpf_insn);
}

static uint32_t reloc_value(const struct builder *b, const struct blob_reloc *r) {
    const struct blob *blob = b->blob;
    switch (r->kind) {
    case BLOB_RELOC_DATA: {
        const struct blob_data *d = &blob->datas[r->target];
        uint32_t base = d->flags & BLOB_DATA_ARENA ? b->r9 : b->blob_addr;
        return base + d->off + (uint32_t)r->addend;
    }
    case BLOB_RELOC_MAP: return b->r9 + blob->maps[r->target].off;
    case BLOB_RELOC_FUNC: return code_pointer(b, &blob->funcs[r->target]);
    default: return r->target + 1; /* BLOB_RELOC_PROG */
    }
}

static void relocate(const struct builder *b) {
    for (uint32_t i = 0; i < b->blob->header->relocs.count; i++) {
        const struct blob_reloc *r = &b->blob->relocs[i];
        uint64_t value = reloc_value(b, r);
        memcpy(b->head + r->off, &value, r->kind == BLOB_RELOC_PROG ? 4 : 8);
    }
}

static enum bpf_status fill_slots(const struct builder *b, bpf_resolve_fn *resolve, void *user) {
    struct bpf_arena *arena = (struct bpf_arena *)(void *)b->head;
    for (uint32_t i = 0; i < b->blob->header->helpers.count; i++) {
        uint32_t entry = resolve ? resolve(user, b->blob->helpers[i]) : 0;
        if (!entry && b->engine == BPF_ENGINE_THUMB)
            return BPF_BLOB_HELPER;
        arena->slots[i] = entry;
    }
    return BPF_OK;
}

enum bpf_status bpf_arena_init(const struct blob *blob, uint32_t blob_addr, enum bpf_engine engine,
                               void *mem, uint32_t addr, uint32_t size, bpf_resolve_fn *resolve,
                               void *user, uint32_t *r9) {
    const struct blob_header *h = blob->header;
    if (engine == BPF_ENGINE_THUMB ? !blob_has_code(blob) : !(h->flags & BLOB_BYTECODE))
        return BPF_BLOB_ENGINE;
    uint32_t stack = engine == BPF_ENGINE_THUMB ? h->stack_thumb : h->stack_interp;
    if (size % 8 || addr % 8 || size < h->arena_size || size - h->arena_size < stack)
        return BPF_ARENA_SIZE;
    memset(mem, 0, size);
    struct builder b = {
        .blob = blob,
        .blob_addr = blob_addr,
        .r9 = addr + size - h->arena_size,
        .engine = engine,
        .head = (uint8_t *)mem + (size - h->arena_size),
    };
    struct bpf_arena *arena = (struct bpf_arena *)(void *)b.head;
    arena->blob = blob_addr;
    arena->base = addr;
    arena->size = size;
    arena->engine = engine;
    arena->prandom =
        0x9e3779b9u; /* the same on every engine; who has entropy puts it in after this */
    copy_data(&b);
    init_maps(&b);
    relocate(&b);
    *r9 = b.r9;
    return fill_slots(&b, resolve, user);
}
