/* SPDX-License-Identifier: MIT */
/*
 * Legalisation: 64-bit SSA to 32-bit words.
 *
 * Every i64 value becomes two independent i32 values, its low and its high word, so that each can
 * live, die and be folded alone (architecture.md 4). Where carries tie the words together (add, sub,
 * compare, shifts by a variable) a glued pair operation with two results stands for the whole until
 * after register allocation. What Thumb-2 does not have is expanded here: 64-bit multiplication into
 * umull and 32-bit multiplies, 64-bit division into library calls, atomics into load, operation,
 * store (programs of one domain never run concurrently, and nobody else writes an arena while they
 * run, so nothing can come between), arguments of calls into words by position.
 *
 * One walk in reverse post-order: all operands are legalised before their users, except through
 * phis, whose arguments are filled in at the end.
 */
#include "thumb2/abi.h"

#include <assert.h>

#include "bpf/arena.h"

struct words {
    ir_val lo, hi;
};

struct legalizer {
    struct ir_fn *fn;
    const struct fn_abi *own, *callees;
    struct words *words; /* by i64 value of the old function */
    struct ir_inst *at;  /* new instructions go before this one */
};

/* ------------------------------------------------------------------------ small constructors */

static ir_val constant(struct legalizer *l, uint32_t value) {
    return ir_const_before(l->fn, l->at, IR_I32, value);
}

static ir_val binary(struct legalizer *l, enum ir_op op, ir_val a, ir_val b) {
    ir_val v = ir_binary_before(l->fn, l->at, op, IR_I32, a, b);
    l->fn->values[v].def->insn = l->at->insn;
    return v;
}

static ir_val binary_imm(struct legalizer *l, enum ir_op op, ir_val a, uint32_t imm) {
    return binary(l, op, a, constant(l, imm));
}

static ir_val unary(struct legalizer *l, enum ir_op op, ir_val a) {
    ir_val v = ir_unary_before(l->fn, l->at, op, IR_I32, a);
    l->fn->values[v].def->insn = l->at->insn;
    return v;
}

static struct ir_inst *emit(struct legalizer *l, enum ir_op op, uint32_t nargs, const ir_val *args,
                            uint32_t nresults) {
    struct ir_inst *inst = ir_inst_new(l->fn, op, IR_I32, nargs, args, nresults, IR_I32);
    inst->insn = l->at->insn;
    ir_insert_before(l->at, inst);
    return inst;
}

static struct words pair(struct legalizer *l, enum ir_op op, struct words a, struct words b) {
    ir_val args[] = {a.lo, a.hi, b.lo, b.hi};
    struct ir_inst *inst = emit(l, op, 4, args, 2);
    return (struct words){inst->res[0], inst->res[1]};
}

static struct words words_of(const struct legalizer *l, ir_val v) {
    assert(l->fn->values[v].type == IR_I64 && l->words[v].lo);
    return l->words[v];
}

/* The 32-bit word that holds an address or an i32 value. */
static ir_val low_of(const struct legalizer *l, ir_val v) {
    return l->fn->values[v].type == IR_I64 ? words_of(l, v).lo : v;
}

static ir_val sign_of(struct legalizer *l, ir_val v) {
    return binary_imm(l, IR_ASHR, v, 31);
}

/* ---------------------------------------------------------------------------------- arithmetic */

static bool is_sext(const struct legalizer *l, ir_val v, ir_val *narrow) {
    const struct ir_inst *def = l->fn->values[v].def;
    if (!def || def->op != IR_SEXT)
        return false;
    *narrow = def->args[0];
    return true;
}

static struct words multiply(struct legalizer *l, const struct ir_inst *inst) {
    ir_val narrow[2];
    if (is_sext(l, inst->args[0], &narrow[0]) && is_sext(l, inst->args[1], &narrow[1])) {
        struct ir_inst *m = emit(l, IR_SMULL, 2, narrow, 2);
        return (struct words){m->res[0], m->res[1]};
    }
    struct words a = words_of(l, inst->args[0]), b = words_of(l, inst->args[1]);
    ir_val lows[] = {a.lo, b.lo};
    struct ir_inst *m = emit(l, IR_UMULL, 2, lows, 2);
    ir_val hi = binary(l, IR_ADD, m->res[1], binary(l, IR_MUL, a.lo, b.hi));
    hi = binary(l, IR_ADD, hi, binary(l, IR_MUL, a.hi, b.lo));
    return (struct words){m->res[0], hi};
}

