/* SPDX-License-Identifier: MIT */
/*
 * Shapes of loops: each loop's body is followed once from its header, where each location is itself,
 * and joined where paths meet; what comes back to the header is what an iteration does. Loops inside
 * are iterated, and what they go on changing is widened.
 *
 * The frame's cells are memory that pointers may reach. Which registers may hold an address of this
 * frame is known from a walk over the function (taint); a store through one of those that is not r10
 * plus a constant ends what is known of all cells, and so does a call that may have got one. Stores
 * through other pointers cannot touch the frame: the analysis of values refuses a program whose accesses leave
 * the object that their pointer comes from.
 */
#include "verifier/rank.h"

#include "bpf/helper.h"
#include "util/vec.h"

/* Work is instructions looked at and locations joined; inner loops come first, so that the outermost of
 * many loops in each other are given up. */
#define WORK (8u << 20)
#define MAX_STATES (2u << 20) /* locations times blocks of one loop */
#define MAX_CELLS 32          /* of one loop; others are unknown */
#define MAX_PASSES 40         /* over the function, for taint: then all registers have it */
#define NLOCS_REGS BPF_NREGS
#define STORED (1u << 15) /* taint: an address of the frame may be in memory */

struct walker {
    struct arena *arena;
    const struct program *program;
    const struct cfg *cfg;
    const uint16_t *live_args; /* by function: of r1 to r5, what it reads; NULL: all */
    uint16_t *taint; /* by block: registers that may hold an address of the frame, at its start */
    uint32_t work;   /* left */
    struct rel *states; /* room for those of one loop */
    size_t room;
    /* Of the loop looked at: */
    uint32_t loop, nlocs;
    VEC(struct rank_loc) locs;
    VEC(struct rank_test) tests;
    VEC(struct rank_add) adds;
    bool *reached;     /* by block of the loop: it has a state */
    struct rel *latch; /* joined over the latches */
    bool latched;
};

/* A point of the walk. */
struct point {
    struct rel *at; /* by location */
    uint16_t taint;
};

/* --------------------------------------------------------------------------------------- taint */

#define ARGS (1u << BPF_R1 | 1u << BPF_R2 | 1u << BPF_R3 | 1u << BPF_R4 | 1u << BPF_R5)

/* Whether a helper keeps or hands on a pointer that it is given (to a callback). */
static bool hands_on(const struct bpf_decoded *d) {
    const struct bpf_helper *helper =
        d->op == BPF_CALL_HELPER ? bpf_helper_by_id((uint32_t)d->imm) : NULL;
    for (unsigned i = 0; helper && i < helper->nargs; i++)
        if (helper->arg[i] == BPF_ARG_FUNC || helper->arg[i] == BPF_ARG_CALLBACK_CTX)
            return true;
    return helper == NULL;
}

/* Registers that a call hands over, and STORED: what it may reach the frame through. */
static uint16_t handed_over(const struct walker *w, uint32_t slot) {
    const struct bpf_decoded *d = &w->program->decoded[slot];
    const struct bpf_helper *helper =
        d->op == BPF_CALL_HELPER ? bpf_helper_by_id((uint32_t)d->imm) : NULL;
    if (helper)
        return (uint16_t)((((1u << helper->nargs) - 1) << BPF_R1) | STORED);
    if (d->op != BPF_CALL_LOCAL || !w->live_args)
        return ARGS | STORED;
    return w->live_args[program_callee(w->program, slot)] | STORED;
}

static uint16_t call_taint(const struct walker *w, uint32_t slot, uint16_t taint) {
    const struct bpf_decoded *d = &w->program->decoded[slot];
    bool given = taint & handed_over(w, slot);
    taint &= (uint16_t) ~(ARGS | 1u << BPF_R0);
    if (given && hands_on(d))
        taint |= STORED | 1u << BPF_R0;
    return taint;
}

