/* SPDX-License-Identifier: MIT */
/*
 * The blob parser (docs/blob.md): checks all that loading and running rely on, once, so that nobody
 * below checks again. It trusts nothing: every offset, count and index is bounded by what has been
 * checked before it. Used by host, emulator and board alike.
 */
#include "bpf/blob.h"

#include "bpf/arena.h"
#include "bpf/helper.h"
#include "bpf/hook.h"
#include "bpf/map.h"

#include <string.h>

struct parser {
    struct blob *b;
    const struct blob_header *h;
    uint32_t where; /* offset of what is being checked */
};

/* Offset of a field or row, to be reported if the check fails. */
static bool at(struct parser *p, const void *field, bool ok) {
    if (!ok)
        p->where = (uint32_t)((const uint8_t *)field - p->b->base);
    return ok;
}

/* [off, off + size) lies within [0, limit). */
static bool within(uint64_t off, uint64_t size, uint64_t limit) {
    return off <= limit && size <= limit - off;
}

static enum bpf_status check_header(struct parser *p, size_t size) {
    const struct blob_header *h = p->h;
    if (!at(p, &h->magic, h->magic == BLOB_MAGIC))
        return BPF_BLOB_MAGIC;
    if (!at(p, &h->abi, h->abi == BLOB_ABI || h->flags & BLOB_BYTECODE))
        return BPF_BLOB_ABI;
    if (!at(p, &h->size, h->size <= size))
        return BPF_BLOB_TRUNCATED;
    if (!at(p, &h->header_size, h->header_size == sizeof(*h)) ||
        !at(p, &h->size, h->size >= sizeof(*h) && h->size % 8 == 0 && h->size <= BLOB_MAX_SIZE))
        return BPF_BLOB_HEADER;
    struct blob_header unsealed = *h;
    unsealed.crc = 0;
    uint32_t crc = bpf_crc32(0, &unsealed, sizeof(unsealed));
    crc = bpf_crc32(crc, p->b->base + sizeof(unsealed), h->size - sizeof(unsealed));
    if (!at(p, &h->crc, crc == h->crc))
        return BPF_BLOB_CRC;
    const uint32_t known = BLOB_VERIFIED | BLOB_THUMB | BLOB_BYTECODE;
    bool ok = at(p, &h->flags, !(h->flags & ~known) && (h->flags & (BLOB_THUMB | BLOB_BYTECODE))) &&
              at(p, &h->arena_size, h->arena_size % 8 == 0 && h->arena_size <= BLOB_MAX_SIZE) &&
              at(p, &h->stack_thumb, h->stack_thumb % 8 == 0 && h->stack_thumb <= BLOB_MAX_SIZE) &&
              at(p, &h->stack_interp, h->stack_interp % 8 == 0 && h->stack_interp <= BLOB_MAX_SIZE);
    return ok ? BPF_OK : BPF_BLOB_HEADER;
}

/* A table of rows; *rows is set to it, or to NULL when it is empty. */
static bool table(struct parser *p, const struct blob_span *span, uint32_t row, uint32_t align,
                  void *rows) {
    const void *start = NULL;
    if (span->count) {
        if (!at(p, span,
                span->off >= sizeof(*p->h) && span->off % align == 0 &&
                    within(span->off, (uint64_t)span->count * row, p->h->size)))
            return false;
        start = p->b->base + span->off;
    }
    memcpy(rows, &start, sizeof(start));
    return true;
}

static bool find_tables(struct parser *p) {
    const struct blob_header *h = p->h;
    struct blob *b = p->b;
    return table(p, &h->programs, sizeof(*b->programs), 4, &b->programs) &&
           table(p, &h->funcs, sizeof(*b->funcs), 4, &b->funcs) &&
           table(p, &h->maps, sizeof(*b->maps), 8, &b->maps) &&
           table(p, &h->datas, sizeof(*b->datas), 4, &b->datas) &&
           table(p, &h->relocs, sizeof(*b->relocs), 4, &b->relocs) &&
           table(p, &h->helpers, sizeof(*b->helpers), 4, &b->helpers) &&
           table(p, &h->ranges, sizeof(*b->ranges), 4, &b->ranges) &&
           table(p, &h->strings, 1, 1, &b->strings) && table(p, &h->code, 1, 8, &b->code) &&
           table(p, &h->bytecode, sizeof(*b->bytecode), 8, &b->bytecode) &&
           at(p, &h->code, !(h->flags & BLOB_THUMB) == !h->code.count && h->code.count % 8 == 0) &&
           at(p, &h->bytecode, !(h->flags & BLOB_BYTECODE) == !h->bytecode.count) &&
           at(p, &h->programs, h->programs.count > 0) && at(p, &h->funcs, h->funcs.count > 0) &&
           at(p, &h->strings,
              h->strings.count > 0 && b->strings[0] == '\0' &&
                  b->strings[h->strings.count - 1] == '\0');
}

