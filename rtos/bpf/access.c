/* SPDX-License-Identifier: MIT
 *
 * What is asked of a program that runs: its entries, its maps, its statistics. Everything that touches the arena is
 * done by the domain's own task between two runs, so that nobody sees half a change; it waits for the
 * program's turn at most PROGRAMS_TIMEOUT ticks. What a map's header in the arena says is not believed: sizes come from
 * the blob.
 */
#include "manager.h"

#include "bpf/map.h"

#include <string.h>

/* The domain of a program, or why it has none. */
static enum bpf_status domain_of(const char *name, struct domain **out) {
    const struct program *program = program_find(name);
    if (!program)
        return BPF_NOT_FOUND;
    *out = program->domain;
    if (program->domain)
        return BPF_OK;
    return program->status ? (enum bpf_status)program->status : BPF_DISABLED;
}

/* The tables of a program, whether it runs or not. */
static enum bpf_status blob_of(const char *name, struct blob *out) {
    const struct program *program = program_find(name);
    uint32_t where;
    if (!program)
        return BPF_NOT_FOUND;
    if (program->domain) {
        *out = domain_blob(program->domain);
        return BPF_OK;
    }
    struct source source = program_source(program);
    return blob_parse(source.blob, source.size, out, &where);
}

/* Cut to its size, with a 0 behind. What a blob has as a name goes to terminals, and into answers whose text has to
 * be text. */
static void copy_name(char *out, size_t size, const char *name) {
    memset(out, 0, size);
    for (size_t i = 0; i + 1 < size && name[i]; i++)
        out[i] = name[i] < ' ' || name[i] > '~' ? '?' : name[i];
}

/* ----- statistics ----------------------------------------------------------------------------------------- */

/* The domain's task may stand in the middle of counting a run, which is then in some of them and not in others. */
static void copy_counters(const struct domain_entry *entry, struct program_stats *out) {
    out->runs = entry->runs;
    out->faults = entry->faults;
    out->overruns = entry->overruns;
    out->cycles_min = entry->cycles_min;
    out->cycles_max = entry->cycles_max;
    out->cycles_sum = entry->cycles_sum;
    memcpy(out->histogram, entry->histogram, sizeof(out->histogram));
}

static enum bpf_status stats(const char *name, unsigned entry, struct program_stats *out) {
    struct blob blob;
    struct domain *domain;
    enum bpf_status status = blob_of(name, &blob);
    if (status)
        return status;
    if (entry >= blob.header->programs.count)
        return BPF_NOT_FOUND;
    *out = (struct program_stats){.runs = 0};
    copy_name(out->name, sizeof(out->name), blob_string(&blob, blob.programs[entry].name));
    copy_name(out->section, sizeof(out->section), blob_string(&blob, blob.programs[entry].section));
    if (!domain_of(name, &domain))
        copy_counters(domain_entry(domain, entry), out);
    return BPF_OK;
}

enum bpf_status programs_stats(const char *name, unsigned entry, struct program_stats *out) {
    manager_lock();
    return manager_unlock(stats(name, entry, out));
}

/* ----- work in the domain's task -------------------------------------------------------------------------- */

struct call {
    enum bpf_status (*function)(struct domain *domain, struct call *call);
    enum bpf_status status;
    unsigned index; /* of a map or an entry */
    const void *key, *in;
    void *key_out, *out;
    uint32_t *cursor, *size;
    uint64_t *result;
    struct bpf_map *map;
    const struct blob_map *def;
};

static void carry_out(struct domain *domain, void *argument) {
    struct call *call = argument;
    call->status = call->function(domain, call);
}

static enum bpf_status ask(const char *name, struct call *call) {
    struct domain *domain;
    manager_lock();
    enum bpf_status status = domain_of(name, &domain);
    if (!status)
        status = domain_do(domain, carry_out, call, PROGRAMS_TIMEOUT);
    return manager_unlock(status ? status : call->status);
}

static enum bpf_status run(struct domain *domain, struct call *call) {
    return domain_run_now(domain, call->index, call->in, *call->size, call->result, call->cursor);
}

enum bpf_status programs_run(const char *name, unsigned entry, const void *data, uint32_t size,
                             uint64_t *result, uint32_t *cycles) {
    *result = *cycles = 0;
    return ask(name, &(struct call){.function = run,
                                    .index = entry,
                                    .in = data,
                                    .size = &size,
                                    .result = result,
                                    .cursor = cycles});
}

/* ----- maps ----------------------------------------------------------------------------------------------- */

