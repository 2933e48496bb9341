/* SPDX-License-Identifier: MIT */
/*
 * Stack-slot promotion: bytes of the eBPF stack that only direct loads and stores of one size touch
 * become SSA values. This is where spills of the eBPF compiler go away, and locals that it kept in
 * memory.
 *
 * What else may touch a byte makes it memory: accesses of another size or partly overlapping ones,
 * accesses through r10 plus a bounded index, bytes that a helper is given by address and size. An
 * address that goes anywhere else (another function, memory, an unbounded index) may be used for any
 * byte of the frame, and then nothing is promoted: without the verifier there is no telling. If it
 * is only loaded from, slots keep their stores but not their loads: often that turns an index, which
 * was spilled itself, into a value with bounds, so that the next run can finish the work.
 *
 * A slot that is read before it is written reads as 0. Phis are placed as the builder places them:
 * at every join where the slot is live, and those that merge nothing are removed.
 */
#include <assert.h>
#include <string.h>

#include "bpf/helper.h"
#include "opt/known.h"
#include "opt/opt.h"
#include "opt/uses.h"
#include "util/bitset.h"

#define FRAME_BYTES 512 /* of eBPF stack, below r10 (RFC 9669 and every verifier) */
#define NO_SLOT UINT16_MAX

/* What touches a byte. */
enum { UNTOUCHED, SLOT, MEMORY };

struct slot {
    int off; /* from r10 */
    uint8_t size;
};

struct promoter {
    struct ir_fn *fn;
    struct arena *arena;
    struct uses uses;
    struct solution known;
    bool escapes;               /* some address may be used to write any byte */
    bool read_anywhere;         /* some load may be of any byte */
    struct bitset *anywhere;    /* values that may be the address of any byte, uses seen */
    uint8_t byte[FRAME_BYTES];  /* by offset + FRAME_BYTES */
    uint8_t first[FRAME_BYTES]; /* size of the slot that starts here, 0: none */
    uint16_t slot_at[FRAME_BYTES];
    struct slot slots[FRAME_BYTES];
    uint32_t nslots;
    struct bitset **live; /* by block id: slots read before written from the block's start on */
    ir_val **out;         /* by block id: values of the slots at its end */
};

/* ------------------------------------------------------------------------------ who touches what */

/* Bytes [from, to) may be touched in a way that only memory allows. */
static void touch(struct promoter *p, int64_t from, int64_t to) {
    for (int64_t off = from < -FRAME_BYTES ? -FRAME_BYTES : from; off < to && off < 0; off++)
        p->byte[off + FRAME_BYTES] = MEMORY;
}

/* A load or store of `size` bytes at exactly off. The first one makes a slot, others must be equal. */
static void touch_slot(struct promoter *p, int64_t off, unsigned size) {
    if (off < -FRAME_BYTES || off + size > 0) {
        touch(p, off, off + size);
        return;
    }
    unsigned at = (unsigned)(off + FRAME_BYTES);
    bool fits = p->first[at] == size;
    for (unsigned i = 0; i < size; i++)
        fits &= p->byte[at + i] == SLOT;
    bool fresh = true;
    for (unsigned i = 0; i < size; i++)
        fresh &= p->byte[at + i] == UNTOUCHED;
    if (fresh) {
        p->first[at] = (uint8_t)size;
        memset(p->byte + at, SLOT, size);
    } else if (!fits) {
        touch(p, off, off + size);
    }
}

