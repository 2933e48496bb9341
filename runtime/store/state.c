/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <string.h>

struct store_program *state_seq(struct store *s, uint32_t seq) {
    for (unsigned i = 0; seq && i < s->count; i++)
        if (s->programs[i].seq == seq)
            return &s->programs[i];
    return NULL;
}

bool store_is_current(const struct store *s, const struct store_program *p) {
    for (unsigned i = 0; i < s->count; i++)
        if (s->programs[i].replaces == p->seq)
            return false;
    return true;
}

const struct store_program *state_current(const struct store *s, const char *name) {
    for (unsigned i = 0; i < s->count; i++)
        if (strncmp(s->programs[i].name, name, STORE_NAME) == 0 &&
            store_is_current(s, &s->programs[i]))
            return &s->programs[i];
    return NULL;
}

static void forget(struct store *s, struct store_program *p) {
    unsigned i = (unsigned)(p - s->programs);

    s->count--;
    memmove(p, p + 1, (s->count - i) * sizeof(*p));
}

/* A predecessor's own one has been forgotten when it became one: the chain has two links at most. */
static void forget_predecessor(struct store *s, uint32_t seq) {
    struct store_program *p = state_seq(s, seq);
    struct store_program *old = p ? state_seq(s, p->replaces) : NULL;

    if (p)
        p->replaces = 0;
    if (old)
        forget(s, old);
}

static bool add(struct store *s, const struct record *r) {
    struct store_program p = {.seq = r->seq,
                              .offset = r->offset,
                              .size = r->size,
                              .grant = log_grant_offset(r),
                              .grant_size = r->grant_size,
                              .enabled = r->value != 0};

    memcpy(p.name, r->name, STORE_NAME);
    if (state_seq(s, r->replaces)) {
        forget_predecessor(s, r->replaces);
        p.replaces = r->replaces;
    }
    p.damaged = p.grant_damaged = !log_payload_good(s, s->active, r);
    if (s->count == STORE_PROGRAMS + STORE_RETURNED)
        return false;
    s->programs[s->count++] = p;
    return true;
}

static void rollback(struct store *s, uint32_t seq) {
    struct store_program *p = state_seq(s, seq);
    struct store_program *old = p ? state_seq(s, p->replaces) : NULL;

    if (!old)
        return;
    old->enabled = p->enabled;
    forget(s, p);
}

bool state_apply(struct store *s, uint32_t at) {
    const struct record *r = log_at(s, s->active, at);
    struct store_program *p = state_seq(s, r->subject);

    if (r->seq >= s->next_seq)
        s->next_seq = r->seq + 1;
    switch (r->kind & 0xff) {
    case RECORD_PROGRAM: return add(s, r);
    case RECORD_CONFIRM: forget_predecessor(s, r->subject); break;
    case RECORD_ROLLBACK: rollback(s, r->subject); break;
    case RECORD_ERASE:
        if (r->subject < STORE_SECTORS && r->value > s->erased[r->subject])
            s->erased[r->subject] = r->value;
        break;
    case RECORD_REMOVE:
        forget_predecessor(s, r->subject);
        if (state_seq(s, r->subject))
            forget(s, state_seq(s, r->subject));
        break;
    case RECORD_ENABLE:
        if (p)
            p->enabled = r->value != 0;
        break;
    case RECORD_GRANT:
        if (p) {
            p->grant = log_grant_offset(r);
            p->grant_size = r->grant_size;
            p->grant_damaged = !log_payload_good(s, s->active, r);
        }
        break;
    }
    return true;
}
