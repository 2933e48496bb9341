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
    JX32 = 0x0e,
    SOURCE_REG = 0x08,
    ATOMIC_DW = 0xdb,
    ATOMIC_FETCH = 0x01, /* in the immediate: RFC 9669 5.3 */
    ATOMIC_CMPXCHG = 0xf1,
};

struct saved {
    uint64_t r6_to_r9[4];
};

struct frame {
    struct saved saved;
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

#define FAULT(why)                                                                                 \
    do {                                                                                           \
        vm->status = (why);                                                                        \
        goto fault;                                                                                \
    } while (0)

/*
 * From one instruction to the next. FETCH reads what its label needs; the registers' numbers are on hand
 * when it starts. On the board AHEAD does so between an operation's loads and its stores, where a load
 * costs one cycle; on the host, where it must be checked first, GO does it when all is done.
 */
#define FETCH                                                                                      \
    do {                                                                                           \
        unsigned opcode = insn->opcode;                                                            \
        regs = insn->regs;                                                                         \
        IN_ORDER;                                                                                  \
        next = labels[opcode];                                                                     \
    } while (0)
#define IN_ORDER __asm__ volatile("" : : : "memory")
#define AHEAD                                                                                      \
    do {                                                                                           \
        IN_ORDER;                                                                                  \
        insn++;                                                                                    \
        if (!PORT_CHECKED)                                                                         \
            FETCH;                                                                                 \
    } while (0)
#define GO                                                                                         \
    do {                                                                                           \
        if (PORT_CHECKED && !may_execute(vm, insn))                                                \
            goto fault;                                                                            \
        if (PORT_CHECKED)                                                                          \
            FETCH;                                                                                 \
        goto *next;                                                                                \
    } while (0)
/* Goes on at insn. */
#define NEXT                                                                                       \
    do {                                                                                           \
        if (!PORT_CHECKED)                                                                         \
            FETCH;                                                                                 \
        GO;                                                                                        \
    } while (0)
#define STEP                                                                                       \
    do {                                                                                           \
        insn++;                                                                                    \
        NEXT;                                                                                      \
    } while (0)

/* Registers by number, at a width: two bases make both halves one load or store with an index. */
typedef uint32_t __attribute__((may_alias)) word;
#define DST (regs & 15)
#define SRC (regs >> 4)
#define GET_uint32_t(n) lo[2 * (n)]
#define GET_uint64_t(n) ((uint64_t)hi[2 * (n)] << 32 | lo[2 * (n)])
#define PUT_uint32_t(n, value) (lo[2 * (n)] = (value), hi[2 * (n)] = 0)
#define PUT_uint64_t(n, value)                                                                     \
    (wide = (value), lo[2 * (n)] = (uint32_t)wide, hi[2 * (n)] = wide >> 32)

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

/* Alternatives behind one opcode, told by the offset field. MOV of a constant has none; the board, where
 * that has been checked, does not look. */
#define ALT_NONE(form)
#define ALT_SDIV(form)                                                                             \
    if (insn->off)                                                                                 \
        goto L_SDIV_##form;
#define ALT_SMOD(form)                                                                             \
    if (insn->off)                                                                                 \
        goto L_SMOD_##form;
#define ALT_MOVSX(form)                                                                            \
    if ((PORT_CHECKED || IS_REG_##form) && insn->off)                                              \
        goto L_MOVSX_##form;
#define IS_REG_K32 0
#define IS_REG_K64 0
#define IS_REG_X32 1
#define IS_REG_X64 1

#define OPERAND_K32 insn->imm
#define OPERAND_K64 insn->imm
#define OPERAND_X32 GET_uint32_t(SRC)
#define OPERAND_X64 GET_uint64_t(SRC)

#define OPERAND_ANY32 (insn->opcode & SOURCE_REG ? GET_uint32_t(SRC) : (uint32_t)insn->imm)
#define OPERAND_ANY64 (insn->opcode & SOURCE_REG ? GET_uint64_t(SRC) : (uint64_t)insn->imm)

#define ALU_FORM(NAME, form, utype, stype, operand, expr, OTHER)                                   \
    L_##NAME##_##form : ALT_##OTHER(form) {                                                        \
        const unsigned w = 8 * sizeof(utype), d = DST;                                             \
        utype a = GET_##utype(d), b = (utype)(operand);                                            \
        stype sa = (stype)a, sb = (stype)b;                                                        \
        (void)w, (void)a, (void)b, (void)sa, (void)sb;                                             \
        AHEAD;                                                                                     \
        PUT_##utype(d, (utype)(expr));                                                             \
        GO;                                                                                        \
    }

/* The forms of an operation. Divisions take so long that one piece of code serves both operands. */
#define FORMS_4(NAME, expr, OTHER)                                                                 \
    ALU_FORM(NAME, K32, uint32_t, int32_t, OPERAND_K32, expr, OTHER)                               \
    ALU_FORM(NAME, X32, uint32_t, int32_t, OPERAND_X32, expr, OTHER)                               \
    ALU_FORM(NAME, K64, uint64_t, int64_t, OPERAND_K64, expr, OTHER)                               \
    ALU_FORM(NAME, X64, uint64_t, int64_t, OPERAND_X64, expr, OTHER)
#define FORMS_2(NAME, expr, OTHER)                                                                 \
    L_##NAME##_K32 : __attribute__((unused));                                                      \
    ALU_FORM(NAME, X32, uint32_t, int32_t, OPERAND_ANY32, expr, OTHER)                             \
    L_##NAME##_K64 : __attribute__((unused));                                                      \
    ALU_FORM(NAME, X64, uint64_t, int64_t, OPERAND_ANY64, expr, OTHER)
/* Where one operand form is rare, it goes through the code of the other. */
#define FORMS_SHARED(NAME, expr, usual, rare)                                                      \
    L_##NAME##_##rare##32 : narrow = (uint32_t)OPERAND_##rare##32;                                 \
    goto L_##NAME##_32;                                                                            \
    L_##NAME##_##usual##32 : narrow = (uint32_t)OPERAND_##usual##32;                               \
    ALU_FORM(NAME, 32, uint32_t, int32_t, narrow, expr, NONE)                                      \
    L_##NAME##_##rare##64 : wide = (uint64_t)OPERAND_##rare##64;                                   \
    goto L_##NAME##_64;                                                                            \
    L_##NAME##_##usual##64 : wide = (uint64_t)OPERAND_##usual##64;                                 \
    ALU_FORM(NAME, 64, uint64_t, int64_t, wide, expr, NONE)
#define BY_CONSTANT(NAME, expr) FORMS_SHARED(NAME, expr, K, X)
#define PLAIN(NAME, expr) FORMS_4(NAME, expr, NONE)
#define FORMS_ADD PLAIN
#define FORMS_SUB(NAME, expr) FORMS_SHARED(NAME, expr, X, K) /* clang adds -constant */
#define FORMS_MUL PLAIN
#define FORMS_DIV(NAME, expr) FORMS_2(NAME, expr, SDIV)
#define FORMS_SDIV(NAME, expr) FORMS_2(NAME, expr, NONE)
#define FORMS_OR PLAIN
#define FORMS_AND PLAIN
#define FORMS_LSH BY_CONSTANT
#define FORMS_RSH BY_CONSTANT
#define FORMS_MOD(NAME, expr) FORMS_2(NAME, expr, SMOD)
#define FORMS_SMOD(NAME, expr) FORMS_2(NAME, expr, NONE)
#define FORMS_XOR PLAIN
#define FORMS_MOV(NAME, expr) FORMS_4(NAME, expr, MOVSX)
#define FORMS_ARSH BY_CONSTANT

#define JCC_FORM(NAME, form, utype, stype, operand, expr)                                          \
    L_##NAME##_##form : {                                                                          \
        utype a = GET_##utype(DST), b = (utype)(operand);                                          \
        stype sa = (stype)a, sb = (stype)b;                                                        \
        int off = insn->off;                                                                       \
        (void)sa, (void)sb;                                                                        \
        IN_ORDER;                                                                                  \
        if (expr)                                                                                  \
            insn += off;                                                                           \
        __asm__("" : "+r"(insn));                                                                  \
        STEP;                                                                                      \
    }

#define BRANCH(NAME, expr)                                                                         \
    JCC_FORM(NAME, K64, uint64_t, int64_t, OPERAND_K64, expr)                                      \
    JCC_FORM(NAME, X64, uint64_t, int64_t, OPERAND_X64, expr)                                      \
    JCC_FORM(NAME, K32, uint32_t, int32_t, OPERAND_K32, expr)                                      \
    JCC_FORM(NAME, X32, uint32_t, int32_t, OPERAND_X32, expr)
#define BRANCH_BY_CONSTANT(NAME, expr)                                                             \
    L_##NAME##_X64 : wide = OPERAND_X64;                                                           \
    goto L_##NAME##_64;                                                                            \
    L_##NAME##_K64 : wide = (uint64_t)OPERAND_K64;                                                 \
    JCC_FORM(NAME, 64, uint64_t, int64_t, wide, expr)                                              \
    L_##NAME##_X32 : narrow = OPERAND_X32;                                                         \
    goto L_##NAME##_32;                                                                            \
    L_##NAME##_K32 : narrow = (uint32_t)OPERAND_K32;                                               \
    JCC_FORM(NAME, 32, uint32_t, int32_t, narrow, expr)
#define FORMS_JEQ BRANCH
#define FORMS_JGT BRANCH
#define FORMS_JGE BRANCH
#define FORMS_JSET BRANCH_BY_CONSTANT
#define FORMS_JNE BRANCH
#define FORMS_JSGT BRANCH
#define FORMS_JSGE BRANCH
#define FORMS_JLT BRANCH
#define FORMS_JLE BRANCH
#define FORMS_JSLT BRANCH
#define FORMS_JSLE BRANCH

#define ACCESS(pointer, type, size, reg, write)                                                    \
    const uint32_t address = lo[2 * (reg)] + (uint32_t)insn->off;                                  \
    type *pointer = port_guest(vm, address, size, write);                                          \
    if (PORT_CHECKED && !pointer) {                                                                \
        vm->fault_addr = address;                                                                  \
        FAULT(write ? BPF_FAULT_WRITE : BPF_FAULT_READ);                                           \
    }

/* insn moves on after the access: where it faults, a register has to hold this instruction's address. */
#define LOAD_FORM(label, utype, vtype, rtype)                                                      \
    label : {                                                                                      \
        ACCESS(p, utype, sizeof(utype), SRC, false)                                                \
        const unsigned d = DST;                                                                    \
        vtype value = p->v;                                                                        \
                                                                                                   \
        AHEAD;                                                                                     \
        PUT_##rtype(d, (rtype)value);                                                              \
        GO;                                                                                        \
    }

#define STORE_FORM(label, utype, value)                                                            \
    label : {                                                                                      \
        ACCESS(p, utype, sizeof(utype), DST, true)                                                 \
        p->v = (__typeof__(p->v))(value);                                                          \
        STEP;                                                                                      \
    }

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
#define ENTRY(opcode, label) [opcode] = &&label,
#define ENTRY_0(NAME, code)                                                                        \
    ENTRY(code | K32, L_##NAME##_K32)                                                              \
    ENTRY(code | X32, L_##NAME##_X32)                                                              \
    ENTRY(code | K64, L_##NAME##_K64) ENTRY(code | X64, L_##NAME##_X64)
#define ENTRY_1(NAME, code)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* opcodes without a row keep the first entry */
    static const void *const labels[256] = {
        [0 ... 255] = &&unknown,
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
#pragma GCC diagnostic pop
    struct frame frames[BPF_FRAMES_MAX];
    word *const lo = (word *)r, *hi = lo + 1;
    __asm__("" : "+r"(hi)); /* keeps it in a register of its own */
    unsigned regs;
    const void *next;
    uint32_t narrow;
    uint64_t wide;
    const struct bpf_insn *insn = vm->blob->bytecode + func->start;
    const uint32_t outer = vm->depth;
    uint64_t target;
    if (vm->depth++ >= BPF_FRAMES_MAX)
        FAULT(BPF_FAULT_STACK);
    vm->stack = (uint32_t)r[BPF_FP] - func->stack;
    NEXT;

unknown:
    FAULT(BPF_FAULT_INSN);

#define BPF_ALU(NAME, code, off, group, widths, mnemonic, symbol, expr) FORMS_##NAME(NAME, expr)
#define BPF_ALU1(NAME, code, off, group, widths, mnemonic, symbol, expr)                           \
    ALU_FORM(NAME, K32, uint32_t, int32_t, 0, expr, NONE)                                          \
    ALU_FORM(NAME, K64, uint64_t, int64_t, 0, expr, NONE)
#include "bpf/insn.def"

L_MOVSX_K32:
L_MOVSX_K64:
    FAULT(BPF_FAULT_INSN);
L_MOVSX_X32:
L_MOVSX_X64 : { /* from at most 32 bits: what is above them is the sign */
    const uint32_t b = GET_uint32_t(SRC);
    int32_t value;
    switch (insn->off) {
#define BPF_MOVSX(NAME, bits, widths, mnemonic, expr)                                              \
    case bits:                                                                                     \
        value = (int32_t)(expr);                                                                   \
        break;
#include "bpf/insn.def"
    default: FAULT(BPF_FAULT_INSN);
    }
    const unsigned d = DST;
    lo[2 * d] = (uint32_t)value;
    hi[2 * d] = insn->opcode == (0xb0 | X32) ? 0 : (uint32_t)(value >> 31);
    STEP;
}

L_LE: /* truncates; the machine is little-endian */
    wide = r[DST];
    goto truncate;
L_BE:
L_BSWAP:
    wide = __builtin_bswap64(r[DST]);
    if (insn->imm != 64)
        wide = (uint32_t)(wide >> 32) >> (insn->imm == 16 ? 16 : 0);
truncate:
    if (insn->imm != 64)
        wide = insn->imm == 16 ? (uint16_t)wide : (uint32_t)wide;
    r[DST] = wide;
    STEP;

#define BPF_JCC(NAME, code, mnemonic, symbol, INVERSE, SWAPPED, expr) FORMS_##NAME(NAME, expr)
#include "bpf/insn.def"

    LOAD_FORM(L_LDX_B, struct unaligned8, uint8_t, uint32_t)
    LOAD_FORM(L_LDX_H, struct unaligned16, uint16_t, uint32_t)
    LOAD_FORM(L_LDX_W, struct unaligned32, uint32_t, uint32_t)
    LOAD_FORM(L_LDX_DW, struct unaligned64, uint64_t, uint64_t)
    LOAD_FORM(L_LDXS_B, struct unaligned8, int8_t, uint64_t)
    LOAD_FORM(L_LDXS_H, struct unaligned16, int16_t, uint64_t)
    LOAD_FORM(L_LDXS_W, struct unaligned32, int32_t, uint64_t)
    STORE_FORM(L_ST_B, struct unaligned8, insn->imm)
    STORE_FORM(L_ST_H, struct unaligned16, insn->imm)
    STORE_FORM(L_ST_W, struct unaligned32, insn->imm)
    STORE_FORM(L_ST_DW, struct unaligned64, (int64_t)insn->imm)
    STORE_FORM(L_STX_B, struct unaligned8, GET_uint32_t(SRC))
    STORE_FORM(L_STX_H, struct unaligned16, GET_uint32_t(SRC))
    STORE_FORM(L_STX_W, struct unaligned32, GET_uint32_t(SRC))
    STORE_FORM(L_STX_DW, struct unaligned64, GET_uint64_t(SRC))

L_ATOMIC_W:
L_ATOMIC_DW : { /* the width is data: these are rare */
    const bool wide_access = insn->opcode == ATOMIC_DW;
    ACCESS(p, void, wide_access ? 8 : 4, DST, true)
    struct unaligned32 *const p32 = p;
    struct unaligned64 *const p64 = p;
    const uint64_t old = wide_access ? p64->v : p32->v, b = r[SRC];
    const uint64_t c = wide_access ? r[0] : (uint32_t)r[0];
    uint64_t value;
    switch (insn->imm) {
#define BPF_ATOMIC(NAME, imm, fetches, mnemonic, expr)                                             \
    case imm:                                                                                      \
        value = (expr);                                                                            \
        break;
#include "bpf/insn.def"
    default: FAULT(BPF_FAULT_INSN);
    }
    if (wide_access)
        p64->v = value;
    else
        p32->v = (uint32_t)value;
    if (insn->imm & ATOMIC_FETCH)
        r[insn->imm == ATOMIC_CMPXCHG ? 0 : SRC] = old;
    STEP;
}

L_LDDW:
    if (!resolve(vm, insn, &r[DST]))
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
    target = r[DST];
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
    frame->saved = *(const struct saved *)&r[6];
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
    *(struct saved *)&r[6] = frame->saved;
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