static struct words divide(struct legalizer *l, const struct ir_inst *inst) {
    struct words a = words_of(l, inst->args[0]), b = words_of(l, inst->args[1]);
    ir_val args[] = {a.lo, a.hi, b.lo, b.hi};
    struct ir_inst *call = emit(l, IR_CALL_HELPER, 4, args, 2);
    switch (inst->op) {
    case IR_UDIV: call->index = BPF_FUNC_UDIV64; break;
    case IR_UMOD: call->index = BPF_FUNC_UMOD64; break;
    case IR_SDIV: call->index = BPF_FUNC_SDIV64; break;
    default:
        assert(inst->op == IR_SMOD);
        call->index = BPF_FUNC_SMOD64;
        break;
    }
    return (struct words){call->res[0], call->res[1]};
}

/* Bits that a shift by count < 32 moves from one word into the other, added to the other's own. */
static ir_val funnel(struct legalizer *l, enum ir_op own, ir_val word, ir_val other,
                     uint32_t count) {
    enum ir_op cross = own == IR_SHL ? IR_LSHR : IR_SHL;
    return binary(l, IR_OR, binary_imm(l, own, word, count),
                  binary_imm(l, cross, other, 32 - count));
}

static struct words shift_constant(struct legalizer *l, enum ir_op op, struct words a,
                                   uint32_t count) {
    if (count == 0)
        return a;
    if (op == IR_SHL) {
        if (count >= 32)
            return (struct words){constant(l, 0),
                                  count == 32 ? a.lo : binary_imm(l, IR_SHL, a.lo, count - 32)};
        return (struct words){binary_imm(l, IR_SHL, a.lo, count),
                              funnel(l, IR_SHL, a.hi, a.lo, count)};
    }
    if (count >= 32) {
        ir_val fill = op == IR_ASHR ? sign_of(l, a.hi) : constant(l, 0);
        return (struct words){count == 32 ? a.hi : binary_imm(l, op, a.hi, count - 32), fill};
    }
    return (struct words){funnel(l, IR_LSHR, a.lo, a.hi, count), binary_imm(l, op, a.hi, count)};
}

static struct words shift(struct legalizer *l, const struct ir_inst *inst) {
    struct words a = words_of(l, inst->args[0]);
    uint64_t count;
    if (ir_is_const(l->fn, inst->args[1], &count))
        return shift_constant(l, inst->op, a, count & 63);
    ir_val masked = binary_imm(l, IR_AND, low_of(l, inst->args[1]), 63);
    ir_val args[] = {a.lo, a.hi, masked};
    enum ir_op op = inst->op == IR_SHL ? IR_SHL2 : inst->op == IR_LSHR ? IR_LSHR2 : IR_ASHR2;
    struct ir_inst *s = emit(l, op, 3, args, 2);
    return (struct words){s->res[0], s->res[1]};
}

static struct words logic(struct legalizer *l, const struct ir_inst *inst) {
    struct words a = words_of(l, inst->args[0]), b = words_of(l, inst->args[1]);
    return (struct words){binary(l, inst->op, a.lo, b.lo), binary(l, inst->op, a.hi, b.hi)};
}

static struct words widen(struct legalizer *l, const struct ir_inst *inst) {
    struct words a;
    switch (inst->op) {
    case IR_ZEXT: return (struct words){inst->args[0], constant(l, 0)};
    case IR_SEXT: return (struct words){inst->args[0], sign_of(l, inst->args[0])};
    case IR_SEXT8:
    case IR_SEXT16:
        a.lo = unary(l, inst->op, words_of(l, inst->args[0]).lo);
        return (struct words){a.lo, sign_of(l, a.lo)};
    case IR_BSWAP16:
    case IR_BSWAP32:
        a.lo = unary(l, inst->op, words_of(l, inst->args[0]).lo);
        return (struct words){a.lo, constant(l, 0)};
    default:
        assert(inst->op == IR_BSWAP64);
        a = words_of(l, inst->args[0]);
        return (struct words){unary(l, IR_BSWAP32, a.hi), unary(l, IR_BSWAP32, a.lo)};
    }
}

