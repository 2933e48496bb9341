/* SPDX-License-Identifier: MIT */
/* The IR interpreter of the tests; see eval.h. */
#include "ir/eval.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/arena.h"
#include "bpf/helper.h"
#include "util/hash.h"

#define PAGE 256u
#define NBUCKETS 1024u
#define FUNC_BASE 0x08100001u /* code pointers: base + 16 * function */
#define FUNC_STRIDE 16u
#define MAX_DEPTH 32

struct page {
    struct page *next;
    uint32_t address;
    uint8_t bytes[PAGE];
};

struct machine {
    const struct eval_unit *unit;
    struct arena *arena;
    struct page *pages[NBUCKETS];
    struct eval_result result;
    uint64_t max_steps;
    uint32_t stack; /* r10 of the next function */
    unsigned depth;
};

/* --------------------------------------------------------------------------------------- memory */

static uint64_t mix(uint64_t hash, uint64_t value) {
    return hash_bytes(hash, &value, sizeof(value));
}

static uint8_t initial_byte(uint32_t address) {
    return (uint8_t)(address * 2654435761u >> 24);
}

static struct page *page_of(struct machine *m, uint32_t address) {
    uint32_t start = address & ~(PAGE - 1);
    struct page **bucket = &m->pages[start / PAGE % NBUCKETS];
    for (struct page *page = *bucket; page; page = page->next)
        if (page->address == start)
            return page;
    struct page *page = arena_alloc(m->arena, sizeof(*page));
    page->address = start;
    for (uint32_t i = 0; i < PAGE; i++)
        page->bytes[i] = initial_byte(start + i);
    page->next = *bucket;
    return *bucket = page;
}

static uint64_t load(struct machine *m, uint32_t address, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)page_of(m, address + i)->bytes[(address + i) % PAGE] << (8 * i);
    return value;
}

static void store(struct machine *m, uint32_t address, unsigned size, uint64_t value) {
    for (unsigned i = 0; i < size; i++)
        page_of(m, address + i)->bytes[(address + i) % PAGE] = (uint8_t)(value >> (8 * i));
}

static bool is_stack(uint32_t address) {
    return address < EVAL_STACK_TOP && address >= EVAL_STACK_TOP - EVAL_STACK_SIZE;
}

static uint64_t memory_hash(const struct machine *m) {
    uint64_t sum = 0; /* of the bytes' hashes: pages come in any order */
    for (uint32_t i = 0; i < NBUCKETS; i++)
        for (const struct page *page = m->pages[i]; page; page = page->next)
            for (uint32_t k = 0; k < PAGE && !is_stack(page->address); k++)
                if (page->bytes[k] != initial_byte(page->address + k))
                    sum += mix(mix(HASH_INIT, page->address + k), page->bytes[k]);
    return sum;
}

static void log_effect(struct machine *m, uint64_t value) {
    m->result.effects = mix(m->result.effects, value);
}

/* -------------------------------------------------------------------------------------- helpers */

static uint32_t map_size(const struct machine *m, uint32_t map, bool key) {
    uint32_t index = (map - 0x30000000u) / 0x1000;
    const struct program *prog = m->unit->prog;
    if (!prog || index >= prog->nmaps)
        return key ? 4 : 8;
    return key ? prog->maps[index].key_size : prog->maps[index].value_size;
}

/* Bytes of memory behind argument i; *out: the helper writes them. 0: no memory. */
static uint32_t memory_size(const struct machine *m, const struct bpf_helper *helper,
                            const uint64_t *args, unsigned i, bool *out) {
    unsigned kind = helper->arg[i];
    *out = kind == BPF_ARG_MAP_VALUE_OUT || kind == BPF_ARG_MEM_OUT;
    switch (kind) {
    case BPF_ARG_MAP_KEY: return map_size(m, (uint32_t)args[0], true);
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MAP_VALUE_OUT: return map_size(m, (uint32_t)args[0], false);
    case BPF_ARG_MEM:
    case BPF_ARG_MEM_OUT: return (uint32_t)args[i + 1] & 0x3f;
    case BPF_ARG_STR: return 4;
    case BPF_ARG_CTX:
    case BPF_ARG_CALLBACK_CTX: return 8;
    default: return 0;
    }
}

static uint64_t helper_result(const struct bpf_helper *helper, uint64_t hash) {
    switch ((enum bpf_ret)helper->ret) {
    case BPF_RET_VOID: return 0;
    case BPF_RET_S32: return (uint64_t)(int64_t)(int32_t)hash;
    case BPF_RET_U64: return hash;
    default: return (uint32_t)hash;
    }
}