/* Bytes that a helper's memory argument covers: the size is the map's, or the next argument. */
static bool helper_bytes(const struct promoter *p, const struct ir_inst *call, uint32_t arg,
                         uint64_t *bytes) {
    const struct bpf_helper *helper = bpf_helper_by_id(call->index);
    const struct ir_inst *map = p->fn->values[call->args[0]].def;
    bool known_map = map->op == IR_MAP && map->imm == 0 && p->fn->prog;
    switch ((enum bpf_arg)helper->arg[arg]) {
    case BPF_ARG_MAP_KEY:
        *bytes = known_map ? p->fn->prog->maps[map->index].key_size : 0;
        return known_map;
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MAP_VALUE_OUT:
        *bytes = known_map ? p->fn->prog->maps[map->index].value_size : 0;
        return known_map;
    case BPF_ARG_MEM:
    case BPF_ARG_MEM_OUT:
        assert(arg + 1 < call->nargs);
        *bytes = known_max(&p->known.known[call->args[arg + 1]]);
        return *bytes <= FRAME_BYTES;
    default: return false; /* numbers too: trace_printk's may be strings */
    }
}

/* Addresses of the frame: r10 + [low, high]. */
struct range {
    int64_t low, high;
    unsigned depth; /* additions that made it */
};

#define MAX_ADDITIONS 64
#define ANYWHERE ((struct range){INT32_MIN, INT32_MAX, 0})

static bool is_anywhere(struct range range) {
    return range.low == INT32_MIN;
}

static void use_address(struct promoter *p, ir_val v, struct range range);

/* The range after adding an index, which may be a negative constant. */
static struct range moved(const struct promoter *p, struct range range, ir_val index) {
    const struct known *k = &p->known.known[index];
    int64_t least = (int64_t)k->ones, greatest = (int64_t)known_max(k);
    bool bounded = least >= 0 && least <= greatest && greatest <= FRAME_BYTES;
    bool constant = known_constant(k) && least < 0 && least >= -FRAME_BYTES;
    if (is_anywhere(range) || (!bounded && !constant) || range.depth == MAX_ADDITIONS) {
        unsigned depth = range.depth;
        range = ANYWHERE;
        range.depth = depth + 1;
        return range;
    }
    return (struct range){range.low + least, range.high + greatest, range.depth + 1};
}

static void use_in(struct promoter *p, const struct use *use, struct range range) {
    const struct ir_inst *inst = use->inst;
    int64_t low = range.low + inst->imm, end = range.high + inst->imm + inst->size;
    uint64_t bytes;
    switch (inst->op) {
    case IR_LOAD:
        if (is_anywhere(range))
            p->read_anywhere = true;
        else if (range.low == range.high)
            touch_slot(p, low, inst->size);
        else
            touch(p, low, end);
        break;
    case IR_STORE:
        if (use->arg != 0 || is_anywhere(range)) /* itself is stored, or anything overwritten */
            p->escapes = true;
        else if (range.low == range.high)
            touch_slot(p, low, inst->size);
        else
            touch(p, low, end);
        break;
    case IR_ATOMIC:
    case IR_CMPXCHG:
        p->escapes |= use->arg != 0 || is_anywhere(range);
        touch(p, low, end);
        break;
    case IR_CALL_HELPER:
        if (!is_anywhere(range) && helper_bytes(p, inst, use->arg, &bytes))
            touch(p, range.low, range.high + (int64_t)bytes);
        else
            p->escapes = true;
        break;
    case IR_ADD:
        if (inst->type == IR_I64 && range.depth <= MAX_ADDITIONS)
            use_address(p, inst->res[0], moved(p, range, inst->args[!use->arg]));
        else
            p->escapes = true;
        break;
    default: p->escapes = true; break;
    }
}

/* Recursion is as deep as additions stand on one address, at most MAX_ADDITIONS. Only sums of two
 * addresses can be come by in more than one way, and those may be anywhere: they are seen once. */
static void use_address(struct promoter *p, ir_val v, struct range range) {
    if (is_anywhere(range)) {
        if (bitset_test(p->anywhere, v))
            return;
        bitset_set(p->anywhere, v);
    }
    uses_for_each(use, &p->uses, v) {
        if (p->escapes)
            return;
        use_in(p, use, range);
    }
}

