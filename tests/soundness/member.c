/* SPDX-License-Identifier: MIT */
/* Is a concrete state one of those that an abstract state stands for? */
#include "soundness/soundness.h"

#include <stdio.h>

static bool in_scalar(const struct scalar *s, uint64_t n) {
    return scalar_contains(s, n) && (uint32_t)n >= s->umin32 && (uint32_t)n <= s->umax32 &&
           (int32_t)n >= s->smin32 && (int32_t)n <= s->smax32;
}

static bool in_value(const struct word *w, const struct value *v) {
    if (v->kind == VALUE_NONE)
        return true;
    if (w->kind == WORD_NONE)
        return false;
    if (w->kind == WORD_NUMBER)
        return v->kind == VALUE_SCALAR ? in_scalar(&v->n, w->n) : v->nullable && w->n == 0;
    return v->kind == w->object_kind && v->object == w->object &&
           in_scalar(&v->n, (uint64_t)w->off);
}

/* A place of the state with its concrete value, for relations. */
struct place {
    const struct value *v;
    struct word w;
};

static bool related(const struct place *a, const struct place *b) {
    uint64_t d = (uint64_t)a->v->delta - (uint64_t)b->v->delta;
    if (a->v->nullable || b->v->nullable) /* null together */
        return (a->w.kind == WORD_NUMBER) == (b->w.kind == WORD_NUMBER);
    uint64_t x = a->w.kind == WORD_POINTER ? (uint64_t)a->w.off : a->w.n;
    uint64_t y = b->w.kind == WORD_POINTER ? (uint64_t)b->w.off : b->w.n;
    bool narrow = a->v->width == 32 || b->v->width == 32;
    return narrow ? (uint32_t)(x - y) == (uint32_t)d : x - y == d;
}

/* The bytes of a cell as one word; false if they are pieces of a pointer. */
static bool cell_word(const struct machine *m, const struct byte *bytes, unsigned size,
                      struct word *w) {
    *w = (struct word){.kind = WORD_NUMBER};
    for (unsigned i = 0; i < size; i++) {
        if (!bytes[i].init || bytes[i].pointer != bytes[0].pointer ||
            (bytes[i].pointer && bytes[i].index != i))
            return false;
        w->n |= (uint64_t)bytes[i].value << (8 * i);
    }
    if (bytes[0].pointer == 0)
        return true;
    *w = m->pointers[bytes[0].pointer];
    return size == 8;
}

static char message[200];

static const char *frame_member(const struct machine *m, uint32_t index, const struct frame *f,
                                struct place *places, uint32_t *count) {
    const struct byte *stack = m->frame[index].stack;
    for (int i = 0; i < VERIFY_STACK_MAX; i++)
        if ((f->init[i / 64] >> (i % 64) & 1) && !stack[i].init) {
            snprintf(message, sizeof(message), "byte %d of frame %u was never written",
                     i - VERIFY_STACK_MAX, index);
            return message;
        }
    for (uint32_t k = 0; k < f->ncells; k++) {
        const struct cell *c = &f->cells[k];
        struct word w;
        if (!cell_word(m, &stack[c->off + VERIFY_STACK_MAX], c->size, &w) || !in_value(&w, &c->v)) {
            snprintf(message, sizeof(message), "cell %d of %u bytes of frame %u is 0x%llx", c->off,
                     c->size, index, (unsigned long long)w.n);
            return message;
        }
        if (c->v.base && *count < 600)
            places[(*count)++] = (struct place){&c->v, w};
    }
    /* Bytes that hold numbers, says the state, hold no piece of a pointer. */
    for (int i = 0; i < VERIFY_STACK_MAX; i++) {
        bool covered = false;
        for (uint32_t k = 0; k < f->ncells; k++)
            covered |= f->cells[k].off <= i - VERIFY_STACK_MAX &&
                       i - VERIFY_STACK_MAX < f->cells[k].off + f->cells[k].size;
        if ((f->init[i / 64] >> (i % 64) & 1) && !covered && stack[i].pointer) {
            snprintf(message, sizeof(message), "byte %d of frame %u is of a pointer",
                     i - VERIFY_STACK_MAX, index);
            return message;
        }
    }
    return NULL;
}

const char *not_member(const struct machine *m, const struct state *s, uint16_t live) {
    static struct place places[700];
    uint32_t count = 0;
    if (s->nframes != m->depth)
        return "the number of frames";
    for (int r = 0; r < BPF_R10; r++) {
        if (!(live >> r & 1))
            continue;
        if (!in_value(&m->reg[r], &s->reg[r])) {
            snprintf(message, sizeof(message), "r%d is %s 0x%llx (offset %lld)", r,
                     m->reg[r].kind == WORD_NONE     ? "unset"
                     : m->reg[r].kind == WORD_NUMBER ? "number"
                                                     : "pointer",
                     (unsigned long long)m->reg[r].n, (long long)m->reg[r].off);
            return message;
        }
        if (s->reg[r].base && s->reg[r].kind != VALUE_NONE)
            places[count++] = (struct place){&s->reg[r], m->reg[r]};
    }
    for (uint32_t i = 0; i < s->nframes; i++) {
        const char *why = s->frame[i] ? frame_member(m, i, s->frame[i], places, &count) : NULL;
        if (why)
            return why;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (places[i].v->base == places[k].v->base && !related(&places[i], &places[k])) {
                snprintf(message, sizeof(message), "a relation: 0x%llx and 0x%llx (base %u)",
                         (unsigned long long)places[k].w.n, (unsigned long long)places[i].w.n,
                         places[i].v->base);
                return message;
            }
    return NULL;
}
