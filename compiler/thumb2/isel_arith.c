/* SPDX-License-Identifier: MIT */
/*
 * Selection of arithmetic, logic, shifts, pair operations and compare-and-branch. Immediates that
 * Thumb-2 can encode, shifted operands, multiply-add, bit-field extracts and inverted operands are
 * folded; see isel.c for what folding means.
 */
#include "thumb2/isel.h"

#include <assert.h>

/* ------------------------------------------------------------------------------------- operands */

static bool encodable(uint32_t value) {
    uint32_t imm12;
    return t2_modified_imm(value, &imm12);
}

static bool constant_shift(const struct isel *s, const struct ir_inst *def, uint32_t *count) {
    return def && isel_const(s, def->args[1], count) && *count >= 1 && *count <= 31;
}

/* Makes v the last operand of inst, source number k: an immediate, a shifted register, a register. */
static void last_operand(struct isel *s, struct mir_inst *inst, int k, ir_val v) {
    static const struct {
        enum ir_op op;
        enum t2_shift shift;
    } shifts[] = {{IR_SHL, T2_LSL}, {IR_LSHR, T2_LSR}, {IR_ASHR, T2_ASR}};
    struct mir_inst *place = s->place;
    uint32_t value;
    s->place = inst; /* whatever computes the operand comes before inst */
    if (isel_const(s, v, &value) && encodable(value)) {
        inst->form = T2_IMM;
        inst->imm = (int32_t)value;
        s->place = place;
        return;
    }
    inst->form = T2_REG;
    for (int i = 0; i < 3; i++) {
        const struct ir_inst *def = isel_fold(s, v, shifts[i].op);
        if (!constant_shift(s, def, &value))
            continue;
        isel_folded(s, v);
        inst->src[k] = isel_use(s, def->args[0]);
        inst->shift = (uint8_t)shifts[i].shift;
        inst->shift_amount = (uint8_t)value;
        s->place = place;
        return;
    }
    inst->src[k] = isel_use(s, v);
    s->place = place;
}

static bool foldable_operand(const struct isel *s, ir_val v) {
    uint32_t value;
    if (isel_const(s, v, &value))
        return encodable(value);
    for (int op = IR_SHL; op <= IR_ASHR; op++)
        if (constant_shift(s, isel_fold(s, v, (enum ir_op)op), &value))
            return true;
    return false;
}
_Static_assert(IR_LSHR == IR_SHL + 1 && IR_ASHR == IR_SHL + 2, "shifts stand together in ir.def");

static void binary(struct isel *s, enum t2_op op, mreg d, ir_val n, ir_val m) {
    mreg left = isel_use(s, n);
    struct mir_inst *inst = isel_emit(s, op);
    inst->dst[0] = d;
    inst->src[0] = left;
    last_operand(s, inst, 1, m);
}

static void commutative(struct isel *s, enum t2_op op, mreg d, ir_val a, ir_val b) {
    if (!foldable_operand(s, b) && foldable_operand(s, a))
        binary(s, op, d, b, a);
    else
        binary(s, op, d, a, b);
}

static void unary(struct isel *s, enum t2_op op, mreg d, ir_val a) {
    mreg m = isel_use(s, a);
    struct mir_inst *inst = isel_emit(s, op);
    inst->dst[0] = d;
    inst->src[0] = m;
    inst->form = T2_REG;
}

static struct mir_inst *three(struct isel *s, unsigned op, mreg d, mreg a, mreg b) {
    struct mir_inst *inst = isel_emit(s, op);
    inst->dst[0] = d;
    inst->src[0] = a;
    inst->src[1] = b;
    inst->form = T2_REG;
    return inst;
}

/* --------------------------------------------------------------------------------- add, subtract */

/* d = a +- x * y in one instruction. */
static bool multiply_add(struct isel *s, enum t2_op op, mreg d, ir_val a, ir_val product) {
    const struct ir_inst *mul = isel_fold(s, product, IR_MUL);
    if (!mul || mul->type != IR_I32)
        return false;
    isel_folded(s, product);
    mreg x = isel_use(s, mul->args[0]), y = isel_use(s, mul->args[1]), addend = isel_use(s, a);
    three(s, op, d, x, y)->src[2] = addend;
    return true;
}

