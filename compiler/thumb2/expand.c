/* SPDX-License-Identifier: MIT */
/*
 * Expansion: allocated machine IR to linear code. Glued operations become their instructions here,
 * after allocation, so that nothing can come between an instruction that sets flags and the one
 * that reads them; frames, prologues and epilogues get their offsets; branches to the next block
 * go away.
 *
 * Frame, from sp upwards: outgoing stack arguments | spill slots | (pad to 8) | eBPF stack, whose end is
 * r10 | saved registers | incoming stack arguments.
 */
#include <assert.h>

#include "ir/ir.h"
#include "thumb2/code.h"

struct expander {
    struct code_unit *unit;
    const struct mir_fn *fn;
    uint32_t *block_label;            /* by mir_block.id */
    const struct mir_block **landing; /* by mir_block.id: where a jump to it ends */
    uint32_t saved;                   /* registers pushed, a mask, lr included */
    uint32_t frame;                   /* bytes below the saved registers */
    uint32_t spill_base, r10;         /* offsets from sp */
    uint32_t insn;
    const struct mir_block *next; /* block laid out after the current one */
};

/* -------------------------------------------------------------------------------------- putting */

static struct code_item *put(struct expander *x, enum t2_op op) {
    struct code_item *item = code_add(x->unit, CODE_INSN);
    item->op = (uint8_t)op;
    item->insn = x->insn;
    return item;
}

static struct code_item *put_reg(struct expander *x, enum t2_op op, unsigned d, unsigned n,
                                 unsigned m) {
    struct code_item *item = put(x, op);
    item->f.form = T2_REG;
    item->f.d = (uint8_t)d;
    item->f.n = (uint8_t)n;
    item->f.m = (uint8_t)m;
    return item;
}

static struct code_item *put_imm(struct expander *x, enum t2_op op, unsigned d, unsigned n,
                                 uint32_t imm) {
    struct code_item *item = put(x, op);
    item->f.form = T2_IMM;
    item->f.d = (uint8_t)d;
    item->f.n = (uint8_t)n;
    item->f.imm = (int32_t)imm;
    return item;
}

/* IT for count instructions; bit i of inverse: the i-th is executed when cond does not hold. The first
 * one's bit is 0. */
static void put_it(struct expander *x, enum t2_cond cond, unsigned count, unsigned inverse) {
    struct code_item *item = put(x, T2_OP_IT);
    unsigned mask = 1u << (4 - count); /* ARM ARM A7.3.2 */
    assert(count >= 1 && count <= 4 && !(inverse & 1));
    for (unsigned i = 1; i < count; i++)
        mask |= ((cond ^ inverse >> i) & 1) << (4 - i);
    item->f.cond = (uint8_t)cond;
    item->f.imm = (int32_t)mask;
}

/* The instruction just put is executed under an IT. */
static void in_it(struct code_item *item) {
    item->in_it = true;
}

static void put_branch(struct expander *x, enum t2_cond cond, uint32_t label) {
    struct code_item *item = code_add(x->unit, CODE_BRANCH);
    item->f.cond = (uint8_t)cond;
    item->label = label;
    item->insn = x->insn;
}

static void put_memory(struct expander *x, enum t2_op op, unsigned t, unsigned n, uint32_t imm) {
    struct code_item *item = put(x, op);
    item->f.form = T2_IMM;
    item->f.t = (uint8_t)t;
    item->f.n = (uint8_t)n;
    item->f.imm = (int32_t)imm;
}

static void put_const(struct expander *x, unsigned d, uint32_t value) {
    struct code_item *item = code_add(x->unit, CODE_CONST);
    item->f.d = (uint8_t)d;
    item->f.imm = (int32_t)value;
    item->label = CODE_NO_LABEL;
    item->insn = x->insn;
}

/* A constant that one instruction can make, whatever it is. */
static void put_short_const(struct expander *x, unsigned d, uint32_t value) {
    uint32_t imm12;
    bool plain = value <= 0xffff || t2_modified_imm(value, &imm12);
    put_imm(x, plain ? T2_OP_MOV : T2_OP_MVN, d, 0, plain ? value : ~value);
}

