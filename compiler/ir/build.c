/* SPDX-License-Identifier: MIT */
/*
 * From eBPF to SSA.
 *
 * An eBPF function has eleven variables, its registers, so that data flow over them is cheap: one
 * mask of live registers per block. Phis are placed for every live register at every join and those
 * that merge nothing are removed (phi.c); the result is pruned, and minimal where control flow is
 * reducible. Every list is walked once, however large the function.
 *
 *   1. slots reachable from the entry, and which of them start a block
 *   2. blocks and their edges
 *   3. live registers at the start of each block
 *   4. instructions, block by block in reverse post-order: the registers at the start of a block are
 *      its phis or what its only predecessor left
 *   5. phi arguments
 *
 * A 32-bit operation is written as what RFC 9669 says: truncate the operands, operate, zero-extend.
 * Later passes and legalisation see the zero high words in that. The stack pointer plus a constant
 * is one operation (FRAME) from the start, because everything about the stack asks for it.
 */
#include <assert.h>
#include <string.h>

#include "bpf/arena.h"
#include "bpf/helper.h"
#include "ir/ir.h"
#include "util/bitset.h"
#include "util/vec.h"

struct regs {
    ir_val reg[BPF_NREGS]; /* 0: not live, unknown */
};

struct builder {
    struct ir_fn *fn;
    struct arena *scratch;
    const struct program *prog;
    const struct prog_func *func;
    const struct bpf_decoded *code; /* of this function: slots below are relative to its start */
    const struct facts *facts;      /* or NULL */
    struct bitset *reached, *leader;
    struct ir_block **block_at; /* by slot of a leader */
    uint32_t *start, *end;      /* slots of a block by id: [start, end) */
    uint16_t *live;             /* by block id: registers read before written, from its start on */
    struct regs *out;           /* by block id */
    /* While instructions are made: */
    struct ir_block *block;
    struct regs now;
    uint32_t slot;
    ir_val frame; /* r10, which nothing writes: made at the entry if it is read at all */
};

/* ------------------------------------------------------------------------ 1. reachable slots */

static bool falls_through(const struct bpf_decoded *d) {
    return d->op != BPF_JA && d->op != BPF_EXIT;
}

static uint32_t target_of(const struct builder *b, uint32_t slot) {
    uint32_t target = slot + (uint32_t)b->code[slot].target;
    assert(target < b->func->len && b->code[target].len);
    return target;
}

static void find_reachable(struct builder *b) {
    VEC(uint32_t) work = {0};
    vec_push(b->scratch, &work, 0);
    bitset_set(b->leader, 0);
    while (work.count) {
        uint32_t slot = vec_pop(&work);
        while (!bitset_test(b->reached, slot)) {
            bitset_set(b->reached, slot);
            const struct bpf_decoded *d = &b->code[slot];
            if (bpf_op_is_jump(d->op)) {
                bitset_set(b->leader, target_of(b, slot));
                vec_push(b->scratch, &work, target_of(b, slot));
            }
            if (!falls_through(d))
                break;
            slot += d->len;
            assert(slot < b->func->len);
            if (bpf_op_is_jcc(d->op))
                bitset_set(b->leader, slot);
        }
    }
}

/* ------------------------------------------------------------------------ 2. blocks and edges */

/* The entry block stands apart from the code when something branches back to slot 0. */
static bool slot0_is_target(const struct builder *b) {
    bitset_for_each(slot, b->reached) {
        if (bpf_op_is_jump(b->code[slot].op) && target_of(b, (uint32_t)slot) == 0)
            return true;
    }
    return false;
}

static void make_blocks(struct builder *b) {
    uint32_t nblocks = (uint32_t)bitset_count(b->leader) + 1;
    b->start = arena_alloc_array(b->scratch, nblocks, sizeof(uint32_t));
    b->end = arena_alloc_array(b->scratch, nblocks, sizeof(uint32_t));
    if (slot0_is_target(b))
        ir_block_new(b->fn);
    bitset_for_each(slot, b->leader) {
        struct ir_block *block = b->block_at[slot] = ir_block_new(b->fn);
        uint32_t end = b->start[block->id] = (uint32_t)slot;
        bool more = true;
        while (more) {
            const struct bpf_decoded *d = &b->code[end];
            end += d->len;
            more = falls_through(d) && !bitset_test(b->leader, end);
        }
        b->end[block->id] = end;
    }
}