/* d = a + c, as a subtraction where c is a small negative number. */
static bool add_constant(struct isel *s, mreg d, ir_val a, uint32_t c) {
    uint32_t negated = 0 - c;
    if (negated <= 4095 || (encodable(negated) && !encodable(c) && c > 4095))
        isel_binary_imm(s, T2_OP_SUB, d, isel_use(s, a), negated);
    else if (encodable(c) || c <= 4095)
        isel_binary_imm(s, T2_OP_ADD, d, isel_use(s, a), c);
    else
        return false;
    return true;
}

static void select_add(struct isel *s, mreg d, ir_val a, ir_val b) {
    uint32_t c;
    if ((isel_const(s, b, &c) && add_constant(s, d, a, c)) ||
        (isel_const(s, a, &c) && add_constant(s, d, b, c)))
        return;
    if (multiply_add(s, T2_OP_MLA, d, a, b) || multiply_add(s, T2_OP_MLA, d, b, a))
        return;
    commutative(s, T2_OP_ADD, d, a, b);
}

static void select_sub(struct isel *s, mreg d, ir_val a, ir_val b) {
    uint32_t c;
    if (isel_const(s, b, &c) && add_constant(s, d, a, 0 - c))
        return;
    if (multiply_add(s, T2_OP_MLS, d, a, b))
        return;
    if (foldable_operand(s, a) && !foldable_operand(s, b))
        binary(s, T2_OP_RSB, d, b, a);
    else
        binary(s, T2_OP_SUB, d, a, b);
}

/* ----------------------------------------------------------------------------------------- logic */

/* v = ~x, foldable: returns x. */
static ir_val inverted(const struct isel *s, ir_val v) {
    const struct ir_inst *def = isel_fold(s, v, IR_XOR);
    uint32_t c;
    return def && isel_const(s, def->args[1], &c) && c == UINT32_MAX ? def->args[0] : 0;
}

static bool is_low_mask(uint32_t c) {
    return c && (c & (c + 1)) == 0;
}

static void bit_field(struct isel *s, mreg d, mreg n, uint32_t lsb, uint32_t width) {
    struct mir_inst *inst = isel_emit(s, T2_OP_UBFX);
    inst->dst[0] = d;
    inst->src[0] = n;
    inst->imm = (int32_t)lsb;
    inst->imm2 = (int32_t)width;
}

/* d = a & c, a low mask: uxtb, uxth or ubfx, with the shift in front of it if there is one. */
static void select_low_mask(struct isel *s, mreg d, ir_val a, uint32_t c) {
    uint32_t width = 32 - (uint32_t)__builtin_clz(c), lsb;
    const struct ir_inst *shift = isel_fold(s, a, IR_LSHR);
    if (constant_shift(s, shift, &lsb) && lsb + width <= 32) {
        isel_folded(s, a);
        bit_field(s, d, isel_use(s, shift->args[0]), lsb, width);
    } else if (width == 8 || width == 16) {
        unary(s, width == 8 ? T2_OP_UXTB : T2_OP_UXTH, d, a);
    } else if (encodable(c)) {
        isel_binary_imm(s, T2_OP_AND, d, isel_use(s, a), c);
    } else {
        bit_field(s, d, isel_use(s, a), 0, width);
    }
}

static bool inverted_operand(struct isel *s, enum t2_op op, mreg d, ir_val a, ir_val b) {
    ir_val x = inverted(s, b);
    if (!x)
        return false;
    isel_folded(s, b);
    binary(s, op, d, a, x);
    return true;
}

static void select_and(struct isel *s, mreg d, ir_val a, ir_val b) {
    uint32_t c;
    if (isel_const(s, a, &c)) {
        ir_val t = a;
        a = b;
        b = t;
    }
    if (isel_const(s, b, &c)) {
        if (is_low_mask(c) && c != UINT32_MAX) {
            select_low_mask(s, d, a, c);
            return;
        }
        if (!encodable(c) && encodable(~c)) {
            isel_binary_imm(s, T2_OP_BIC, d, isel_use(s, a), ~c);
            return;
        }
    }
    if (inverted_operand(s, T2_OP_BIC, d, a, b) || inverted_operand(s, T2_OP_BIC, d, b, a))
        return;
    commutative(s, T2_OP_AND, d, a, b);
}