/* -------------------------------------------------------------------------------------- memory */

static ir_val load_word(struct legalizer *l, ir_val address, int64_t imm, unsigned align) {
    struct ir_inst *load = emit(l, IR_LOAD, 1, &address, 1);
    load->imm = imm;
    load->size = 4;
    load->align = (uint8_t)align;
    return load->res[0];
}

static void store_word(struct legalizer *l, ir_val address, int64_t imm, unsigned align,
                       ir_val value) {
    ir_val args[] = {address, value};
    struct ir_inst *store = emit(l, IR_STORE, 2, args, 0);
    store->imm = imm;
    store->size = 4;
    store->align = (uint8_t)align;
}

static struct words load_pair(struct legalizer *l, const struct ir_inst *inst) {
    ir_val address = low_of(l, inst->args[0]);
    return (struct words){load_word(l, address, inst->imm, inst->align),
                          load_word(l, address, inst->imm + 4, inst->align)};
}

static void store_pair(struct legalizer *l, const struct ir_inst *inst, struct words value) {
    ir_val address = low_of(l, inst->args[0]);
    store_word(l, address, inst->imm, inst->align, value.lo);
    store_word(l, address, inst->imm + 4, inst->align, value.hi);
}

/* The value that an atomic operation (not compare-and-exchange) leaves in memory, one word. */
static ir_val atomic_word(struct legalizer *l, enum bpf_op op, ir_val old, ir_val operand) {
    switch (op) {
    case BPF_ATOMIC_ADD:
    case BPF_ATOMIC_FETCH_ADD: return binary(l, IR_ADD, old, operand);
    case BPF_ATOMIC_OR:
    case BPF_ATOMIC_FETCH_OR: return binary(l, IR_OR, old, operand);
    case BPF_ATOMIC_AND:
    case BPF_ATOMIC_FETCH_AND: return binary(l, IR_AND, old, operand);
    case BPF_ATOMIC_XOR:
    case BPF_ATOMIC_FETCH_XOR: return binary(l, IR_XOR, old, operand);
    default: assert(op == BPF_ATOMIC_XCHG); return operand;
    }
}

static struct words atomic_pair(struct legalizer *l, const struct ir_inst *inst) {
    enum bpf_op op = (enum bpf_op)inst->index;
    struct words old = load_pair(l, inst), operand = words_of(l, inst->args[1]), new;
    if (op == BPF_ATOMIC_ADD || op == BPF_ATOMIC_FETCH_ADD)
        new = pair(l, IR_ADD2, old, operand);
    else
        new = (struct words){atomic_word(l, op, old.lo, operand.lo),
                             atomic_word(l, op, old.hi, operand.hi)};
    store_pair(l, inst, new);
    return old;
}

static ir_val atomic_single(struct legalizer *l, const struct ir_inst *inst) {
    ir_val address = low_of(l, inst->args[0]);
    ir_val old = load_word(l, address, inst->imm, inst->align);
    ir_val new = atomic_word(l, (enum bpf_op)inst->index, old, inst->args[1]);
    store_word(l, address, inst->imm, inst->align, new);
    return old;
}

/* All ones if difference is not 0, else 0: its sign or the sign of its negation is set. */
static ir_val mask_if_nonzero(struct legalizer *l, ir_val difference) {
    ir_val negated = binary(l, IR_SUB, constant(l, 0), difference);
    return sign_of(l, binary(l, IR_OR, difference, negated));
}

/* mask ? a : b for a mask of all ones or zeros. */
static ir_val choose(struct legalizer *l, ir_val mask, ir_val a, ir_val b) {
    return binary(l, IR_XOR, b, binary(l, IR_AND, binary(l, IR_XOR, a, b), mask));
}

