/* SPDX-License-Identifier: MIT */
/* Stack memory of one frame: bytes and cells (state.h). Offsets are from r10. */
#include "verifier/state.h"

#include <assert.h>
#include <string.h>

#include "verifier/state_pool.h"

static void check_range(int off, int size) {
    assert(off >= -VERIFY_STACK_MAX && size > 0 && off + size <= 0);
    (void)off;
    (void)size;
}

/* ---- Bytes */

static void set_init(struct frame *f, int off, int size, bool init) {
    for (int i = off + VERIFY_STACK_MAX; i < off + VERIFY_STACK_MAX + size; i++) {
        uint64_t bit = UINT64_C(1) << (i % 64);
        f->init[i / 64] = init ? f->init[i / 64] | bit : f->init[i / 64] & ~bit;
    }
}

bool stack_is_init(const struct frame *f, int off, int size) {
    check_range(off, size);
    for (int i = off + VERIFY_STACK_MAX; i < off + VERIFY_STACK_MAX + size; i++)
        if (!(f->init[i / 64] >> (i % 64) & 1))
            return false;
    return true;
}

bool stack_any_init(const struct frame *f, int off, int size) {
    for (int i = off; i < off + size; i++)
        if (stack_is_init(f, i, 1))
            return true;
    return false;
}

/* ---- Cells */

static bool overlaps(const struct cell *c, int off, int size) {
    return c->off < off + size && off < c->off + c->size;
}