/* (x << c) | (x >> (32 - c)) is a rotation. */
static bool select_rotate(struct isel *s, mreg d, ir_val a, ir_val b) {
    const struct ir_inst *left = isel_fold(s, a, IR_SHL), *right = isel_fold(s, b, IR_LSHR);
    uint32_t up, down;
    if (!constant_shift(s, left, &up) || !constant_shift(s, right, &down) || up + down != 32 ||
        left->args[0] != right->args[0])
        return false;
    isel_folded(s, a);
    isel_folded(s, b);
    isel_binary_imm(s, T2_OP_ROR, d, isel_use(s, left->args[0]), down);
    return true;
}

static void select_or(struct isel *s, mreg d, ir_val a, ir_val b) {
    uint32_t c;
    if (select_rotate(s, d, a, b) || select_rotate(s, d, b, a))
        return;
    if (isel_const(s, b, &c) && !encodable(c) && encodable(~c)) {
        isel_binary_imm(s, T2_OP_ORN, d, isel_use(s, a), ~c);
        return;
    }
    if (inverted_operand(s, T2_OP_ORN, d, a, b) || inverted_operand(s, T2_OP_ORN, d, b, a))
        return;
    commutative(s, T2_OP_ORR, d, a, b);
}

static void select_xor(struct isel *s, mreg d, ir_val a, ir_val b) {
    uint32_t c;
    if (isel_const(s, b, &c) && c == UINT32_MAX)
        unary(s, T2_OP_MVN, d, a);
    else
        commutative(s, T2_OP_EOR, d, a, b);
}

/* -------------------------------------------------------------------------------- shifts, divide */

/* A count known to be below 32 needs no mask: the machine looks at its low byte. */
static bool count_is_masked(const struct isel *s, ir_val v) {
    const struct ir_inst *def = s->fn->values[v].def;
    uint32_t c;
    return def->op == IR_AND && isel_const(s, def->args[1], &c) && c < 32;
}

static void select_shift(struct isel *s, enum t2_op op, mreg d, ir_val a, ir_val b) {
    uint32_t c;
    if (isel_const(s, b, &c)) {
        c &= 31;
        if (c)
            isel_binary_imm(s, op, d, isel_use(s, a), c);
        else
            unary(s, T2_OP_MOV, d, a);
        return;
    }
    mreg n = isel_use(s, a), count = isel_use(s, b);
    if (!count_is_masked(s, b)) {
        mreg masked = isel_temp(s);
        isel_binary_imm(s, T2_OP_AND, masked, count, 31);
        count = masked;
    }
    three(s, op, d, n, count);
}

static void select_modulo(struct isel *s, unsigned op, mreg d, ir_val a, ir_val b) {
    mreg n = isel_use(s, a), m = isel_use(s, b);
    struct mir_inst *inst = three(s, op, isel_temp(s), n, m);
    inst->dst[1] = d;
    inst->late = 3;
}

/* ----------------------------------------------------------------------------------------- pairs */

static bool word_imm(const struct isel *s, ir_val v, uint32_t *value) {
    return isel_const(s, v, value) && encodable(*value);
}

/* Low words of sub: subs takes -imm as adds, so both signs do. */
static void pair_sources(struct isel *s, struct mir_inst *inst, const ir_val *args) {
    uint32_t value;
    struct mir_inst *place = s->place;
    s->place = inst;
    inst->src[0] = isel_use(s, args[0]);
    inst->src[1] = isel_use(s, args[1]);
    if (word_imm(s, args[2], &value))
        inst->imm = (int32_t)value;
    else
        inst->src[2] = isel_use(s, args[2]);
    if (word_imm(s, args[3], &value))
        inst->imm2 = (int32_t)value;
    else
        inst->src[3] = isel_use(s, args[3]);
    s->place = place;
}