/* Compare-and-exchange without a branch: memory gets the new value or its old one. */
static struct words cmpxchg_pair(struct legalizer *l, const struct ir_inst *inst) {
    struct words old = load_pair(l, inst), expected = words_of(l, inst->args[1]);
    struct words new = words_of(l, inst->args[2]);
    ir_val difference = binary(l, IR_OR, binary(l, IR_XOR, old.lo, expected.lo),
                               binary(l, IR_XOR, old.hi, expected.hi));
    ir_val keep = mask_if_nonzero(l, difference);
    struct words stored = {choose(l, keep, old.lo, new.lo), choose(l, keep, old.hi, new.hi)};
    store_pair(l, inst, stored);
    return old;
}

static ir_val cmpxchg_single(struct legalizer *l, const struct ir_inst *inst) {
    ir_val address = low_of(l, inst->args[0]);
    ir_val old = load_word(l, address, inst->imm, inst->align);
    ir_val keep = mask_if_nonzero(l, binary(l, IR_XOR, old, inst->args[1]));
    store_word(l, address, inst->imm, inst->align, choose(l, keep, old, inst->args[2]));
    return old;
}

/* --------------------------------------------------------------------------------------- calls */

/* Argument words of a helper by AAPCS: kinds other than U64 take one word, U64 an aligned pair. */
static struct words call_helper(struct legalizer *l, const struct ir_inst *inst) {
    const struct bpf_helper *helper = bpf_helper_by_id(inst->index);
    assert(helper && helper->nargs <= inst->nargs);
    ir_val args[ABI_WORDS + 1] = {0};
    uint32_t n = 0;
    for (unsigned i = 0; i < helper->nargs; i++) {
        struct words w = words_of(l, inst->args[i]);
        if (helper->arg[i] != BPF_ARG_U64) {
            args[n++] = w.lo;
            continue;
        }
        n += n & 1;
        args[n++] = w.lo;
        args[n++] = w.hi;
    }
    uint32_t nresults = helper->ret == BPF_RET_VOID ? 0 : helper->ret == BPF_RET_U64 ? 2 : 1;
    struct ir_inst *call = emit(l, IR_CALL_HELPER, n, args, nresults);
    call->index = inst->index;
    switch (helper->ret) {
    case BPF_RET_VOID: return (struct words){constant(l, 0), constant(l, 0)};
    case BPF_RET_S32: return (struct words){call->res[0], sign_of(l, call->res[0])};
    case BPF_RET_U64: return (struct words){call->res[0], call->res[1]};
    default: return (struct words){call->res[0], constant(l, 0)};
    }
}

/* Places eBPF arguments args[0..n) at the positions of abi, from words[] of position `first` on. */
static uint32_t place_args(const struct legalizer *l, const struct fn_abi *abi, const ir_val *args,
                           uint32_t n, ir_val *words) {
    for (uint32_t w = 0; w < ABI_WORDS && w / 2 < n; w++) {
        if (abi->position[w] < 0)
            continue;
        struct words value = words_of(l, args[w / 2]);
        words[abi->position[w]] = w & 1 ? value.hi : value.lo;
    }
    return abi->npositions;
}

static struct words call_local(struct legalizer *l, const struct ir_inst *inst) {
    ir_val args[ABI_WORDS] = {0};
    uint32_t n = place_args(l, &l->callees[inst->index], inst->args, inst->nargs, args);
    struct ir_inst *call = emit(l, IR_CALL_LOCAL, n, args, 2);
    call->index = inst->index;
    return (struct words){call->res[0], call->res[1]};
}

/* The library turns a helper id or a function value into an entry of the canonical ABI, or stops
 * the program. */
static struct words callx(struct legalizer *l, const struct ir_inst *inst) {
    struct words value = words_of(l, inst->args[0]);
    ir_val target_args[] = {value.lo, value.hi};
    struct ir_inst *target = emit(l, IR_CALL_HELPER, 2, target_args, 1);
    target->index = BPF_FUNC_CALLX;
    struct fn_abi canonical;
    abi_init(&canonical, ABI_CANONICAL, BPF_HOOK_RAW);
    ir_val args[1 + ABI_WORDS] = {target->res[0]};
    uint32_t n = place_args(l, &canonical, inst->args + 1, inst->nargs - 1, args + 1);
    struct ir_inst *call = emit(l, IR_CALLX, 1 + n, args, 2);
    return (struct words){call->res[0], call->res[1]};
}