static uint16_t taint_after(const struct walker *w, uint32_t slot, uint16_t taint) {
    const struct bpf_decoded *d = &w->program->decoded[slot];
    uint16_t reads, writes;

    if (bpf_op_is_call(d->op))
        return call_taint(w, slot, taint);
    cfg_effects(w->program, slot, NULL, &reads, &writes);
    bool from = taint & reads;
    if (d->op == BPF_STX || bpf_op_is_atomic(d->op)) {
        if (taint >> d->src & 1)
            taint |= STORED;
        from = false;
    }
    if (d->op == BPF_LDX || d->op == BPF_LDXS)
        from = false;
    if ((d->op == BPF_LDX || d->op == BPF_LDXS || bpf_op_is_atomic(d->op)) && taint & STORED)
        from = true;
    return (uint16_t)((taint & ~writes) | (from ? writes : 0));
}

/* The frame's addresses come from r10 alone. */
static void find_taint(struct walker *w) {
    const struct cfg *cfg = w->cfg;
    bool changed = true;
    uint16_t stored = 0;

    w->taint = arena_alloc_array(w->arena, cfg->nblocks, sizeof(*w->taint));
    w->taint[0] = 1u << BPF_FP;
    for (unsigned pass = 0; changed; pass++) {
        changed = false;
        if (pass == MAX_PASSES)
            stored = UINT16_MAX;
        for (uint32_t i = 0; i < cfg->nblocks; i++) {
            const struct cfg_block *block = &cfg->blocks[i];
            uint16_t taint = w->taint[i] |= stored;
            for (uint32_t s = block->start; s < block->end; s += w->program->decoded[s].len)
                taint = taint_after(w, s, taint);
            changed |= (taint & STORED & ~stored) != 0;
            stored |= taint & STORED;
            for (uint32_t k = 0; k < block->nsucc; k++) {
                uint16_t *to = &w->taint[block->succ[k]];
                changed |= block->succ[k] <= i && (taint & ~*to) != 0;
                *to |= taint;
            }
        }
    }
}

/* --------------------------------------------------------------------------------------- cells */

static unsigned access_size(const struct bpf_decoded *d) {
    bool load = d->op == BPF_LDX || d->op == BPF_LDXS;
    bool store = d->op == BPF_ST || d->op == BPF_STX || bpf_op_is_atomic(d->op);
    return load || store ? d->width / 8 : 0;
}

static unsigned base_of(const struct bpf_decoded *d) {
    return d->op == BPF_LDX || d->op == BPF_LDXS ? d->src : d->dst;
}

/* The location of bytes of the frame, or the number of locations. */
static uint32_t find_cell(const struct walker *w, int64_t off, unsigned size) {
    uint32_t i = NLOCS_REGS;
    while (i < w->nlocs && (w->locs.items[i].off != off || w->locs.items[i].size != size))
        i++;
    return i;
}

static void collect_locs(struct walker *w) {
    const struct cfg_loop *loop = &w->cfg->loops[w->loop];

    w->locs.items = NULL;
    w->locs.count = w->locs.capacity = 0;
    for (uint8_t r = 0; r < NLOCS_REGS; r++)
        vec_push(w->arena, &w->locs, (struct rank_loc){.reg = r});
    w->nlocs = NLOCS_REGS;
    for (uint32_t b = 0; b < loop->nblocks; b++) {
        const struct cfg_block *block = &w->cfg->blocks[loop->blocks[b]];
        for (uint32_t s = block->start; s < block->end; s += w->program->decoded[s].len) {
            const struct bpf_decoded *d = &w->program->decoded[s];
            unsigned size = access_size(d);
            bool cell = (size == 4 || size == 8) && base_of(d) == BPF_FP;
            if (!cell || w->nlocs == NLOCS_REGS + MAX_CELLS ||
                find_cell(w, d->off, size) < w->nlocs)
                continue;
            vec_push(w->arena, &w->locs, (struct rank_loc){.size = (uint8_t)size, .off = d->off});
            w->nlocs++;
        }
    }
}

/* ------------------------------------------------------------------------------------- effects */

static void clobber_cells(const struct walker *w, struct point *p, int64_t lo, int64_t hi) {
    for (uint32_t i = NLOCS_REGS; i < w->nlocs; i++)
        if (w->locs.items[i].off < hi && w->locs.items[i].off + w->locs.items[i].size > lo)
            p->at[i] = rel_memory(8u * w->locs.items[i].size, false);
}

#define EVERYWHERE INT64_MIN, INT64_MAX

