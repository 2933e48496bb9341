/* SPDX-License-Identifier: MIT */
/*
 * States as text, one line for each register and each cell that says something:
 *
 *     r1 = map value counts, may be null (x1)
 *     r2 = 0..15
 *     main (frame 0) [-8], 8 bytes = 7
 *
 * Numbers are shown by the interval that is smaller, unsigned or signed; the low 32 bits and known bits only
 * where they add something. Values that are related show their base: `(x1 + 4)` is 4 more than `(x1)`.
 */
#include <inttypes.h>

#include "verifier/analysis.h"

/* ---- Numbers */

/* Whether some number of the interval is not one that the known bits allow: bits say more. */
static bool bits_add(const struct scalar *n) {
    uint64_t spread = n->x.umin ^ n->x.umax, low = spread;
    for (int i = 1; i < 64; i *= 2)
        low |= low >> i;
    return (~n->x.mask & low) != 0;
}

static void print_interval(FILE *out, const struct scalar *n) {
    const struct num *x = &n->x;
    uint64_t spread = x->umax - x->umin;
    if (x->mask == 0)
        fprintf(out, "%" PRId64, (int64_t)x->value);
    else if (spread == UINT64_MAX)
        fprintf(out, "any");
    else if ((uint64_t)x->smax - (uint64_t)x->smin <= spread)
        fprintf(out, "%" PRId64 "..%" PRId64, x->smin, x->smax);
    else
        fprintf(out, "%" PRIu64 "..%" PRIu64, x->umin, x->umax);
}

static void print_number(FILE *out, const struct scalar *n) {
    print_interval(out, n);
    if (n->x.mask == 0)
        return;
    bool low = n->umax32 - n->umin32 != UINT32_MAX &&
               (n->x.umax > UINT32_MAX || n->x.umin != n->umin32 || n->x.umax != n->umax32);
    if (low && (uint32_t)n->smax32 - (uint32_t)n->smin32 < n->umax32 - n->umin32)
        fprintf(out, ", low word %" PRId32 "..%" PRId32, n->smin32, n->smax32);
    else if (low)
        fprintf(out, ", low word %" PRIu32 "..%" PRIu32, n->umin32, n->umax32);
    if (bits_add(n))
        fprintf(out, ", bits 0x%" PRIx64 " of 0x%" PRIx64, n->x.value, ~n->x.mask);
}

/* ---- Values */

static const char *const reasons[] = {
    [NONE_UNWRITTEN] = "no value",
    [NONE_CALL] = "no value behind a call",
    [NONE_MIXED] = "different kinds",
    [NONE_RELEASED] = "a record that was given back",
    [NONE_FRAME] = "an address in a frame that is gone",
    [NONE_POINTER] = "a part of a pointer",
    [NONE_CALLBACK] = "a key that a callback was given",
};

static void print_object(FILE *out, const struct value *v, const struct program *p) {
    switch ((enum value_kind)v->kind) {
    case VALUE_NONE:
    case VALUE_SCALAR: break;
    case VALUE_CTX: fprintf(out, "context of %s", p->entries[v->object].name); break;
    case VALUE_STACK: fprintf(out, "frame %" PRIu32, v->object); break;
    case VALUE_MAP: fprintf(out, "map %s", p->maps[v->object].name); break;
    case VALUE_MAP_VALUE: fprintf(out, "map value %s", p->maps[v->object].name); break;
    case VALUE_MAP_KEY: fprintf(out, "map key %s", p->maps[v->object].name); break;
    case VALUE_RECORD:
        fprintf(out, "record of %" PRIu32 " bytes reserved at %" PRIu32, v->size, v->object);
        break;
    case VALUE_DATA: fprintf(out, "section %s", p->datas[v->object].name); break;
    case VALUE_FUNC: fprintf(out, "function %s", p->funcs[v->object].name); break;
    case VALUE_FUNC_OF: fprintf(out, "function in section %s", p->datas[v->object].name); break;
    case VALUE_FUNC_ANY: fprintf(out, "function"); break;
    }
}

static void print_value(const struct value *v, const struct program *p, FILE *out) {
    if (v->kind == VALUE_NONE) {
        fprintf(out, "%s", reasons[v->reason]);
        return;
    }
    if (v->kind == VALUE_SCALAR) {
        print_number(out, &v->n);
    } else {
        print_object(out, v, p);
        if (!scalar_is_const(&v->n) || v->n.x.value != 0) {
            fprintf(out, " + ");
            print_number(out, &v->n);
        }
        if (v->nullable)
            fprintf(out, ", may be null");
    }
    if (v->base) {
        fprintf(out, " (x%" PRIu32, v->base);
        if (v->delta)
            fprintf(out, " %c %" PRIu64, v->delta < 0 ? '-' : '+',
                    v->delta < 0 ? 0 - (uint64_t)v->delta : (uint64_t)v->delta);
        fprintf(out, "%s)", v->width == 32 ? ", low word" : "");
    }
}

/* ---- States */

static void print_frame(const struct frame *f, uint32_t index, const struct program *p, FILE *out) {
    for (uint32_t i = 0; i < f->ncells; i++) {
        fprintf(out, "    %s (frame %" PRIu32 ") [%d], %u bytes = ", p->funcs[f->func].name, index,
                f->cells[i].off, f->cells[i].size);
        print_value(&f->cells[i].v, p, out);
        fputc('\n', out);
    }
}

void state_print(const struct state *s, const struct program *p, FILE *out) {
    for (int r = 0; r < BPF_R10; r++) {
        if (s->reg[r].kind == VALUE_NONE && s->reg[r].reason == NONE_UNWRITTEN)
            continue;
        fprintf(out, "    r%d = ", r);
        print_value(&s->reg[r], p, out);
        fputc('\n', out);
    }
    for (uint32_t i = 0; i < s->nframes; i++)
        if (s->frame[i])
            print_frame(s->frame[i], i, p, out);
    for (uint32_t i = 0; i < s->nrecords; i++)
        fprintf(out, "    a record reserved at %" PRIu32 " may be open\n", s->record[i]);
}
