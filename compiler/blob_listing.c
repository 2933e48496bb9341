/* SPDX-License-Identifier: MIT */
/*
 * Listing of a blob's header and tables. Addresses in code are offsets into it, those in the arena are
 * relative to r9, as in the blob.
 */
#include "blob_listing.h"

#include "bpf/arena.h"
#include "bpf/grant.h"
#include "bpf/helper.h"
#include "bpf_listing.h"
#include "program/hook.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

const char *blob_helper_name(uint32_t id, char buf[64]) {
    const struct bpf_helper *h = bpf_helper_by_id(id);
    snprintf(buf, 64, "%s%s", h ? "bpf_" : "", h ? h->name : "unknown");
    return buf;
}

static const char *const range_kinds[] = {[BLOB_RANGE_CODE] = "code", [BLOB_RANGE_DATA] = "data"};

/* The tables of a blob in the order of the header. */
#define SPANS(_)                                                                                   \
    _(programs, sizeof(struct blob_program))                                                       \
    _(funcs, sizeof(struct blob_func))                                                             \
    _(maps, sizeof(struct blob_map))                                                               \
    _(datas, sizeof(struct blob_data))                                                             \
    _(relocs, sizeof(struct blob_reloc))                                                           \
    _(helpers, sizeof(uint32_t))                                                                   \
    _(ranges, sizeof(struct blob_range))                                                           \
    _(strings, 1)                                                                                  \
    _(code, 1)                                                                                     \
    _(bytecode, sizeof(struct bpf_insn))

/* ------------------------------------------------------------------------------------------- text */

static void put_name(const struct blob *b, const char *kind, uint32_t index, uint32_t name,
                     FILE *out) {
    fprintf(out, "%s %u ", kind, index);
    bpf_list_text(blob_string(b, name), out);
    fputs(": ", out);
}

static void list_header(const struct blob *b, FILE *out) {
    const struct blob_header *h = b->header;
    fprintf(out, "blob: %u bytes, ABI %u, id %016" PRIx64 ", crc %08x, flags 0x%x:%s%s%s\n",
            h->size, h->abi, h->id, h->crc, h->flags,
            h->flags & BLOB_VERIFIED ? " verified" : " not verified",
            h->flags & BLOB_THUMB ? ", Thumb-2 code" : "",
            h->flags & BLOB_BYTECODE ? ", bytecode" : "");
    fprintf(out, "arena: %u bytes from r9, context copy at r9+%u, %u bytes\n", h->arena_size,
            h->ctx_off, h->ctx_size);
    fprintf(out, "stack: %u bytes below r9 compiled, %u bytes interpreted\n", h->stack_thumb,
            h->stack_interp);
    fprintf(out, "table        offset   rows  bytes\n");
#define ROW(name, size)                                                                            \
    fprintf(out, "%-10s %8u %6u %6u\n", #name, h->name.off, h->name.count,                         \
            (uint32_t)(h->name.count * (size)));
    SPANS(ROW)
#undef ROW
}

static void list_programs(const struct blob *b, FILE *out) {
    for (uint32_t i = 0; i < b->header->programs.count; i++) {
        const struct blob_program *p = &b->programs[i];
        put_name(b, "program", i, p->name, out);
        fputs("SEC(\"", out);
        bpf_list_text(blob_string(b, p->section), out);
        fprintf(out, "\"), type %s, function %u, ", hook_info((enum bpf_hook)p->hook)->prefix,
                p->func);
        if (p->entry != BLOB_NONE)
            fprintf(out, "entry 0x%x, ", p->entry);
        fprintf(out, "context %u bytes, stack %u compiled, %u interpreted (eBPF's %u), ",
                p->ctx_size, p->stack_thumb, p->stack_interp, p->stack_bpf);
        if (p->wcet)
            fprintf(out, "at most %u cycles\n", p->wcet);
        else
            fputs("cycles unknown\n", out);
    }
}

static void list_funcs(const struct blob *b, FILE *out) {
    for (uint32_t i = 0; i < b->header->funcs.count; i++) {
        const struct blob_func *f = &b->funcs[i];
        put_name(b, "function", i, f->name, out);
        if (f->code != BLOB_NONE)
            fprintf(out, "code 0x%x..0x%x (%u bytes), ", f->code, f->code + f->code_size,
                    f->code_size);
        if (f->entry != BLOB_NONE)
            fprintf(out, "code pointers lead to 0x%x, ", f->entry);
        fprintf(out, "eBPF slots %u..%u, eBPF stack %u bytes\n", f->start, f->start + f->len,
                f->stack);
    }
}