static uint32_t last_slot(const struct builder *b, uint32_t id) {
    uint32_t last = b->end[id] - 1;
    return b->code[last].len ? last : last - 1; /* second half of an lddw */
}

static void make_edges(struct builder *b) {
    for (uint32_t id = 0; id < b->fn->nblocks; id++) {
        struct ir_block *block = b->fn->blocks[id];
        if (b->start[id] == b->end[id]) { /* the entry that stands apart */
            ir_set_targets(b->fn, block, b->block_at[0], NULL);
            continue;
        }
        uint32_t last = last_slot(b, id);
        const struct bpf_decoded *d = &b->code[last];
        struct ir_block *next = falls_through(d) ? b->block_at[b->end[id]] : NULL;
        struct ir_block *target = bpf_op_is_jump(d->op) ? b->block_at[target_of(b, last)] : NULL;
        if (target && next && target != next)
            ir_set_targets(b->fn, block, target, next);
        else if (target || next)
            ir_set_targets(b->fn, block, target ? target : next, NULL);
    }
}

/* ------------------------------------------------------------------------ 3. live registers */

#define REG(r) (1u << (r))
#define ARG_REGS(n) ((REG(n) - 1) << BPF_R1) /* r1 to rn */

static const struct bpf_helper *helper_of(const struct bpf_decoded *d) {
    const struct bpf_helper *helper = bpf_helper_by_id((uint32_t)d->imm);
    assert(helper);
    return helper;
}

/* Registers that an instruction reads and writes. */
static void access_of(const struct bpf_decoded *d, uint16_t *reads, uint16_t *writes) {
    unsigned dst = REG(d->dst), src = REG(d->src), read = 0, write = 0;
    if (bpf_op_is_alu(d->op)) {
        write = dst;
        read = (d->op == BPF_MOV ? 0 : dst) | (d->src_reg ? src : 0);
    } else if (bpf_op_is_movsx(d->op)) {
        write = dst;
        read = src;
    } else if (bpf_op_is_end(d->op)) {
        write = read = dst;
    } else if (bpf_op_is_jcc(d->op)) {
        read = dst | (d->src_reg ? src : 0);
    } else if (bpf_op_is_atomic(d->op)) {
        bool exchange = d->op == BPF_ATOMIC_CMPXCHG;
        read = dst | src | (exchange ? REG(0) : 0);
        write = exchange ? REG(0) : bpf_atomic_fetches(d->op) ? src : 0;
    } else {
        switch (d->op) {
        case BPF_LDX:
        case BPF_LDXS: write = dst, read = src; break;
        case BPF_ST: read = dst; break;
        case BPF_STX: read = dst | src; break;
        case BPF_LDDW: write = dst; break;
        case BPF_EXIT: read = REG(0); break;
        case BPF_CALL_HELPER: write = REG(0), read = ARG_REGS(helper_of(d)->nargs); break;
        case BPF_CALL_LOCAL: write = REG(0), read = ARG_REGS(5); break;
        case BPF_CALLX: write = REG(0), read = ARG_REGS(5) | dst; break;
        default: assert(d->op == BPF_JA); break;
        }
    }
    *reads = (uint16_t)read;
    *writes = (uint16_t)write;
}

