/* SPDX-License-Identifier: MIT
 *
 * Group 64: maps of programs. Keys and values go from the packet to the map and back without a copy in between.
 */
#include "programs.h"

/* A map of a program, and arguments of exactly its sizes. */
struct map_request {
    struct program_name name;
    unsigned map;
    struct program_map is;
    const uint8_t *key, *value;
};

static struct map_request arg_map(struct smp_request *r) {
    struct map_request m = {.name = program_arg_name(r)};
    m.map = smp_arg_uint(r, "map", UINT16_MAX);
    if (!r->error)
        r->error = (int)programs_map(m.name.text, m.map, &m.is);
    return m;
}

static const uint8_t *arg_sized(struct smp_request *r, const char *key, uint32_t size) {
    uint32_t given;
    const uint8_t *bytes = smp_arg_bytes(r, key, &given);
    if (!r->error && given != size) {
        r->error = BPF_ARGUMENT;
        r->has_where = true; /* what it should have been */
        r->where = size;
    }
    return bytes;
}

int smp_map_describe(struct smp_request *r, struct cbor_writer *w) {
    struct map_request m = arg_map(r);
    if (r->error)
        return r->error;
    smp_put_text(w, "name", m.is.name);
    smp_put_uint(w, "type", m.is.type);
    smp_put_uint(w, "key", m.is.key_size);
    smp_put_uint(w, "value", m.is.value_size);
    smp_put_uint(w, "max", m.is.max_entries);
    return SMP_OK;
}

int smp_map_get(struct smp_request *r, struct cbor_writer *w) {
    struct map_request m = arg_map(r);
    m.key = arg_sized(r, "key", m.is.key_size);
    if (r->error)
        return r->error;
    cbor_text(w, "value");
    uint8_t *value = cbor_room_for_bytes(w, m.is.value_size);
    return value ? (int)programs_map_get(m.name.text, m.map, m.key, value) : SMP_TOO_LARGE;
}

int smp_map_set(struct smp_request *r, struct cbor_writer *w) {
    struct map_request m = arg_map(r);
    m.key = arg_sized(r, "key", m.is.key_size);
    m.value = arg_sized(r, "value", m.is.value_size);
    (void)w;
    return r->error ? r->error : (int)programs_map_set(m.name.text, m.map, m.key, m.value);
}

int smp_map_delete(struct smp_request *r, struct cbor_writer *w) {
    struct map_request m = arg_map(r);
    m.key = arg_sized(r, "key", m.is.key_size);
    (void)w;
    return r->error ? r->error : (int)programs_map_delete(m.name.text, m.map, m.key);
}

/* One element of `next`. BPF_NOT_FOUND: there are no more; SMP_TOO_LARGE: not in this answer. */
static int put_element(struct cbor_writer *w, const struct map_request *m, uint32_t *cursor) {
    size_t before = cbor_mark(w);
    int status = SMP_TOO_LARGE;
    cbor_array(w, 2);
    uint8_t *key = cbor_room_for_bytes(w, m->is.key_size);
    uint8_t *value = cbor_room_for_bytes(w, m->is.value_size);
    if (key && value)
        status = (int)programs_map_next(m->name.text, m->map, cursor, key, value);
    if (status)
        cbor_rewind(w, before);
    return status;
}

/* As many elements as fit; an element that does not fit alone never will. */
int smp_map_next(struct smp_request *r, struct cbor_writer *w) {
    struct map_request m = arg_map(r);
    uint32_t cursor = smp_arg_uint_or(r, "cursor", UINT32_MAX, 0), count = 0;
    if (r->error)
        return r->error;
    int status;
    cbor_text(w, "items");
    cbor_begin_array(w);
    cbor_reserve(w, PROGRAM_RESERVED);
    while ((status = put_element(w, &m, &cursor)) == SMP_OK)
        count++;
    cbor_release(w, PROGRAM_RESERVED);
    cbor_end(w);
    if (status == SMP_TOO_LARGE && count) {
        smp_put_uint(w, "cursor", cursor);
        return SMP_OK;
    }
    return status == BPF_NOT_FOUND ? SMP_OK : status;
}

/* A record that was read is gone from the ring: it is only asked for where the largest one fits. So a ring that is
 * larger than an answer gives one record an answer; what of it is longer than the answer is lost. */
static int put_record(struct cbor_writer *w, const struct map_request *m) {
    size_t before = cbor_mark(w), begin = cbor_begin_bytes(w);
    uint32_t size = (uint32_t)cbor_room(w), room = size;
    if (room == 0)
        return SMP_TOO_LARGE;
    int status = (int)programs_ring_read(m->name.text, m->map, w->bytes + w->used, &size);
    if (status)
        cbor_rewind(w, before);
    else
        cbor_end_bytes(w, begin, size < room ? size : room);
    return status;
}

static bool fits_any(const struct cbor_writer *w, const struct map_request *m) {
    enum { HEAD = 3 }; /* of a string */
    return cbor_room(w) > HEAD && m->is.max_entries <= cbor_room(w) - HEAD;
}

int smp_map_ring(struct smp_request *r, struct cbor_writer *w) {
    struct map_request m = arg_map(r);
    unsigned count = 0;
    int status;
    if (r->error)
        return r->error;
    cbor_text(w, "records");
    cbor_begin_array(w);
    cbor_reserve(w, PROGRAM_RESERVED);
    do {
        status = put_record(w, &m);
        count += status == SMP_OK;
    } while (status == SMP_OK && fits_any(w, &m));
    cbor_release(w, PROGRAM_RESERVED);
    cbor_end(w);
    smp_put_bool(w, "more", status != BPF_NOT_FOUND);
    return count || status == BPF_NOT_FOUND ? SMP_OK : status;
}