static void put_address(struct expander *x, unsigned d, uint32_t label, uint32_t offset) {
    struct code_item *item = code_add(x->unit, CODE_ADDRESS);
    item->f.d = (uint8_t)d;
    item->f.imm = (int32_t)offset;
    item->label = label;
    item->insn = x->insn;
}

/* --------------------------------------------------------------------------- blocks without code */

/* Allocation leaves blocks with nothing but a jump where all copies on a split edge were merged. Jumps
 * pass them by, and they are not laid out. In an endless loop of such blocks the one where the walk
 * comes round stays. */
static void find_landings(struct expander *x) {
    const struct mir_fn *fn = x->fn;
    x->landing = arena_alloc_array(x->unit->arena, fn->nblocks, sizeof(*x->landing));
    uint32_t *walk = arena_alloc_array(x->unit->arena, fn->nblocks, sizeof(*walk));
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        const struct mir_block *b = fn->blocks[i];
        while (b->first->op == MIR_JUMP && !x->landing[b->id] && walk[b->id] != i + 1) {
            walk[b->id] = i + 1;
            b = b->first->target[0];
        }
        const struct mir_block *end = x->landing[b->id] ? x->landing[b->id] : b;
        x->landing[end->id] = end;
        for (b = fn->blocks[i]; !x->landing[b->id]; b = b->first->target[0])
            x->landing[b->id] = end;
    }
}

static const struct mir_block *landing(const struct expander *x, const struct mir_block *b) {
    return x->landing[b->id];
}

/* The entry is laid out in any case: control comes in there. */
static bool is_laid_out(const struct expander *x, uint32_t i) {
    return i == 0 || x->landing[i] == x->fn->blocks[i];
}

static const struct mir_block *laid_out_next(const struct expander *x, uint32_t i) {
    while (++i < x->fn->nblocks)
        if (is_laid_out(x, i))
            return x->fn->blocks[i];
    return NULL;
}

/* --------------------------------------------------------------------------------------- frames */

static unsigned count_bits(uint32_t mask) {
    return (unsigned)__builtin_popcount(mask);
}

static bool makes_calls(const struct mir_fn *fn) {
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (const struct mir_inst *inst = fn->blocks[i]->first; inst; inst = inst->next)
            if (inst->clobbers)
                return true;
    return false;
}

/* Frames keep sp a multiple of 8 for callees (AAPCS) and for the eBPF stack; where one word is missing,
 * r3 is pushed too. */
static void plan_frame(struct expander *x) {
    const struct mir_fn *fn = x->fn;
    bool calls = makes_calls(fn);
    x->saved = fn->used & MIR_CALLEE_SAVED;
    if (fn->used & (1u << T2_LR)) /* calls write it too */
        x->saved |= 1u << T2_LR;
    x->spill_base = fn->out_args * 4;
    uint32_t below = x->spill_base + fn->spill_slots * 4;
    x->r10 = ((below + 7) & ~7u) + fn->bpf_stack;
    x->frame = fn->bpf_stack ? x->r10 : below;
    bool aligned = (count_bits(x->saved) * 4 + x->frame) % 8 == 0;
    if (!aligned && (calls || fn->bpf_stack)) {
        if (x->frame == 0 && x->saved)
            x->saved |= 1u << 3;
        else
            x->frame += 4;
    }
    assert(x->r10 % 8 == 0);
}

/* A list of one register has an encoding only if it is low, or lr to push, or pc to pop (ARM ARM A7.7.41,
 * A7.7.159): any other is a store or load with write-back. */
static bool is_lone(enum t2_op op, uint32_t reglist) {
    uint32_t narrow = 0xff | (op == T2_OP_STMDB ? 1u << T2_LR : 1u << T2_PC);
    return count_bits(reglist) == 1 && !(reglist & narrow);
}