/* A block is looked at again when a successor's mask grew: at most eleven times per edge. */
static void find_live(struct builder *b) {
    uint32_t n = b->fn->nblocks;
    uint16_t *uses = arena_alloc_array(b->scratch, n, sizeof(*uses));
    uint16_t *kills = arena_alloc_array(b->scratch, n, sizeof(*kills));
    VEC(struct ir_block *) work = {0};
    for (uint32_t id = 0; id < n; id++) {
        for (uint32_t slot = b->start[id]; slot < b->end[id]; slot += b->code[slot].len) {
            uint16_t reads, writes;
            access_of(&b->code[slot], &reads, &writes);
            uses[id] |= reads & ~kills[id];
            kills[id] |= writes;
        }
        b->live[id] = uses[id];
        vec_push(b->scratch, &work, b->fn->blocks[id]);
    }
    while (work.count) {
        const struct ir_block *block = vec_pop(&work);
        uint16_t live = uses[block->id];
        for (int i = 0; i < 2 && block->target[i]; i++)
            live |= b->live[block->target[i]->id] & ~kills[block->id];
        bool grew = live & ~b->live[block->id];
        b->live[block->id] |= live;
        for (uint32_t i = 0; grew && i < block->npreds; i++)
            vec_push(b->scratch, &work, block->preds[i]);
    }
}

/* ---------------------------------------------------------------------- 4. making instructions */

static struct ir_inst *emit(struct builder *b, enum ir_op op, enum ir_type type, uint32_t nargs,
                            const ir_val *args, uint32_t nresults) {
    struct ir_inst *inst = ir_inst_new(b->fn, op, type, nargs, args, nresults, type);
    inst->insn = b->slot;
    ir_append(b->block, inst);
    return inst;
}

static ir_val emit0(struct builder *b, enum ir_op op, int64_t imm, uint32_t index) {
    struct ir_inst *inst = emit(b, op, IR_I64, 0, NULL, 1);
    inst->imm = imm;
    inst->index = index;
    return inst->res[0];
}

static ir_val emit1(struct builder *b, enum ir_op op, enum ir_type type, ir_val a) {
    return emit(b, op, type, 1, &a, 1)->res[0];
}

static ir_val emit2(struct builder *b, enum ir_op op, enum ir_type type, ir_val a, ir_val c) {
    ir_val args[] = {a, c};
    return emit(b, op, type, 2, args, 1)->res[0];
}

static ir_val constant(struct builder *b, enum ir_type type, int64_t value) {
    struct ir_inst *inst = emit(b, IR_CONST, type, 0, NULL, 1);
    inst->imm = type == IR_I32 ? (int64_t)(uint32_t)value : value;
    return inst->res[0];
}

static ir_val get(const struct builder *b, unsigned reg) {
    assert(b->now.reg[reg]);
    return b->now.reg[reg];
}

static ir_val low(struct builder *b, ir_val v) {
    return emit1(b, IR_TRUNC, IR_I32, v);
}

static ir_val zero_extended(struct builder *b, ir_val v) {
    return emit1(b, IR_ZEXT, IR_I64, v);
}

static ir_val sign_extended(struct builder *b, ir_val v) {
    return emit1(b, IR_SEXT, IR_I64, v);
}

static enum ir_type type_of_width(unsigned width) {
    return width == 64 ? IR_I64 : IR_I32;
}

/* The value of a register at a width. */
static ir_val get_as(struct builder *b, unsigned reg, enum ir_type type) {
    return type == IR_I64 ? get(b, reg) : low(b, get(b, reg));
}

/* The second operand of ALU operations and jumps. */
static ir_val operand(struct builder *b, const struct bpf_decoded *d, enum ir_type type) {
    return d->src_reg ? get_as(b, d->src, type) : constant(b, type, d->imm);
}

static enum ir_op alu_op(enum bpf_op op) {
    switch (op) {
    case BPF_ADD: return IR_ADD;
    case BPF_SUB: return IR_SUB;
    case BPF_MUL: return IR_MUL;
    case BPF_DIV: return IR_UDIV;
    case BPF_SDIV: return IR_SDIV;
    case BPF_OR: return IR_OR;
    case BPF_AND: return IR_AND;
    case BPF_LSH: return IR_SHL;
    case BPF_RSH: return IR_LSHR;
    case BPF_MOD: return IR_UMOD;
    case BPF_SMOD: return IR_SMOD;
    case BPF_XOR: return IR_XOR;
    default: assert(op == BPF_ARSH); return IR_ASHR;
    }
}