static bool is_string(const struct parser *p, uint32_t off) {
    return off < p->h->strings.count;
}

/* ------------------------------------------------------------------------------------------ code */

static bool check_ranges(struct parser *p) {
    uint32_t next = 0;
    for (uint32_t i = 0; i < p->h->ranges.count; i++) {
        const struct blob_range *r = &p->b->ranges[i];
        if (!at(p, r,
                r->off == next && r->size > 0 && r->size <= p->h->code.count - next &&
                    r->off % 2 == 0 && r->kind <= BLOB_RANGE_DATA))
            return false;
        next += r->size;
    }
    return at(p, &p->h->ranges, next == p->h->code.count);
}

/* A place where control may enter: even, in a range of code. Ranges are sorted and leave no gap. */
static bool is_entry(const struct parser *p, uint32_t off) {
    const struct blob_range *ranges = p->b->ranges;
    uint32_t low = 0, high = p->h->ranges.count;
    if (off % 2 || off >= p->h->code.count)
        return false;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        *(ranges[middle].off <= off ? &low : &high) = middle;
    }
    return ranges[low].kind == BLOB_RANGE_CODE;
}

static bool check_funcs(struct parser *p) {
    bool thumb = p->h->flags & BLOB_THUMB;
    uint32_t end = 0; /* of the functions so far: the interpreter searches them by their starts */
    for (uint32_t i = 0; i < p->h->funcs.count; i++) {
        const struct blob_func *f = &p->b->funcs[i];
        bool code_ok = f->code == BLOB_NONE ? f->code_size == 0
                                            : thumb && is_entry(p, f->code) &&
                                                  within(f->code, f->code_size, p->h->code.count);
        bool entry_ok = f->entry == BLOB_NONE || (thumb && is_entry(p, f->entry));
        bool insns_ok =
            !(p->h->flags & BLOB_BYTECODE) ||
            (f->start >= end && f->len > 0 && within(f->start, f->len, p->h->bytecode.count));
        if (!at(p, f,
                is_string(p, f->name) && code_ok && entry_ok && insns_ok && f->stack % 8 == 0 &&
                    f->stack <= BPF_STACK_MAX))
            return false;
        end = f->start + f->len; /* used only with bytecode, where it is in bounds */
    }
    return true;
}

static bool check_programs(struct parser *p) {
    const struct blob_header *h = p->h;
    for (uint32_t i = 0; i < h->programs.count; i++) {
        const struct blob_program *g = &p->b->programs[i];
        bool entry_ok = h->flags & BLOB_THUMB ? is_entry(p, g->entry) : g->entry == BLOB_NONE;
        if (!at(p, g,
                is_string(p, g->name) && is_string(p, g->section) && g->func < h->funcs.count &&
                    entry_ok && g->hook < BPF_HOOK_COUNT && g->flags == 0 &&
                    g->ctx_size <= h->ctx_size && g->stack_thumb <= h->stack_thumb &&
                    g->stack_interp <= h->stack_interp && g->stack_bpf <= g->stack_interp &&
                    g->stack_bpf % 8 == 0))
            return false;
    }
    return true;
}

static bool check_helpers(struct parser *p) {
    for (uint32_t i = 0; i < p->h->helpers.count; i++)
        if (!at(p, &p->b->helpers[i], p->b->helpers[i] < BPF_HELPER_END))
            return false;
    return true;
}

/* ----------------------------------------------------------------------------------------- arena */

/* The parts stand in the order head and slots, data, maps, context copy; none overlaps the next. */
static bool arena_part(const struct parser *p, uint32_t off, uint32_t size, uint64_t *next) {
    if (off % 8 || off < *next || !within(off, size, p->h->arena_size))
        return false;
    *next = (uint64_t)off + size;
    return true;
}

static bool check_datas(struct parser *p, uint64_t *next) {
    for (uint32_t i = 0; i < p->h->datas.count; i++) {
        const struct blob_data *d = &p->b->datas[i];
        bool image_ok = d->image == BLOB_NONE ||
                        (d->image >= sizeof(*p->h) && within(d->image, d->size, p->h->size));
        bool place_ok = d->flags & BLOB_DATA_ARENA ? arena_part(p, d->off, d->size, next)
                                                   : d->image != BLOB_NONE && d->off == d->image;
        if (!at(p, d,
                is_string(p, d->name) && image_ok && place_ok &&
                    !(d->flags & ~(uint32_t)(BLOB_DATA_ARENA | BLOB_DATA_WRITABLE))))
            return false;
    }
    return true;
}

static enum bpf_status check_maps(struct parser *p, uint64_t *next) {
    for (uint32_t i = 0; i < p->h->maps.count; i++) {
        const struct blob_map *m = &p->b->maps[i];
        uint32_t bytes =
            bpf_map_bytes(m->type, m->key_size, m->value_size, m->max_entries, m->map_flags, NULL);
        if (!at(p, m, bytes && m->size == bytes && is_string(p, m->name)))
            return BPF_BLOB_MAP;
        if (!at(p, m, arena_part(p, m->off, m->size, next)))
            return BPF_BLOB_LAYOUT;
    }
    return BPF_OK;
}