/* A destination word that nobody reads still needs a register. */
static mreg result(struct isel *s, ir_val v) {
    return v ? isel_def(s, v) : isel_temp(s);
}

static bool is_zero(const struct isel *s, ir_val v) {
    uint32_t value;
    return isel_const(s, v, &value) && value == 0;
}

static void swap(ir_val *a, ir_val *b) {
    ir_val t = *a;
    *a = *b;
    *b = t;
}

/* (lo, hi) += x * y in one instruction. */
static bool long_multiply_add(struct isel *s, const struct ir_inst *inst, const ir_val *addend,
                              const ir_val *product) {
    for (int op = IR_UMULL; op <= IR_SMULL; op++) {
        const struct ir_inst *mul = isel_fold(s, product[0], (enum ir_op)op);
        if (!mul || mul->res[0] != product[0] || mul->res[1] != product[1] ||
            s->uses[product[1]] != 1)
            continue;
        isel_folded(s, product[0]);
        s->uses[product[1]]--;
        mreg x = isel_use(s, mul->args[0]), y = isel_use(s, mul->args[1]);
        mreg lo = result(s, inst->res[0]), hi = result(s, inst->res[1]);
        isel_use_into(s, lo, addend[0]);
        isel_use_into(s, hi, addend[1]);
        struct mir_inst *m = three(s, op == IR_UMULL ? T2_OP_UMLAL : T2_OP_SMLAL, lo, x, y);
        m->dst[1] = hi;
        m->src[2] = lo;
        m->src[3] = hi;
        return true;
    }
    return false;
}
_Static_assert(IR_SMULL == IR_UMULL + 1, "long multiplications stand together in ir.def");

static void select_pair(struct isel *s, const struct ir_inst *inst) {
    ir_val args[4] = {inst->args[0], inst->args[1], inst->args[2], inst->args[3]};
    uint32_t lo, hi;
    bool constant = isel_const(s, args[2], &lo) && isel_const(s, args[3], &hi);
    unsigned op = inst->op == IR_ADD2 ? MIR_ADD2 : MIR_SUB2;
    struct mir_inst *p;
    if (op == MIR_SUB2 && is_zero(s, args[0]) && is_zero(s, args[1])) {
        mreg a = isel_use(s, args[2]), b = isel_use(s, args[3]);
        p = three(s, MIR_RSB2, result(s, inst->res[0]), a, b);
        p->dst[1] = result(s, inst->res[1]);
        p->late = 2;
        return;
    }
    if (op == MIR_ADD2 &&
        (long_multiply_add(s, inst, args, args + 2) || long_multiply_add(s, inst, args + 2, args)))
        return;
    if (op == MIR_ADD2) { /* words commute one by one */
        if (isel_const(s, args[0], &lo))
            swap(&args[0], &args[2]);
        if (isel_const(s, args[1], &hi))
            swap(&args[1], &args[3]);
        constant = isel_const(s, args[2], &lo) && isel_const(s, args[3], &hi);
    }
    uint64_t negated = 0 - ((uint64_t)hi << 32 | lo);
    bool negate = constant && !(encodable(lo) && encodable(hi)) && encodable((uint32_t)negated) &&
                  encodable((uint32_t)(negated >> 32));
    if (negate)
        op = op == MIR_ADD2 ? MIR_SUB2 : MIR_ADD2;
    p = isel_emit(s, op);
    p->dst[0] = result(s, inst->res[0]);
    p->dst[1] = result(s, inst->res[1]);
    pair_sources(s, p, args);
    if (negate) {
        p->src[2] = p->src[3] = MREG_NONE;
        p->imm = (int32_t)(uint32_t)negated;
        p->imm2 = (int32_t)(uint32_t)(negated >> 32);
    }
    p->late = 2 | 8;
}

static void select_pair_shift(struct isel *s, const struct ir_inst *inst) {
    mreg lo = isel_use(s, inst->args[0]), hi = isel_use(s, inst->args[1]);
    mreg count = isel_use(s, inst->args[2]);
    bool left = inst->op == IR_SHL2;
    unsigned op = left ? MIR_SHL2 : inst->op == IR_LSHR2 ? MIR_LSHR2 : MIR_ASHR2;
    struct mir_inst *p = three(s, op, result(s, inst->res[left ? 1 : 0]), lo, hi);
    p->dst[1] = result(s, inst->res[left ? 0 : 1]);
    p->dst[2] = isel_temp(s);
    p->src[2] = count;
    p->late = left ? 1 | 4 : 2 | 4;
}

