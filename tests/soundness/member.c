/* SPDX-License-Identifier: MIT */
/* Is a concrete state one of those that an abstract state stands for? */
#include "soundness/machine.h"

#include <string.h>

#define PLACES_MAX                                                                                 \
    1200 /* registers, saved ones, and bytes of all frames that are related to others */

/* Both widths' bounds, not only what scalar_contains() looks at. */
static bool in_scalar(const struct scalar *s, uint64_t n) {
    return scalar_contains(s, n) && n >= s->x.umin && n <= s->x.umax && (int64_t)n >= s->x.smin &&
           (int64_t)n <= s->x.smax && (n & ~s->x.mask) == s->x.value && (uint32_t)n >= s->umin32 &&
           (uint32_t)n <= s->umax32 && (int32_t)(uint32_t)n >= s->smin32 &&
           (int32_t)(uint32_t)n <= s->smax32;
}

/* A function out of a table, of which only the offset is known. */
static bool in_table(const struct machine *m, const struct word *w, const struct value *v) {
    for (uint32_t i = 0; i < m->program->nrelocs; i++) {
        const struct prog_reloc *r = &m->program->relocs[i];
        if (r->kind == PROG_RELOC_FUNC && r->data == v->object && r->target == w->object &&
            in_scalar(&v->n, r->off))
            return true;
    }
    return false;
}

static bool in_value(const struct machine *m, const struct word *w, const struct value *v) {
    if (v->kind == VALUE_NONE)
        return true;
    if (w->kind == WORD_NONE)
        return false;
    if (w->kind == WORD_NUMBER)
        return v->kind == VALUE_SCALAR ? in_scalar(&v->n, w->n) : v->nullable && w->n == 0;
    if (!machine_alive(m, w))
        return false;
    if (v->kind == VALUE_FUNC_OF)
        return w->object_kind == VALUE_FUNC && in_table(m, w, v);
    if (v->kind == VALUE_FUNC_ANY)
        return w->object_kind == VALUE_FUNC && m->program->funcs[w->object].address_taken;
    if (v->kind == VALUE_RECORD && w->object_kind == VALUE_RECORD &&
        v->size != m->record[w->element].size)
        return false;
    return v->kind == w->object_kind && v->object == w->object &&
           in_scalar(&v->n, (uint64_t)w->off);
}

/* ---- Relations */

/* A place of the state with its concrete value. */
struct place {
    const struct value *v;
    struct word w;
};

struct places {
    struct place items[PLACES_MAX];
    uint32_t count;
};

static bool wants(const struct value *v) {
    return v->kind != VALUE_NONE &&
           (v->base || v->owner || (v->kind == VALUE_MAP_VALUE && v->size));
}

static void note(struct places *p, const struct value *v, const struct word *w) {
    if (wants(v) && p->count < PLACES_MAX)
        p->items[p->count++] = (struct place){v, *w};
}

static uint64_t position(const struct word *w) {
    return w->kind == WORD_POINTER ? (uint64_t)w->off : w->n;
}

static bool related(const struct place *a, const struct place *b) {
    bool null = a->w.kind == WORD_NUMBER || b->w.kind == WORD_NUMBER;
    if (a->v->kind == VALUE_MAP_VALUE && b->v->kind == VALUE_MAP_VALUE && a->v->size &&
        a->v->size == b->v->size && a->v->object == b->v->object && !null &&
        a->w.element != b->w.element)
        return false;
    if (!a->v->base || a->v->base != b->v->base)
        return true;
    if (a->v->nullable || b->v->nullable) /* null together */
        return (a->w.kind == WORD_NUMBER) == (b->w.kind == WORD_NUMBER);
    uint64_t d = (uint64_t)a->v->delta - (uint64_t)b->v->delta;
    uint64_t apart = position(&a->w) - position(&b->w);
    bool narrow = a->v->width == 32 || b->v->width == 32;
    return narrow ? (uint32_t)apart == (uint32_t)d : apart == d;
}

/* Null if and only if the record is not open. */
static bool owns(const struct machine *m, const struct place *p) {
    bool open = false;
    for (uint32_t i = 0; i < m->nrecords; i++)
        open |= m->record[i].open && m->record[i].slot == p->v->object;
    return !p->v->owner || !p->v->nullable || open == (p->w.kind == WORD_POINTER);
}

static char message[200];