/* [off, off + size) lies within this data section. */
static bool in_data(const struct blob_data *d, uint32_t off, uint32_t size) {
    return d && off >= d->off && within(off - d->off, size, d->size);
}

/* off is a value of this map, a prog_array. */
static bool is_prog_value(const struct blob_map *m, uint32_t off) {
    if (!m || m->type != BPF_MAP_PROG_ARRAY || off < m->off + BPF_MAP_ARRAY_VALUES)
        return false;
    uint32_t at = off - m->off - BPF_MAP_ARRAY_VALUES;
    return at % BPF_PROG_ARRAY_STRIDE == 0 && at / BPF_PROG_ARRAY_STRIDE < m->max_entries;
}

static bool check_reloc(const struct parser *p, const struct blob_reloc *r,
                        const struct blob_data *d, const struct blob_map *m) {
    const struct blob_header *h = p->h;
    switch (r->kind) {
    case BLOB_RELOC_DATA: return r->target < h->datas.count && in_data(d, r->off, 8);
    case BLOB_RELOC_MAP: return r->target < h->maps.count && in_data(d, r->off, 8);
    case BLOB_RELOC_FUNC:
        return r->target < h->funcs.count && in_data(d, r->off, 8) &&
               (!(h->flags & BLOB_THUMB) || p->b->funcs[r->target].entry != BLOB_NONE);
    case BLOB_RELOC_PROG: return r->target < h->programs.count && is_prog_value(m, r->off);
    default: return false;
    }
}

/* The first part of the arena from `at` on that ends behind off; NULL: there is none. Those of sections that are not in
 * the arena are passed over. */
static const struct blob_data *data_at(const struct parser *p, uint32_t *at, uint32_t off) {
    const struct blob_data *d = p->b->datas;
    while (*at < p->h->datas.count &&
           !(d[*at].flags & BLOB_DATA_ARENA && d[*at].off + d[*at].size > off))
        ++*at;
    return *at < p->h->datas.count ? &d[*at] : NULL;
}

static const struct blob_map *map_at(const struct parser *p, uint32_t *at, uint32_t off) {
    while (*at < p->h->maps.count && p->b->maps[*at].off + p->b->maps[*at].size <= off)
        ++*at;
    return *at < p->h->maps.count ? &p->b->maps[*at] : NULL;
}

/* In order of their places, as the parts of the arena are: so all of them are looked at in one go, and a board does not
 * spend a second with a hostile blob. */
static bool check_relocs(struct parser *p) {
    uint32_t last = 0, data = 0, map = 0;
    for (uint32_t i = 0; i < p->h->relocs.count; i++) {
        const struct blob_reloc *r = &p->b->relocs[i];
        const struct blob_data *d = data_at(p, &data, r->off);
        const struct blob_map *m = map_at(p, &map, r->off);
        if (!at(p, r, r->off >= last && check_reloc(p, r, d, m)))
            return false;
        last = r->off;
    }
    return true;
}

static enum bpf_status check_arena(struct parser *p) {
    const struct blob_header *h = p->h;
    uint64_t next = BPF_ARENA_SLOTS + 4 * (uint64_t)h->helpers.count;
    if (!check_datas(p, &next))
        return BPF_BLOB_LAYOUT;
    enum bpf_status status = check_maps(p, &next);
    if (status != BPF_OK)
        return status;
    if (!at(p, &h->ctx_off, arena_part(p, h->ctx_off, h->ctx_size, &next)))
        return BPF_BLOB_LAYOUT;
    return BPF_OK;
}

static enum bpf_status parse(struct parser *p, size_t size) {
    enum bpf_status status = check_header(p, size);
    if (status != BPF_OK)
        return status;
    if (!find_tables(p))
        return BPF_BLOB_TABLE;
    if (!check_ranges(p))
        return BPF_BLOB_LAYOUT;
    if (!check_funcs(p) || !check_programs(p) || !check_helpers(p))
        return BPF_BLOB_INDEX;
    status = check_arena(p);
    if (status != BPF_OK)
        return status;
    return check_relocs(p) ? BPF_OK : BPF_BLOB_INDEX;
}

enum bpf_status blob_parse(const void *data, size_t size, struct blob *out, uint32_t *where) {
    memset(out, 0, sizeof(*out));
    *where = 0;
    if (size < sizeof(struct blob_header))
        return BPF_BLOB_TRUNCATED;
    if ((uintptr_t)data % 8)
        return BPF_BLOB_TABLE;
    out->base = data;
    out->header = data;
    struct parser p = {.b = out, .h = out->header};
    enum bpf_status status = parse(&p, size);
    *where = p.where;
    if (status != BPF_OK)
        memset(out, 0, sizeof(*out));
    return status;
}