enum bpf_status programs_map(const char *name, unsigned map, struct program_map *out) {
    struct blob blob;
    manager_lock();
    enum bpf_status status = blob_of(name, &blob);
    if (!status && map >= blob.header->maps.count)
        status = BPF_NOT_FOUND;
    if (!status) {
        const struct blob_map *def = &blob.maps[map];
        *out = (struct program_map){.type = def->type,
                                    .key_size = def->key_size,
                                    .value_size = def->value_size,
                                    .max_entries = def->max_entries};
        copy_name(out->name, sizeof(out->name), blob_string(&blob, def->name));
    }
    return manager_unlock(status);
}

static enum bpf_status of_map(int32_t result) {
    switch (-result) {
    case 0: return BPF_OK;
    case BPF_ENOENT: return BPF_NOT_FOUND;
    case BPF_E2BIG: return BPF_TOO_MANY;
    case BPF_EEXIST: return BPF_EXISTS;
    default: return BPF_ARGUMENT;
    }
}

static bool map_of(struct domain *domain, struct call *call) {
    call->map = domain_map(domain, call->index);
    call->def = &domain_blob(domain).maps[call->index];
    return call->map != NULL;
}

static bool has_order(const struct blob_map *def) {
    return def->type == BPF_MAP_QUEUE || def->type == BPF_MAP_STACK;
}

/* Of a queue or a stack what would come out next. */
static enum bpf_status get(struct domain *domain, struct call *call) {
    if (!map_of(domain, call))
        return BPF_NOT_FOUND;
    if (has_order(call->def))
        return of_map(bpf_map_peek(call->map, call->out));
    if (call->def->type == BPF_MAP_RINGBUF)
        return BPF_ARGUMENT;
    const void *value = bpf_map_lookup(call->map, call->key);
    if (!value)
        return BPF_NOT_FOUND;
    memcpy(call->out, value, call->def->value_size);
    return BPF_OK;
}

enum bpf_status programs_map_get(const char *name, unsigned map, const void *key, void *value) {
    return ask(name, &(struct call){.function = get, .index = map, .key = key, .out = value});
}

static enum bpf_status set(struct domain *domain, struct call *call) {
    if (!map_of(domain, call))
        return BPF_NOT_FOUND;
    if (has_order(call->def))
        return of_map(bpf_map_push(call->map, call->in, BPF_ANY));
    return of_map(bpf_map_update(call->map, call->key, call->in, BPF_ANY));
}

enum bpf_status programs_map_set(const char *name, unsigned map, const void *key,
                                 const void *value) {
    return ask(name, &(struct call){.function = set, .index = map, .key = key, .in = value});
}

static enum bpf_status remove_key(struct domain *domain, struct call *call) {
    if (!map_of(domain, call))
        return BPF_NOT_FOUND;
    return of_map(bpf_map_delete(call->map, call->key));
}

enum bpf_status programs_map_delete(const char *name, unsigned map, const void *key) {
    return ask(name, &(struct call){.function = remove_key, .index = map, .key = key});
}

static enum bpf_status next(struct domain *domain, struct call *call) {
    uint32_t index;
    const void *key;
    void *value;
    if (!map_of(domain, call))
        return BPF_NOT_FOUND;
    if (!bpf_map_next(call->map, call->cursor, &index, &key, &value))
        return BPF_NOT_FOUND;
    memcpy(call->key_out, key, call->def->key_size);
    memcpy(call->out, value, call->def->value_size);
    return BPF_OK;
}

enum bpf_status programs_map_next(const char *name, unsigned map, uint32_t *cursor, void *key,
                                  void *value) {
    return ask(name,
               &(struct call){
                   .function = next, .index = map, .cursor = cursor, .key_out = key, .out = value});
}

/* A record that is longer than the room is cut, and gone all the same. */
static enum bpf_status read_ring(struct domain *domain, struct call *call) {
    uint32_t length;
    if (!map_of(domain, call))
        return BPF_NOT_FOUND;
    if (call->def->type != BPF_MAP_RINGBUF)
        return BPF_ARGUMENT;
    const void *record = bpf_ringbuf_read(call->map, &length);
    if (!record)
        return BPF_NOT_FOUND;
    memcpy(call->out, record, length < *call->size ? length : *call->size);
    *call->size = length;
    return BPF_OK;
}

enum bpf_status programs_ring_read(const char *name, unsigned map, void *out, uint32_t *size) {
    return ask(name, &(struct call){.function = read_ring, .index = map, .out = out, .size = size});
}