/* What a register is, as a sum with r10: false if it is not one. */
static bool frame_address(const struct point *p, unsigned reg, int64_t *lo, int64_t *hi) {
    const struct rel *r = &p->at[reg];
    *lo = r->lo;
    *hi = r->hi;
    return r->kind == REL_SUM && r->form == REL_64 && r->loc == BPF_FP && r->loc2 == REL_NO_LOC &&
           r->lo != -REL_INF && r->hi != REL_INF;
}

static void store(const struct walker *w, struct point *p, const struct bpf_decoded *d,
                  struct rel value) {
    unsigned size = d->width / 8;
    int64_t lo, hi;

    if (!frame_address(p, d->dst, &lo, &hi)) {
        if (p->taint >> d->dst & 1)
            clobber_cells(w, p, EVERYWHERE);
        return;
    }
    clobber_cells(w, p, lo + d->off, hi + d->off + size);
    if (lo != hi || size < 4)
        return;
    /* What is stored, and its low half, which begins at the same address. */
    for (unsigned s = 4; s <= size; s *= 2) {
        uint32_t cell = find_cell(w, lo + d->off, s);
        if (cell < w->nlocs)
            p->at[cell] = s == 4 ? rel_zext32(value) : value;
    }
}

static struct rel load(const struct walker *w, const struct point *p, const struct bpf_decoded *d) {
    bool is_signed = d->op == BPF_LDXS;
    struct rel number = rel_memory(d->width, is_signed);
    int64_t lo, hi;

    if (d->width < 32 || !frame_address(p, d->src, &lo, &hi) || lo != hi)
        return number;
    uint32_t cell = find_cell(w, lo + d->off, d->width / 8);
    if (cell == w->nlocs)
        return number;
    /* Cells of four bytes hold zero-extended numbers as it is. */
    return is_signed ? rel_sext32(p->at[cell]) : p->at[cell];
}

/* What a helper without a callback writes: from where its arguments point to upwards. */
static void clobber_results(const struct walker *w, struct point *p,
                            const struct bpf_helper *helper) {
    for (unsigned i = 0; i < helper->nargs; i++) {
        unsigned reg = BPF_R1 + i;
        int64_t lo, hi;
        if (bpf_arg_access((enum bpf_arg)helper->arg[i]) != BPF_ARG_WRITTEN)
            continue;
        if (frame_address(p, reg, &lo, &hi))
            clobber_cells(w, p, lo, INT64_MAX);
        else if (p->taint >> reg & 1)
            clobber_cells(w, p, EVERYWHERE);
    }
}

static void call(const struct walker *w, struct point *p, uint32_t slot) {
    const struct bpf_decoded *d = &w->program->decoded[slot];
    const struct bpf_helper *helper =
        d->op == BPF_CALL_HELPER ? bpf_helper_by_id((uint32_t)d->imm) : NULL;

    if (!hands_on(d))
        clobber_results(w, p, helper);
    else if (p->taint & handed_over(w, slot))
        clobber_cells(w, p, EVERYWHERE);
    for (unsigned r = BPF_R0; r <= BPF_R5; r++)
        p->at[r] = rel_unknown();
    if (helper && helper->ret == BPF_RET_U32)
        p->at[BPF_R0] = rel_memory(32, false);
    if (helper && helper->ret == BPF_RET_S32)
        p->at[BPF_R0] = rel_memory(32, true);
}

static struct rel constant(int64_t v) {
    return rel_number(v, v);
}

static void other(const struct walker *w, struct point *p, const struct bpf_decoded *d) {
    struct rel *dst = &p->at[d->dst];

    switch (d->op) {
    case BPF_LDX:
    case BPF_LDXS: *dst = load(w, p, d); break;
    case BPF_ST: store(w, p, d, constant(d->imm)); break;
    case BPF_STX: store(w, p, d, p->at[d->src]); break;
    case BPF_LDDW: *dst = d->pseudo == BPF_PSEUDO_NONE ? constant(d->imm) : rel_unknown(); break;
    case BPF_MOVSX8:
    case BPF_MOVSX16: *dst = rel_memory(d->op == BPF_MOVSX8 ? 8 : 16, true); break;
    case BPF_MOVSX32: *dst = rel_sext32(p->at[d->src]); break;
    case BPF_LE: *dst = d->width == 32 ? rel_zext32(*dst) : rel_memory(d->width, false); break;
    case BPF_BE:
    case BPF_BSWAP: *dst = rel_memory(d->width, false); break;
    default: break;
    }
    /* movsx of a 32-bit register leaves a zero-extended number. */
    if (bpf_op_is_movsx(d->op) && d->width == 32)
        *dst = rel_zext32(*dst);
}

