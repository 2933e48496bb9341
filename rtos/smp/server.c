/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <string.h>

enum {
    MAP_END = 1,
    ANSWER_MIN = 128, /* bytes: any error with its text fits */
};

static void (*after)(void);

void smp_after(void (*action)(void)) {
    after = action;
}

bool smp_pending(void) {
    return after != NULL;
}

void smp_answered(void) {
    void (*action)(void) = after;
    after = NULL;
    if (action)
        action();
}

/* ----- arguments ---------------------------------------------------------------------------------- */

static void bad(struct smp_request *r) {
    if (!r->error)
        r->error = SMP_BAD_VALUE;
}

static uint32_t take_uint(struct smp_request *r, const struct cbor_item *item, uint32_t most) {
    if (item->kind == CBOR_UINT && item->value <= most)
        return (uint32_t)item->value;
    bad(r);
    return 0;
}

uint32_t smp_arg_uint(struct smp_request *r, const char *key, uint32_t most) {
    struct cbor_item item;
    if (cbor_find(r->map, key, &item))
        return take_uint(r, &item, most);
    bad(r);
    return 0;
}

uint32_t smp_arg_uint_or(struct smp_request *r, const char *key, uint32_t most,
                         uint32_t otherwise) {
    struct cbor_item item;
    return cbor_find(r->map, key, &item) ? take_uint(r, &item, most) : otherwise;
}

bool smp_arg_bool_or(struct smp_request *r, const char *key, bool otherwise) {
    struct cbor_item item;
    if (!cbor_find(r->map, key, &item))
        return otherwise;
    if (item.kind != CBOR_BOOL)
        bad(r);
    return item.kind == CBOR_BOOL && item.value;
}

const uint8_t *smp_arg_bytes(struct smp_request *r, const char *key, uint32_t *size) {
    struct cbor_item item;
    const uint8_t *bytes = NULL;
    if (cbor_find(r->map, key, &item) && item.kind == CBOR_BYTES)
        bytes = cbor_whole(&item);
    *size = bytes ? (uint32_t)item.value : 0;
    if (!bytes)
        bad(r);
    return bytes;
}

size_t smp_add_text(struct cbor_writer *w, size_t begin, const char *text, size_t length) {
    size_t taken = cbor_add_text(w, begin, text, length);
    for (uint8_t *byte = w->bytes + w->used - taken; byte < w->bytes + w->used; byte++)
        if ((*byte < ' ' || *byte > '~') && *byte != '\n' && *byte != '\t')
            *byte = '.';
    return taken;
}

/* ----- entries ------------------------------------------------------------------------------------ */

void smp_put_uint(struct cbor_writer *w, const char *key, uint64_t value) {
    cbor_text(w, key);
    cbor_uint(w, value);
}

void smp_put_text(struct cbor_writer *w, const char *key, const char *text) {
    cbor_text(w, key);
    cbor_text(w, text);
}

void smp_put_bool(struct cbor_writer *w, const char *key, bool value) {
    cbor_text(w, key);
    cbor_bool(w, value);
}

void smp_put_bytes(struct cbor_writer *w, const char *key, const void *bytes, size_t size) {
    cbor_text(w, key);
    cbor_bytes(w, bytes, size);
}

/* ----- one packet --------------------------------------------------------------------------------- */

static const struct smp_service *find_service(uint16_t group) {
    for (const struct smp_service *const *s = smp_services; *s; s++)
        if ((*s)->group == group)
            return *s;
    return NULL;
}

static smp_handler *find_handler(const struct smp_service *service, const struct smp_header *h) {
    if (!service || h->id >= service->count)
        return NULL;
    const struct smp_command *command = &service->commands[h->id];
    return h->op == SMP_READ ? command->read : command->write;
}

/* The request's map. A packet without one is as good as one with an empty map. */
static bool take_map(struct smp_request *r, const uint8_t *body, size_t size) {
    static const uint8_t empty[] = {0xa0};
    struct cbor_item item;
    r->map = size ? (struct cbor){body, body + size} : (struct cbor){empty, empty + 1};
    struct cbor at = r->map;
    return cbor_well_formed(r->map) && cbor_next(&at, &item) && item.kind == CBOR_MAP;
}

static int call(struct smp_request *r, const struct smp_service *service, bool good,
                const uint8_t *body, struct cbor_writer *w) {
    if (r->header.version > SMP_V2)
        return SMP_TOO_NEW;
    if (!good || !take_map(r, body, r->header.length))
        return SMP_BAD_VALUE;
    smp_handler *handler = find_handler(service, &r->header);
    if (!handler)
        return SMP_NOT_SUPPORTED;
    if (service->enter)
        service->enter();
    int result = handler(r, w);
    if (service->leave)
        service->leave();
    return result == SMP_OK && w->overflow ? SMP_TOO_LARGE : result;
}

/* What the protocol itself refuses is {"rc"} in both versions; a status of a group has its text beside it. */
static void put_result(const struct smp_request *r, const struct smp_service *service, int result,
                       struct cbor_writer *w) {
    if (result < SMP_STATUS) {
        smp_put_error(w, SMP_V1, r->header.group, (unsigned)result);
        return;
    }
    smp_put_error(w, r->header.version, r->header.group, (unsigned)result);
    if (r->has_where)
        smp_put_uint(w, "where", r->where);
    smp_put_text(w, "text", service->status_text(result));
}

size_t smp_answer(const uint8_t *request, size_t size, uint8_t *answer, size_t room) {
    struct smp_request r = {.error = SMP_OK};
    if (size < SMP_HEADER || room < ANSWER_MIN)
        return 0;
    bool good = smp_packet(request, size, &r.header);
    if (r.header.op != SMP_READ && r.header.op != SMP_WRITE)
        return 0; /* an answer, perhaps to somebody else's request */
    const struct smp_service *service = find_service(r.header.group);
    struct cbor_writer w = {.bytes = answer + SMP_HEADER, .size = room - SMP_HEADER};
    cbor_begin_map(&w);
    cbor_reserve(&w, MAP_END);
    size_t begin = cbor_mark(&w);
    int result = call(&r, service, good, request + SMP_HEADER, &w);
    w.reserved = MAP_END;
    if (result) {
        cbor_rewind(&w, begin);
        put_result(&r, service, result, &w);
    }
    cbor_release(&w, MAP_END);
    cbor_end(&w);
    struct smp_header header = r.header;
    header.op++;
    header.version = header.version > SMP_V2 ? SMP_V2 : header.version;
    header.flags = 0;
    header.length = (uint16_t)w.used;
    smp_header_write(&header, answer);
    return SMP_HEADER + w.used;
}