static void put_push(struct expander *x, enum t2_op op, uint32_t reglist) {
    if (is_lone(op, reglist)) {
        bool push = op == T2_OP_STMDB;
        struct code_item *one = put(x, push ? T2_OP_STR : T2_OP_LDR);
        one->f.form = T2_IMM;
        one->f.index = push ? T2_PRE : T2_POST;
        one->f.t = (uint8_t)__builtin_ctz(reglist);
        one->f.n = T2_SP;
        one->f.imm = push ? -4 : 4;
        return;
    }
    struct code_item *item = put(x, op);
    item->f.n = T2_SP;
    item->f.index = op == T2_OP_STMDB ? T2_PRE : T2_POST;
    item->f.reglist = (uint16_t)reglist;
}

static void adjust_sp(struct expander *x, enum t2_op op, uint32_t bytes) {
    if (bytes)
        put_imm(x, op, T2_SP, T2_SP, bytes);
}

static void prologue(struct expander *x) {
    if (x->saved)
        put_push(x, T2_OP_STMDB, x->saved);
    adjust_sp(x, T2_OP_SUB, x->frame);
}

static void epilogue(struct expander *x, bool to_lr) {
    adjust_sp(x, T2_OP_ADD, x->frame);
    bool saved_lr = x->saved & (1u << T2_LR);
    uint32_t list = x->saved;
    if (saved_lr && !to_lr)
        list = (list & ~(1u << T2_LR)) | 1u << T2_PC;
    if (list)
        put_push(x, T2_OP_LDMIA, list);
}

static void put_return(struct expander *x) {
    epilogue(x, false);
    if (!(x->saved & (1u << T2_LR)))
        put(x, T2_OP_BX)->f.m = T2_LR;
}

/* r0 = context, everything restored, jump. The target moves out of the epilogue's way into a
 * register that no return value and no restored register needs. */
static void put_tail_jump(struct expander *x, const struct mir_inst *inst) {
    unsigned target = inst->src[0], context = inst->src[1];
    uint32_t skip = code_label_new(x->unit);
    struct code_item *cbz = code_add(x->unit, CODE_CBZ);
    cbz->f.n = (uint8_t)target;
    cbz->f.cond = T2_EQ;
    cbz->label = skip;
    cbz->insn = x->insn;
    unsigned scratch = context == 12 ? 2 : 12;
    put_reg(x, T2_OP_MOV, scratch, 0, target);
    put_reg(x, T2_OP_MOV, 0, 0, context);
    epilogue(x, true);
    put(x, T2_OP_BX)->f.m = (uint8_t)scratch;
    code_add(x->unit, CODE_LABEL)->label = skip;
}

/* ----------------------------------------------------------------------------------- comparisons */

static enum t2_cond machine_cond(enum ir_cond cond) {
    static const uint8_t table[IR_COND_COUNT] = {
        [IR_COND_EQ] = T2_EQ,  [IR_COND_NE] = T2_NE,  [IR_COND_ULT] = T2_CC,
        [IR_COND_UGE] = T2_CS, [IR_COND_UGT] = T2_HI, [IR_COND_ULE] = T2_LS,
        [IR_COND_SLT] = T2_LT, [IR_COND_SGE] = T2_GE, [IR_COND_SGT] = T2_GT,
        [IR_COND_SLE] = T2_LE, [IR_COND_SET] = T2_NE, [IR_COND_CLEAR] = T2_EQ,
    };
    return (enum t2_cond)table[cond];
}

/* Branches on flags, the block behind taken into account. */
static void put_branches(struct expander *x, enum t2_cond cond, const struct mir_inst *inst) {
    const struct mir_block *taken = landing(x, inst->target[0]),
                           *other = landing(x, inst->target[1]);
    if (taken == x->next) {
        put_branch(x, t2_cond_invert(cond), x->block_label[other->id]);
        return;
    }
    put_branch(x, cond, x->block_label[taken->id]);
    if (other != x->next)
        put_branch(x, T2_AL, x->block_label[other->id]);
}