static void transfer(const struct walker *w, struct point *p, uint32_t slot) {
    const struct bpf_decoded *d = &w->program->decoded[slot];

    if (bpf_op_is_alu(d->op)) {
        struct rel b = d->src_reg ? p->at[d->src] : constant(d->imm);
        p->at[d->dst] = rel_alu(d->op, d->width, p->at[d->dst], b);
    } else if (bpf_op_is_call(d->op)) {
        call(w, p, slot);
    } else if (bpf_op_is_atomic(d->op)) {
        store(w, p, d, rel_unknown());
        if (bpf_atomic_fetches(d->op))
            p->at[bpf_atomic_result(d)] = rel_memory(d->width, false);
    } else {
        other(w, p, d);
    }
    p->taint = taint_after(w, slot, p->taint);
}

/* ---------------------------------------------------------------------------------------- walk */

static struct rel *state_of(const struct walker *w, uint32_t block) {
    return w->states + (size_t)(block - w->cfg->loops[w->loop].header) * w->nlocs;
}

/* Joins into a state; says whether that one grew. */
static bool join_into(const struct walker *w, struct rel *to, const struct rel *from, bool first,
                      bool widen) {
    bool grew = first;
    for (uint32_t i = 0; i < w->nlocs; i++) {
        struct rel joined = first   ? from[i]
                            : widen ? rel_widen(to[i], from[i])
                                    : rel_join(to[i], from[i]);
        grew |= !rel_equal(joined, to[i]);
        to[i] = joined;
    }
    return grew;
}

/* A state on the way along an edge; false if a comparison rules it out. */
static bool along(const struct walker *w, const struct cfg_block *block, uint32_t k,
                  struct rel *at) {
    const struct bpf_decoded *d = &w->program->decoded[block->last];
    if (!bpf_op_is_jcc(d->op) || d->src_reg)
        return true;
    return rel_refine(d->op, d->width, k == 1, &at[d->dst], d->imm);
}

/* Where to go on: the next block, or the header of an inner loop that has to be looked at again. */
static uint32_t follow(struct walker *w, uint32_t index, const struct rel *after,
                       struct rel *room) {
    const struct cfg_block *block = &w->cfg->blocks[index];
    uint32_t header = w->cfg->loops[w->loop].header, next = index + 1;

    for (uint32_t k = 0; k < block->nsucc; k++) {
        uint32_t to = block->succ[k];
        if (!cfg_in_loop(w->cfg, to, w->loop))
            continue;
        memcpy(room, after, w->nlocs * sizeof(*room));
        if (!along(w, block, k, room))
            continue;
        w->work -= w->work < w->nlocs ? w->work : w->nlocs;
        if (to == header) {
            join_into(w, w->latch, room, !w->latched, false);
            w->latched = true;
            continue;
        }
        bool *reached = &w->reached[to - header];
        if (join_into(w, state_of(w, to), room, !*reached, to <= index) && to <= index)
            next = to < next ? to : next;
        *reached = true;
    }
    return next;
}

static void start_block(const struct walker *w, uint32_t index, struct point *p) {
    memcpy(p->at, state_of(w, index), w->nlocs * sizeof(*p->at));
    p->taint = w->taint[index];
}

static void run_block(const struct walker *w, uint32_t index, struct point *p) {
    const struct cfg_block *block = &w->cfg->blocks[index];

    start_block(w, index, p);
    for (uint32_t s = block->start; s < block->end; s += w->program->decoded[s].len)
        transfer(w, p, s);
}

