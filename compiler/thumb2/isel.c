/* SPDX-License-Identifier: MIT */
/*
 * Instruction selection: word-level SSA to Thumb-2 over virtual registers.
 *
 * Blocks are walked backwards, so that every user of a value in its block is seen before the value:
 * a user may take over the work of its operand (a shift, an address, a multiply before an add) and
 * then takes back its use; a value without uses left when the walk reaches it needs no code. Only
 * pure operations are folded, and those with other uses only where that costs nothing (constant
 * offsets of addresses), so that order never matters.
 *
 * Constants and addresses are not values with a home: they are made where they are used, in one
 * rematerialisable instruction. Inside a loop they are made once in front of the outermost loop;
 * the register allocator keeps them there or makes them again, as registers allow.
 *
 * Phis: each gets a register of its own that all predecessors write at their end and the block
 * copies from at its start; this is right for every permutation of phis, and the allocator merges
 * the copies that need not be. Critical edges have been split before.
 */
#include "thumb2/isel.h"

#include <assert.h>
#include <string.h>

/* -------------------------------------------------------------------------------- instructions */

struct mir_inst *isel_emit(struct isel *s, unsigned op) {
    struct mir_inst *inst = mir_inst_new(s->out, op);
    inst->insn = s->insn;
    mir_insert_before(s->here, s->place, inst);
    return inst;
}

mreg isel_temp(struct isel *s) {
    return mir_reg_new(s->out);
}

static void copy(struct isel *s, mreg d, mreg from) {
    struct mir_inst *inst = isel_emit(s, MIR_COPY);
    inst->dst[0] = d;
    inst->src[0] = from;
}

void isel_movi(struct isel *s, mreg d, uint32_t imm) {
    struct mir_inst *inst = isel_emit(s, MIR_MOVI);
    inst->dst[0] = d;
    inst->imm = (int32_t)imm;
    inst->remat = true;
}

struct mir_inst *isel_binary_imm(struct isel *s, enum t2_op op, mreg d, mreg n, uint32_t imm) {
    struct mir_inst *inst = isel_emit(s, op);
    inst->dst[0] = d;
    inst->src[0] = n;
    inst->form = T2_IMM;
    inst->imm = (int32_t)imm;
    return inst;
}

/* --------------------------------------------------------------- values without a home register */

static bool is_homeless(enum ir_op op) {
    return op == IR_CONST || op == IR_FRAME || op == IR_DATA || op == IR_MAP || op == IR_FUNC;
}

/* d = r9 + off, in as many instructions as off takes. `table[i - 64]` may well start below the arena:
 * off is any 32-bit number. */
static void arena_address(struct isel *s, mreg d, uint32_t off) {
    uint32_t imm12;
    if (off < 4096 || t2_modified_imm(off, &imm12)) {
        isel_binary_imm(s, T2_OP_ADD, d, MREG_R9, off)->remat = true;
        return;
    }
    if (0 - off < 4096) {
        isel_binary_imm(s, T2_OP_SUB, d, MREG_R9, 0 - off)->remat = true;
        return;
    }
    mreg part = isel_temp(s);
    if (t2_modified_imm(off & ~0xfffu, &imm12)) {
        isel_binary_imm(s, T2_OP_ADD, part, MREG_R9, off & ~0xfffu);
        isel_binary_imm(s, T2_OP_ADD, d, part, off & 0xfffu);
        return;
    }
    isel_movi(s, part, off);
    struct mir_inst *add = isel_emit(s, T2_OP_ADD);
    add->dst[0] = d;
    add->src[0] = MREG_R9;
    add->src[1] = part;
    add->form = T2_REG;
}

/* Writes a constant or an address into d. */
static void make(struct isel *s, mreg d, const struct ir_inst *def) {
    struct mir_inst *inst;
    switch (def->op) {
    case IR_CONST: isel_movi(s, d, (uint32_t)def->imm); return;
    case IR_FRAME: inst = isel_emit(s, MIR_FRAME); break;
    case IR_FUNC: inst = isel_emit(s, MIR_FUNCADDR); break;
    case IR_MAP: arena_address(s, d, s->layout->map_off[def->index] + (uint32_t)def->imm); return;
    default:
        assert(def->op == IR_DATA);
        if (!s->layout->data_in_code[def->index]) {
            arena_address(s, d, s->layout->data_off[def->index] + (uint32_t)def->imm);
            return;
        }
        inst = isel_emit(s, MIR_CODEADDR);
        inst->imm = (int32_t)s->layout->data_off[def->index];
        break;
    }
    inst->dst[0] = d;
    inst->index = def->index;
    inst->imm += (int32_t)def->imm;
    inst->remat = true;
}