/* cmp n, #imm; cmn where that encodes it. cmn gives the same flags unless imm is 0. */
static struct code_item *put_compare_imm(struct expander *x, unsigned n, uint32_t imm) {
    uint32_t imm12;
    if (t2_modified_imm(imm, &imm12))
        return put_imm(x, T2_OP_CMP, 0, n, imm);
    return put_imm(x, T2_OP_CMN, 0, n, 0 - imm);
}

/* Whether the last item put computed reg by an operation whose flag-setting form tells if the result
 * is 0 or negative; then it is made to set them. */
static bool reuse_flags(struct expander *x, mreg reg) {
    struct code_item *last = &vec_last(&x->unit->items);
    if (last->kind != CODE_INSN || last->in_it || last->f.d != reg)
        return false;
    switch (last->op) {
    case T2_OP_ADD:
    case T2_OP_SUB:
    case T2_OP_RSB:
    case T2_OP_AND:
    case T2_OP_BIC:
    case T2_OP_ORR:
    case T2_OP_EOR:
    case T2_OP_LSL:
    case T2_OP_LSR:
    case T2_OP_ASR: break;
    default: return false;
    }
    struct t2_fields f = last->f;
    enum t2_enc enc;
    f.setflags = true;
    if (!t2_select((enum t2_op)last->op, &f, true, false, &enc))
        return false;
    last->f.setflags = true;
    return true;
}

/* A comparison with 0 that the instruction before can make: its condition then. */
static bool flags_of_result(struct expander *x, const struct mir_inst *inst, enum t2_cond *cond) {
    static const struct {
        bool possible;
        enum t2_cond cond;
    } after_result[IR_COND_COUNT] = {[IR_COND_EQ] = {true, T2_EQ},
                                     [IR_COND_NE] = {true, T2_NE},
                                     [IR_COND_SLT] = {true, T2_MI},
                                     [IR_COND_SGE] = {true, T2_PL}};
    *cond = after_result[inst->cond].cond;
    return inst->form == T2_IMM && inst->imm == 0 && after_result[inst->cond].possible &&
           reuse_flags(x, inst->src[0]);
}

/* cbz or cbnz. */
static void put_zero_branch(struct expander *x, const struct mir_inst *inst) {
    enum t2_cond cond = machine_cond((enum ir_cond)inst->cond);
    const struct mir_block *taken = landing(x, inst->target[0]),
                           *other = landing(x, inst->target[1]);
    if (taken == x->next) {
        const struct mir_block *t = taken;
        cond = t2_cond_invert(cond);
        taken = other;
        other = t;
    }
    struct code_item *item = code_add(x->unit, CODE_CBZ);
    item->f.n = (uint8_t)inst->src[0];
    item->f.cond = (uint8_t)cond;
    item->label = x->block_label[taken->id];
    item->insn = x->insn;
    if (other != x->next)
        put_branch(x, T2_AL, x->block_label[other->id]);
}

/* Compares words; the condition to branch on. */
static enum t2_cond put_word_compare(struct expander *x, const struct mir_inst *inst) {
    enum ir_cond cond = (enum ir_cond)inst->cond;
    enum t2_cond of_result;
    bool test = cond == IR_COND_SET || cond == IR_COND_CLEAR;
    if (flags_of_result(x, inst, &of_result))
        return of_result;
    if (inst->form == T2_IMM) {
        if (test)
            put_imm(x, T2_OP_TST, 0, inst->src[0], (uint32_t)inst->imm);
        else
            put_compare_imm(x, inst->src[0], (uint32_t)inst->imm);
    } else {
        struct code_item *item =
            put_reg(x, test ? T2_OP_TST : T2_OP_CMP, 0, inst->src[0], inst->src[1]);
        item->f.shift = inst->shift;
        item->f.amount = inst->shift_amount;
    }
    return machine_cond(cond);
}