/* r10 plus or minus a constant, as one operation; 0 if it is something else. */
static ir_val frame_offset(struct builder *b, const struct bpf_decoded *d) {
    const struct ir_inst *def = b->fn->values[get(b, d->dst)].def;
    if (def->op != IR_FRAME || d->width != 64 || d->src_reg ||
        (d->op != BPF_ADD && d->op != BPF_SUB))
        return 0;
    return emit0(b, IR_FRAME, def->imm + (d->op == BPF_ADD ? d->imm : -d->imm), 0);
}

static void build_alu(struct builder *b, const struct bpf_decoded *d) {
    enum ir_type type = type_of_width(d->width);
    ir_val *dst = &b->now.reg[d->dst], result;
    if (d->op == BPF_MOV && d->width == 64) {
        *dst = operand(b, d, type);
        return;
    }
    if (d->op != BPF_MOV && (result = frame_offset(b, d))) {
        *dst = result;
        return;
    }
    if (d->op == BPF_MOV) {
        result = operand(b, d, type);
    } else if (d->op == BPF_NEG) {
        ir_val zero = constant(b, type, 0);
        result = emit2(b, IR_SUB, type, zero, get_as(b, d->dst, type));
    } else {
        ir_val a = get_as(b, d->dst, type);
        result = emit2(b, alu_op(d->op), type, a, operand(b, d, type));
    }
    *dst = d->width == 64 ? result : zero_extended(b, result);
}

static void build_movsx(struct builder *b, const struct bpf_decoded *d) {
    ir_val v = low(b, get(b, d->src));
    if (d->op == BPF_MOVSX8)
        v = emit1(b, IR_SEXT8, IR_I32, v);
    else if (d->op == BPF_MOVSX16)
        v = emit1(b, IR_SEXT16, IR_I32, v);
    b->now.reg[d->dst] = d->width == 64 ? sign_extended(b, v) : zero_extended(b, v);
}

static void build_end(struct builder *b, const struct bpf_decoded *d) {
    ir_val *dst = &b->now.reg[d->dst];
    bool swap = d->op != BPF_LE;
    if (d->width == 64) {
        if (swap)
            *dst = emit1(b, IR_BSWAP64, IR_I64, *dst);
        return;
    }
    ir_val v = low(b, get(b, d->dst));
    if (swap)
        v = emit1(b, d->width == 16 ? IR_BSWAP16 : IR_BSWAP32, IR_I32, v);
    else if (d->width == 16)
        v = emit2(b, IR_AND, IR_I32, v, constant(b, IR_I32, 0xffff));
    *dst = zero_extended(b, v);
}

static struct ir_inst *emit_memory(struct builder *b, const struct bpf_decoded *d, enum ir_op op,
                                   uint32_t nargs, const ir_val *args, uint32_t nresults) {
    struct ir_inst *inst = emit(b, op, type_of_width(d->width), nargs, args, nresults);
    inst->imm = d->off;
    inst->size = d->width / 8;
    return inst;
}

static void build_load(struct builder *b, const struct bpf_decoded *d) {
    ir_val address = get(b, d->src);
    struct ir_inst *load = emit_memory(b, d, IR_LOAD, 1, &address, 1);
    ir_val v = load->res[0];
    if (d->op == BPF_LDXS) {
        load->is_signed = d->width < 32;
        v = sign_extended(b, v);
    } else if (d->width < 64) {
        v = zero_extended(b, v);
    }
    b->now.reg[d->dst] = v;
}

static void build_store(struct builder *b, const struct bpf_decoded *d) {
    enum ir_type type = type_of_width(d->width);
    ir_val args[] = {get(b, d->dst),
                     d->op == BPF_STX ? get_as(b, d->src, type) : constant(b, type, d->imm)};
    emit_memory(b, d, IR_STORE, 2, args, 0);
}

