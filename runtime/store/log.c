/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "bpf/blob.h"
#include "bpf/place.h"

#include <stddef.h>
#include <string.h>

#define ERASED 0xffffffffu
#define RECORD_MAGIC 0x42325200u /* "B2R", and the kind */
#define SECTOR_MAGIC 0x42325453u /* "B2TS" */
#define SECTOR_VERSION 1
#define COMMIT1 0x5a3c9669u
#define COMMIT2 0xa5c36996u
#define FORMATTED 0x466f726du
#define COMPLETE1 0x436f6d70u
#define COMPLETE2 0x6c657465u

struct sector_header {
    uint32_t magic, version, generation, erased, crc;
    uint32_t formatted, complete1, complete2;
};
_Static_assert(sizeof(struct sector_header) <= LOG_START, "the log begins behind it");

static uint32_t align(uint32_t value, uint32_t to) {
    return (value + to - 1) & ~(to - 1);
}

static uint32_t word_at(const struct store *s, unsigned sector, uint32_t offset) {
    uint32_t word;

    memcpy(&word, s->flash.memory[sector] + offset, sizeof(word));
    return word;
}

/* ----- writing ------------------------------------------------------------------------------------ */

bool log_program(struct store *s, unsigned sector, uint32_t offset, uint32_t word) {
    return s->flash.program(s->flash.user, sector, offset, word) &&
           word_at(s, sector, offset) == word;
}

/* The last word is filled up with 1 bits. */
bool log_copy(struct store *s, unsigned sector, uint32_t offset, const void *bytes, uint32_t size) {
    const uint8_t *from = bytes;

    for (uint32_t i = 0; i < size; i += 4) {
        uint32_t word = ERASED;
        memcpy(&word, from + i, size - i < 4 ? size - i : 4);
        if (!log_program(s, sector, offset + i, word))
            return false;
    }
    return true;
}

/* ----- records ------------------------------------------------------------------------------------ */

bool log_layout(const struct store *s, unsigned sector, uint32_t at, uint32_t size,
                uint32_t grant_size, bool is_program, uint32_t limit, uint32_t *offset,
                uint32_t *end) {
    uint32_t start = at + (uint32_t)sizeof(struct record), address = s->flash.address[sector];

    *offset = 0;
    if (start > limit || size > limit || grant_size > limit)
        return false;
    if (is_program) {
        if (!bpf_place_next(address + start, size, &address))
            return false;
        start = address - s->flash.address[sector];
    }
    if (start > limit || align(size, 4) + align(grant_size, 4) > limit - start)
        return false;
    *offset = size || grant_size ? start : 0;
    *end = align(start + align(size, 4) + align(grant_size, 4), STORE_ALIGN);
    return *end <= limit;
}

uint32_t log_end(const struct record *r, uint32_t at) {
    if (r->offset == 0)
        return at + (uint32_t)sizeof(*r);
    return align(r->offset + log_payload_size(r), STORE_ALIGN);
}

uint32_t log_grant_offset(const struct record *r) {
    return r->offset + align(r->size, 4);
}

uint32_t log_payload_size(const struct record *r) {
    return align(r->size, 4) + align(r->grant_size, 4);
}

const struct record *log_at(const struct store *s, unsigned sector, uint32_t at) {
    return (const struct record *)(const void *)(s->flash.memory[sector] + at);
}

static uint32_t header_crc(uint32_t generation, uint32_t at, const struct record *r) {
    const uint32_t place[2] = {generation, at};

    return bpf_crc32(bpf_crc32(0, place, sizeof(place)), r, offsetof(struct record, crc));
}

/* A header that is what was written; the rest of the store relies on nothing but this of its numbers. */
static bool is_header(const struct store *s, unsigned sector, uint32_t generation, uint32_t at) {
    const struct record *r = log_at(s, sector, at);
    uint32_t kind = r->kind ^ RECORD_MAGIC;

    if (kind == 0 || kind >= RECORD_KINDS || r->crc != header_crc(generation, at, r))
        return false;
    if (r->offset == 0)
        return r->size == 0 && r->grant_size == 0;
    return r->offset >= at + sizeof(*r) && r->offset % 4 == 0 && r->offset <= s->flash.size &&
           r->size <= s->flash.size && r->grant_size <= STORE_GRANT_MAX &&
           log_end(r, at) <= s->flash.size && r->name[STORE_NAME - 1] == '\0';
}

enum record_state log_state(const struct store *s, unsigned sector, uint32_t generation,
                            uint32_t at) {
    const struct record *r = log_at(s, sector, at);

    if (!is_header(s, sector, generation, at))
        return RECORD_NONE;
    if (r->commit2 == COMMIT2 && r->commit1 == COMMIT1)
        return RECORD_COMMITTED;
    return r->commit2 == 0 ? RECORD_DEAD : RECORD_OPEN;
}

uint32_t log_payload_crc(const struct store *s, unsigned sector, const struct record *r) {
    if (r->offset == 0)
        return 0;
    return bpf_crc32(0, s->flash.memory[sector] + r->offset, log_payload_size(r));
}

bool log_payload_good(const struct store *s, unsigned sector, const struct record *r) {
    return r->payload_crc == log_payload_crc(s, sector, r);
}