static void put_word_branch(struct expander *x, const struct mir_inst *inst) {
    bool equality = inst->cond == IR_COND_EQ || inst->cond == IR_COND_NE;
    enum t2_cond cond;
    if (equality && inst->form == T2_IMM && inst->imm == 0 && !flags_of_result(x, inst, &cond))
        put_zero_branch(x, inst);
    else
        put_branches(x, put_word_compare(x, inst), inst);
}

static struct code_item *compare_part(struct expander *x, bool test, unsigned n, mreg m,
                                      int32_t imm) {
    if (m != MREG_NONE)
        return put_reg(x, test ? T2_OP_TST : T2_OP_CMP, 0, n, m);
    return test ? put_imm(x, T2_OP_TST, 0, n, (uint32_t)imm) : put_compare_imm(x, n, (uint32_t)imm);
}

static enum t2_cond put_pair_compare(struct expander *x, const struct mir_inst *inst) {
    enum ir_cond cond = (enum ir_cond)inst->cond;
    unsigned lo = inst->src[0], hi = inst->src[1], scratch = inst->dst[0];
    bool test = cond == IR_COND_SET || cond == IR_COND_CLEAR;
    bool equality = cond == IR_COND_EQ || cond == IR_COND_NE;
    bool zero = inst->src[2] == MREG_NONE && inst->src[3] == MREG_NONE && !inst->imm && !inst->imm2;
    if (equality && zero) {
        put_reg(x, T2_OP_ORR, scratch, lo, hi)->f.setflags = true;
    } else if (equality || test) {
        compare_part(x, test, lo, inst->src[2], inst->imm);
        put_it(x, T2_EQ, 1, 0);
        in_it(compare_part(x, test, hi, inst->src[3], inst->imm2));
    } else {
        compare_part(x, false, lo, inst->src[2], inst->imm);
        struct code_item *high = inst->src[3] != MREG_NONE
                                     ? put_reg(x, T2_OP_SBC, scratch, hi, inst->src[3])
                                     : put_imm(x, T2_OP_SBC, scratch, hi, (uint32_t)inst->imm2);
        high->f.setflags = true;
    }
    return machine_cond(cond);
}

/* IT for the instructions behind a CMPIT. */
static void put_it_block(struct expander *x, enum t2_cond cond, const struct mir_inst *cmpit) {
    const struct mir_inst *first = cmpit->next;
    unsigned count = 0, inverse = 0;
    for (const struct mir_inst *inst = first; inst->predicate; inst = inst->next, count++)
        inverse |= (unsigned)(inst->predicate != first->predicate) << count;
    put_it(x, first->predicate == MIR_THEN ? cond : t2_cond_invert(cond), count, inverse);
}

/* ----------------------------------------------------------------------------------------- pairs */

static void put_pair(struct expander *x, const struct mir_inst *inst) {
    bool add = inst->op == MIR_ADD2;
    struct code_item *low =
        inst->src[2] != MREG_NONE
            ? put_reg(x, add ? T2_OP_ADD : T2_OP_SUB, inst->dst[0], inst->src[0], inst->src[2])
            : put_imm(x, add ? T2_OP_ADD : T2_OP_SUB, inst->dst[0], inst->src[0],
                      (uint32_t)inst->imm);
    low->f.setflags = true;
    if (inst->src[3] != MREG_NONE)
        put_reg(x, add ? T2_OP_ADC : T2_OP_SBC, inst->dst[1], inst->src[1], inst->src[3]);
    else
        put_imm(x, add ? T2_OP_ADC : T2_OP_SBC, inst->dst[1], inst->src[1], (uint32_t)inst->imm2);
}

/* 0 - pair. There is no rsc: hi - 2 * hi - borrow is -hi - borrow. */
static void put_negate_pair(struct expander *x, const struct mir_inst *inst) {
    put_imm(x, T2_OP_RSB, inst->dst[0], inst->src[0], 0)->f.setflags = true;
    struct code_item *high = put_reg(x, T2_OP_SBC, inst->dst[1], inst->src[1], inst->src[1]);
    high->f.shift = T2_LSL;
    high->f.amount = 1;
}