static uint64_t call_helper(struct machine *m, uint32_t id, const uint64_t *args) {
    const struct bpf_helper *helper = bpf_helper_by_id(id);
    if (!helper) {
        log_effect(m, id);
        return 0;
    }
    log_effect(m, id);
    for (unsigned i = 0; i < helper->nargs; i++) {
        bool out;
        uint32_t size = memory_size(m, helper, args, i, &out);
        log_effect(m, helper->arg[i] == BPF_ARG_U64 ? args[i] : (uint32_t)args[i]);
        for (uint32_t k = 0; k < size && !out; k++)
            log_effect(m, load(m, (uint32_t)args[i] + k, 1));
    }
    for (unsigned i = 0; i < helper->nargs; i++) {
        bool out;
        uint32_t size = memory_size(m, helper, args, i, &out);
        for (uint32_t k = 0; k < size && out; k++)
            store(m, (uint32_t)args[i] + k, 1, m->result.effects + k);
        if (helper->arg[i] == BPF_ARG_CALLBACK_CTX) /* what a callback might do with it */
            store(m, (uint32_t)args[i], 4, m->result.effects);
    }
    return helper_result(helper, m->result.effects);
}

/* The compiler's own helpers have no effects; -1 arguments checked by the caller. */
static bool internal_helper(uint32_t id, const uint64_t *args, uint64_t *value) {
    uint64_t result[2] = {0, 0};
    switch (id) {
    case BPF_FUNC_UDIV64: ir_fold(IR_UDIV, IR_I64, args, 2, result); break;
    case BPF_FUNC_UMOD64: ir_fold(IR_UMOD, IR_I64, args, 2, result); break;
    case BPF_FUNC_SDIV64: ir_fold(IR_SDIV, IR_I64, args, 2, result); break;
    case BPF_FUNC_SMOD64: ir_fold(IR_SMOD, IR_I64, args, 2, result); break;
    case BPF_FUNC_CALLX: result[0] = args[0] >> 32 ? 0 : args[0]; break;
    case BPF_FUNC_TAIL_TARGET: /* every second index has a program */
        result[0] = args[1] & 1 ? (uint32_t)(args[0] + args[1]) : 0;
        break;
    default: return false;
    }
    *value = result[0];
    return true;
}

/* ---------------------------------------------------------------------------------------- calls */

static uint64_t run(struct machine *m, uint32_t func, const uint64_t args[5]);

/* words[]: values of the arguments' words by AAPCS, as legalisation passes them to a helper. */
static void helper_args(uint32_t id, const uint64_t *words, uint64_t args[5]) {
    const struct bpf_helper *helper = bpf_helper_by_id(id);
    unsigned n = 0;
    memset(args, 0, 5 * sizeof(args[0]));
    for (unsigned i = 0; helper && i < helper->nargs; i++) {
        if (helper->arg[i] != BPF_ARG_U64) {
            args[i] = words[n++];
            continue;
        }
        n += n & 1;
        args[i] = words[n] | words[n + 1] << 32;
        n += 2;
    }
}

/* eBPF arguments of a legalised local call, by the callee's positions (NULL: word w at w). */
static void local_args(const int8_t *position, const uint64_t *words, uint64_t args[5]) {
    memset(args, 0, 5 * sizeof(args[0]));
    for (int w = 0; w < 10; w++) {
        int at = position ? position[w] : w;
        if (at >= 0)
            args[w / 2] |= words[at] << (w & 1 ? 32 : 0);
    }
}

static uint64_t call_pointer(struct machine *m, uint64_t target, const uint64_t args[5]) {
    uint64_t index = (target - FUNC_BASE) / FUNC_STRIDE;
    if (target < BPF_HELPER_END)
        return call_helper(m, (uint32_t)target, args);
    if (target < FUNC_BASE || (target - FUNC_BASE) % FUNC_STRIDE || index >= m->unit->nfns) {
        m->result.status = EVAL_TRAPPED;
        return 0;
    }
    return run(m, (uint32_t)index, args);
}

