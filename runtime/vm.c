/* SPDX-License-Identifier: MIT */
/*
 * The interpreter's loop: computed goto over the raw opcode, one label per opcode, generated from
 * insn.def; no decoding step, no copy of an operation per width or operand form by hand.
 *
 * On the host (PORT_CHECKED) any bytecode may come: pc, registers and every address are checked. On the
 * board the structural checks have been made by the compiler, and what a forged blob can do is
 * contained by the MPU: the interpreter runs unprivileged, inside the program's own sandbox.
 *
 * Atomics are plain: programs of one domain never run concurrently, and nobody else touches an arena
 * while they run.
 *
 * The eBPF stack lies at the low end of the arena's stack area and the C stack above it, so that
 * running out of eBPF stack leaves the region.
 */
#include "bpf/vm.h"

#include "bpf/helper.h"
#include "bpf/port.h"

#include <string.h>

/* Classes and modifiers of opcodes (RFC 9669 3.2), as far as labels need them. */
enum {
    K32 = 0x04,
    X32 = 0x0c,
    K64 = 0x07,
    X64 = 0x0f,
    JK64 = 0x05,
    JX64 = 0x0d,
    JK32 = 0x06,
    JX32 = 0x0e
};

struct frame {
    uint64_t saved[4]; /* r6 to r9 */
    const struct bpf_insn *ret;
    const struct blob_func *func;
};

struct unaligned16 {
    uint16_t v;
} __attribute__((packed));
struct unaligned32 {
    uint32_t v;
} __attribute__((packed));
struct unaligned64 {
    uint64_t v;
} __attribute__((packed));
struct unaligned8 {
    uint8_t v;
};