static void find_slots(struct promoter *p) {
    for (uint32_t i = 0; i < p->fn->norder; i++)
        for (const struct ir_inst *inst = p->fn->order[i]->first; inst; inst = inst->next)
            if (inst->op == IR_FRAME)
                use_address(p, inst->res[0], (struct range){inst->imm, inst->imm, 0});
    for (int at = 0; at < FRAME_BYTES; at++) {
        p->slot_at[at] = NO_SLOT;
        bool whole = p->first[at] != 0;
        for (int i = 0; i < p->first[at]; i++)
            whole &= p->byte[at + i] == SLOT;
        if (!whole) { /* memory from end to end, whatever has touched a part of it (unaligned) */
            touch(p, at - FRAME_BYTES, at - FRAME_BYTES + p->first[at]);
            continue;
        }
        p->slot_at[at] = (uint16_t)p->nslots;
        p->slots[p->nslots++] = (struct slot){at - FRAME_BYTES, p->first[at]};
    }
}

/* Bytes of stack that are still needed when the slots are gone. */
static uint32_t stack_left(const struct promoter *p) {
    for (int at = 0; at < FRAME_BYTES; at++)
        if (p->byte[at] == MEMORY)
            return (uint32_t)(FRAME_BYTES - at + 7) / 8 * 8;
    return 0;
}

/* The slot that a load or store is about, or NO_SLOT. Addresses with a constant added were followed
 * above; here they are worked out again, from the access up. */
static uint16_t slot_of(const struct promoter *p, const struct ir_inst *inst) {
    if (inst->op != IR_LOAD && inst->op != IR_STORE)
        return NO_SLOT;
    int64_t off = inst->imm;
    const struct ir_inst *def = p->fn->values[inst->args[0]].def;
    while (def && def->op == IR_ADD) {
        const struct known *a = &p->known.known[def->args[0]], *b = &p->known.known[def->args[1]];
        bool constant = known_constant(b);
        if (!constant && !known_constant(a))
            return NO_SLOT;
        off += (int64_t)(constant ? b->ones : a->ones);
        def = p->fn->values[def->args[!constant]].def;
    }
    if (!def || def->op != IR_FRAME)
        return NO_SLOT;
    off += def->imm;
    return off >= -FRAME_BYTES && off < 0 ? p->slot_at[off + FRAME_BYTES] : NO_SLOT;
}

/* ------------------------------------------------------------------------------- SSA of the slots */

static void find_live(struct promoter *p) {
    struct ir_fn *fn = p->fn;
    struct bitset **written = arena_alloc_array(p->arena, fn->nblocks, sizeof(*written));
    for (uint32_t i = 0; i < fn->norder; i++) {
        const struct ir_block *block = fn->order[i];
        struct bitset *live = p->live[block->id] = bitset_new(p->arena, p->nslots);
        written[block->id] = bitset_new(p->arena, p->nslots);
        for (const struct ir_inst *inst = block->first; inst; inst = inst->next) {
            uint16_t slot = slot_of(p, inst);
            if (slot == NO_SLOT)
                continue;
            if (inst->op == IR_STORE)
                bitset_set(written[block->id], slot);
            else if (!bitset_test(written[block->id], slot))
                bitset_set(live, slot);
        }
    }
    struct bitset *more = bitset_new(p->arena, p->nslots);
    for (bool changed = true; changed;) { /* rounds: the depth of loops, plus one */
        changed = false;
        for (uint32_t i = fn->norder; i-- > 0;) {
            const struct ir_block *block = fn->order[i];
            for (int k = 0; k < 2 && block->target[k]; k++) {
                bitset_copy(more, p->live[block->target[k]->id]);
                bitset_andnot(more, written[block->id]);
                changed |= bitset_or(p->live[block->id], more);
            }
        }
    }
}

static enum ir_type slot_type(const struct slot *slot) {
    return slot->size == 8 ? IR_I64 : IR_I32;
}

