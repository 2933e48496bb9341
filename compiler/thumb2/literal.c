/* SPDX-License-Identifier: MIT */
/*
 * Literal pools (-Os): a constant that needs movw and movt, 8 bytes and 2 cycles, becomes a 16-bit
 * load of a word behind the code, 2 + 4 bytes and 2 cycles from zero-wait memory, and shares the word
 * with other uses. Not at the other levels: a load of flash costs several wait states on the chip,
 * which the cycle model does not show, and the pool splits the fetch stream.
 *
 * The 16-bit load reaches 1020 bytes ahead. Pools go behind unconditional branches; a constant
 * that would be too far from the next one keeps its two instructions. Distances are upper bounds, so
 * that assembling needs no second thought.
 */
#include <assert.h>

#include "thumb2/code.h"

#define REACH 1000 /* of 1020: room for padding and the pool's alignment */

struct pool {
    struct code_unit *unit;
    VEC(uint32_t) users; /* items that wait for the pool */
    uint32_t distance;   /* bytes since the first of them, at most */
};

static uint32_t longest(const struct code_item *item) {
    switch (item->kind) {
    case CODE_LABEL: return 0;
    case CODE_CBZ:
    case CODE_CONST: return 8;
    case CODE_ADDRESS: return 10;
    default: return 4;
    }
}

static bool worth_a_literal(const struct code_item *item) {
    uint32_t imm12, value = (uint32_t)item->f.imm;
    return item->kind == CODE_CONST && item->f.d < 8 && value > 0xffff &&
           !t2_modified_imm(value, &imm12) && !t2_modified_imm(~value, &imm12);
}

static bool is_barrier(const struct code_item *item) {
    if (item->kind == CODE_BRANCH)
        return item->f.cond == T2_AL;
    if (item->kind != CODE_INSN || item->in_it)
        return false;
    return item->op == T2_OP_BX || (item->op == T2_OP_LDMIA && item->f.reglist >> T2_PC & 1);
}

/* Emits one word per distinct value and points its users there. */
static void flush(struct pool *pool) {
    struct code_unit *unit = pool->unit;
    if (!pool->users.count)
        return;
    code_add(unit, CODE_ALIGN);
    for (size_t i = 0; i < pool->users.count; i++) {
        struct code_item user = unit->items.items[pool->users.items[i]];
        for (size_t k = 0; k < i && user.label == CODE_NO_LABEL; k++) {
            const struct code_item *earlier = &unit->items.items[pool->users.items[k]];
            if (earlier->f.imm == user.f.imm)
                user.label = earlier->label;
        }
        if (user.label == CODE_NO_LABEL) {
            user.label = code_label_new(unit);
            struct code_item *word = code_add(unit, CODE_WORD);
            word->f.imm = user.f.imm;
            word->label = user.label;
        }
        unit->items.items[pool->users.items[i]].label = user.label;
    }
    vec_clear(&pool->users);
    pool->distance = 0;
}

void literal_pools(struct code_unit *unit, uint32_t first) {
    if (!unit->optimize_size)
        return;
    uint32_t count = (uint32_t)unit->items.count - first;
    struct code_item *old = arena_alloc_array(unit->arena, count, sizeof(*old));
    for (uint32_t i = 0; i < count; i++)
        old[i] = unit->items.items[first + i];
    unit->items.count = first;
    struct pool pool = {.unit = unit};
    for (uint32_t i = 0; i < count; i++) {
        vec_push(unit->arena, &unit->items, old[i]);
        if (worth_a_literal(&old[i]))
            vec_push(unit->arena, &pool.users, (uint32_t)unit->items.count - 1);
        if (pool.users.count)
            pool.distance += longest(&old[i]);
        if (pool.distance + 4 * pool.users.count >
            REACH) { /* out of reach: they stay as they are */
            vec_clear(&pool.users);
            pool.distance = 0;
        }
        if (is_barrier(&old[i]) && (pool.distance > REACH / 2 || i + 1 == count))
            flush(&pool);
    }
}