/* A constant or address that lives in a register from the end of `home` on. */
struct hoisted {
    struct hoisted *next;
    const struct ir_inst *def;
    struct ir_block *home;
    mreg reg;
};

/* The block in front of all loops around b. */
static struct ir_block *home_of(struct ir_block *b) {
    while (b->loop_depth > 0) {
        assert(b->loop_header);
        if (!b->loop_header->idom)
            break;
        b = b->loop_header->idom;
    }
    return b;
}

static bool same_thing(const struct ir_inst *a, const struct ir_inst *b) {
    if (a->op != b->op || a->index != b->index)
        return false;
    return a->op == IR_CONST ? (uint32_t)a->imm == (uint32_t)b->imm : a->imm == b->imm;
}

#define HOISTED_BUCKETS 256

/* Constants kept around one nest of loops. The registers do not hold more beside what the loops work on:
 * what is beyond would be made again where it is used, after its long range has met everything else's. */
#define HOISTED_MAX 6

static uint32_t bucket_of(const struct ir_inst *def) {
    return ((uint32_t)def->imm * 2654435761u + def->op * 97u + def->index * 31u) >> 24;
}

/* Its register, or MREG_NONE when enough is hoisted to its home. */
static mreg hoist(struct isel *s, const struct ir_inst *def, struct ir_block *home) {
    struct hoisted **bucket = &s->hoisted[bucket_of(def)];
    for (struct hoisted *h = *bucket; h; h = h->next)
        if (h->home == home && same_thing(h->def, def))
            return h->reg;
    if (s->nhoisted[home->id] == HOISTED_MAX)
        return MREG_NONE;
    s->nhoisted[home->id]++;
    struct hoisted *h = arena_alloc(s->out->arena, sizeof(*h));
    *h = (struct hoisted){*bucket, def, home, isel_temp(s)};
    *bucket = h;
    return h->reg;
}

/* Puts every hoisted value at the end of its home block. */
static void place_hoisted(struct isel *s) {
    for (uint32_t i = 0; i < HOISTED_BUCKETS; i++)
        for (struct hoisted *h = s->hoisted[i]; h; h = h->next) {
            s->here = s->block[h->home->id];
            s->place = s->here->last;
            s->insn = IR_NO_INSN;
            make(s, h->reg, h->def);
        }
}

/* ---------------------------------------------------------------------------------------- values */