/*
 * A 64-bit shift by a count in [0, 63]. The word that gets bits from the other one is `out`; the
 * bits come from the other word shifted by 32 - count, or by count - 32 the other way: the machine
 * shifts by the low byte of the count and gives 0 from 32 on, so whichever of the two does not apply is
 * 0 (its count is above 31 or "negative"). An arithmetic shift gives sign bits from 32 on, not 0, so
 * there the second part is under an IT.
 */
static void put_pair_shift(struct expander *x, const struct mir_inst *inst) {
    bool left = inst->op == MIR_SHL2;
    unsigned own = inst->src[left ? 1 : 0], other = inst->src[left ? 0 : 1], n = inst->src[2];
    unsigned out = inst->dst[0], rest = inst->dst[1], t = inst->dst[2];
    enum t2_op near = left ? T2_OP_LSL : T2_OP_LSR, cross = left ? T2_OP_LSR : T2_OP_LSL;
    enum t2_op far = inst->op == MIR_ASHR2 ? T2_OP_ASR : near;
    put_reg(x, near, out, own, n);
    put_imm(x, T2_OP_RSB, t, n, 32);
    put_reg(x, cross, t, other, t);
    put_reg(x, T2_OP_ORR, out, out, t);
    if (inst->op == MIR_ASHR2) {
        put_imm(x, T2_OP_SUB, t, n, 32)->f.setflags = true;
        put_it(x, T2_PL, 2, 0);
        in_it(put_reg(x, far, t, other, t));
        in_it(put_reg(x, T2_OP_ORR, out, out, t));
    } else {
        put_imm(x, T2_OP_SUB, t, n, 32);
        put_reg(x, far, t, other, t);
        put_reg(x, T2_OP_ORR, out, out, t);
    }
    put_reg(x, far, rest, other, n);
}

/* n - (n / m) * m; n / 0 is 0 with DIV_0_TRP clear, which makes the remainder n. */
static void put_modulo(struct expander *x, const struct mir_inst *inst) {
    unsigned quotient = inst->dst[0], n = inst->src[0], m = inst->src[1];
    put_reg(x, inst->op == MIR_UMOD ? T2_OP_UDIV : T2_OP_SDIV, quotient, n, m);
    put_reg(x, T2_OP_MLS, inst->dst[1], quotient, m)->f.a = (uint8_t)n;
}

/* -------------------------------------------------------------------------------- machine operations */

static void put_load_store(struct expander *x, const struct mir_inst *inst) {
    bool load = t2_op_traits((enum t2_op)inst->op) & T2_LOAD;
    int base = load ? 0 : 1;
    struct code_item *item = put(x, (enum t2_op)inst->op);
    item->f.form = inst->form;
    item->f.t = (uint8_t)(load ? inst->dst[0] : inst->src[0]);
    item->f.n = (uint8_t)inst->src[base];
    item->f.index = (uint8_t)inst->index;
    if (inst->form == T2_IMM)
        item->f.imm = inst->imm;
    else
        item->f.m = (uint8_t)inst->src[base + 1];
    item->f.amount = inst->shift_amount;
}

/* Operations with one source have it in m (encoding.h). */
static bool source_in_m(enum t2_op op) {
    return op == T2_OP_MOV || op == T2_OP_MVN || op == T2_OP_REV || op == T2_OP_REV16 ||
           op == T2_OP_SXTB || op == T2_OP_SXTH || op == T2_OP_UXTB || op == T2_OP_UXTH ||
           op == T2_OP_CLZ;
}