static void select_long_multiply(struct isel *s, const struct ir_inst *inst) {
    mreg a = isel_use(s, inst->args[0]), b = isel_use(s, inst->args[1]);
    enum t2_op op = inst->op == IR_UMULL ? T2_OP_UMULL : T2_OP_SMULL;
    struct mir_inst *m = three(s, op, result(s, inst->res[0]), a, b);
    m->dst[1] = result(s, inst->res[1]);
}

/* ---------------------------------------------------------------------------- compare and branch */

static struct mir_inst *branch(struct isel *s, unsigned op, enum ir_cond cond) {
    struct mir_inst *br = isel_emit(s, op);
    br->cond = (uint8_t)cond;
    return br;
}

static bool cmp_encodable(enum ir_cond cond, uint32_t c) {
    return encodable(c) || (cond != IR_COND_SET && cond != IR_COND_CLEAR && encodable(0 - c));
}

static void word_branch(struct isel *s, const struct ir_inst *inst) {
    enum ir_cond cond = (enum ir_cond)inst->cond;
    ir_val a = inst->args[0], b = inst->args[1];
    uint32_t c;
    if (isel_const(s, a, &c) ||
        (foldable_operand(s, a) && !foldable_operand(s, b) && !isel_const(s, b, &c))) {
        swap(&a, &b);
        cond = ir_cond_swapped(cond);
    }
    mreg left = isel_use(s, a);
    struct mir_inst *br = branch(s, MIR_CMPBR, cond);
    br->src[0] = left;
    if (isel_const(s, b, &c) && cmp_encodable(cond, c)) {
        br->form = T2_IMM;
        br->imm = (int32_t)c;
    } else {
        last_operand(s, br, 1, b);
    }
}

/* Only <, >=, ==, != and bit tests have a glued form; a > b is b < a, and a > constant is
 * a >= constant + 1. */
static enum ir_cond to_glued(struct isel *s, enum ir_cond cond, ir_val *args, bool *plus_one) {
    *plus_one = false;
    uint32_t lo, hi;
    if (cond != IR_COND_UGT && cond != IR_COND_ULE && cond != IR_COND_SGT && cond != IR_COND_SLE)
        return cond;
    if (isel_const(s, args[2], &lo) && isel_const(s, args[3], &hi)) {
        uint64_t c = (uint64_t)hi << 32 | lo;
        bool is_signed = cond == IR_COND_SGT || cond == IR_COND_SLE;
        if (c != (is_signed ? (uint64_t)INT64_MAX : UINT64_MAX)) {
            *plus_one = true;
            return cond == IR_COND_UGT   ? IR_COND_UGE
                   : cond == IR_COND_ULE ? IR_COND_ULT
                   : cond == IR_COND_SGT ? IR_COND_SGE
                                         : IR_COND_SLT;
        }
    }
    swap(&args[0], &args[2]);
    swap(&args[1], &args[3]);
    return ir_cond_swapped(cond);
}

/* One word of the right side: an immediate that compares can encode, or a register. */
static mreg compare_word(struct isel *s, bool constant, uint32_t value, bool low, ir_val v,
                         int32_t *imm) {
    if (constant && (encodable(value) || (low && encodable(0 - value)))) {
        *imm = (int32_t)value;
        return MREG_NONE;
    }
    if (!constant)
        return isel_use(s, v);
    mreg d = isel_temp(s);
    isel_movi(s, d, value);
    return d;
}