static void build_atomic(struct builder *b, const struct bpf_decoded *d) {
    enum ir_type type = type_of_width(d->width);
    bool exchange = d->op == BPF_ATOMIC_CMPXCHG, fetches = bpf_atomic_fetches(d->op);
    ir_val source = get_as(b, d->src, type);
    ir_val args[] = {get(b, d->dst), exchange ? get_as(b, BPF_R0, type) : source, source};
    struct ir_inst *inst =
        emit_memory(b, d, exchange ? IR_CMPXCHG : IR_ATOMIC, exchange ? 3 : 2, args, fetches);
    inst->index = exchange ? 0 : d->op;
    if (fetches)
        b->now.reg[exchange ? BPF_R0 : d->src] =
            type == IR_I64 ? inst->res[0] : zero_extended(b, inst->res[0]);
}

static void build_lddw(struct builder *b, const struct bpf_decoded *d) {
    ir_val *dst = &b->now.reg[d->dst];
    uint32_t index = (uint32_t)d->imm;
    int64_t offset = (int32_t)((uint64_t)d->imm >> 32);
    switch ((enum bpf_pseudo)d->pseudo) {
    case BPF_PSEUDO_NONE: *dst = constant(b, IR_I64, d->imm); break;
    case BPF_PSEUDO_MAP: *dst = emit0(b, IR_MAP, offset, index); break;
    case BPF_PSEUDO_DATA: *dst = emit0(b, IR_DATA, offset, index); break;
    case BPF_PSEUDO_FUNC: *dst = emit0(b, IR_FUNC, 0, index); break;
    }
}

static void build_helper_call(struct builder *b, const struct bpf_decoded *d) {
    const struct bpf_helper *helper = helper_of(d);
    ir_val *r0 = &b->now.reg[BPF_R0];
    if (d->imm == BPF_FUNC_TAIL_CALL) {
        emit(b, IR_TAIL_CALL, IR_I64, 3, &b->now.reg[BPF_R1], 0);
        *r0 = constant(b, IR_I64, BPF_TAIL_CALL_FAILED);
        return;
    }
    bool result = helper->ret != BPF_RET_VOID;
    struct ir_inst *call =
        emit(b, IR_CALL_HELPER, IR_I64, helper->nargs, &b->now.reg[BPF_R1], result);
    call->index = helper->id;
    switch ((enum bpf_ret)helper->ret) {
    case BPF_RET_VOID: *r0 = constant(b, IR_I64, 0); break;
    case BPF_RET_S32: *r0 = sign_extended(b, low(b, call->res[0])); break;
    case BPF_RET_U64: *r0 = call->res[0]; break;
    case BPF_RET_U32:
    case BPF_RET_MAP_VALUE_OR_NULL:
    case BPF_RET_RINGBUF_MEM_OR_NULL: *r0 = zero_extended(b, low(b, call->res[0])); break;
    }
}

static void build_call(struct builder *b, const struct bpf_decoded *d) {
    ir_val *r0 = &b->now.reg[BPF_R0];
    if (d->op == BPF_CALL_LOCAL) {
        struct ir_inst *call = emit(b, IR_CALL_LOCAL, IR_I64, 5, &b->now.reg[BPF_R1], 1);
        call->index = program_callee(b->prog, b->slot);
        *r0 = call->res[0];
        return;
    }
    ir_val args[6] = {get(b, d->dst)};
    memcpy(args + 1, &b->now.reg[BPF_R1], 5 * sizeof(ir_val));
    *r0 = emit(b, IR_CALLX, IR_I64, 6, args, 1)->res[0];
}

/* ------------------------------------------------------------------------------------------ facts */

/* Whether v says by itself that its high word is 0, or the sign of the low one. */
static bool is_plain(const struct builder *b, ir_val v) {
    switch (b->fn->values[v].def->op) {
    case IR_CONST:
    case IR_ZEXT:
    case IR_SEXT:
    case IR_FRAME:
    case IR_DATA:
    case IR_MAP:
    case IR_FUNC: return true;
    default: return false;
    }
}

/* v, written as what the fact says of it. */
static ir_val with_fact(struct builder *b, ir_val v, const struct fact *fact) {
    if (!v || fact->kind == FACT_NONE || b->fn->values[v].def->op == IR_CONST)
        return v;
    if (fact->kind == FACT_CONST)
        return constant(b, IR_I64, (int64_t)fact->value);
    if (is_plain(b, v))
        return v;
    return fact->kind == FACT_ZEXT ? zero_extended(b, low(b, v)) : sign_extended(b, low(b, v));
}

