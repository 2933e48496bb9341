/* SPDX-License-Identifier: MIT */
/* From two sectors to a state: mounting, formatting, compacting, and the erase that ends them. */
#include "state.h"

#include <stddef.h>
#include <string.h>

enum { NONE = STORE_SECTORS };

/* ----- the spare sector --------------------------------------------------------------------------- */

static bool spare_is_ready(const struct store *s, unsigned spare) {
    uint32_t generation, erased;

    return sector_state(s, spare, &generation, &erased) == SECTOR_READY &&
           generation == s->generation + 1;
}

/* Writes into the log of `sector` that the other one is erased now: its count must not get lost with it. */
static bool journal_erase(struct store *s, unsigned sector, uint32_t generation, uint32_t at) {
    struct record r = {.kind = RECORD_ERASE,
                       .subject = !sector,
                       .value = s->erased[!sector] + 1,
                       .seq = s->next_seq++};

    return log_header(s, sector, generation, at, &r) && log_commit(s, sector, at);
}

static bool begin_log(struct store *s, unsigned spare) {
    return journal_erase(s, spare, s->generation + 1, LOG_START);
}

/* Every erase counts when it begins; one that a loss of power interrupts, too. */
static enum store_status count_erase(struct store *s) {
    uint32_t at = s->end;

    if (at + LOG_ERASE > s->flash.size) { /* no room to say so: the sector's header will */
        s->erased[!s->active]++;
        return STORE_OK;
    }
    if (!log_seal(s))
        return STORE_FLASH;
    s->end += LOG_ERASE;
    if (!journal_erase(s, s->active, s->generation, at)) {
        log_kill(s, s->active, s->generation, at);
        return STORE_FLASH;
    }
    state_apply(s, at);
    return STORE_OK;
}

static enum store_status erase_and_mark(struct store *s, unsigned spare) {
    s->spare_ready = s->flash.erase(s->flash.user, spare) && sector_is_fresh(s, spare) &&
                     sector_mark(s, spare, s->generation + 1, s->erased[spare]);
    return s->spare_ready ? STORE_OK : STORE_FLASH;
}

static enum store_status prepare_spare(struct store *s) {
    enum store_status status;

    s->spare_ready = spare_is_ready(s, !s->active);
    if (s->spare_ready)
        return STORE_OK;
    status = s->sure ? count_erase(s) : STORE_FLASH;
    return status ? status : erase_and_mark(s, !s->active);
}

/* ----- what is of use -------------------------------------------------------------------------- */

/* Is the record at `at` of the active sector still of use, and what would it say now? */
static bool is_live(struct store *s, uint32_t at, struct record *now) {
    const struct record *r = log_at(s, s->active, at);
    const struct store_program *p;

    if (log_state(s, s->active, s->generation, at) != RECORD_COMMITTED)
        return false;
    memset(now, 0, sizeof(*now));
    memcpy(now, r, offsetof(struct record, crc));
    now->kind = r->kind & 0xff;
    if (now->kind == RECORD_PROGRAM) {
        p = state_seq(s, r->seq);
        if (p) {
            now->value = p->enabled;
            now->replaces = p->replaces;
        }
        return p != NULL;
    }
    p = state_seq(s, r->subject);
    return now->kind == RECORD_GRANT && p && p->grant == log_grant_offset(r) &&
           p->grant_size == r->grant_size;
}

/*
 * Calls `take` for each live record, in order, with the place that it would have if the log began anew in
 * the spare sector, behind its first record. Records only leave, so no place is higher than it was: all fit.
 */
typedef bool take_fn(struct store *s, uint32_t from, uint32_t to, struct record *r);
static bool for_live(struct store *s, take_fn *take, uint32_t *end) {
    uint32_t at = LOG_START, size = s->flash.size, used = s->end < size ? s->end : size;

    *end = LOG_START + LOG_ERASE;
    while ((at = log_next(s, s->active, s->generation, at, used)) < used) {
        uint32_t to = *end;
        struct record r;
        if (is_live(s, at, &r)) {
            if (!log_layout(s, !s->active, to, r.size, r.grant_size, r.kind == RECORD_PROGRAM, size,
                            &r.offset, end) ||
                !take(s, at, to, &r))
                return false;
        }
        at = log_end(log_at(s, s->active, at), at);
    }
    return true;
}

/* Damaged bytes are copied as they are, with the CRC that tells; also those that fill up words, which it covers. */
static bool copy(struct store *s, uint32_t from, uint32_t to, struct record *r) {
    unsigned spare = !s->active;
    const struct record *old = log_at(s, s->active, from);
    uint32_t size = log_payload_size(r);
    uint32_t crc = log_payload_crc(s, s->active, old);

    return log_header(s, spare, s->generation + 1, to, r) &&
           log_copy(s, spare, r->offset, s->flash.memory[s->active] + old->offset, size) &&
           log_payload_crc(s, spare, log_at(s, spare, to)) == crc &&
           log_commit_copy(s, spare, to, old->payload_crc);
}

static bool only_place(struct store *s, uint32_t from, uint32_t to, struct record *r) {
    (void)s, (void)from, (void)to, (void)r;
    return true;
}

/* ----- mounting ----------------------------------------------------------------------------------- */

