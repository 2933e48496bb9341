/* SPDX-License-Identifier: MIT */
/* What can be done with a mounted store: each is one record. */
#include "bpf/store.h"

#include "state.h"

#include "bpf/place.h"

#include <string.h>

/* ----- questions ---------------------------------------------------------------------------------- */

const struct store_program *store_find(const struct store *s, const char *name) {
    return state_current(s, name);
}

const uint8_t *store_bytes(const struct store *s, const struct store_program *p) {
    return s->flash.memory[s->active] + p->offset;
}

const uint8_t *store_upload(const struct store *s) {
    return s->flash.memory[s->active] + s->upload.offset;
}

static uint32_t program_limit(const struct store *s) {
    return s->flash.size - LOG_RESERVE;
}

/* ----- records ------------------------------------------------------------------------------------ */

/* Of the longest name that fits with its NUL; printable, without blanks: shells and file names want it. */
static bool name_is_good(const char *name) {
    unsigned length = 0;

    while (length < STORE_NAME && name[length] > ' ' && name[length] < 127)
        length++;
    return length > 0 && length < STORE_NAME && name[length] == '\0';
}

/* Writes a record with its payload at the end of the log and applies it. */
static enum store_status append(struct store *s, struct record *r, const void *grant,
                                uint32_t limit) {
    uint32_t at = s->end, end;

    if (!log_layout(s, s->active, at, 0, r->grant_size, false, limit, &r->offset, &end))
        return STORE_NO_ROOM;
    if (!log_seal(s))
        return STORE_FLASH;
    r->seq = s->next_seq++;
    s->end = end; /* whatever happens: these bytes are used */
    if (!log_header(s, s->active, s->generation, at, r) ||
        !log_copy(s, s->active, r->offset, grant, r->grant_size) || !log_commit(s, s->active, at)) {
        log_kill(s, s->active, s->generation, at);
        return STORE_FLASH;
    }
    state_apply(s, at);
    return STORE_OK;
}

/*
 * A mount applies records in the order in which they lie, so that an upload comes before all that was
 * written while it was open. That makes no difference as long as they are about other names.
 */
static bool is_uploading(const struct store *s, const char *name) {
    return s->upload.open &&
           strncmp(log_at(s, s->active, s->upload.record)->name, name, STORE_NAME) == 0;
}

static enum store_status about(struct store *s, enum record_kind kind, const char *name,
                               uint32_t value) {
    const struct store_program *p = state_current(s, name);
    struct record r = {.kind = kind, .value = value};

    if (!p)
        return STORE_NOT_FOUND;
    if (is_uploading(s, name))
        return STORE_BUSY;
    r.subject = p->seq;
    memcpy(r.name, p->name, STORE_NAME);
    return append(s, &r, NULL, s->flash.size - LOG_ERASE_ROOM);
}

enum store_status store_remove(struct store *s, const char *name) {
    return about(s, RECORD_REMOVE, name, 0);
}

/* What is so already needs no record. */
enum store_status store_enable(struct store *s, const char *name, bool enabled) {
    const struct store_program *p = state_current(s, name);

    if (p && p->enabled == enabled)
        return STORE_OK;
    return about(s, RECORD_ENABLE, name, enabled);
}

static enum store_status about_predecessor(struct store *s, enum record_kind kind,
                                           const char *name) {
    const struct store_program *p = state_current(s, name);

    if (p && p->replaces == 0)
        return STORE_NOT_FOUND;
    return about(s, kind, name, 0);
}

enum store_status store_confirm(struct store *s, const char *name) {
    return about_predecessor(s, RECORD_CONFIRM, name);
}

enum store_status store_rollback(struct store *s, const char *name) {
    return about_predecessor(s, RECORD_ROLLBACK, name);
}

enum store_status store_grant(struct store *s, const char *name, const void *grant, uint32_t size) {
    const struct store_program *p = state_current(s, name);
    struct record r = {.kind = RECORD_GRANT, .grant_size = size};