static const char *relations(const struct machine *m, const struct places *p) {
    for (uint32_t i = 0; i < p->count; i++) {
        if (!owns(m, &p->items[i]))
            return "a pointer that may be null no longer tells whether its record is open";
        for (uint32_t k = 0; k < i; k++)
            if (!related(&p->items[i], &p->items[k])) {
                snprintf(message, sizeof(message),
                         "related values (base %u) are 0x%llx and 0x%llx, elements %u and %u",
                         p->items[i].v->base, (unsigned long long)position(&p->items[k].w),
                         (unsigned long long)position(&p->items[i].w), p->items[k].w.element,
                         p->items[i].w.element);
                return message;
            }
    }
    return NULL;
}

/* ---- Frames */

/* Bytes that a state calls initialised, but that nobody wrote or, where it says numbers, are of a pointer. */
static const char *bytes_member(const struct call_frame *concrete, uint32_t index,
                                const struct frame *f) {
    uint64_t covered[STACK_WORDS] = {0};
    for (uint32_t k = 0; k < f->ncells; k++)
        for (int i = f->cells[k].off + VERIFY_STACK_MAX, n = f->cells[k].size; n > 0; i++, n--)
            covered[i / 64] |= UINT64_C(1) << (i % 64);
    for (int i = 0; i < STACK_WORDS; i++) {
        uint64_t unwritten = f->init[i] & ~concrete->init[i];
        uint64_t pointers = f->init[i] & ~covered[i] & concrete->pointer[i];
        if (!unwritten && !pointers)
            continue;
        int at = 64 * i + __builtin_ctzll(unwritten ? unwritten : pointers) - VERIFY_STACK_MAX;
        snprintf(message, sizeof(message), "byte %d of frame %u %s", at, index,
                 unwritten ? "was never written" : "is of a pointer");
        return message;
    }
    return NULL;
}

static const char *frame_member(const struct machine *m, uint32_t index, const struct frame *f,
                                struct places *places) {
    const struct call_frame *concrete = &m->frame[index];
    const char *why = bytes_member(concrete, index, f);
    if (why)
        return why;
    for (uint32_t k = 0; k < f->ncells; k++) {
        const struct cell *c = &f->cells[k];
        struct word w;
        if (!machine_stack_word(m, concrete, c->off, c->size, &w) || !in_value(m, &w, &c->v)) {
            snprintf(message, sizeof(message), "cell %d of %u bytes of frame %u is 0x%llx", c->off,
                     c->size, index, (unsigned long long)w.n);
            return message;
        }
        note(places, &c->v, &w);
    }
    for (int i = 0; i < 4; i++) {
        if (!in_value(m, &concrete->saved[i], &f->saved[i])) {
            snprintf(message, sizeof(message), "saved r%d of frame %u is 0x%llx", 6 + i, index,
                     (unsigned long long)concrete->saved[i].n);
            return message;
        }
        note(places, &f->saved[i], &concrete->saved[i]);
    }
    return NULL;
}

/* ---- All */

static const char *register_kind(const struct machine *m, const struct word *w) {
    static const char *const names[] = {"unset", "number", "pointer"};
    return w->kind == WORD_POINTER && !machine_alive(m, w) ? "dangling pointer" : names[w->kind];
}

static const char *records_member(const struct machine *m, const struct state *s) {
    for (uint32_t i = 0; i < m->nrecords; i++)
        if (m->record[i].open && !state_has_record(s, m->record[i].slot))
            return "a record is open that the state does not have";
    return NULL;
}

const char *not_member(const struct machine *m, const struct state *s) {
    static struct places places;
    places.count = 0;
    if (s->nframes != m->depth)
        return "the number of frames";
    for (int r = 0; r < BPF_NREGS; r++) {
        if (!in_value(m, &m->reg[r], &s->reg[r])) {
            snprintf(message, sizeof(message), "r%d is %s 0x%llx (kind %u, object %u, offset %lld)",
                     r, register_kind(m, &m->reg[r]), (unsigned long long)m->reg[r].n,
                     m->reg[r].object_kind, m->reg[r].object, (long long)m->reg[r].off);
            return message;
        }
        note(&places, &s->reg[r], &m->reg[r]);
    }
    for (uint32_t i = 0; i < s->nframes; i++) {
        const char *why = s->frame[i] ? frame_member(m, i, s->frame[i], &places) : NULL;
        if (why)
            return why;
    }
    const char *why = records_member(m, s);
    return why ? why : relations(m, &places);
}