/* The values of live slots where a block starts. */
static void start_block(struct promoter *p, struct ir_block *block, ir_val *now) {
    if (block->npreds == 1) {
        memcpy(now, p->out[block->preds[0]->id], p->nslots * sizeof(*now));
        return;
    }
    bitset_for_each(i, p->live[block->id]) {
        enum ir_type type = slot_type(&p->slots[i]);
        if (block->npreds == 0) {
            now[i] = ir_const_before(p->fn, block->first, type, 0);
            continue;
        }
        struct ir_inst *phi = ir_inst_new(p->fn, IR_PHI, type, block->npreds, NULL, 1, type);
        phi->imm = (int64_t)i; /* until fill_phis() */
        phi->visited = true;
        ir_insert_before(block->first, phi);
        now[i] = phi->res[0];
    }
}

/* What a load of a slot gives: below 4 bytes, the stored word extended from its size. */
static ir_val loaded(struct promoter *p, struct ir_inst *load, ir_val stored) {
    if (load->size >= 4)
        return stored;
    if (load->is_signed)
        return ir_unary_before(p->fn, load, load->size == 1 ? IR_SEXT8 : IR_SEXT16, IR_I32, stored);
    ir_val mask = ir_const_before(p->fn, load, IR_I32, load->size == 1 ? 0xff : 0xffff);
    return ir_binary_before(p->fn, load, IR_AND, IR_I32, stored, mask);
}

static void rename_block(struct promoter *p, struct ir_block *block) {
    ir_val *now = p->out[block->id] = arena_alloc_array(p->arena, p->nslots, sizeof(*now));
    struct ir_inst *first = block->first;
    while (first->op == IR_PHI)
        first = first->next;
    start_block(p, block, now);
    for (struct ir_inst *inst = first, *next; inst; inst = next) {
        next = inst->next;
        uint16_t slot = slot_of(p, inst);
        if (slot == NO_SLOT)
            continue;
        if (inst->op == IR_STORE)
            now[slot] = inst->args[1];
        else
            ir_replace(p->fn, inst->res[0], loaded(p, inst, now[slot]));
        if (inst->op == IR_LOAD || !p->read_anywhere)
            ir_remove(p->fn, inst);
    }
}

static void fill_phis(struct promoter *p, struct ir_block *block) {
    for (struct ir_inst *phi = block->first; phi->op == IR_PHI; phi = phi->next) {
        if (!phi->visited)
            continue;
        for (uint32_t i = 0; i < phi->nargs; i++)
            phi->args[i] = p->out[block->preds[i]->id][phi->imm];
        phi->imm = 0;
        phi->visited = false;
    }
}

static void clear_marks(struct ir_fn *fn) {
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *phi = fn->order[i]->first; phi->op == IR_PHI; phi = phi->next)
            phi->visited = false;
}

void opt_promote(struct ir_fn *fn) {
    if (fn->level != IR_LEVEL_64)
        return;
    struct arena *arena = arena_new();
    struct promoter *p = arena_alloc(arena, sizeof(*p));
    p->fn = fn;
    p->arena = arena;
    p->anywhere = bitset_new(arena, fn->nvalues);
    uses_collect(&p->uses, fn, arena);
    known_solve(fn, arena, &p->known);
    known_induction(fn, &p->known);
    find_slots(p);
    if (!p->escapes && !p->read_anywhere) {
        uint32_t left = stack_left(p);
        fn->stack = left < fn->stack ? left : fn->stack;
    }
    if (!p->escapes && p->nslots) {
        p->live = arena_alloc_array(arena, fn->nblocks, sizeof(*p->live));
        p->out = arena_alloc_array(arena, fn->nblocks, sizeof(*p->out));
        clear_marks(fn);
        find_live(p);
        for (uint32_t i = 0; i < fn->norder; i++)
            rename_block(p, fn->order[i]);
        for (uint32_t i = 0; i < fn->norder; i++)
            fill_phis(p, fn->order[i]);
        ir_simplify_phis(fn);
    }
    arena_free(arena);
}