static uint64_t call(struct machine *m, const struct ir_inst *inst, const uint64_t *v,
                     enum ir_level level) {
    uint64_t words[16] = {0}, args[5] = {0}, value;
    assert(inst->nargs <= 11);
    for (uint32_t i = 0; i < inst->nargs; i++)
        words[i] = v[inst->args[i]];
    bool wide = level == IR_LEVEL_64;
    switch (inst->op) {
    case IR_CALL_HELPER:
        if (wide)
            memcpy(args, words, sizeof(args));
        else
            helper_args(inst->index, words, args);
        if (internal_helper(inst->index, args, &value))
            return value;
        return call_helper(m, inst->index, args);
    case IR_CALL_LOCAL:
        if (wide)
            memcpy(args, words, sizeof(args));
        else
            local_args(m->unit->positions ? m->unit->positions[inst->index] : NULL, words, args);
        return run(m, inst->index, args);
    default:
        assert(inst->op == IR_CALLX);
        if (wide)
            memcpy(args, words + 1, sizeof(args));
        else
            local_args(NULL, words + 1, args);
        return call_pointer(m, words[0], args);
    }
}

/* ctx, map, index; after legalisation ctx, map, target. */
static void tail_call(struct machine *m, const struct ir_inst *inst, const uint64_t *v,
                      enum ir_level level) {
    uint64_t target = v[inst->args[2]];
    if (level == IR_LEVEL_64) {
        uint64_t args[] = {(uint32_t)v[inst->args[1]], (uint32_t)v[inst->args[2]]};
        internal_helper(BPF_FUNC_TAIL_TARGET, args, &target);
    }
    if (!target)
        return;
    log_effect(m, (uint32_t)v[inst->args[0]]);
    log_effect(m, target);
    m->result.status = EVAL_TAIL_CALLED;
}

/* ----------------------------------------------------------------------------------- execution */

static uint64_t atomic(struct machine *m, const struct ir_inst *inst, const uint64_t *v) {
    uint32_t address = (uint32_t)v[inst->args[0]] + (uint32_t)inst->imm;
    uint64_t old = load(m, address, inst->size), b = v[inst->args[1]], new = old, c = b;
    if (inst->op == IR_CMPXCHG) {
        new = old == c ? v[inst->args[2]] : old;
    } else {
        switch ((enum bpf_op)inst->index) {
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr)                                             \
    case BPF_##NAME:                                                                               \
        new = expr;                                                                                \
        break;
#include "bpf/insn.def"
        default: assert(!"atomic operation"); break;
        }
    }
    store(m, address, inst->size, new);
    return old;
}

static uint64_t load_value(struct machine *m, const struct ir_inst *inst, uint64_t base) {
    uint64_t value = load(m, (uint32_t)base + (uint32_t)inst->imm, inst->size);
    if (inst->is_signed)
        value = (uint32_t)(inst->size == 1 ? (int8_t)value : (int16_t)value);
    return value;
}

static uint64_t no_args(const struct ir_inst *inst, const uint64_t args[5], uint32_t frame,
                        enum ir_level level) {
    switch (inst->op) {
    case IR_CONST: return (uint64_t)inst->imm;
    case IR_FRAME: return (uint32_t)(frame + (uint32_t)inst->imm);
    case IR_MAP: return 0x30000000u + inst->index * 0x1000 + (uint32_t)inst->imm;
    case IR_DATA: return (uint32_t)(0x40000000u + inst->index * 0x100000 + (uint32_t)inst->imm);
    case IR_FUNC: return FUNC_BASE + FUNC_STRIDE * inst->index;
    default:
        assert(inst->op == IR_PARAM);
        if (level == IR_LEVEL_64)
            return args[inst->imm - 1];
        return (uint32_t)(args[inst->imm / 2 - 1] >> (inst->imm & 1 ? 32 : 0));
    }
}

/* An instruction that is no phi and no terminator. */
static void execute(struct machine *m, const struct ir_fn *fn, const struct ir_inst *inst,
                    uint64_t *v, const uint64_t args[5], uint32_t frame) {
    uint64_t operands[4], result[2] = {0, 0};
    switch (inst->op) {
    case IR_CONST:
    case IR_PARAM:
    case IR_FRAME:
    case IR_DATA:
    case IR_MAP:
    case IR_FUNC: result[0] = no_args(inst, args, frame, fn->level); break;
    case IR_LOAD: result[0] = load_value(m, inst, v[inst->args[0]]); break;
    case IR_STORE:
        store(m, (uint32_t)v[inst->args[0]] + (uint32_t)inst->imm, inst->size, v[inst->args[1]]);
        break;
    case IR_ATOMIC:
    case IR_CMPXCHG: result[0] = atomic(m, inst, v); break;
    case IR_TAIL_CALL:
        tail_call(m, inst, v, fn->level);
        result[0] = (uint64_t)(int64_t)BPF_TAIL_CALL_FAILED;
        break;
    case IR_CALL_HELPER:
    case IR_CALL_LOCAL:
    case IR_CALLX:
        result[0] = call(m, inst, v, fn->level);
        if (fn->level == IR_LEVEL_32) {
            result[1] = result[0] >> 32;
            result[0] = (uint32_t)result[0];
        }
        break;
    default:
        for (uint32_t i = 0; i < inst->nargs; i++)
            operands[i] = v[inst->args[i]];
        if (!ir_fold((enum ir_op)inst->op, (enum ir_type)inst->type, operands, inst->nargs, result))
            assert(!"operation that the folder does not know");
        break;
    }
    for (int i = 0; i < 2; i++)
        if (inst->res[i])
            v[inst->res[i]] = result[i];
}