    if (!p)
        return STORE_NOT_FOUND;
    if (size > STORE_GRANT_MAX || (size && !grant))
        return STORE_BAD_ARGUMENT;
    if (is_uploading(s, name))
        return STORE_BUSY;
    r.subject = p->seq;
    memcpy(r.name, p->name, STORE_NAME);
    return append(s, &r, grant, program_limit(s));
}

/* ----- uploads ------------------------------------------------------------------------------------ */

static enum store_status may_begin(const struct store *s, const char *name, uint32_t size,
                                   uint32_t grant_size) {
    uint32_t offset, end;

    if (s->upload.open || !name_is_good(name) || size == 0 || grant_size > STORE_GRANT_MAX)
        return STORE_BAD_ARGUMENT;
    if (!log_layout(s, s->active, LOG_START, size, grant_size, true, program_limit(s), &offset,
                    &end))
        return STORE_TOO_LARGE;
    if (s->count >= STORE_PROGRAMS)
        return STORE_TOO_MANY;
    return STORE_OK;
}

/* The grant is written at once, behind the place of the blob. */
enum store_status store_begin(struct store *s, const char *name, uint32_t size, const void *grant,
                              uint32_t grant_size) {
    const struct store_program *old;
    struct record r = {.kind = RECORD_PROGRAM, .size = size, .grant_size = grant_size};
    uint32_t at = s->end, end;
    enum store_status status = may_begin(s, name, size, grant_size);

    if (status)
        return status;
    if (!log_layout(s, s->active, at, size, grant_size, true, program_limit(s), &r.offset, &end))
        return STORE_NO_ROOM;
    if (!log_seal(s))
        return STORE_FLASH;
    old = state_current(s, name);
    r.replaces = old ? old->seq : 0;
    r.value = old && old->enabled;
    memcpy(r.name, name, strlen(name));
    r.seq = s->next_seq++;
    s->end = end;
    if (!log_header(s, s->active, s->generation, at, &r) ||
        !log_copy(s, s->active, log_grant_offset(&r), grant, grant_size)) {
        log_kill(s, s->active, s->generation, at);
        return STORE_FLASH;
    }
    memset(&s->upload, 0, sizeof(s->upload));
    s->upload.record = at;
    s->upload.offset = r.offset;
    s->upload.size = size;
    s->upload.open = true;
    return STORE_OK;
}

/* Words are programmed when they are full; the last one may be filled up with 1 bits. */
enum store_status store_write(struct store *s, const void *bytes, uint32_t count) {
    const uint8_t *from = bytes;

    if (!s->upload.open || count > s->upload.size - s->upload.done)
        return STORE_BAD_ARGUMENT;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = s->upload.done % 4 * 8;
        s->upload.word = (place ? s->upload.word : 0xffffffffu) & ~(0xffu << place);
        s->upload.word |= (uint32_t)from[i] << place;
        s->upload.done++;
        if ((place == 24 || s->upload.done == s->upload.size) &&
            !log_program(s, s->active, s->upload.offset + ((s->upload.done - 1) & ~3u),
                         s->upload.word)) {
            store_abort(s);
            return STORE_FLASH;
        }
    }
    return STORE_OK;
}

enum store_status store_abort(struct store *s) {
    if (!s->upload.open)
        return STORE_BAD_ARGUMENT;
    s->upload.open = false;
    return log_kill(s, s->active, s->generation, s->upload.record) ? STORE_OK : STORE_FLASH;
}

enum store_status store_commit(struct store *s) {
    uint32_t at = s->upload.record;

    if (!s->upload.open || s->upload.done != s->upload.size)
        return STORE_BAD_ARGUMENT;
    if (!log_commit(s, s->active, at)) {
        store_abort(s);
        return STORE_FLASH;
    }
    s->upload.open = false;
    return state_apply(s, at) ? STORE_OK : STORE_TOO_MANY;
}