/* False if there was not enough work left. */
static bool walk_loop(struct walker *w, struct point *p, struct rel *room) {
    const struct cfg_loop *loop = &w->cfg->loops[w->loop];
    uint32_t end = loop->header + loop->nblocks;

    for (uint32_t i = 0; i < w->nlocs; i++)
        state_of(w, loop->header)[i] = rel_of_loc((uint16_t)i);
    w->reached[0] = true;
    for (uint32_t i = loop->header; i < end;) {
        const struct cfg_block *block = &w->cfg->blocks[i];
        uint32_t cost = block->end - block->start + w->nlocs;
        if (w->work < cost)
            return false;
        w->work -= cost;
        if (!w->reached[i - loop->header]) {
            i++;
            continue;
        }
        run_block(w, i, p);
        i = follow(w, i, p->at, room);
    }
    return true;
}

/* --------------------------------------------------------------------------------------- tests */

/* The side on which the loop goes on where the other one leaves it, or -1. */
static int staying_side(const struct walker *w, const struct cfg_block *block) {
    if (block->nsucc < 2)
        return -1;
    bool stays[2];
    for (int k = 0; k < 2; k++)
        stays[k] = cfg_in_loop(w->cfg, block->succ[k], w->loop);
    return stays[0] == stays[1] ? -1 : stays[1];
}

/* Whether a register's value at a block's end is its value at the next header. */
static bool comes_to_header(const struct walker *w, uint32_t index) {
    const struct cfg_loop *loop = &w->cfg->loops[w->loop];
    return loop->nlatches == 1 && loop->latches[0] == index;
}

static void add_test(struct walker *w, uint32_t index, struct point *p) {
    const struct cfg_block *block = &w->cfg->blocks[index];
    const struct bpf_decoded *d = &w->program->decoded[block->last];
    int side = staying_side(w, block);

    if (side < 0 || (d->op == BPF_JSET && side == 0))
        return;
    run_block(w, index, p);
    bool next = comes_to_header(w, index);
    vec_push(w->arena, &w->tests,
             (struct rank_test){
                 .slot = block->last,
                 .op = (uint8_t)(side == 1 ? d->op : rel_inverse(d->op)),
                 .width = d->width,
                 .reg = {d->dst, d->src_reg ? d->src : BPF_NREGS},
                 .rel = {p->at[d->dst], d->src_reg ? p->at[d->src] : constant(d->imm)},
                 .is_next = {next, next && d->src_reg},
             });
}

/* A block that is executed once in every iteration that is followed by another one. */
static bool is_always_run(const struct walker *w, uint32_t index) {
    const struct cfg_loop *loop = &w->cfg->loops[w->loop];
    if (w->cfg->blocks[index].loop != w->loop || !w->reached[index - loop->header])
        return false;
    for (uint32_t k = 0; k < loop->nlatches; k++)
        if (!cfg_dominates(w->cfg, index, loop->latches[k]))
            return false;
    return true;
}

/* From the nearest common dominator of the latches up to the header. */
static void find_tests(struct walker *w, struct point *p) {
    const struct cfg_loop *loop = &w->cfg->loops[w->loop];
    uint32_t block = loop->latches[0];

    w->tests.items = NULL;
    w->tests.count = w->tests.capacity = 0;
    for (;; block = w->cfg->blocks[block].idom) {
        uint32_t cost = loop->nlatches < w->work ? loop->nlatches : w->work;
        w->work -= cost;
        if (w->work && is_always_run(w, block))
            add_test(w, block, p);
        if (block == loop->header)
            return;
    }
}

/* ----------------------------------------------------------------------------------- additions */

static bool is_endless(const struct walker *w, uint16_t loc) {
    const struct rel *c = &w->latch[loc];
    return c->kind == REL_SUM && c->loc == loc && (c->lo == -REL_INF || c->hi == REL_INF);
}