/* The function that starts at a slot, or NULL. Functions are sorted by start. */
static const struct blob_func *func_at(const struct blob *blob, uint32_t slot) {
    uint32_t low = 0, high = blob->header->funcs.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (blob->funcs[middle].start == slot)
            return &blob->funcs[middle];
        if (blob->funcs[middle].start < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A code pointer is the address of a function's first instruction. */
static const struct blob_func *func_of_pointer(const struct bpf_vm *vm, uint64_t pointer) {
    uint32_t base = vm->blob_addr + vm->blob->header->bytecode.off;
    uint32_t off = (uint32_t)pointer - base;
    if (pointer >> 32 || off % sizeof(struct bpf_insn))
        return NULL;
    return func_at(vm->blob, off / (uint32_t)sizeof(struct bpf_insn));
}

/* Address that a pseudo lddw stands for; false if its index is out of range. */
static bool resolve(const struct bpf_vm *vm, const struct bpf_insn *insn, uint64_t *value) {
    const struct blob *blob = vm->blob;
    uint32_t index = (uint32_t)insn->imm, offset = (uint32_t)insn[1].imm;
    switch (insn->regs >> 4) {
    case BPF_PSEUDO_NONE: *value = (uint64_t)offset << 32 | index; return true;
    case BPF_PSEUDO_MAP:
        if (index >= blob->header->maps.count)
            return false;
        *value = vm->r9 + blob->maps[index].off;
        return true;
    case BPF_PSEUDO_DATA:
        if (index >= blob->header->datas.count)
            return false;
        *value = (uint32_t)((blob->datas[index].flags & BLOB_DATA_ARENA ? vm->r9 : vm->blob_addr) +
                            blob->datas[index].off + offset);
        return true;
    case BPF_PSEUDO_FUNC:
        if (index >= blob->header->funcs.count)
            return false;
        *value = vm->blob_addr + blob->header->bytecode.off +
                 blob->funcs[index].start * (uint32_t)sizeof(struct bpf_insn);
        return true;
    default: return false;
    }
}

static bool is_callable_helper(uint64_t id) {
    return id < BPF_HELPER_INTERNAL_BASE && id != BPF_FUNC_TAIL_CALL;
}

/* ------------------------------------------------------------------------------------------ loop */

#define DST r[insn->regs & 15]
#define SRC r[insn->regs >> 4]
#define FAULT(why)                                                                                 \
    do {                                                                                           \
        vm->status = (why);                                                                        \
        goto fault;                                                                                \
    } while (0)
/* Goes on at insn. */
#define NEXT                                                                                       \
    do {                                                                                           \
        if (PORT_CHECKED && !may_execute(vm, insn))                                                \
            goto fault;                                                                            \
        goto *(&&base + labels[insn->opcode]);                                                     \
    } while (0)
#define STEP                                                                                       \
    do {                                                                                           \
        insn++;                                                                                    \
        NEXT;                                                                                      \
    } while (0)

/* A write to r10. The compiler refuses it; the stack's end is computed from r10. */
static bool writes_fp(const struct bpf_insn *insn) {
    const uint8_t class = insn->opcode & 7;
    if ((insn->regs & 15) == BPF_FP && (class <= 1 || class == 4 || class == 7))
        return true; /* lddw, loads, arithmetic */
    return (insn->opcode & 0xe7) == 0xc3 && (insn->imm & 1) && insn->imm != 0xf1 &&
           insn->regs >> 4 == BPF_FP; /* a fetching atomic */
}

/* Host only: is insn inside the bytecode, with registers that exist, and in the budget? */
static bool may_execute(struct bpf_vm *vm, const struct bpf_insn *insn) {
    const struct bpf_insn *first = vm->blob->bytecode;
    size_t count = vm->blob->header->bytecode.count;
    if ((uintptr_t)insn < (uintptr_t)first || (uintptr_t)insn >= (uintptr_t)(first + count)) {
        vm->status = BPF_FAULT_JUMP;
        return false;
    }
    bool wide = insn->opcode == 0x18;
    if ((insn->regs & 15) > BPF_R10 || insn->regs >> 4 > BPF_R10 || writes_fp(insn) ||
        (wide && insn + 1 == first + count)) {
        vm->status = BPF_FAULT_INSN;
        return false;
    }
    vm->executed++;
    if (vm->budget && vm->executed > vm->budget) {
        vm->status = BPF_FAULT_BUDGET;
        return false;
    }
    return true;
}

/* Alternatives behind one opcode, told by the offset field. */
#define ALT_NONE(form)
#define ALT_DIV(form)                                                                              \
    if (insn->off)                                                                                 \
        goto L_SDIV_##form;
#define ALT_MOD(form)                                                                              \
    if (insn->off)                                                                                 \
        goto L_SMOD_##form;
#define ALT_MOV(form)                                                                              \
    if (insn->off)                                                                                 \
        goto L_MOVSX_##form;
#define ALT_ADD ALT_NONE
#define ALT_SUB ALT_NONE
#define ALT_MUL ALT_NONE
#define ALT_SDIV ALT_NONE
#define ALT_OR ALT_NONE
#define ALT_AND ALT_NONE
#define ALT_LSH ALT_NONE
#define ALT_RSH ALT_NONE
#define ALT_SMOD ALT_NONE
#define ALT_XOR ALT_NONE
#define ALT_ARSH ALT_NONE

#define ALU_FORM(NAME, form, utype, stype, operand, expr)                                          \
    L_##NAME##_##form : ALT_##NAME(form) {                                                         \
        const unsigned w = 8 * sizeof(utype);                                                      \
        utype a = (utype)DST, b = (utype)(operand);                                                \
        stype sa = (stype)a, sb = (stype)b;                                                        \
        (void)w, (void)a, (void)b, (void)sa, (void)sb;                                             \
        DST = (utype)(expr);                                                                       \
        STEP;                                                                                      \
    }

#define JCC_FORM(NAME, form, utype, stype, operand, expr)                                          \
    L_##NAME##_##form : {                                                                          \
        utype a = (utype)DST, b = (utype)(operand);                                                \
        stype sa = (stype)a, sb = (stype)b;                                                        \
        (void)sa, (void)sb;                                                                        \
        if (expr)                                                                                  \
            insn += insn->off;                                                                     \
        STEP;                                                                                      \
    }

#define ACCESS(pointer, type, address, write)                                                      \
    type *pointer = port_guest(vm, (uint32_t)(address), sizeof(type), write);                      \
    if (PORT_CHECKED && !pointer) {                                                                \
        vm->fault_addr = (uint32_t)(address);                                                      \
        FAULT(write ? BPF_FAULT_WRITE : BPF_FAULT_READ);                                           \
    }

#define LOAD_FORM(label, utype, vtype)                                                             \
    label : {                                                                                      \
        ACCESS(p, utype, SRC + (uint64_t)insn->off, false)                                         \
        DST = (uint64_t)(vtype)p->v;                                                               \
        STEP;                                                                                      \
    }