/* The library finds the entry to jump to, or 0; the jump itself is the machine's (expand.c). */
static struct words tail_call(struct legalizer *l, const struct ir_inst *inst) {
    ir_val lookup_args[] = {low_of(l, inst->args[1]), low_of(l, inst->args[2])};
    struct ir_inst *lookup = emit(l, IR_CALL_HELPER, 2, lookup_args, 1);
    lookup->index = BPF_FUNC_TAIL_TARGET;
    ir_val args[] = {low_of(l, inst->args[0]), low_of(l, inst->args[1]), lookup->res[0]};
    emit(l, IR_TAIL_CALL, 3, args, 0);
    ir_val failed = constant(l, (uint32_t)BPF_TAIL_CALL_FAILED);
    return (struct words){failed, sign_of(l, failed)};
}

/* --------------------------------------------------------------------------------------- driver */

static struct words param(struct legalizer *l, const struct ir_inst *inst) {
    struct words w;
    for (int half = 0; half < 2; half++) {
        ir_val v;
        if (l->own->position[(inst->imm - 1) * 2 + half] < 0) {
            v = constant(l, 0);
        } else {
            struct ir_inst *p = emit(l, IR_PARAM, 0, NULL, 1);
            p->imm = inst->imm * 2 + half;
            v = p->res[0];
        }
        *(half ? &w.hi : &w.lo) = v;
    }
    return w;
}

/* An address: the same operation as a word, and a high word of 0. */
static struct words address(struct legalizer *l, const struct ir_inst *inst) {
    struct ir_inst *a = emit(l, (enum ir_op)inst->op, 0, NULL, 1);
    a->imm = inst->imm;
    a->index = inst->index;
    return (struct words){a->res[0], constant(l, 0)};
}

/* An instruction with an i64 result. */
static struct words legalize_result(struct legalizer *l, const struct ir_inst *inst) {
    switch (inst->op) {
    case IR_CONST:
        return (struct words){constant(l, (uint32_t)inst->imm),
                              constant(l, (uint32_t)((uint64_t)inst->imm >> 32))};
    case IR_PARAM: return param(l, inst);
    case IR_FRAME:
    case IR_DATA:
    case IR_MAP:
    case IR_FUNC: return address(l, inst);
    case IR_ADD: return pair(l, IR_ADD2, words_of(l, inst->args[0]), words_of(l, inst->args[1]));
    case IR_SUB: return pair(l, IR_SUB2, words_of(l, inst->args[0]), words_of(l, inst->args[1]));
    case IR_MUL: return multiply(l, inst);
    case IR_UDIV:
    case IR_SDIV:
    case IR_UMOD:
    case IR_SMOD: return divide(l, inst);
    case IR_AND:
    case IR_OR:
    case IR_XOR: return logic(l, inst);
    case IR_SHL:
    case IR_LSHR:
    case IR_ASHR: return shift(l, inst);
    case IR_LOAD: assert(inst->size == 8); return load_pair(l, inst);
    case IR_ATOMIC: return atomic_pair(l, inst);
    case IR_CMPXCHG: return cmpxchg_pair(l, inst);
    case IR_CALL_HELPER: return call_helper(l, inst);
    case IR_CALL_LOCAL: return call_local(l, inst);
    case IR_CALLX: return callx(l, inst);
    case IR_TAIL_CALL: return tail_call(l, inst);
    default: return widen(l, inst);
    }
}

/* An instruction that is replaced although it has no i64 result. False: it stays. */
static bool legalize_effect(struct legalizer *l, struct ir_inst *inst) {
    switch (inst->op) {
    case IR_TRUNC: ir_replace(l->fn, inst->res[0], words_of(l, inst->args[0]).lo); return true;
    case IR_STORE:
        if (inst->size == 8) {
            store_pair(l, inst, words_of(l, inst->args[1]));
            return true;
        }
        inst->args[0] = low_of(l, inst->args[0]);
        return false;
    case IR_LOAD: inst->args[0] = low_of(l, inst->args[0]); return false;
    case IR_ATOMIC: {
        if (inst->size == 8) {
            atomic_pair(l, inst);
            return true;
        }
        ir_val old = atomic_single(l, inst);
        if (inst->res[0])
            ir_replace(l->fn, inst->res[0], old);
        return true;
    }
    case IR_CMPXCHG: ir_replace(l->fn, inst->res[0], cmpxchg_single(l, inst)); return true;
    case IR_CALL_HELPER: call_helper(l, inst); return true;
    case IR_CALL_LOCAL: call_local(l, inst); return true;
    case IR_CALLX: callx(l, inst); return true;
    case IR_TAIL_CALL: tail_call(l, inst); return true;
    default: return false;
    }
}