/* All phis of a block read before one is written. */
static const struct ir_inst *enter(const struct ir_block *from, const struct ir_block *to,
                                   uint64_t *v, uint64_t *next) {
    uint32_t edge = 0;
    while (from && to->preds[edge] != from)
        edge++;
    const struct ir_inst *inst = to->first;
    for (; inst && inst->op == IR_PHI; inst = inst->next)
        next[inst->res[0]] = v[inst->args[edge]];
    for (inst = to->first; inst && inst->op == IR_PHI; inst = inst->next)
        v[inst->res[0]] = next[inst->res[0]];
    return inst;
}

static bool holds(const struct ir_inst *br, const uint64_t *v) {
    const ir_val *a = br->args;
    if (br->op == IR_BR)
        return ir_fold_cond((enum ir_cond)br->cond, (enum ir_type)br->type, v[a[0]], v[a[1]]);
    return ir_fold_cond((enum ir_cond)br->cond, IR_I64, v[a[0]] | v[a[1]] << 32,
                        v[a[2]] | v[a[3]] << 32);
}

static uint64_t run_blocks(struct machine *m, const struct ir_fn *fn, uint64_t *v, uint64_t *next,
                           const uint64_t args[5], uint32_t frame) {
    const struct ir_block *block = fn->blocks[0], *from = NULL;
    for (;;) {
        const struct ir_inst *inst = enter(from, block, v, next);
        for (; inst->next && m->result.status == EVAL_RETURNED; inst = inst->next) {
            if (++m->result.steps > m->max_steps)
                m->result.status = EVAL_STEPS;
            else
                execute(m, fn, inst, v, args, frame);
        }
        if (++m->result.steps > m->max_steps)
            m->result.status = EVAL_STEPS;
        if (m->result.status != EVAL_RETURNED)
            return 0;
        if (inst->op == IR_RET)
            return inst->nargs == 2 ? v[inst->args[0]] | v[inst->args[1]] << 32 : v[inst->args[0]];
        if (inst->op == IR_TRAP) {
            m->result.status = EVAL_TRAPPED;
            return 0;
        }
        from = block;
        block = block->target[inst->op != IR_JUMP && !holds(inst, v)];
    }
}

static uint64_t run(struct machine *m, uint32_t func, const uint64_t args[5]) {
    const struct ir_fn *fn = m->unit->fns[func];
    if (m->depth == MAX_DEPTH) {
        m->result.status = EVAL_DEPTH;
        return 0;
    }
    log_effect(m, func);
    uint32_t frame = m->stack;
    for (uint32_t i = 1; i <= fn->stack; i++)
        store(m, frame - i, 1, 0);
    m->stack -= 512;
    m->depth++;
    uint64_t *v = calloc(fn->nvalues, 2 * sizeof(*v));
    uint64_t value = run_blocks(m, fn, v, v + fn->nvalues, args, frame);
    free(v);
    m->depth--;
    m->stack = frame;
    return value;
}

struct eval_result eval_run(const struct eval_unit *unit, uint32_t func, const uint64_t args[5],
                            const uint8_t *init, size_t init_size) {
    struct machine *m = calloc(1, sizeof(*m));
    m->unit = unit;
    m->arena = arena_new();
    m->max_steps = unit->max_steps ? unit->max_steps : 1000000;
    m->stack = EVAL_STACK_TOP;
    for (size_t i = 0; i < init_size; i++)
        store(m, EVAL_CTX + (uint32_t)i, 1, init[i]);
    m->result.value = run(m, func, args);
    m->result.memory = memory_hash(m);
    struct eval_result result = m->result;
    arena_free(m->arena);
    free(m);
    return result;
}

bool eval_agree(const struct eval_result *a, const struct eval_result *b) {
    if (a->status == EVAL_STEPS || b->status == EVAL_STEPS)
        return true;
    return a->status == b->status && a->value == b->value && a->memory == b->memory &&
           a->effects == b->effects;
}