bool isel_const(const struct isel *s, ir_val v, uint32_t *value) {
    uint64_t wide;
    if (!ir_is_const(s->fn, v, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

mreg isel_def(struct isel *s, ir_val v) {
    if (s->reg[v] == MREG_NONE)
        s->reg[v] = isel_temp(s);
    return s->reg[v];
}

mreg isel_use(struct isel *s, ir_val v) {
    const struct ir_inst *def = s->fn->values[v].def;
    if (!is_homeless((enum ir_op)def->op))
        return isel_def(s, v);
    struct ir_block *home = home_of(s->ir_block);
    mreg d = home != s->ir_block ? hoist(s, def, home) : MREG_NONE;
    if (d != MREG_NONE)
        return d;
    d = isel_temp(s);
    make(s, d, def);
    return d;
}

void isel_use_into(struct isel *s, mreg d, ir_val v) {
    const struct ir_inst *def = s->fn->values[v].def;
    if (is_homeless((enum ir_op)def->op))
        make(s, d, def);
    else
        copy(s, d, isel_def(s, v));
}

const struct ir_inst *isel_fold(const struct isel *s, ir_val v, enum ir_op op) {
    const struct ir_inst *def = s->fn->values[v].def;
    if (def->op != op || def->block != s->ir_block || s->uses[v] != 1)
        return NULL;
    return def;
}

void isel_folded(struct isel *s, ir_val v) {
    const struct ir_inst *def = s->fn->values[v].def;
    assert(s->uses[v] > 0);
    s->uses[v]--;
    for (uint32_t i = 0; i < def->nargs; i++)
        s->uses[def->args[i]]++;
}

/* ----------------------------------------------------------------------------------------- calls */

/* Argument words at their positions; returns the mask of registers that hold some. */
static uint16_t pass_args(struct isel *s, const ir_val *args, uint32_t n) {
    uint16_t mask = 0;
    for (uint32_t i = ABI_REG_WORDS; i < n; i++) {
        if (!args[i])
            continue;
        mreg from = isel_use(s, args[i]);
        struct mir_inst *inst = isel_emit(s, MIR_STARG);
        inst->src[0] = from;
        inst->imm = (int32_t)(i - ABI_REG_WORDS);
    }
    if (n > ABI_REG_WORDS && n - ABI_REG_WORDS > s->out->out_args)
        s->out->out_args = n - ABI_REG_WORDS;
    for (uint32_t i = 0; i < n && i < ABI_REG_WORDS; i++) {
        if (!args[i])
            continue;
        isel_use_into(s, i, args[i]);
        mask |= (uint16_t)(1u << i);
    }
    return mask;
}

static void finish_call(struct isel *s, const struct ir_inst *inst, struct mir_inst *call,
                        uint16_t uses) {
    call->uses = uses;
    call->clobbers = MIR_CALLER_SAVED;
    for (unsigned i = 0; i < 2; i++)
        if (inst->res[i] && s->uses[inst->res[i]])
            copy(s, isel_def(s, inst->res[i]), i);
}

static void select_call(struct isel *s, const struct ir_inst *inst) {
    struct mir_inst *call;
    if (inst->op == IR_CALLX) {
        mreg target = isel_use(s, inst->args[0]);
        uint16_t uses = pass_args(s, inst->args + 1, inst->nargs - 1);
        call = isel_emit(s, MIR_CALLREG);
        call->src[0] = target;
        finish_call(s, inst, call, uses);
        return;
    }
    uint16_t uses = pass_args(s, inst->args, inst->nargs);
    call = isel_emit(s, inst->op == IR_CALL_LOCAL ? MIR_CALL : MIR_CALLSLOT);
    if (inst->op == IR_CALL_LOCAL)
        call->index = inst->index;
    else
        call->imm = (int32_t)layout_slot(s->layout, inst->index);
    finish_call(s, inst, call, uses);
}

static void select_tail_call(struct isel *s, const struct ir_inst *inst) {
    mreg context = isel_use(s, inst->args[0]), target = isel_use(s, inst->args[2]);
    struct mir_inst *jump = isel_emit(s, MIR_TAILJUMP);
    jump->src[0] = target;
    jump->src[1] = context;
}

/* ---------------------------------------------------------------------------------- control flow */

/* Before the jump of a block: what the phis of its successor get from here. */
static void feed_phis(struct isel *s, struct ir_block *from, const struct ir_block *to) {
    uint32_t which = 0;
    while (to->preds[which] != from)
        which++;
    for (struct ir_inst *phi = to->first; phi && phi->op == IR_PHI; phi = phi->next)
        if (s->uses[phi->res[0]])
            isel_use_into(s, isel_def(s, phi->res[1]), phi->args[which]);
}

static void select_terminator(struct isel *s, const struct ir_inst *inst) {
    struct ir_block *b = s->ir_block;
    struct mir_inst *end;
    switch (inst->op) {
    case IR_JUMP:
        feed_phis(s, b, b->target[0]);
        end = isel_emit(s, MIR_JUMP);
        end->target[0] = s->block[b->target[0]->id];
        return;
    case IR_BR:
    case IR_BR2:
        isel_branch(s, inst);
        end = s->here->last;
        end->target[0] = s->block[b->target[0]->id];
        end->target[1] = s->block[b->target[1]->id];
        return;
    case IR_RET:
        isel_use_into(s, 0, inst->args[0]);
        isel_use_into(s, 1, inst->args[1]);
        end = isel_emit(s, MIR_RET);
        end->uses = 3;
        return;
    default:
        assert(inst->op == IR_TRAP);
        isel_emit(s, MIR_TRAP);
        return;
    }
}

static void select_inst(struct isel *s, const struct ir_inst *inst) {
    unsigned flags = ir_ops[inst->op].flags;
    bool used = (inst->res[0] && s->uses[inst->res[0]]) || (inst->res[1] && s->uses[inst->res[1]]);
    if (inst->op == IR_PHI || inst->op == IR_PARAM || is_homeless((enum ir_op)inst->op))
        return; /* at the block's start, or where they are used */
    if (!used && !(flags & (IR_WRITES | IR_TERM))) {
        for (uint32_t i = 0; i < inst->nargs; i++)
            s->uses[inst->args[i]]--;
        return;
    }
    s->insn = inst->insn;
    if (flags & IR_TERM)
        select_terminator(s, inst);
    else if (inst->op == IR_TAIL_CALL)
        select_tail_call(s, inst);
    else if (inst->op == IR_CALL_HELPER || inst->op == IR_CALL_LOCAL || inst->op == IR_CALLX)
        select_call(s, inst);
    else if (!isel_memory(s, inst) && !isel_arith(s, inst))
        assert(!"operation without a selection");
}

/* Copies at the start of a block: phis from their registers, parameters from where they come in. */
static void select_head(struct isel *s, struct ir_block *b) {
    s->place = s->here->first;
    s->insn = IR_NO_INSN;
    for (struct ir_inst *inst = b->first; inst && inst->op == IR_PHI; inst = inst->next)
        if (s->uses[inst->res[0]])
            copy(s, isel_def(s, inst->res[0]), isel_def(s, inst->res[1]));
}

static void select_params(struct isel *s) {
    s->here = s->out->blocks[0];
    s->place = s->here->first;
    s->insn = IR_NO_INSN;
    for (int pass = 0; pass < 2; pass++) /* registers first: they are needed for other things */
        for (uint32_t i = 0; i < s->fn->norder; i++)
            for (struct ir_inst *inst = s->fn->order[i]->first; inst; inst = inst->next) {
                if (inst->op != IR_PARAM || !s->uses[inst->res[0]])
                    continue;
                int position = s->own->position[inst->imm - 2];
                assert(position >= 0);
                if (position < ABI_REG_WORDS && pass == 0) {
                    copy(s, isel_def(s, inst->res[0]), (mreg)position);
                } else if (position >= ABI_REG_WORDS && pass == 1) {
                    struct mir_inst *load = isel_emit(s, MIR_LDARG);
                    load->dst[0] = isel_def(s, inst->res[0]);
                    load->imm = position - ABI_REG_WORDS;
                }
            }
}

static void select_block(struct isel *s, struct ir_block *b) {
    s->ir_block = b;
    s->here = s->block[b->id];
    for (struct ir_inst *inst = b->last; inst; inst = inst->prev) {
        s->place = s->here->first;
        select_inst(s, inst);
    }
    select_head(s, b);
}

/* Each phi needs a second register, which its res[1] names: the one that predecessors write. */
static void name_phis(struct isel *s) {
    struct ir_fn *fn = s->fn;
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first; inst && inst->op == IR_PHI;
             inst = inst->next)
            inst->res[1] = fn->nvalues++;
}

static void count_uses(struct isel *s) {
    struct ir_fn *fn = s->fn;
    for (uint32_t i = 0; i < fn->norder; i++)
        for (struct ir_inst *inst = fn->order[i]->first; inst; inst = inst->next)
            for (uint32_t a = 0; a < inst->nargs; a++)
                s->uses[inst->args[a]]++;
}

/* r9 may serve for other values where nothing in the function needs the arena. */
static bool needs_arena(const struct mir_fn *out) {
    for (uint32_t i = 0; i < out->nblocks; i++)
        for (const struct mir_inst *inst = out->blocks[i]->first; inst; inst = inst->next) {
            if (inst->clobbers || inst->op == MIR_TAILJUMP)
                return true;
            for (int k = 0; k < MIR_MAX_SRC; k++)
                if (inst->src[k] == MREG_R9)
                    return true;
        }
    return false;
}

struct mir_fn *isel(struct arena *arena, struct ir_fn *fn, const struct fn_abi *own,
                    const struct arena_layout *layout) {
    assert(fn->level == IR_LEVEL_32);
    ir_analyze(fn);
    struct mir_fn *out = arena_alloc(arena, sizeof(*out));
    out->arena = arena;
    out->name = fn->name;
    out->nregs = MREG_VIRTUAL;
    out->bpf_stack = fn->stack;
    out->nblocks = fn->norder;
    out->blocks = arena_alloc_array(arena, fn->norder, sizeof(*out->blocks));
    struct isel s = {.fn = fn, .out = out, .own = own, .layout = layout, .insn = IR_NO_INSN};
    name_phis(&s);
    s.uses = arena_alloc_array(arena, fn->nvalues, sizeof(*s.uses));
    s.reg = arena_alloc_array(arena, fn->nvalues, sizeof(*s.reg));
    memset(s.reg, 0xff, fn->nvalues * sizeof(*s.reg));
    s.block = arena_alloc_array(arena, fn->nblocks, sizeof(*s.block));
    s.hoisted = arena_alloc_array(arena, HOISTED_BUCKETS, sizeof(*s.hoisted));
    s.nhoisted = arena_alloc_array(arena, fn->nblocks, sizeof(*s.nhoisted));
    for (uint32_t i = 0; i < fn->norder; i++) {
        struct mir_block *b = arena_alloc(arena, sizeof(*b));
        b->id = i;
        b->loop_depth = fn->order[i]->loop_depth;
        out->blocks[i] = s.block[fn->order[i]->id] = b;
    }
    count_uses(&s);
    for (uint32_t i = fn->norder; i-- > 0;)
        select_block(&s, fn->order[i]);
    place_hoisted(&s);
    select_params(&s);
    mir_compute_preds(out);
    out->allocatable = 0x5fffu & ~(needs_arena(out) ? 1u << MREG_R9 : 0u);
    return out;
}