/* The complete sector; of two, the one that was made from the other. */
static unsigned find_active(struct store *s) {
    unsigned active = NONE;

    for (unsigned i = 0; i < STORE_SECTORS; i++) {
        uint32_t generation;
        if (sector_state(s, i, &generation, &s->erased[i]) != SECTOR_COMPLETE)
            continue;
        if (active == NONE || (int32_t)(generation - s->generation) > 0) {
            active = i;
            s->generation = generation;
        }
    }
    return active;
}

/* Nothing was ever stored: erased, or cut off while it was formatted. */
static bool was_never_used(const struct store *s) {
    for (unsigned i = 0; i < STORE_SECTORS; i++)
        if (log_used(s, i) > LOG_START + LOG_ERASE)
            return false;
    return true;
}

/*
 * An upload can be committed when records lie behind it already, so all programs are made sure. False: the flash
 * does not take that; what can be read has been read nevertheless.
 */
static bool replay(struct store *s) {
    uint32_t used = log_used(s, s->active), at = LOG_START, next;
    bool sure = true;

    for (;; at = log_end(log_at(s, s->active, next), next)) {
        next = log_next(s, s->active, s->generation, at, used);
        s->repaired += log_scrub(s, s->active, at, next < used ? next : used);
        if (next >= used)
            break;
        const struct record *r = log_at(s, s->active, next);
        enum record_state state = log_state(s, s->active, s->generation, next);
        bool last = log_end(r, next) >= used;
        s->repaired += state == RECORD_OPEN;
        if (state == RECORD_OPEN ||
            (state == RECORD_COMMITTED && (last || (r->kind & 0xff) == RECORD_PROGRAM)))
            sure = log_settle(s, s->active, s->generation, next) && sure;
        if (r->seq >= s->next_seq)
            s->next_seq = r->seq + 1;
        s->unlisted += state == RECORD_COMMITTED && !state_apply(s, next);
    }
    s->end = (at > used ? at : used) + STORE_ALIGN;
    return sure;
}

/* The last of the log's room is for what cannot wait, and most of it is of no use any more. */
static bool wants_compaction(struct store *s) {
    uint32_t end;

    return s->end > s->flash.size - LOG_RESERVE / 2 && for_live(s, only_place, &end) &&
           end + LOG_RESERVE / 4 <= s->end;
}

/* The active sector's state, from its log, also when the flash does not take what makes it sure. */
static enum store_status load(struct store *s) {
    s->spare_ready = spare_is_ready(s, !s->active);
    /* Power may have failed when the sector was completed; the other one can be erased only once. */
    s->sure = s->spare_ready || sector_strengthen(s, s->active);
    return replay(s) && s->sure ? STORE_OK : STORE_FLASH;
}

static void clear(struct store *s, const struct store_flash *flash) {
    memset(s, 0, sizeof(*s));
    s->flash = *flash;
    s->next_seq = 1;
    s->active = find_active(s);
}

enum store_status store_mount(struct store *s, const struct store_flash *flash, bool may_erase) {
    enum store_status status;

    clear(s, flash);
    if (s->active == NONE)
        return was_never_used(s) && may_erase ? store_format(s, flash) : STORE_CORRUPT;
    status = load(s);
    if (status || !may_erase)
        return status;
    status = prepare_spare(s);
    return !status && wants_compaction(s) ? store_compact(s) : status;
}

/* The log of the other sector is complete and begins with the count of the erase that is due now. */
static enum store_status take_over(struct store *s) {
    struct store_flash flash = s->flash;
    enum store_status status;

    clear(s, &flash);
    status = s->active == NONE ? STORE_FLASH : load(s);
    return status ? status : erase_and_mark(s, !s->active);
}

/* An empty log in the spare sector: until it is complete, what was there before is still there. */
enum store_status store_format(struct store *s, const struct store_flash *flash) {
    unsigned spare;

    clear(s, flash);
    spare = s->active == NONE ? 0 : !s->active;
    s->active = !spare;
    s->erased[spare] = (s->erased[0] > s->erased[1] ? s->erased[0] : s->erased[1]) + 1;
    if (erase_and_mark(s, spare) || !begin_log(s, spare) || !sector_complete(s, spare))
        return STORE_FLASH;
    return take_over(s);
}

/* ----- compacting --------------------------------------------------------------------------------- */

enum store_status store_compact(struct store *s) {
    unsigned spare = !s->active;
    enum store_status status = s->upload.open ? STORE_BUSY : prepare_spare(s);
    uint32_t end;

    if (status)
        return status;
    s->spare_ready = false; /* from the first word on */
    if (!sector_strengthen(s, spare) || !begin_log(s, spare) || !for_live(s, copy, &end) ||
        !sector_complete(s, spare))
        return STORE_FLASH;
    return take_over(s);
}

/* ----- room --------------------------------------------------------------------------------------- */

/* The largest blob that fits behind `at`: as many sub-regions of a region as there are, the largest first. */
static uint32_t largest_from(const struct store *s, uint32_t at) {
    uint32_t best = 0, limit = s->flash.size - LOG_RESERVE, offset, end;

    for (uint32_t step = s->flash.size / 2; step >= 4; step /= 2)
        if (log_layout(s, s->active, at, best + step, 0, true, limit, &offset, &end))
            best += step;
    return best;
}

struct store_room store_room(const struct store *s) {
    struct store_room room = {largest_from(s, s->end), 0};
    uint32_t end;

    if (for_live((struct store *)s, only_place, &end))
        room.compacted = largest_from(s, end + STORE_ALIGN); /* as a mount would */
    return room;
}