static void list_maps(const struct blob *b, FILE *out) {
    for (uint32_t i = 0; i < b->header->maps.count; i++) {
        const struct blob_map *m = &b->maps[i];
        put_name(b, "map", i, m->name, out);
        fprintf(out,
                "%s, key %u bytes, value %u bytes, %u entries, flags 0x%x, r9+%u..%u (%u bytes), "
                "types %016" PRIx64 "\n",
                bpf_list_map_type(m->type), m->key_size, m->value_size, m->max_entries,
                m->map_flags, m->off, m->off + m->size, m->size, m->btf_hash);
    }
}

static void list_datas(const struct blob *b, FILE *out) {
    for (uint32_t i = 0; i < b->header->datas.count; i++) {
        const struct blob_data *d = &b->datas[i];
        put_name(b, "data", i, d->name, out);
        fprintf(out, "%u bytes, %s, ", d->size,
                d->flags & BLOB_DATA_WRITABLE ? "writable" : "read-only");
        if (d->flags & BLOB_DATA_ARENA)
            fprintf(out, "r9+%u..%u, ", d->off, d->off + d->size);
        if (d->image == BLOB_NONE)
            fputs("zeros\n", out);
        else
            fprintf(out, "image at offset %u\n", d->image);
    }
}

static void put_target(const struct blob *b, const struct blob_reloc *r, FILE *out) {
    switch (r->kind) {
    case BLOB_RELOC_DATA:
        bpf_list_text(blob_string(b, b->datas[r->target].name), out);
        fprintf(out, "+%d", r->addend);
        break;
    case BLOB_RELOC_MAP: bpf_list_text(blob_string(b, b->maps[r->target].name), out); break;
    case BLOB_RELOC_FUNC:
        bpf_list_text(blob_string(b, b->funcs[r->target].name), out);
        fputs("()", out);
        break;
    default:
        fputs("program ", out);
        bpf_list_text(blob_string(b, b->programs[r->target].name), out);
    }
}

static void list_rest(const struct blob *b, FILE *out) {
    char name[64];
    for (uint32_t i = 0; i < b->header->relocs.count; i++) {
        fprintf(out, "reloc %u: r9+%u = %s", i, b->relocs[i].off,
                b->relocs[i].kind == BLOB_RELOC_PROG ? "" : "&");
        put_target(b, &b->relocs[i], out);
        fputc('\n', out);
    }
    for (uint32_t i = 0; i < b->header->helpers.count; i++)
        fprintf(out, "helper %u: r9+%u = %s (%u)\n", i, BPF_ARENA_SLOTS + 4 * i,
                blob_helper_name(b->helpers[i], name), b->helpers[i]);
    for (uint32_t i = 0; i < b->header->ranges.count; i++) {
        const struct blob_range *r = &b->ranges[i];
        fprintf(out, "range %u: 0x%x..0x%x %s (%u bytes)\n", i, r->off, r->off + r->size,
                range_kinds[r->kind], r->size);
    }
}

void blob_list(const struct blob *b, FILE *out) {
    list_header(b, out);
    list_programs(b, out);
    list_funcs(b, out);
    list_maps(b, out);
    list_datas(b, out);
    const char *request = bpf_grant_request(b);
    if (request)
        fprintf(out, "grant asked for: %s\n", request);
    list_rest(b, out);
}

/* ------------------------------------------------------------------------------------------- JSON */

/* A number that may be BLOB_NONE: null then. */
static void add(cJSON *object, const char *key, uint32_t value) {
    if (value == BLOB_NONE)
        cJSON_AddNullToObject(object, key);
    else
        cJSON_AddNumberToObject(object, key, value);
}

static void add_hex(cJSON *object, const char *key, uint64_t value) {
    char text[20];
    snprintf(text, sizeof(text), "%016" PRIx64, value);
    cJSON_AddStringToObject(object, key, text);
}

static cJSON *add_row(cJSON *rows) {
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(rows, row);
    return row;
}

static void json_header(const struct blob *b, cJSON *out) {
    const struct blob_header *h = b->header;
    cJSON *object = cJSON_AddObjectToObject(out, "header");
    add(object, "size", h->size);
    add(object, "abi", h->abi);
    add_hex(object, "id", h->id);
    add(object, "crc", h->crc);
    cJSON_AddBoolToObject(object, "verified", h->flags & BLOB_VERIFIED);
    cJSON_AddBoolToObject(object, "thumb", h->flags & BLOB_THUMB);
    cJSON_AddBoolToObject(object, "has_bytecode", h->flags & BLOB_BYTECODE);
    add(object, "arena_size", h->arena_size);
    add(object, "stack_thumb", h->stack_thumb);
    add(object, "stack_interp", h->stack_interp);
    add(object, "ctx_off", h->ctx_off);
    add(object, "ctx_size", h->ctx_size);
#define SPAN(name, row)                                                                            \
    {                                                                                              \
        cJSON *span = cJSON_AddObjectToObject(object, #name);                                      \
        add(span, "offset", h->name.off);                                                          \
        add(span, "count", h->name.count);                                                         \
    }
    SPANS(SPAN)
#undef SPAN
}

static void json_programs(const struct blob *b, cJSON *out) {
    cJSON *rows = cJSON_AddArrayToObject(out, "programs");
    for (uint32_t i = 0; i < b->header->programs.count; i++) {
        const struct blob_program *p = &b->programs[i];
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "name", blob_string(b, p->name));
        cJSON_AddStringToObject(row, "section", blob_string(b, p->section));
        cJSON_AddStringToObject(row, "type", hook_info((enum bpf_hook)p->hook)->prefix);
        add(row, "function", p->func);
        add(row, "entry", p->entry);
        add(row, "ctx_size", p->ctx_size);
        add(row, "stack_thumb", p->stack_thumb);
        add(row, "stack_interp", p->stack_interp);
        add(row, "stack_bpf", p->stack_bpf);
        add(row, "wcet", p->wcet);
    }
}