#define STORE_FORM(label, utype, value)                                                            \
    label : {                                                                                      \
        ACCESS(p, utype, DST + (uint64_t)insn->off, true)                                          \
        p->v = (__typeof__(p->v))(value);                                                          \
        STEP;                                                                                      \
    }

/* One case of the atomic operations at a width. */
#define BPF_ATOMIC_CASE(imm, fetches, expr)                                                        \
    case imm:                                                                                      \
        p->v = (__typeof__(old))(expr);                                                            \
        if ((imm) == 0xf1)                                                                         \
            r[0] = old;                                                                            \
        else if (fetches)                                                                          \
            SRC = old;                                                                             \
        break;

static enum bpf_status loop(struct bpf_vm *vm, const struct blob_func *func, uint64_t r[11]);

bool bpf_vm_callback(struct bpf_vm *vm, uint64_t fn, const uint64_t args[5], uint64_t *result) {
    const struct blob_func *func = func_of_pointer(vm, fn);
    uint64_t r[BPF_NREGS] = {0};
    if (!func || vm->depth >= BPF_FRAMES_MAX) {
        vm->status = func ? BPF_FAULT_STACK : BPF_FAULT_CALL;
        return false;
    }
    memcpy(&r[1], args, 5 * sizeof(*args));
    r[BPF_FP] = vm->stack;
    if (loop(vm, func, r) != BPF_OK)
        return false;
    *result = r[0];
    return true;
}

enum bpf_status bpf_vm_run(struct bpf_vm *vm, uint32_t program, uint64_t ctx, uint64_t len,
                           uint64_t *r0) {
    const struct blob_program *p = &vm->blob->programs[program];
    uint64_t r[BPF_NREGS] = {0};
    r[1] = ctx;
    r[2] = len;
    vm->status = BPF_OK;
    vm->fault_slot = BLOB_NONE;
    vm->depth = 0;
    vm->arena->tail_calls = 0;
    vm->stack = vm->arena->base + p->stack_bpf;
    r[BPF_FP] = vm->stack;
    enum bpf_status status = loop(vm, &vm->blob->funcs[p->func], r);
    *r0 = r[0];
    return status;
}