static void use_facts_at(struct builder *b) {
    const struct fact *at = b->facts ? b->facts->at[b->slot] : NULL;
    for (unsigned reg = 0; at && reg < BPF_R10; reg++)
        b->now.reg[reg] = with_fact(b, b->now.reg[reg], &at[reg]);
}

static void use_facts_after(struct builder *b, const struct bpf_decoded *d) {
    unsigned reg = fact_register(d);
    if (b->facts && reg < BPF_R10)
        b->now.reg[reg] = with_fact(b, b->now.reg[reg], &b->facts->after[b->slot]);
}

/* What a branch compares instead, where it always goes the same way. */
static bool build_known_branch(struct builder *b) {
    enum fact_branch side = b->facts ? (enum fact_branch)b->facts->branch[b->slot] : BRANCH_EITHER;
    if (side == BRANCH_EITHER)
        return false;
    ir_val args[] = {constant(b, IR_I32, side == BRANCH_TAKEN), constant(b, IR_I32, 1)};
    emit(b, IR_BR, IR_I32, 2, args, 0)->cond = IR_COND_EQ;
    return true;
}

static enum ir_cond cond_of(enum bpf_op op) {
    switch (op) {
    case BPF_JEQ: return IR_COND_EQ;
    case BPF_JNE: return IR_COND_NE;
    case BPF_JGT: return IR_COND_UGT;
    case BPF_JGE: return IR_COND_UGE;
    case BPF_JLT: return IR_COND_ULT;
    case BPF_JLE: return IR_COND_ULE;
    case BPF_JSGT: return IR_COND_SGT;
    case BPF_JSGE: return IR_COND_SGE;
    case BPF_JSLT: return IR_COND_SLT;
    case BPF_JSLE: return IR_COND_SLE;
    default: assert(op == BPF_JSET); return IR_COND_SET;
    }
}

static void build_branch(struct builder *b, const struct bpf_decoded *d) {
    if (!b->block->target[1] || build_known_branch(b))
        return; /* both sides are the next instruction, or it is known which one */
    enum ir_type type = type_of_width(d->width);
    ir_val args[] = {get_as(b, d->dst, type), 0};
    args[1] = operand(b, d, type);
    emit(b, IR_BR, type, 2, args, 0)->cond = (uint8_t)cond_of(d->op);
}

static void build_insn(struct builder *b, const struct bpf_decoded *d) {
    if (bpf_op_is_alu(d->op))
        build_alu(b, d);
    else if (bpf_op_is_movsx(d->op))
        build_movsx(b, d);
    else if (bpf_op_is_end(d->op))
        build_end(b, d);
    else if (bpf_op_is_jcc(d->op))
        build_branch(b, d);
    else if (bpf_op_is_atomic(d->op))
        build_atomic(b, d);
    else if (d->op == BPF_LDX || d->op == BPF_LDXS)
        build_load(b, d);
    else if (d->op == BPF_ST || d->op == BPF_STX)
        build_store(b, d);
    else if (d->op == BPF_LDDW)
        build_lddw(b, d);
    else if (d->op == BPF_CALL_HELPER)
        build_helper_call(b, d);
    else if (d->op == BPF_CALL_LOCAL || d->op == BPF_CALLX)
        build_call(b, d);
    else if (d->op == BPF_EXIT)
        emit(b, IR_RET, IR_I64, 1, &b->now.reg[BPF_R0], 0);
    else
        assert(d->op == BPF_JA);
}

/* ------------------------------------------------------------------------ registers at the start */

/* Whether only the hook enters the function: then r1 (and r2 of raw) is all that is passed. */
static bool only_entered_by_hook(const struct builder *b) {
    if (b->func->entry < 0 || b->func->address_taken)
        return false;
    for (uint32_t i = 0; i < b->prog->ninsns; i++) {
        const struct bpf_decoded *d = &b->prog->decoded[i];
        if (d->len && d->op == BPF_CALL_LOCAL && i + (uint32_t)d->target == b->func->start)
            return false;
    }
    return true;
}