static void pair_branch(struct isel *s, const struct ir_inst *inst) {
    enum ir_cond cond = (enum ir_cond)inst->cond;
    ir_val args[4] = {inst->args[0], inst->args[1], inst->args[2], inst->args[3]};
    uint32_t lo = 0, hi = 0;
    if (isel_const(s, args[0], &lo) && isel_const(s, args[1], &hi)) {
        swap(&args[0], &args[2]);
        swap(&args[1], &args[3]);
        cond = ir_cond_swapped(cond);
    }
    bool plus_one;
    cond = to_glued(s, cond, args, &plus_one);
    bool const_lo = isel_const(s, args[2], &lo), const_hi = isel_const(s, args[3], &hi);
    if (plus_one) {
        uint64_t c = ((uint64_t)hi << 32 | lo) + 1;
        lo = (uint32_t)c;
        hi = (uint32_t)(c >> 32);
    }
    int32_t imm = 0, imm2 = 0;
    bool compares = cond != IR_COND_SET && cond != IR_COND_CLEAR;
    bool equality = cond == IR_COND_EQ || cond == IR_COND_NE;
    mreg a = isel_use(s, args[0]), b = isel_use(s, args[1]);
    mreg c = compare_word(s, const_lo, lo, compares, args[2], &imm);
    mreg d = compare_word(s, const_hi, hi, equality, args[3], &imm2);
    struct mir_inst *br = branch(s, MIR_CMPBR2, cond);
    br->dst[0] = isel_temp(s);
    br->src[0] = a;
    br->src[1] = b;
    br->src[2] = c;
    br->src[3] = d;
    br->imm = imm;
    br->imm2 = imm2;
}

void isel_branch(struct isel *s, const struct ir_inst *inst) {
    if (inst->op == IR_BR)
        word_branch(s, inst);
    else
        pair_branch(s, inst);
}

/* --------------------------------------------------------------------------------------- driver */

static bool select_unary(struct isel *s, const struct ir_inst *inst, mreg d) {
    mreg swapped;
    switch (inst->op) {
    case IR_SEXT8: unary(s, T2_OP_SXTB, d, inst->args[0]); return true;
    case IR_SEXT16: unary(s, T2_OP_SXTH, d, inst->args[0]); return true;
    case IR_BSWAP32: unary(s, T2_OP_REV, d, inst->args[0]); return true;
    case IR_BSWAP16:
        swapped = isel_temp(s);
        unary(s, T2_OP_REV16, swapped, inst->args[0]);
        three(s, T2_OP_UXTH, d, swapped, MREG_NONE);
        return true;
    default: return false;
    }
}

static bool select_binary(struct isel *s, const struct ir_inst *inst, mreg d) {
    ir_val a = inst->args[0], b = inst->args[1];
    switch (inst->op) {
    case IR_ADD: select_add(s, d, a, b); return true;
    case IR_SUB: select_sub(s, d, a, b); return true;
    case IR_MUL: three(s, T2_OP_MUL, d, isel_use(s, a), isel_use(s, b)); return true;
    case IR_UDIV: three(s, T2_OP_UDIV, d, isel_use(s, a), isel_use(s, b)); return true;
    case IR_SDIV: three(s, T2_OP_SDIV, d, isel_use(s, a), isel_use(s, b)); return true;
    case IR_UMOD: select_modulo(s, MIR_UMOD, d, a, b); return true;
    case IR_SMOD: select_modulo(s, MIR_SMOD, d, a, b); return true;
    case IR_AND: select_and(s, d, a, b); return true;
    case IR_OR: select_or(s, d, a, b); return true;
    case IR_XOR: select_xor(s, d, a, b); return true;
    case IR_SHL: select_shift(s, T2_OP_LSL, d, a, b); return true;
    case IR_LSHR: select_shift(s, T2_OP_LSR, d, a, b); return true;
    case IR_ASHR: select_shift(s, T2_OP_ASR, d, a, b); return true;
    default: return false;
    }
}

bool isel_arith(struct isel *s, const struct ir_inst *inst) {
    switch (inst->op) {
    case IR_ADD2:
    case IR_SUB2: select_pair(s, inst); return true;
    case IR_SHL2:
    case IR_LSHR2:
    case IR_ASHR2: select_pair_shift(s, inst); return true;
    case IR_UMULL:
    case IR_SMULL: select_long_multiply(s, inst); return true;
    default: {
        mreg d = isel_def(s, inst->res[0]);
        return select_unary(s, inst, d) || select_binary(s, inst, d);
    }
    }
}
