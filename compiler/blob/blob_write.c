/* SPDX-License-Identifier: MIT */
/*
 * The blob writer: lays the tables out one after another behind the header, then the code, then the
 * bytecode, and seals the whole with id and CRC. Tables are built as arrays of the wire structures and
 * copied: host and board are both little-endian, and the structures have no padding (static asserts
 * in bpf/blob.h).
 */
#include "blob/blob_write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/map.h"
#include "util/hash.h"

struct buffer {
    struct arena *arena;
    VEC(uint8_t) bytes;
};

static uint32_t append(struct buffer *b, const void *data, size_t size, uint32_t align) {
    while (b->bytes.count % align)
        vec_push(b->arena, &b->bytes, 0);
    uint32_t off = (uint32_t)b->bytes.count;
    if (size) {
        vec_reserve(b->arena, &b->bytes, size);
        memcpy(b->bytes.items + off, data, size);
        b->bytes.count += size;
    }
    return off;
}

struct writer {
    const struct blob_parts *parts;
    const struct program *prog;
    struct buffer strings;
    struct blob_header header;
};

/* Offset of a string in the string table; equal strings are stored once. */
static uint32_t string(struct writer *w, const char *text) {
    size_t len = strlen(text) + 1;
    for (size_t i = 0; i < w->strings.bytes.count;
         i += strlen((char *)w->strings.bytes.items + i) + 1)
        if (strcmp((char *)w->strings.bytes.items + i, text) == 0)
            return (uint32_t)i;
    return append(&w->strings, text, len, 1);
}

static void *table(struct writer *w, uint32_t count, size_t row) {
    return arena_alloc_array(w->prog->arena, count ? count : 1, row);
}

static const struct code_func *code_func(const struct writer *w, int32_t index) {
    return index < 0 ? NULL : &w->parts->code->funcs.items[index];
}

static struct blob_program *programs(struct writer *w) {
    const struct program *prog = w->prog;
    struct blob_program *rows = table(w, prog->nentries, sizeof(*rows));
    for (uint32_t i = 0; i < prog->nentries; i++) {
        const struct prog_entry *entry = &prog->entries[i];
        const struct code_func *func =
            w->parts->code ? code_func(w, w->parts->entry_func[i]) : NULL;
        rows[i] = (struct blob_program){
            .name = string(w, entry->name),
            .section = string(w, entry->section),
            .func = entry->func,
            .entry = func ? func->addr : BLOB_NONE,
            .hook = (uint16_t)entry->hook,
            .ctx_size = entry->ctx_size,
            .stack_thumb = func ? w->parts->stack_thumb[i] : 0,
            .stack_interp = w->parts->stack_interp[i],
            .stack_bpf = w->parts->stack_bpf[i],
        };
        if (rows[i].stack_thumb > w->header.stack_thumb)
            w->header.stack_thumb = rows[i].stack_thumb;
        if (rows[i].stack_interp > w->header.stack_interp)
            w->header.stack_interp = rows[i].stack_interp;
    }
    return rows;
}

static struct blob_func *funcs(struct writer *w) {
    const struct program *prog = w->prog;
    struct blob_func *rows = table(w, prog->nfuncs, sizeof(*rows));
    for (uint32_t i = 0; i < prog->nfuncs; i++) {
        const struct prog_func *f = &prog->funcs[i];
        const struct code_func *code =
            w->parts->code ? code_func(w, w->parts->callable_func[i]) : NULL;
        rows[i] = (struct blob_func){
            .name = string(w, f->name),
            .entry = code && f->address_taken ? code->addr : BLOB_NONE,
            .code = BLOB_NONE,
            .start = f->start,
            .len = f->len,
            .stack = w->parts->func_stack[i],
        };
        if (!code && w->parts->code && f->entry >= 0)
            code = code_func(w, w->parts->entry_func[f->entry]);
        if (code) {
            rows[i].code = code->addr;
            rows[i].code_size = code->size;
        }
    }
    return rows;
}

static struct blob_map *maps(struct writer *w) {
    const struct program *prog = w->prog;
    struct blob_map *rows = table(w, prog->nmaps, sizeof(*rows));
    for (uint32_t i = 0; i < prog->nmaps; i++) {
        const struct prog_map *m = &prog->maps[i];
        rows[i] = (struct blob_map){
            .name = string(w, m->name),
            .off = w->parts->layout->map_off[i],
            .size = m->bytes,
            .type = m->type,
            .key_size = m->key_size,
            .value_size = m->value_size,
            .max_entries = m->max_entries,
            .map_flags = m->map_flags,
            .btf_hash = m->btf_hash,
        };
    }
    return rows;
}

/* Data images that the arena starts with follow the code; read-only data is part of the code. */
static struct blob_data *datas(struct writer *w, struct buffer *out, uint32_t code_off) {
    const struct program *prog = w->prog;
    const struct arena_layout *layout = w->parts->layout;
    struct blob_data *rows = table(w, prog->ndatas, sizeof(*rows));
    for (uint32_t i = 0; i < prog->ndatas; i++) {
        const struct prog_data *d = &prog->datas[i];
        rows[i].name = string(w, d->name);
        rows[i].size = d->size;
        rows[i].flags = d->writable ? BLOB_DATA_WRITABLE : 0;
        if (layout->data_in_code[i]) {
            uint32_t rodata =
                w->parts->code ? code_off + w->parts->code->label_addr[w->parts->code->rodata_label]
                               : BLOB_NONE;
            rows[i].image =
                w->parts->code ? rodata + layout->data_off[i] : append(out, d->image, d->size, 8);
            rows[i].off = rows[i].image;
            continue;
        }
        rows[i].flags |= BLOB_DATA_ARENA;
        rows[i].image = d->image ? append(out, d->image, d->size, 8) : BLOB_NONE;
        rows[i].off = layout->data_off[i];
    }
    return rows;
}