static enum bpf_status loop(struct bpf_vm *vm, const struct blob_func *func, uint64_t r[11]) {
#define ENTRY(opcode, label) [opcode] = (port_label)(&&label - &&base),
#define ENTRY_0(NAME, code)                                                                        \
    ENTRY(code | K32, L_##NAME##_K32)                                                              \
    ENTRY(code | X32, L_##NAME##_X32)                                                              \
    ENTRY(code | K64, L_##NAME##_K64) ENTRY(code | X64, L_##NAME##_X64)
#define ENTRY_1(NAME, code)
    static const port_label labels[256] = {
#define BPF_ALU(NAME, code, off, ...) ENTRY_##off(NAME, code)
#define BPF_ALU1(NAME, code, ...)                                                                  \
    ENTRY(code | K32, L_##NAME##_K32) ENTRY(code | K64, L_##NAME##_K64)
#define BPF_END(NAME, class, source, ...) ENTRY(0xd0 | class | source, L_##NAME)
#define BPF_JCC(NAME, code, ...)                                                                   \
    ENTRY(code | JK64, L_##NAME##_K64)                                                             \
    ENTRY(code | JX64, L_##NAME##_X64)                                                             \
    ENTRY(code | JK32, L_##NAME##_K32) ENTRY(code | JX32, L_##NAME##_X32)
#define BPF_SIZE(NAME, code, bytes, letter)                                                        \
    ENTRY(0x61 | code, L_LDX_##NAME)                                                               \
    ENTRY(0x62 | code, L_ST_##NAME) ENTRY(0x63 | code, L_STX_##NAME)
#include "bpf/insn.def"
        ENTRY(0x81, L_LDXS_W) ENTRY(0x89, L_LDXS_H) ENTRY(0x91, L_LDXS_B) ENTRY(0xc3, L_ATOMIC_W)
            ENTRY(0xdb, L_ATOMIC_DW) ENTRY(0x18, L_LDDW) ENTRY(0x05, L_JA) ENTRY(0x06, L_GOTOL)
                ENTRY(0x85, L_CALL) ENTRY(0x8d, L_CALLX) ENTRY(0x95, L_EXIT)};
    struct frame frames[BPF_FRAMES_MAX];
    const struct bpf_insn *insn = vm->blob->bytecode + func->start;
    const uint32_t outer = vm->depth;
    uint64_t target;
    if (vm->depth++ >= BPF_FRAMES_MAX)
        FAULT(BPF_FAULT_STACK);
    vm->stack = (uint32_t)r[BPF_FP] - func->stack;
    NEXT;

base: /* opcodes without a label come here */
    FAULT(BPF_FAULT_INSN);

#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr)                            \
    ALU_FORM(NAME, K32, uint32_t, int32_t, insn->imm, expr)                                        \
    ALU_FORM(NAME, X32, uint32_t, int32_t, SRC, expr)                                              \
    ALU_FORM(NAME, K64, uint64_t, int64_t, (int64_t)insn->imm, expr)                               \
    ALU_FORM(NAME, X64, uint64_t, int64_t, SRC, expr)
#define ALT_NEG ALT_NONE
#define BPF_ALU1(NAME, code, off, group, widths, mnemonic, symbol, expr)                           \
    ALU_FORM(NAME, K32, uint32_t, int32_t, 0, expr)                                                \
    ALU_FORM(NAME, K64, uint64_t, int64_t, 0, expr)
#include "bpf/insn.def"

L_MOVSX_K32:
L_MOVSX_K64:
    FAULT(BPF_FAULT_INSN);
L_MOVSX_X32:
L_MOVSX_X64 : {
    uint64_t b = SRC, value;
    switch (insn->off) {
#define BPF_MOVSX(NAME, bits, widths, mnemonic, expr)                                              \
    case bits:                                                                                     \
        value = (expr);                                                                            \
        break;
#include "bpf/insn.def"
    default: FAULT(BPF_FAULT_INSN);
    }
    DST = insn->opcode == (0xb0 | X32) ? (uint32_t)value : value;
    STEP;
}

#define BPF_END(NAME, class, source, mnemonic, swaps)                                              \
    L_##NAME : {                                                                                   \
        uint64_t a = DST;                                                                          \
        if (insn->imm == 16)                                                                       \
            DST = swaps ? __builtin_bswap16((uint16_t)a) : (uint16_t)a;                            \
        else if (insn->imm == 32)                                                                  \
            DST = swaps ? __builtin_bswap32((uint32_t)a) : (uint32_t)a;                            \
        else                                                                                       \
            DST = swaps ? __builtin_bswap64(a) : a;                                                \
        STEP;                                                                                      \
    }
#include "bpf/insn.def"

#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr)                              \
    JCC_FORM(NAME, K64, uint64_t, int64_t, (int64_t)insn->imm, expr)                               \
    JCC_FORM(NAME, X64, uint64_t, int64_t, SRC, expr)                                              \
    JCC_FORM(NAME, K32, uint32_t, int32_t, insn->imm, expr)                                        \
    JCC_FORM(NAME, X32, uint32_t, int32_t, SRC, expr)
#include "bpf/insn.def"

    LOAD_FORM(L_LDX_B, struct unaligned8, uint8_t)
    LOAD_FORM(L_LDX_H, struct unaligned16, uint16_t)
    LOAD_FORM(L_LDX_W, struct unaligned32, uint32_t)
    LOAD_FORM(L_LDX_DW, struct unaligned64, uint64_t)
    LOAD_FORM(L_LDXS_B, struct unaligned8, int8_t)
    LOAD_FORM(L_LDXS_H, struct unaligned16, int16_t)
    LOAD_FORM(L_LDXS_W, struct unaligned32, int32_t)
    STORE_FORM(L_ST_B, struct unaligned8, insn->imm)
    STORE_FORM(L_ST_H, struct unaligned16, insn->imm)
    STORE_FORM(L_ST_W, struct unaligned32, insn->imm)
    STORE_FORM(L_ST_DW, struct unaligned64, (int64_t)insn->imm)
    STORE_FORM(L_STX_B, struct unaligned8, SRC)
    STORE_FORM(L_STX_H, struct unaligned16, SRC)
    STORE_FORM(L_STX_W, struct unaligned32, SRC)
    STORE_FORM(L_STX_DW, struct unaligned64, SRC)

L_ATOMIC_W : {
    ACCESS(p, struct unaligned32, DST + (uint64_t)insn->off, true)
    uint32_t old = p->v, b = (uint32_t)SRC, c = (uint32_t)r[0];
    switch (insn->imm) {
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr) BPF_ATOMIC_CASE(imm, fetches, expr)
#include "bpf/insn.def"
    default: FAULT(BPF_FAULT_INSN);
    }
    STEP;
}
L_ATOMIC_DW : {
    ACCESS(p, struct unaligned64, DST + (uint64_t)insn->off, true)
    uint64_t old = p->v, b = SRC, c = r[0];
    switch (insn->imm) {
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr) BPF_ATOMIC_CASE(imm, fetches, expr)
#include "bpf/insn.def"
    default: FAULT(BPF_FAULT_INSN);
    }
    STEP;
}

L_LDDW:
    if (!resolve(vm, insn, &DST))
        FAULT(BPF_FAULT_INSN);
    insn++;
    STEP;
L_JA:
    insn += insn->off;
    STEP;
L_GOTOL:
    insn += insn->imm;
    STEP;

L_CALL:
    if (insn->regs >> 4 == 1) {
        target = (uint64_t)(insn + 1 + insn->imm - vm->blob->bytecode);
        const struct blob_func *callee = func_at(vm->blob, (uint32_t)target);
        if (!callee)
            FAULT(BPF_FAULT_JUMP);
        target = (uintptr_t)callee;
        goto call;
    }
    if (insn->imm == BPF_FUNC_TAIL_CALL)
        goto tail_call;
    target = (uint32_t)insn->imm;
    goto helper;

L_CALLX:
    target = DST;
    if (target < BPF_HELPER_END)
        goto helper;
    target = (uintptr_t)func_of_pointer(vm, target);
    if (!target)
        FAULT(BPF_FAULT_CALL);
    goto call;

helper:
    if (!is_callable_helper(target))
        FAULT(BPF_FAULT_CALL);
    if (!bpf_helper_call(vm, (uint32_t)target, &r[1], &r[0]))
        goto fault;
    STEP;

call : {
    if (vm->depth >= BPF_FRAMES_MAX)
        FAULT(BPF_FAULT_STACK);
    struct frame *frame = &frames[vm->depth - outer - 1];
    memcpy(frame->saved, &r[6], sizeof(frame->saved));
    frame->ret = insn + 1;
    frame->func = func;
    r[BPF_FP] -= func->stack;
    func = (const struct blob_func *)(uintptr_t)target;
    vm->depth++;
    vm->stack = (uint32_t)r[BPF_FP] - func->stack;
    insn = vm->blob->bytecode + func->start;
    NEXT;
}

tail_call : {
    const struct bpf_map *map = port_guest(vm, (uint32_t)r[2], sizeof(*map), false);
    if (PORT_CHECKED &&
        (!map || (uint32_t)r[2] % 8 || !port_guest(vm, (uint32_t)r[2], map->size, false))) {
        vm->fault_addr = (uint32_t)r[2];
        FAULT(BPF_FAULT_READ);
    }
    int32_t program =
        vm->depth == 1 ? bpf_tail_program(vm->arena, vm->blob->header, map, (uint32_t)r[3]) : -1;
    if (program < 0) {
        r[0] = (uint64_t)(int64_t)BPF_TAIL_CALL_FAILED;
        STEP;
    }
    uint64_t ctx = r[1];
    memset(r, 0, BPF_NREGS * sizeof(*r) - sizeof(*r));
    r[1] = ctx;
    /* Its need of stack is its own: nothing of the program that jumped is left there. */
    r[BPF_FP] = vm->arena->base + vm->blob->programs[program].stack_bpf;
    func = &vm->blob->funcs[vm->blob->programs[program].func];
    vm->stack = (uint32_t)r[BPF_FP] - func->stack;
    insn = vm->blob->bytecode + func->start;
    NEXT;
}

L_EXIT : {
    vm->depth--;
    if (vm->depth == outer) {
        vm->stack = (uint32_t)r[BPF_FP];
        return BPF_OK;
    }
    const struct frame *frame = &frames[vm->depth - outer - 1];
    memcpy(&r[6], frame->saved, sizeof(frame->saved));
    insn = frame->ret;
    func = frame->func;
    vm->stack = (uint32_t)r[BPF_FP];
    r[BPF_FP] += func->stack;
    NEXT;
}

fault: /* after one inside a callback, which has its own slot, it passes by here again */
    if (vm->fault_slot == BLOB_NONE)
        vm->fault_slot = (uint32_t)(insn - vm->blob->bytecode);
    return vm->status;
}