static ir_val entry_value(struct builder *b, unsigned reg, bool hook_only) {
    if (reg == BPF_R10)
        return emit0(b, IR_FRAME, 0, 0);
    if (reg < BPF_R1 || reg > BPF_R5)
        return constant(b, IR_I64, 0);
    if (!hook_only)
        return emit0(b, IR_PARAM, reg, 0);
    bool raw = b->prog->entries[b->func->entry].hook == BPF_HOOK_RAW;
    if (reg > BPF_R2 || (reg == BPF_R2 && !raw))
        return constant(b, IR_I64, 0);
    return zero_extended(b, low(b, emit0(b, IR_PARAM, reg, 0)));
}

static void start_entry(struct builder *b) {
    bool hook_only = only_entered_by_hook(b);
    for (unsigned reg = 0; reg < BPF_NREGS; reg++)
        b->now.reg[reg] = b->live[b->block->id] & REG(reg) ? entry_value(b, reg, hook_only) : 0;
    b->frame = b->now.reg[BPF_R10];
}

static void start_join(struct builder *b) {
    for (unsigned reg = 0; reg < BPF_R10; reg++)
        b->now.reg[reg] = b->live[b->block->id] & REG(reg)
                              ? emit(b, IR_PHI, IR_I64, b->block->npreds, NULL, 1)->res[0]
                              : 0;
    b->now.reg[BPF_R10] = b->frame;
}

static void build_block(struct builder *b, struct ir_block *block) {
    uint32_t id = block->id;
    b->block = block;
    b->slot = b->func->start + b->start[id];
    if (block->npreds == 0)
        start_entry(b);
    else if (block->npreds > 1)
        start_join(b);
    else
        b->now = b->out[block->preds[0]->id];
    use_facts_at(b);
    for (uint32_t slot = b->start[id]; slot < b->end[id]; slot += b->code[slot].len) {
        b->slot = b->func->start + slot;
        build_insn(b, &b->code[slot]);
        use_facts_after(b, &b->code[slot]);
    }
    if (block->target[0] && !block->target[1])
        emit(b, IR_JUMP, IR_VOID, 0, NULL, 0);
    b->out[id] = b->now;
}

/* Phis stand in the order of their registers, with those of live registers only. */
static void fill_phis(struct builder *b, const struct ir_block *block) {
    struct ir_inst *phi = block->first;
    for (unsigned reg = 0; reg < BPF_R10 && block->npreds > 1; reg++) {
        if (!(b->live[block->id] & REG(reg)))
            continue;
        for (uint32_t i = 0; i < block->npreds; i++)
            phi->args[i] = b->out[block->preds[i]->id].reg[reg];
        phi = phi->next;
    }
}

struct ir_fn *ir_build(struct arena *arena, const struct program *prog, uint32_t func,
                       uint32_t stack, const struct facts *facts) {
    const struct prog_func *f = &prog->funcs[func];
    struct arena *scratch = arena_new();
    struct builder b = {
        .fn = ir_fn_new(arena, prog, func, f->name),
        .scratch = scratch,
        .prog = prog,
        .func = f,
        .code = &prog->decoded[f->start],
        .facts = facts,
        .reached = bitset_new(scratch, f->len + 1),
        .leader = bitset_new(scratch, f->len + 1),
        .block_at = arena_alloc_array(scratch, f->len + 1, sizeof(struct ir_block *)),
    };
    b.fn->stack = stack;
    find_reachable(&b);
    make_blocks(&b);
    make_edges(&b);
    b.live = arena_alloc_array(scratch, b.fn->nblocks, sizeof(*b.live));
    b.out = arena_alloc_array(scratch, b.fn->nblocks, sizeof(*b.out));
    find_live(&b);
    ir_analyze(b.fn);
    for (uint32_t i = 0; i < b.fn->norder; i++)
        build_block(&b, b.fn->order[i]);
    for (uint32_t i = 0; i < b.fn->norder; i++)
        fill_phis(&b, b.fn->order[i]);
    arena_free(scratch);
    ir_simplify_phis(b.fn);
    return b.fn;
}