uint32_t log_used(const struct store *s, unsigned sector) {
    uint32_t end = s->flash.size;

    while (end > LOG_START && word_at(s, sector, end - 4) == ERASED)
        end -= 4;
    return align(end, STORE_ALIGN);
}

uint32_t log_next(const struct store *s, unsigned sector, uint32_t generation, uint32_t at,
                  uint32_t used) {
    while (at < used && at + sizeof(struct record) <= s->flash.size) {
        if (is_header(s, sector, generation, at))
            return at;
        at += STORE_ALIGN;
    }
    return s->flash.size;
}

bool log_header(struct store *s, unsigned sector, uint32_t generation, uint32_t at,
                struct record *r) {
    r->kind |= RECORD_MAGIC;
    r->crc = header_crc(generation, at, r);
    return log_copy(s, sector, at, r, offsetof(struct record, payload_crc));
}

bool log_commit_copy(struct store *s, unsigned sector, uint32_t at, uint32_t payload_crc) {
    return log_program(s, sector, at + offsetof(struct record, payload_crc), payload_crc) &&
           log_program(s, sector, at + offsetof(struct record, commit1), COMMIT1) &&
           log_program(s, sector, at + offsetof(struct record, commit2), COMMIT2);
}

bool log_commit(struct store *s, unsigned sector, uint32_t at) {
    uint32_t crc = log_payload_crc(s, sector, log_at(s, sector, at));

    return log_program(s, sector, at + offsetof(struct record, payload_crc), crc) &&
           log_program(s, sector, at + offsetof(struct record, commit1), COMMIT1) &&
           log_payload_good(s, sector, log_at(s, sector, at)) &&
           log_program(s, sector, at + offsetof(struct record, commit2), COMMIT2);
}

bool log_seal(struct store *s) {
    s->sealed = s->sealed || log_program(s, s->active, s->end - STORE_ALIGN, 0);
    return s->sealed;
}

/* The same words once more: a weak bit that reads as 0 becomes one. */
static bool again(struct store *s, unsigned sector, uint32_t at, uint32_t size) {
    for (uint32_t i = 0; i < size; i += 4)
        if (!log_program(s, sector, at + i, word_at(s, sector, at + i)))
            return false;
    return true;
}

static bool clear(struct store *s, unsigned sector, uint32_t at, uint32_t size) {
    for (uint32_t i = 0; i < size; i += 4)
        if (!log_program(s, sector, at + i, 0))
            return false;
    return true;
}

bool log_kill(struct store *s, unsigned sector, uint32_t generation, uint32_t at) {
    if (!is_header(s, sector, generation, at))
        return clear(s, sector, at, sizeof(struct record));
    return clear(s, sector, at + offsetof(struct record, commit1), 8);
}

bool log_scrub(struct store *s, unsigned sector, uint32_t from, uint32_t to) {
    bool found = false;

    for (uint32_t at = from; at < to; at += 4) {
        uint32_t word = word_at(s, sector, at);
        if (word != ERASED && word != 0) {
            found = true;
            log_program(s, sector, at, 0);
        }
    }
    return found;
}

bool log_settle(struct store *s, unsigned sector, uint32_t generation, uint32_t at) {
    if (log_state(s, sector, generation, at) == RECORD_COMMITTED)
        return again(s, sector, at, sizeof(struct record));
    return again(s, sector, at, offsetof(struct record, payload_crc)) &&
           log_kill(s, sector, generation, at);
}

/* ----- sectors ------------------------------------------------------------------------------------ */

static const struct sector_header *header_of(const struct store *s, unsigned sector) {
    return (const struct sector_header *)(const void *)s->flash.memory[sector];
}

bool sector_is_fresh(const struct store *s, unsigned sector) {
    return log_used(s, sector) == LOG_START;
}

enum sector_state sector_state(const struct store *s, unsigned sector, uint32_t *generation,
                               uint32_t *erased) {
    const struct sector_header *h = header_of(s, sector);

    *generation = *erased = 0;
    if (h->magic != SECTOR_MAGIC || h->version != SECTOR_VERSION ||
        h->crc != bpf_crc32(0, h, offsetof(struct sector_header, crc)) || h->formatted != FORMATTED)
        return SECTOR_DIRTY;
    *generation = h->generation;
    *erased = h->erased;
    if (h->complete1 == COMPLETE1 && h->complete2 == COMPLETE2)
        return SECTOR_COMPLETE;
    return h->complete1 == ERASED && h->complete2 == ERASED && sector_is_fresh(s, sector)
               ? SECTOR_READY
               : SECTOR_FILLING;
}

bool sector_mark(struct store *s, unsigned sector, uint32_t generation, uint32_t erased) {
    struct sector_header h = {SECTOR_MAGIC, SECTOR_VERSION, generation, erased, 0, 0, 0, 0};

    h.crc = bpf_crc32(0, &h, offsetof(struct sector_header, crc));
    return log_copy(s, sector, 0, &h, offsetof(struct sector_header, formatted)) &&
           log_program(s, sector, offsetof(struct sector_header, formatted), FORMATTED);
}

bool sector_complete(struct store *s, unsigned sector) {
    return log_program(s, sector, offsetof(struct sector_header, complete1), COMPLETE1) &&
           log_program(s, sector, offsetof(struct sector_header, complete2), COMPLETE2);
}

bool sector_strengthen(struct store *s, unsigned sector) {
    return again(s, sector, 0, sizeof(struct sector_header));
}