static void put_machine(struct expander *x, const struct mir_inst *inst) {
    enum t2_op op = (enum t2_op)inst->op;
    if (t2_op_traits(op) & (T2_LOAD | T2_STORE)) {
        put_load_store(x, inst);
        return;
    }
    struct code_item *item = put(x, op);
    item->f.form = inst->form;
    item->f.shift = inst->shift;
    item->f.amount = inst->shift_amount;
    item->f.d = (uint8_t)inst->dst[0];
    if (source_in_m(op)) {
        item->f.m = (uint8_t)inst->src[0];
        return;
    }
    item->f.n = (uint8_t)inst->src[0];
    if (op == T2_OP_UBFX) {
        item->f.lsb = (uint8_t)inst->imm;
        item->f.width = (uint8_t)inst->imm2;
    } else if (inst->form == T2_IMM) {
        item->f.imm = inst->imm;
    } else {
        item->f.m = (uint8_t)inst->src[1];
    }
    if (op == T2_OP_MLA || op == T2_OP_MLS)
        item->f.a = (uint8_t)inst->src[2];
    if (op == T2_OP_UMULL || op == T2_OP_SMULL || op == T2_OP_UMLAL || op == T2_OP_SMLAL) {
        item->f.lo = (uint8_t)inst->dst[0];
        item->f.hi = (uint8_t)inst->dst[1];
    }
}

static enum t2_op frame_op(const struct mir_inst *inst) {
    bool load = inst->op == MIR_LDFRAME;
    switch (inst->index) {
    case 1: return load ? inst->is_signed ? T2_OP_LDRSB : T2_OP_LDRB : T2_OP_STRB;
    case 2: return load ? inst->is_signed ? T2_OP_LDRSH : T2_OP_LDRH : T2_OP_STRH;
    default: return load ? T2_OP_LDR : T2_OP_STR;
    }
}

/* Addresses outside the eBPF stack are of no use, but an unverified program may compute them. */
static void put_frame_address(struct expander *x, const struct mir_inst *inst) {
    uint32_t offset = x->r10 + (uint32_t)inst->imm;
    if (offset <= 4095) {
        put_imm(x, T2_OP_ADD, inst->dst[0], T2_SP, offset);
        return;
    }
    put_const(x, inst->dst[0], offset);
    put_reg(x, T2_OP_ADD, inst->dst[0], T2_SP, inst->dst[0]);
}

static void put_frame_access(struct expander *x, const struct mir_inst *inst) {
    int64_t offset = (int64_t)x->r10 + inst->imm;
    unsigned t = inst->op == MIR_LDFRAME ? inst->dst[0] : inst->src[0];
    assert(offset >= -255 && offset <= 4095);
    put_memory(x, frame_op(inst), t, T2_SP, (uint32_t)offset);
}

static void put_slot_call(struct expander *x, uint32_t slot) {
    put_memory(x, T2_OP_LDR, MREG_R12, MREG_R9, slot);
    put(x, T2_OP_BLX)->f.m = MREG_R12;
}

/* ---------------------------------------------------------------------------------------- driver */