static void json_funcs(const struct blob *b, cJSON *out) {
    cJSON *rows = cJSON_AddArrayToObject(out, "functions");
    for (uint32_t i = 0; i < b->header->funcs.count; i++) {
        const struct blob_func *f = &b->funcs[i];
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "name", blob_string(b, f->name));
        add(row, "entry", f->entry);
        add(row, "code", f->code);
        add(row, "code_size", f->code_size);
        add(row, "start", f->start);
        add(row, "len", f->len);
        add(row, "stack", f->stack);
    }
}

static void json_maps(const struct blob *b, cJSON *out) {
    cJSON *rows = cJSON_AddArrayToObject(out, "maps");
    for (uint32_t i = 0; i < b->header->maps.count; i++) {
        const struct blob_map *m = &b->maps[i];
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "name", blob_string(b, m->name));
        cJSON_AddStringToObject(row, "type", bpf_list_map_type(m->type));
        add(row, "key_size", m->key_size);
        add(row, "value_size", m->value_size);
        add(row, "max_entries", m->max_entries);
        add(row, "map_flags", m->map_flags);
        add(row, "off", m->off);
        add(row, "size", m->size);
        add_hex(row, "btf_hash", m->btf_hash);
    }
}

static void json_datas(const struct blob *b, cJSON *out) {
    cJSON *rows = cJSON_AddArrayToObject(out, "data");
    for (uint32_t i = 0; i < b->header->datas.count; i++) {
        const struct blob_data *d = &b->datas[i];
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "name", blob_string(b, d->name));
        cJSON_AddBoolToObject(row, "arena", d->flags & BLOB_DATA_ARENA);
        cJSON_AddBoolToObject(row, "writable", d->flags & BLOB_DATA_WRITABLE);
        add(row, "size", d->size);
        add(row, "image", d->image);
        add(row, "off", d->off);
    }
}

static void json_relocs(const struct blob *b, cJSON *out) {
    static const char *const kinds[] = {[BLOB_RELOC_DATA] = "data",
                                        [BLOB_RELOC_MAP] = "map",
                                        [BLOB_RELOC_FUNC] = "function",
                                        [BLOB_RELOC_PROG] = "program"};
    cJSON *rows = cJSON_AddArrayToObject(out, "relocs");
    for (uint32_t i = 0; i < b->header->relocs.count; i++) {
        const struct blob_reloc *r = &b->relocs[i];
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "kind", kinds[r->kind]);
        add(row, "off", r->off);
        add(row, "target", r->target);
        cJSON_AddNumberToObject(row, "addend", r->addend);
    }
}

static void json_rest(const struct blob *b, cJSON *out) {
    char name[64];
    cJSON *rows = cJSON_AddArrayToObject(out, "helpers");
    for (uint32_t i = 0; i < b->header->helpers.count; i++) {
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "name", blob_helper_name(b->helpers[i], name));
        add(row, "id", b->helpers[i]);
        add(row, "slot", BPF_ARENA_SLOTS + 4 * i);
    }
    rows = cJSON_AddArrayToObject(out, "ranges");
    for (uint32_t i = 0; i < b->header->ranges.count; i++) {
        cJSON *row = add_row(rows);
        cJSON_AddStringToObject(row, "kind", range_kinds[b->ranges[i].kind]);
        add(row, "off", b->ranges[i].off);
        add(row, "size", b->ranges[i].size);
    }
}

void blob_list_json(const struct blob *b, cJSON *out) {
    json_header(b, out);
    json_programs(b, out);
    json_funcs(b, out);
    json_maps(b, out);
    json_datas(b, out);
    const char *request = bpf_grant_request(b);
    if (request)
        cJSON_AddStringToObject(out, "grant", request);
    json_relocs(b, out);
    json_rest(b, out);
}