/* Notes an addition to (or subtraction from) such a location's sum. */
static void note_add(struct walker *w, uint32_t slot, const struct point *p) {
    const struct bpf_decoded *d = &w->program->decoded[slot];
    struct rel a = p->at[d->dst], b = d->src_reg ? p->at[d->src] : constant(d->imm);
    bool first = a.kind == REL_SUM;
    const struct rel *sum = first ? &a : &b;

    if ((d->op != BPF_ADD && d->op != BPF_SUB) || sum->kind != REL_SUM || !is_endless(w, sum->loc))
        return;
    struct rank_add add = {.slot = slot, .reg = first ? d->dst : d->src, .loc = sum->loc};
    struct rel plain = rel_of_loc(sum->loc);
    struct rel now = rel_alu(d->op, d->width, first ? plain : a, first ? b : plain);
    add.other = sum->sign2 || now.kind != REL_SUM || now.sign2 || now.loc != sum->loc;
    add.lo = now.lo;
    add.hi = now.hi;
    vec_push(w->arena, &w->adds, add);
}

static void find_adds(struct walker *w, struct point *p) {
    const struct cfg_loop *loop = &w->cfg->loops[w->loop];
    bool any = false;

    w->adds.items = NULL;
    w->adds.count = w->adds.capacity = 0;
    for (uint16_t i = 0; i < w->nlocs; i++)
        any |= is_endless(w, i);
    for (uint32_t i = loop->header; any && i < loop->header + loop->nblocks; i++) {
        const struct cfg_block *block = &w->cfg->blocks[i];
        if (!w->reached[i - loop->header])
            continue;
        start_block(w, i, p);
        for (uint32_t s = block->start; s < block->end; s += w->program->decoded[s].len) {
            note_add(w, s, p);
            transfer(w, p, s);
        }
    }
}

/* ---------------------------------------------------------------------------------- a function */

static void make_room(struct walker *w, size_t states) {
    if (states <= w->room)
        return;
    w->room = 2 * states < MAX_STATES ? 2 * states : states;
    w->states = arena_alloc_array(w->arena, w->room, sizeof(*w->states));
}

static void *copied(struct arena *arena, const void *items, size_t count, size_t size) {
    void *copy = arena_alloc_array(arena, count, size);
    if (count)
        memcpy(copy, items, count * size);
    return copy;
}

static void find_shape(struct walker *w, struct arena *arena, struct loop_shape *out) {
    uint32_t nblocks = w->cfg->loops[w->loop].nblocks;

    if (w->work < nblocks)
        return;
    collect_locs(w);
    if ((uint64_t)nblocks * w->nlocs > MAX_STATES)
        w->nlocs = NLOCS_REGS;
    if ((uint64_t)nblocks * w->nlocs > MAX_STATES)
        return;
    make_room(w, (size_t)nblocks * w->nlocs);
    w->reached = arena_alloc_array(w->arena, nblocks, sizeof(*w->reached));
    struct rel *rels = arena_alloc_array(w->arena, 3 * (size_t)w->nlocs, sizeof(*rels));
    struct point p = {.at = rels};
    w->latch = rels + 2 * w->nlocs;
    w->latched = false;
    if (!walk_loop(w, &p, rels + w->nlocs))
        return;
    if (!w->latched) /* comparisons rule every iteration out; the values will say so as well */
        return;
    find_tests(w, &p);
    find_adds(w, &p);
    *out = (struct loop_shape){
        .known = true,
        .nlocs = w->nlocs,
        .locs = copied(arena, w->locs.items, w->nlocs, sizeof(*w->locs.items)),
        .change = copied(arena, w->latch, w->nlocs, sizeof(*w->latch)),
        .ntests = (uint32_t)w->tests.count,
        .tests = copied(arena, w->tests.items, w->tests.count, sizeof(*w->tests.items)),
        .nadds = (uint32_t)w->adds.count,
        .adds = copied(arena, w->adds.items, w->adds.count, sizeof(*w->adds.items)),
    };
}

struct loop_shape *loop_shapes(struct arena *arena, const struct program *program,
                               const struct cfg *cfg, const uint16_t *live_args) {
    struct loop_shape *shapes = arena_alloc_array(arena, cfg->nloops, sizeof(*shapes));
    struct arena *scratch = arena_new();
    struct walker w = {
        .arena = scratch, .program = program, .cfg = cfg, .live_args = live_args, .work = WORK};

    if (cfg->nloops)
        find_taint(&w);
    for (w.loop = cfg->nloops; w.loop-- > 0;)
        find_shape(&w, arena, &shapes[w.loop]);
    arena_free(scratch);
    return shapes;
}
