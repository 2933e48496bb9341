/* SPDX-License-Identifier: MIT */
/*
 * Value numbering: an expression that a dominating block has computed is not computed again, and a
 * load of what was just loaded or stored takes that value.
 *
 * Blocks are visited in preorder of the dominator tree. The table of expressions is scoped: entries
 * of a block leave it when its subtree is done, so that whatever is found dominates. Memory is
 * followed through extended basic blocks only (chains of single predecessors): a short list of what
 * bytes are known to hold, from which stores and calls take entries away.
 */
#include <string.h>

#include "opt/opt.h"
#include "util/hash.h"
#include "util/vec.h"

#define MAX_MEMORY 16 /* entries: what is further back is loaded again */

/* Memory at (address + imm), size bytes, holds `value` as a load of this kind gives it. */
struct memory {
    ir_val address;
    int64_t imm;
    ir_val value;
    uint8_t size;
    bool is_signed;
};

struct memory_list {
    uint32_t count;
    struct memory items[MAX_MEMORY]; /* the oldest first */
};

struct entry {
    struct ir_inst *inst;
    uint32_t next; /* in its bucket */
    uint32_t bucket;
};

struct numberer {
    struct ir_fn *fn;
    struct arena *arena;
    uint32_t *buckets; /* index into entries, plus 1 */
    uint32_t nbuckets; /* a power of 2 */
    VEC(struct entry) entries;
    struct memory_list now;
    struct memory_list **out;           /* by block id: memory at its end, NULL: nothing known */
    struct ir_block **child, **sibling; /* the dominator tree, by block id */
};

/* ---------------------------------------------------------------------------------- expressions */

static uint64_t hash_of(const struct ir_inst *inst) {
    uint64_t key[3] = {inst->op | (uint64_t)inst->type << 8 | (uint64_t)inst->index << 32,
                       (uint64_t)inst->imm, 0};
    for (uint32_t i = 0; i < inst->nargs; i++) { /* the same for exchanged arguments */
        uint64_t arg = inst->args[i];
        key[2] += (ir_ops[inst->op].flags & IR_COMMUTES ? arg : arg << (8 * i)) * 0x9e3779b1;
    }
    return hash_bytes(HASH_INIT, key, sizeof(key));
}

static bool same_expression(const struct ir_inst *a, const struct ir_inst *b) {
    if (a->op != b->op || a->type != b->type || a->index != b->index || a->imm != b->imm ||
        a->nargs != b->nargs)
        return false;
    if (!memcmp(a->args, b->args, a->nargs * sizeof(ir_val)))
        return true;
    return (ir_ops[a->op].flags & IR_COMMUTES) && a->nargs == 2 && a->args[0] == b->args[1] &&
           a->args[1] == b->args[0];
}

static void number_expression(struct numberer *n, struct ir_inst *inst) {
    uint32_t bucket = (uint32_t)hash_of(inst) & (n->nbuckets - 1);
    for (uint32_t i = n->buckets[bucket]; i; i = n->entries.items[i - 1].next) {
        const struct ir_inst *same = n->entries.items[i - 1].inst;
        if (!same_expression(same, inst))
            continue;
        for (int k = 0; k < 2; k++)
            if (inst->res[k])
                ir_replace(n->fn, inst->res[k], same->res[k]);
        ir_remove(n->fn, inst);
        return;
    }
    struct entry entry = {inst, n->buckets[bucket], bucket};
    vec_push(n->arena, &n->entries, entry);
    n->buckets[bucket] = (uint32_t)n->entries.count;
}

/* --------------------------------------------------------------------------------------- memory */

/* Whether the access is inside the object that its address names: stack, data section. */
static bool in_object(const struct numberer *n, const struct ir_inst *base, int64_t imm,
                      unsigned size) {
    int64_t off = base->imm + imm;
    if (base->op == IR_FRAME)
        return off >= -512 && off + size <= 0;
    const struct program *prog = n->fn->prog;
    return base->op == IR_DATA && prog && off >= 0 && off + size <= prog->datas[base->index].size;
}

static bool overlap(int64_t a, unsigned a_size, int64_t b, unsigned b_size) {
    return a < b + b_size && b < a + a_size;
}

static bool may_overlap(const struct numberer *n, const struct memory *m, ir_val address,
                        int64_t imm, unsigned size) {
    if (m->address == address)
        return overlap(m->imm, m->size, imm, size);
    const struct ir_inst *a = n->fn->values[m->address].def, *b = n->fn->values[address].def;
    if (!in_object(n, a, m->imm, m->size) || !in_object(n, b, imm, size))
        return true;
    return a->op == b->op && a->index == b->index &&
           overlap(a->imm + m->imm, m->size, b->imm + imm, size);
}