/* Terminators keep their instruction, because edges hang on it. */
static void legalize_terminator(struct legalizer *l, struct ir_inst *inst) {
    if (inst->op == IR_BR && inst->type == IR_I64) {
        struct words a = words_of(l, inst->args[0]), b = words_of(l, inst->args[1]);
        inst->op = IR_BR2;
        inst->type = IR_I32;
        inst->nargs = 4;
        inst->args = arena_alloc_array(l->fn->arena, 4, sizeof(ir_val));
        inst->args[0] = a.lo;
        inst->args[1] = a.hi;
        inst->args[2] = b.lo;
        inst->args[3] = b.hi;
    } else if (inst->op == IR_RET) {
        struct words result = words_of(l, inst->args[0]);
        inst->type = IR_I32;
        inst->nargs = 2;
        inst->args = arena_alloc_array(l->fn->arena, 2, sizeof(ir_val));
        inst->args[0] = result.lo;
        inst->args[1] = result.hi;
    }
}

/* i64 phis become two word phis in front of themselves; their arguments come in fill_phis(). */
static void split_phi(struct legalizer *l, struct ir_inst *phi) {
    struct words w;
    w.lo = emit(l, IR_PHI, phi->nargs, NULL, 1)->res[0];
    w.hi = emit(l, IR_PHI, phi->nargs, NULL, 1)->res[0];
    l->words[phi->res[0]] = w;
}

static void fill_phis(struct legalizer *l, struct ir_block *block) {
    for (struct ir_inst *inst = block->first, *next; inst && inst->op == IR_PHI; inst = next) {
        next = inst->next;
        if (inst->type != IR_I64)
            continue;
        struct words w = l->words[inst->res[0]];
        for (uint32_t i = 0; i < inst->nargs; i++) {
            struct words arg = words_of(l, inst->args[i]);
            l->fn->values[w.lo].def->args[i] = arg.lo;
            l->fn->values[w.hi].def->args[i] = arg.hi;
        }
        ir_remove(l->fn, inst);
    }
}

static void legalize_inst(struct legalizer *l, struct ir_inst *inst) {
    l->at = inst;
    if (ir_ops[inst->op].flags & IR_TERM) {
        legalize_terminator(l, inst);
        return;
    }
    if (inst->op == IR_PHI) {
        if (inst->type == IR_I64)
            split_phi(l, inst);
        return;
    }
    if (inst->res[0] && l->fn->values[inst->res[0]].type == IR_I64) {
        l->words[inst->res[0]] = legalize_result(l, inst);
        return; /* removed at the end: words_of() and is_sext() still look at it */
    }
    if (legalize_effect(l, inst))
        ir_remove(l->fn, inst);
}

static void drop_wide(struct ir_fn *fn, struct ir_block *block) {
    for (struct ir_inst *inst = block->first, *next; inst; inst = next) {
        next = inst->next;
        if (inst->res[0] && fn->values[inst->res[0]].type == IR_I64)
            ir_remove(fn, inst);
    }
}

void legalize(struct ir_fn *fn, const struct fn_abi *own, const struct fn_abi *callees) {
    assert(fn->level == IR_LEVEL_64);
    ir_analyze(fn);
    struct legalizer l = {
        .fn = fn,
        .own = own,
        .callees = callees,
        .words = arena_alloc_array(fn->arena, fn->nvalues, sizeof(struct words)),
    };
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first, *next; inst; inst = next) {
            next = inst->next;
            legalize_inst(&l, inst);
        }
    for (uint32_t i = 0; i < fn->norder; i++)
        fill_phis(&l, fn->order[i]);
    for (uint32_t i = 0; i < fn->norder; i++)
        drop_wide(fn, fn->order[i]);
    ir_resolve(fn);
    fn->level = IR_LEVEL_32;
}