/* The first cell that ends behind off: those from here on may overlap what begins at off. */
static uint32_t first_cell(const struct frame *f, int off) {
    uint32_t low = 0, high = f->ncells;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (f->cells[middle].off + f->cells[middle].size <= off)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool stack_has_pointer(const struct frame *f, int off, int size) {
    check_range(off, size);
    for (uint32_t i = first_cell(f, off); i < f->ncells && overlaps(&f->cells[i], off, size); i++)
        if (value_is_pointer(&f->cells[i].v))
            return true;
    return false;
}

/* Bytes [from, from + size) of a number's cell, as a number. */
static struct scalar piece(const struct scalar *n, unsigned from, unsigned size) {
    struct scalar shift = scalar_const(8 * from), result = *n;
    if (from)
        result = scalar_alu(BPF_RSH, 64, &result, &shift);
    return size == 8 ? result : scalar_end(BPF_LE, 8 * size == 8 ? 16 : 8 * size, &result);
}

/* scalar_end() knows 16, 32 and 64 bits; a single byte wants a mask. */
static struct scalar byte_piece(const struct scalar *n, unsigned from, unsigned size) {
    struct scalar result = piece(n, from, size == 1 ? 2 : size);
    struct scalar mask = scalar_const(0xff);
    return size == 1 ? scalar_alu(BPF_AND, 64, &result, &mask) : result;
}

/* What cell c contributes to a read of [off, off + size), shifted to its place. */
static struct scalar part(const struct cell *c, int off, int size) {
    int from = c->off < off ? off - c->off : 0;
    int at = c->off > off ? c->off - off : 0;
    int length = c->size - from < size - at ? c->size - from : size - at;
    struct scalar n = c->v.n, shift = scalar_const(8 * (unsigned)at);
    unsigned room = length >= 8 ? 8 : length >= 4 ? 4 : length >= 2 ? 2 : 1;
    if ((int)room != length) { /* 3, 5, 6 or 7 bytes: a mask */
        struct scalar down = scalar_const(8 * (unsigned)from);
        struct scalar mask = scalar_const((UINT64_C(1) << (8 * length)) - 1);
        n = scalar_alu(BPF_RSH, 64, &n, &down);
        n = scalar_alu(BPF_AND, 64, &n, &mask);
    } else if (length < c->size) {
        n = byte_piece(&n, (unsigned)from, room);
    }
    return at ? scalar_alu(BPF_LSH, 64, &n, &shift) : n;
}

/* Bytes that no cell covers: any. */
static struct scalar gap(int at, int length) {
    struct scalar n = scalar_zext(8 * (unsigned)length), shift = scalar_const(8 * (unsigned)at);
    return at ? scalar_alu(BPF_LSH, 64, &n, &shift) : n;
}

struct value stack_read(const struct frame *f, int off, int size) {
    check_range(off, size);
    uint32_t i = first_cell(f, off);
    if (i < f->ncells && f->cells[i].off == off && f->cells[i].size == size)
        return f->cells[i].v;
    struct scalar sum = scalar_const(0);
    int at = 0;
    for (; i < f->ncells && overlaps(&f->cells[i], off, size); i++) {
        const struct cell *c = &f->cells[i];
        if (c->v.kind != VALUE_SCALAR)
            return value_none(NONE_POINTER);
        struct scalar p = part(c, off, size);
        int start = c->off > off ? c->off - off : 0, end = c->off + c->size - off;
        if (start > at) {
            struct scalar g = gap(at, start - at);
            sum = scalar_alu(BPF_OR, 64, &sum, &g);
        }
        sum = scalar_alu(BPF_OR, 64, &sum, &p);
        at = end < size ? end : size;
    }
    if (at == 0)
        return value_scalar(scalar_zext(8 * (unsigned)size));
    if (at < size) {
        struct scalar g = gap(at, size - at);
        sum = scalar_alu(BPF_OR, 64, &sum, &g);
    }
    return value_scalar(sum);
}

/* A hole of `count` cells at index i: existing ones move. */
static void open_cells(struct state_pool *pool, struct frame *f, uint32_t i, uint32_t count) {
    if (f->ncells + count > f->room)
        state_pool_grow(pool, f, f->ncells + count);
    memmove(&f->cells[i + count], &f->cells[i], (f->ncells - i) * sizeof(*f->cells));
    f->ncells += count;
}

static void close_cells(struct frame *f, uint32_t i, uint32_t count) {
    memmove(&f->cells[i], &f->cells[i + count], (f->ncells - i - count) * sizeof(*f->cells));
    f->ncells -= count;
}

/* Puts the piece [off, off + length) of cell c at index i, as cells of the sizes that there are; returns how many. */
static uint32_t put_pieces(struct state_pool *pool, struct frame *f, uint32_t i,
                           const struct cell *c, int off, int length) {
    uint32_t count = 0;
    while (length > 0) {
        unsigned size = length >= 4 ? 4 : length >= 2 ? 2 : 1;
        struct cell p = {.off = (int16_t)off, .size = (uint8_t)size};
        p.v = value_scalar(byte_piece(&c->v.n, (unsigned)(off - c->off), size));
        open_cells(pool, f, i + count, 1);
        f->cells[i + count++] = p;
        off += (int)size;
        length -= (int)size;
    }
    return count;
}

void stack_forget(struct state_pool *pool, struct frame *f, int off, int size) {
    uint32_t i = first_cell(f, off);
    while (i < f->ncells && overlaps(&f->cells[i], off, size)) {
        struct cell c = f->cells[i];
        close_cells(f, i, 1);
        int before = off - c.off, after = c.off + c.size - (off + size);
        if (c.v.kind != VALUE_SCALAR) {
            set_init(f, c.off, c.size, false);
            continue;
        }
        if (before > 0)
            i += put_pieces(pool, f, i, &c, c.off, before);
        if (after > 0)
            i += put_pieces(pool, f, i, &c, off + size, after);
    }
}

/* Cells that hold nothing worth knowing need not exist: their bytes are initialised, that is all. */
static bool says_nothing(int size, const struct value *v) {
    if (v->kind != VALUE_SCALAR || v->base)
        return false;
    struct scalar any = scalar_zext(8 * (unsigned)size);
    return scalar_subset(&any, &v->n);
}

/* A cell where there is none, unless it would say nothing. */
static void put(struct state_pool *pool, struct frame *f, int off, int size,
                const struct value *v) {
    if (says_nothing(size, v))
        return;
    uint32_t i = first_cell(f, off);
    open_cells(pool, f, i, 1);
    f->cells[i] = (struct cell){.off = (int16_t)off, .size = (uint8_t)size, .v = *v};
}

void stack_write(struct state_pool *pool, struct frame *f, int off, int size,
                 const struct value *v) {
    check_range(off, size);
    assert(f->refs == 1);
    stack_forget(pool, f, off, size);
    set_init(f, off, size, v->kind != VALUE_NONE);
    if (v->kind == VALUE_NONE)
        return;
    assert(size == 8 || v->kind == VALUE_SCALAR);
    put(pool, f, off, size, v);
}

void stack_poison(struct state_pool *pool, struct frame *f, int off, int size) {
    stack_forget(pool, f, off, size);
    set_init(f, off, size, false);
}

void stack_clobber(struct state_pool *pool, struct frame *f, int off, int size, bool strong) {
    check_range(off, size);
    assert(f->refs == 1);
    /* Pointers go whole, even where the bytes only reach into them; of numbers the rest stays. A weak write
     * leaves initialised bytes initialised, whichever of them it hits. */
    stack_forget(pool, f, off, size);
    if (strong)
        set_init(f, off, size, true);
}

/* ---- Two frames of the same function */

void stack_align(struct state_pool *pool, struct frame *f, const struct frame *g) {
    for (uint32_t i = 0; i < f->ncells; i++) {
        struct cell c = f->cells[i];
        if (c.v.kind != VALUE_SCALAR || c.size == 1)
            continue;
        uint32_t k = first_cell(g, c.off);
        bool finer =
            k < g->ncells && overlaps(&g->cells[k], c.off, c.size) && g->cells[k].size < c.size;
        if (!finer)
            continue;
        close_cells(f, i, 1);
        unsigned half = c.size / 2u;
        put_pieces(pool, f, i, &c, c.off + (int)half, (int)half);
        put_pieces(pool, f, i, &c, c.off, (int)half);
        i--; /* the halves may be too large still */
    }
}

const struct cell *stack_cell(const struct frame *f, int off, int size) {
    uint32_t i = first_cell(f, off);
    return i < f->ncells && f->cells[i].off == off && f->cells[i].size == size ? &f->cells[i]
                                                                               : NULL;
}