static void forget(struct numberer *n, const struct ir_inst *inst) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->now.count; i++)
        if (!may_overlap(n, &n->now.items[i], inst->args[0], inst->imm, inst->size))
            n->now.items[kept++] = n->now.items[i];
    n->now.count = kept;
}

static void remember(struct numberer *n, const struct ir_inst *inst, ir_val value) {
    if (n->now.count == MAX_MEMORY) {
        n->now.count--;
        memmove(n->now.items, n->now.items + 1, n->now.count * sizeof(n->now.items[0]));
    }
    n->now.items[n->now.count++] = (struct memory){.address = inst->args[0],
                                                   .imm = inst->imm,
                                                   .value = value,
                                                   .size = inst->size,
                                                   .is_signed = inst->is_signed};
}

static void number_load(struct numberer *n, struct ir_inst *load) {
    for (uint32_t i = 0; i < n->now.count; i++) {
        const struct memory *m = &n->now.items[i];
        if (m->address != load->args[0] || m->imm != load->imm || m->size != load->size ||
            m->is_signed != load->is_signed)
            continue;
        ir_replace(n->fn, load->res[0], m->value);
        ir_remove(n->fn, load);
        return;
    }
    remember(n, load, load->res[0]);
}

static void number_effect(struct numberer *n, const struct ir_inst *inst) {
    if (!inst->size) { /* a call */
        n->now.count = 0;
        return;
    }
    forget(n, inst);
    /* What a store of fewer than 4 bytes leaves of its value is not that value. */
    if (inst->op == IR_STORE && inst->size >= 4)
        remember(n, inst, inst->args[1]);
}

/* --------------------------------------------------------------------------------------- blocks */

static void number_block(struct numberer *n, struct ir_block *block) {
    n->now.count = 0;
    if (block->npreds == 1 && n->out[block->preds[0]->id])
        n->now = *n->out[block->preds[0]->id];
    for (struct ir_inst *inst = block->first, *next; inst; inst = next) {
        next = inst->next;
        for (uint32_t i = 0; i < inst->nargs && inst->op != IR_PHI; i++)
            inst->args[i] = ir_forwarded(n->fn, inst->args[i]);
        unsigned flags = ir_ops[inst->op].flags;
        if (flags & IR_WRITES)
            number_effect(n, inst);
        else if (inst->op == IR_LOAD)
            number_load(n, inst);
        else if (flags & IR_PURE)
            number_expression(n, inst);
    }
    if (n->now.count == 0)
        return;
    n->out[block->id] = arena_alloc(n->arena, sizeof(n->now));
    *n->out[block->id] = n->now;
}

static void leave(struct numberer *n, size_t mark) {
    while (n->entries.count > mark) {
        struct entry entry = vec_pop(&n->entries);
        n->buckets[entry.bucket] = entry.next;
    }
}

struct frame {
    struct ir_block *next; /* child to visit */
    size_t mark;           /* entries before this block's */
};

static void walk(struct numberer *n) {
    VEC(struct frame) stack = {0};
    struct ir_block *block = n->fn->order[0];
    for (;;) {
        while (block) {
            struct frame frame = {n->child[block->id], n->entries.count};
            number_block(n, block);
            vec_push(n->arena, &stack, frame);
            block = frame.next;
        }
        leave(n, vec_pop(&stack).mark);
        if (!stack.count)
            return;
        struct frame *parent = &vec_last(&stack);
        block = parent->next = n->sibling[parent->next->id];
    }
}

void opt_gvn(struct ir_fn *fn) {
    struct arena *arena = arena_new();
    struct numberer n = {.fn = fn, .arena = arena, .nbuckets = 64};
    while (n.nbuckets < fn->nvalues)
        n.nbuckets *= 2;
    n.buckets = arena_alloc_array(arena, n.nbuckets, sizeof(*n.buckets));
    n.out = arena_alloc_array(arena, fn->nblocks, sizeof(*n.out));
    n.child = arena_alloc_array(arena, fn->nblocks, sizeof(*n.child));
    n.sibling = arena_alloc_array(arena, fn->nblocks, sizeof(*n.sibling));
    for (uint32_t i = fn->norder; i-- > 1;) {
        struct ir_block *block = fn->order[i];
        n.sibling[block->id] = n.child[block->idom->id];
        n.child[block->idom->id] = block;
    }
    walk(&n);
    ir_resolve(fn);
    arena_free(arena);
}
