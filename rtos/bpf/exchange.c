/* SPDX-License-Identifier: MIT
 *
 * One domain in the place of another. Pins, channels and RAM can belong to one domain only, so the old one ends
 * before the new one is made, and all that can fail comes before the store hears of it: whatever fails,
 * the old one is made once more, with its maps. What the maps hold lies in the pool meanwhile.
 *
 * Of the old maps those are kept that the new program would read as the old one did: same name, type, sizes and hash
 * of their types. An array of programs holds indices of the old blob, so only the same blob keeps it.
 */
#include "manager.h"

#include "bpf/map.h"

#include <string.h>

/* ----- maps ----------------------------------------------------------------------------------------------- */

static void *pool_memory(uint32_t address) {
    return (void *)(uintptr_t)address;
}

bool saved_reserve(struct saved *saved, uint32_t bytes) {
    *saved = (struct saved){0};
    if (bytes)
        saved->taken = pool_allocate(bytes, &saved->address);
    return saved->taken >= bytes;
}

void saved_release(struct saved *saved) {
    if (saved->taken)
        pool_free(saved->address, saved->taken);
    saved->taken = 0;
}

uint32_t maps_bytes(const struct blob_header *blob) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < blob->maps.count; i++)
        sum += blob_tables(blob).maps[i].size;
    return sum;
}

/* Nothing of the domain runs. */
static void maps_save(const struct saved *saved, struct domain *domain) {
    const struct blob_map *maps = domain_blob(domain).maps;
    uint8_t *to = pool_memory(saved->address);
    for (uint32_t i = 0; i < domain->blob->maps.count; i++) {
        memcpy(to, domain_map(domain, i), maps[i].size);
        to += maps[i].size;
    }
}

static bool is_same(const struct blob *a, const struct blob *b) {
    return a->header->id == b->header->id && a->header->crc == b->header->crc &&
           a->header->size == b->header->size;
}

static bool keeps(const struct blob *old, const struct blob_map *from, const struct blob *blob,
                  const struct blob_map *to) {
    if (is_same(old, blob))
        return from - old->maps == to - blob->maps;
    return strcmp(blob_string(old, from->name), blob_string(blob, to->name)) == 0 &&
           from->type == to->type && from->type != BPF_MAP_PROG_ARRAY && from->size == to->size &&
           from->key_size == to->key_size && from->value_size == to->value_size &&
           from->max_entries == to->max_entries && from->map_flags == to->map_flags &&
           from->btf_hash == to->btf_hash && from->btf_hash != 0;
}

/* Nothing of the domain has run. */
static void maps_restore(const struct saved *saved, const struct blob *old, struct domain *domain) {
    const struct blob tables = domain_blob(domain), *blob = &tables;
    const uint8_t *from = pool_memory(saved->address);
    for (uint32_t i = 0; i < old->header->maps.count; from += old->maps[i++].size)
        for (uint32_t k = 0; k < blob->header->maps.count; k++)
            if (keeps(old, &old->maps[i], blob, &blob->maps[k]))
                memcpy(domain_map(domain, k), from, blob->maps[k].size);
}

/* ----- domains -------------------------------------------------------------------------------------------- */

static void stop(struct domain *domain, void *nothing) {
    (void)nothing;
    domain_stop(domain);
}

void program_quiet(struct program *program) {
    struct domain *domain = program->domain;
    domain->program = NULL; /* what happens from here on says nothing about it */
    (void)domain_do(domain, stop, NULL, PROGRAMS_TIMEOUT); /* too long: it is cut off */
    domain_end(domain);
}

static void forget(struct program *program) {
    domain_free(program->domain);
    program->domain = NULL;
}

void program_unload(struct program *program) {
    if (!program->domain)
        return;
    program_quiet(program);
    forget(program);
}

/* The store has one checksum for both; a blob that is damaged has its own to tell. */
static enum bpf_status why_no_grant(const struct source *source, uint32_t *where) {
    struct blob blob;
    enum bpf_status status = blob_parse(source->blob, source->size, &blob, where);
    return status ? status : BPF_GRANT_STORED;
}

/* old: NULL, or whose maps `saved` holds. */
static enum bpf_status make(struct program *program, const struct source *source,
                            const struct saved *saved, const struct blob *old, uint32_t *where) {
    struct domain *domain;
    *where = 0;
    if (!source->grant)
        return why_no_grant(source, where);
    enum bpf_status status =
        domain_make(program->name, source->blob, source->size, source->grant, &domain, where);
    if (status)
        return status;
    if (old)
        maps_restore(saved, old, domain);
    program->good_runs = program->faults = 0;
    program->wish = WISH_NOTHING;
    program->domain = domain;
    domain->program = program;
    status = domain_start(domain);
    if (status)
        program_unload(program);
    return status;
}

enum bpf_status program_load(struct program *program, const struct source *source) {
    uint32_t where;
    enum bpf_status status = make(program, source, NULL, NULL, &where);
    program->status = (uint8_t)status;
    program->where = where;
    return status;
}

/* ----- one for another ------------------------------------------------------------------------------------ */

/* Whose domain has stopped itself does not run again because others want something. */
static void come_back(struct program *program, const struct source *source,
                      const struct saved *saved, const struct blob *old, bool was_stopped) {
    program->status = (uint8_t)make(program, source, saved, old, &program->where);
    if (!program->status && was_stopped)
        domain_stop(program->domain);
}

enum bpf_status exchange_begin(struct exchange *x, struct program *program,
                               const struct source *source, uint32_t *where) {
    *x = (struct exchange){.program = program, .old = program_source(program)};
    if (program->domain) {
        x->blob = domain_blob(program->domain);
        *where = maps_bytes(x->blob.header);
        if (!saved_reserve(&x->maps, *where))
            return BPF_NO_RAM;
        x->had_domain = true;
        x->was_stopped = program->domain->stopped;
        program_quiet(program);
        maps_save(&x->maps, program->domain);
        forget(program);
    }
    enum bpf_status status =
        make(program, source, &x->maps, x->had_domain ? &x->blob : NULL, where);
    if (status)
        exchange_undo(x);
    else
        program->status = BPF_OK;
    return status;
}

void exchange_undo(struct exchange *x) {
    program_unload(x->program);
    if (x->had_domain)
        come_back(x->program, &x->old, &x->maps, &x->blob, x->was_stopped);
    saved_release(&x->maps);
}

void exchange_done(struct exchange *x) {
    saved_release(&x->maps);
}

void exchange_moved(struct program *program, const struct saved *saved, bool was_stopped) {
    struct source source = program_source(program);
    struct blob blob;
    program->status = (uint8_t)blob_parse(source.blob, source.size, &blob, &program->where);
    if (program->status) {
        forget(program);
        return;
    }
    program->domain->blob = blob.header; /* its tables, by which the maps are found */
    maps_save(saved, program->domain);
    forget(program);
    come_back(program, &source, saved, &blob, was_stopped);
}