/* Place of a prog_array's slot in the arena. */
static uint32_t prog_slot(const struct writer *w, const struct prog_reloc *r) {
    return w->parts->layout->map_off[r->data] + BPF_MAP_ARRAY_VALUES +
           BPF_PROG_ARRAY_STRIDE * r->off;
}

static int by_place(const void *a, const void *b) {
    const struct blob_reloc *x = a, *y = b;
    return (x->off > y->off) - (x->off < y->off);
}

static struct blob_reloc *relocs(struct writer *w) {
    static const uint32_t kinds[] = {
        [PROG_RELOC_DATA] = BLOB_RELOC_DATA,
        [PROG_RELOC_MAP] = BLOB_RELOC_MAP,
        [PROG_RELOC_FUNC] = BLOB_RELOC_FUNC,
        [PROG_RELOC_PROG] = BLOB_RELOC_PROG,
    };
    const struct program *prog = w->prog;
    struct blob_reloc *rows = table(w, prog->nrelocs, sizeof(*rows));
    for (uint32_t i = 0; i < prog->nrelocs; i++) {
        const struct prog_reloc *r = &prog->relocs[i];
        rows[i] = (struct blob_reloc){
            .off = r->kind == PROG_RELOC_PROG ? prog_slot(w, r)
                                              : w->parts->layout->data_off[r->data] + r->off,
            .kind = kinds[r->kind],
            .target = r->target,
            .addend = r->addend,
        };
    }
    if (rows)
        qsort(rows, prog->nrelocs, sizeof(*rows), by_place);
    return rows;
}

static struct blob_range *ranges(struct writer *w, uint32_t *count) {
    const struct code_unit *code = w->parts->code;
    *count = code ? (uint32_t)code->data.count : 0;
    struct blob_range *rows = table(w, *count, sizeof(*rows));
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t end = i + 1 < *count ? code->data.items[i + 1].addr : code->size;
        rows[i].off = code->data.items[i].addr;
        rows[i].size = end - rows[i].off;
        rows[i].kind = code->data.items[i].insn ? BLOB_RANGE_DATA : BLOB_RANGE_CODE;
    }
    return rows;
}

static struct blob_span span(struct buffer *out, const void *rows, uint32_t count, size_t row) {
    return (struct blob_span){append(out, rows, count * row, 8), count};
}

static void seal(struct blob_header *header, uint8_t *bytes) {
    header->id = 0;
    header->crc = 0;
    memcpy(bytes, header, sizeof(*header));
    header->id = hash_bytes(HASH_INIT, bytes, header->size);
    memcpy(bytes, header, sizeof(*header));
    header->crc = bpf_crc32(0, bytes, header->size);
    memcpy(bytes, header, sizeof(*header));
}

uint8_t *blob_write(const struct blob_parts *parts, uint32_t *size) {
    const struct program *prog = parts->prog;
    struct arena *arena = prog->arena;
    struct writer w = {.parts = parts, .prog = prog, .strings = {.arena = arena}};
    struct buffer out = {.arena = arena};
    struct blob_header *h = &w.header;
    *h = (struct blob_header){
        .magic = BLOB_MAGIC,
        .abi = BLOB_ABI,
        .header_size = sizeof(*h),
        .flags = (parts->verified ? BLOB_VERIFIED : 0) | (parts->code ? BLOB_THUMB : 0) |
                 (parts->bytecode ? BLOB_BYTECODE : 0),
        .arena_size = parts->layout->size,
        .ctx_off = parts->layout->ctx_off,
        .ctx_size = parts->layout->ctx_size,
    };
    append(&out, h, sizeof(*h), 8);
    string(&w, "");
    if (parts->code)
        h->code = (struct blob_span){append(&out, parts->code->bytes, parts->code->size, 8),
                                     parts->code->size};
    struct blob_data *data_rows = datas(&w, &out, h->code.off);
    h->programs = span(&out, programs(&w), prog->nentries, sizeof(struct blob_program));
    h->funcs = span(&out, funcs(&w), prog->nfuncs, sizeof(struct blob_func));
    h->maps = span(&out, maps(&w), prog->nmaps, sizeof(struct blob_map));
    h->datas = span(&out, data_rows, prog->ndatas, sizeof(struct blob_data));
    h->relocs = span(&out, relocs(&w), prog->nrelocs, sizeof(struct blob_reloc));
    h->helpers = span(&out, parts->layout->helpers, parts->layout->nhelpers, sizeof(uint32_t));
    uint32_t nranges;
    struct blob_range *range_rows = ranges(&w, &nranges);
    h->ranges = span(&out, range_rows, nranges, sizeof(*range_rows));
    h->strings = span(&out, w.strings.bytes.items, (uint32_t)w.strings.bytes.count, 1);
    if (parts->bytecode)
        h->bytecode = span(&out, prog->insns, prog->ninsns, sizeof(*prog->insns));
    append(&out, NULL, 0, 8);
    *size = h->size = (uint32_t)out.bytes.count;
    seal(h, out.bytes.items);
    return out.bytes.items;
}