static void put_pseudo(struct expander *x, const struct mir_inst *inst) {
    switch (inst->op) {
    case MIR_COPY: put_reg(x, T2_OP_MOV, inst->dst[0], 0, inst->src[0]); break;
    case MIR_MOVI:
        if (inst->predicate)
            put_short_const(x, inst->dst[0], (uint32_t)inst->imm);
        else
            put_const(x, inst->dst[0], (uint32_t)inst->imm);
        break;
    case MIR_FRAME: put_frame_address(x, inst); break;
    case MIR_LDFRAME:
    case MIR_STFRAME: put_frame_access(x, inst); break;
    case MIR_CODEADDR:
        put_address(x, inst->dst[0], x->unit->rodata_label, (uint32_t)inst->imm);
        break;
    case MIR_FUNCADDR: put_address(x, inst->dst[0], x->unit->func_label[inst->index], 1); break;
    case MIR_RELOAD:
        put_memory(x, T2_OP_LDR, inst->dst[0], T2_SP, x->spill_base + 4 * (uint32_t)inst->imm);
        break;
    case MIR_SPILL:
        put_memory(x, T2_OP_STR, inst->src[0], T2_SP, x->spill_base + 4 * (uint32_t)inst->imm);
        break;
    case MIR_STARG: put_memory(x, T2_OP_STR, inst->src[0], T2_SP, 4 * (uint32_t)inst->imm); break;
    case MIR_LDARG:
        put_memory(x, T2_OP_LDR, inst->dst[0], T2_SP,
                   x->frame + 4 * count_bits(x->saved) + 4 * (uint32_t)inst->imm);
        break;
    case MIR_ADD2:
    case MIR_SUB2: put_pair(x, inst); break;
    case MIR_RSB2: put_negate_pair(x, inst); break;
    case MIR_SHL2:
    case MIR_LSHR2:
    case MIR_ASHR2: put_pair_shift(x, inst); break;
    case MIR_UMOD:
    case MIR_SMOD: put_modulo(x, inst); break;
    case MIR_CALL: {
        struct code_item *call = code_add(x->unit, CODE_CALL);
        call->label = x->unit->func_label[inst->index];
        call->insn = x->insn;
        break;
    }
    case MIR_CALLSLOT: put_slot_call(x, (uint32_t)inst->imm); break;
    case MIR_CALLREG: put(x, T2_OP_BLX)->f.m = (uint8_t)inst->src[0]; break;
    case MIR_TAILJUMP: put_tail_jump(x, inst); break;
    case MIR_CMPBR: put_word_branch(x, inst); break;
    case MIR_CMPBR2: put_branches(x, put_pair_compare(x, inst), inst); break;
    case MIR_CMPIT: put_it_block(x, put_word_compare(x, inst), inst); break;
    case MIR_CMPIT2: put_it_block(x, put_pair_compare(x, inst), inst); break;
    case MIR_JUMP:
        if (landing(x, inst->target[0]) != x->next)
            put_branch(x, T2_AL, x->block_label[landing(x, inst->target[0])->id]);
        break;
    case MIR_RET: put_return(x); break;
    default:
        assert(inst->op == MIR_TRAP);
        put(x, T2_OP_UDF);
        break;
    }
}

static void put_inst(struct expander *x, const struct mir_inst *inst) {
    size_t before = x->unit->items.count;
    x->insn = inst->insn;
    if (inst->op < MIR_PSEUDO)
        put_machine(x, inst);
    else
        put_pseudo(x, inst);
    if (!inst->predicate)
        return;
    assert(x->unit->items.count == before + 1 && vec_last(&x->unit->items).kind == CODE_INSN);
    (void)before;
    in_it(&vec_last(&x->unit->items));
}

bool expand(struct code_unit *unit, const struct mir_fn *fn, uint32_t label, struct diag *diag) {
    struct expander x = {.unit = unit, .fn = fn, .insn = IR_NO_INSN};
    plan_frame(&x);
    uint32_t top = x.frame + 4 * count_bits(x.saved) + 4 * 8;
    if (top > 4095)
        return diag_error(diag, DIAG_STACK, NULL,
                          "split the function into smaller ones, or compile with -O1",
                          "function '%s' has too many values alive at once: its frame would take "
                          "%u bytes, the limit is 4095",
                          fn->name, top);
    x.block_label = arena_alloc_array(unit->arena, fn->nblocks, sizeof(uint32_t));
    for (uint32_t i = 0; i < fn->nblocks; i++)
        x.block_label[i] = code_label_new(unit);
    code_add(unit, CODE_ALIGN);
    struct code_func *func = vec_add(unit->arena, &unit->funcs);
    func->name = fn->name;
    func->label = label;
    func->first_item = (uint32_t)unit->items.count;
    func->stack = x.frame + 4 * count_bits(x.saved);
    code_add(unit, CODE_LABEL)->label = label;
    prologue(&x);
    find_landings(&x);
    for (uint32_t i = 0; i < fn->nblocks; i++) {
        if (!is_laid_out(&x, i))
            continue;
        code_add(unit, CODE_LABEL)->label = x.block_label[i];
        x.next = laid_out_next(&x, i);
        for (const struct mir_inst *inst = fn->blocks[i]->first; inst; inst = inst->next) {
            put_inst(&x, inst);
        }
    }
    literal_pools(unit, func->first_item);
    unit->funcs.items[unit->funcs.count - 1].end_item = (uint32_t)unit->items.count;
    return true;
}
