/* SPDX-License-Identifier: MIT */
/*
 * The interpreter on the host: results by hand for what is easy to get wrong, every fault with its
 * place, frames, callbacks, tail calls. What the compiler would refuse is patched into its bytecode.
 */
#include "runtime/guest.h"

#include "bpf/memmap.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEM_SIZE 64

static struct guest *guest;

static void teardown(void) {
    guest_free(guest);
}

TestSuite(vm, .fini = teardown);

static void start(const struct guest_spec *spec) {
    guest_free(guest);
    guest = guest_new(spec, &(struct compile_options){.bytecode_only = true});
    cr_assert_eq(guest_start(guest), BPF_OK);
    bpf_host_set_budget(guest->host, 1000000);
}

static enum bpf_status run(uint64_t *r0) {
    uint8_t memory[MEM_SIZE];
    for (unsigned i = 0; i < MEM_SIZE; i++)
        memory[i] = (uint8_t)(0x80 + i);
    return bpf_host_run(guest->host, 0, memory, MEM_SIZE, r0);
}

static void expect(const char *text, uint64_t expected) {
    uint64_t r0 = 0;
    start(&(struct guest_spec){.text = text, .mem_size = MEM_SIZE});
    enum bpf_status status = run(&r0);
    cr_expect_eq(status, BPF_OK, "%s: status %d", text, status);
    cr_expect_eq(r0, expected, "%s: 0x%llx, not 0x%llx", text, (unsigned long long)r0,
                 (unsigned long long)expected);
}

/* ------------------------------------------------------------------------------------- semantics */

struct binary {
    const char *op;
    uint64_t a, b, wide, narrow; /* results at 64 and 32 bits */
};

/* RFC 9669 4.1: division by 0 gives 0, a remainder by 0 leaves a; the one overflow of signed
 * division; shifts by the width or more use the low bits; 32-bit results zero-extend. */
Test(vm, binary_operations) {
    static const struct binary rows[] = {
        {"add", 0xffffffffffffffff, 1, 0, 0},
        {"add", 0xffffffff, 1, 0x100000000, 0},
        {"sub", 0, 1, 0xffffffffffffffff, 0xffffffff},
        {"sub", 0x100000000, 1, 0xffffffff, 0xffffffff},
        {"mul", 0xffffffff, 0xffffffff, 0xfffffffe00000001, 1},
        {"mul", 0x8000000000000000, 3, 0x8000000000000000, 0},
        {"div", 7, 0, 0, 0},
        {"div", 7, 0x100000000, 0, 0},
        {"div", 0xfffffffffffffffe, 2, 0x7fffffffffffffff, 0x7fffffff},
        {"mod", 0x1234567800000007, 0, 0x1234567800000007, 7},
        {"mod", 0x1234567800000007, 0x100000000, 7, 7},
        {"sdiv", 0x8000000000000000, 0xffffffffffffffff, 0x8000000000000000, 0},
        {"sdiv", 0x80000000, 0xffffffffffffffff, 0xffffffff80000000, 0x80000000},
        {"sdiv", 0xfffffffffffffff9, 2, 0xfffffffffffffffd, 0xfffffffd},
        {"sdiv", 5, 0, 0, 0},
        {"smod", 0x8000000000000000, 0xffffffffffffffff, 0, 0},
        {"smod", 0x80000000, 0xffffffffffffffff, 0, 0},
        {"smod", 0xfffffffffffffff9, 2, 0xffffffffffffffff, 0xffffffff},
        {"smod", 7, 0xfffffffffffffffe, 1, 1},
        {"smod", 0xfffffffffffffff9, 0, 0xfffffffffffffff9, 0xfffffff9},
        {"and", 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00, 0xf000f000f000f000, 0xf000f000},
        {"or", 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00, 0xfff0fff0fff0fff0, 0xfff0fff0},
        {"xor", 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0x0ff00ff0},
        {"lsh", 1, 63, 0x8000000000000000, 0x80000000},
        {"lsh", 3, 64, 3, 3},
        {"lsh", 3, 32, 0x300000000, 3},
        {"lsh", 3, 0xffffffffffffffe1, 0x600000000, 6},
        {"rsh", 0x8000000000000000, 63, 1, 0},
        {"rsh", 0x80000000, 31, 1, 1},
        {"rsh", 0x80000000, 32, 0, 0x80000000},
        {"arsh", 0x8000000000000000, 63, 0xffffffffffffffff, 0},
        {"arsh", 0x80000000, 31, 1, 0xffffffff},
        {"arsh", 0x80000000, 63, 0, 0xffffffff},
        {"mov", 0, 0xfedcba9876543210, 0xfedcba9876543210, 0x76543210},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct binary *row = &rows[i];
        char text[200];
        for (int narrow = 0; narrow < 2; narrow++) {
            snprintf(text, sizeof(text),
                     "lddw %%r0, 0x%llx\n lddw %%r3, 0x%llx\n %s%s %%r0, %%r3\n exit",
                     (unsigned long long)row->a, (unsigned long long)row->b, row->op,
                     narrow ? "32" : "");
            expect(text, narrow ? row->narrow : row->wide);
        }
    }
}

Test(vm, immediates_are_sign_extended) {
    expect("mov %r0, -1\n exit", UINT64_MAX);
    expect("mov32 %r0, -1\n exit", 0xffffffff);
    expect("mov %r0, 5\n and %r0, -2\n exit", 4);
    expect("lddw %r0, 0xffffffff00000000\n or %r0, -2147483648\n exit", 0xffffffff80000000);
    expect("lddw %r0, 0x80000000\n mov %r1, 1\n jgt %r0, -1, +1\n mov %r0, 3\n exit", 3);
    expect("mov32 %r0, -1\n jeq32 %r0, -1, +1\n mov %r0, 3\n exit", 0xffffffff);
    expect("mov32 %r0, -1\n jeq %r0, -1, +1\n mov %r0, 3\n exit", 3);
    expect("stdw [%r10-8], -2\n ldxdw %r0, [%r10-8]\n exit", (uint64_t)-2);
    expect("stdw [%r10-8], -1\n stw [%r10-8], 7\n ldxdw %r0, [%r10-8]\n exit", 0xffffffff00000007);
}

Test(vm, registers_start_at_zero) {
    expect("mov %r0, %r3\n or %r0, %r4\n or %r0, %r5\n or %r0, %r6\n or %r0, %r7\n or %r0, %r8\n"
           "or %r0, %r9\n exit",
           0);
    expect("mov %r0, %r2\n exit", MEM_SIZE);
}

Test(vm, sign_extending_moves_and_loads) {
    expect("mov %r1, 0x1ff\n movsx864 %r0, %r1\n exit", UINT64_MAX);
    expect("mov %r1, 0x1ff\n movsx832 %r0, %r1\n exit", 0xffffffff);
    expect("mov %r1, 0x18000\n movsx1664 %r0, %r1\n exit", 0xffffffffffff8000);
    expect("lddw %r1, 0x180000000\n movsx3264 %r0, %r1\n exit", 0xffffffff80000000);
    expect("ldxb %r0, [%r1+3]\n exit", 0x83);
    expect("ldxsb %r0, [%r1+3]\n exit", 0xffffffffffffff83);
    expect("ldxsh %r0, [%r1+1]\n exit", 0xffffffffffff8281);
    expect("ldxsw %r0, [%r1+1]\n exit", 0xffffffff84838281);
    expect("ldxdw %r0, [%r1+1]\n exit", 0x8887868584838281);
    expect("add %r1, 8\n ldxh %r0, [%r1-7]\n exit", 0x8281);
}

Test(vm, byte_order) {
#define LOAD "lddw %r0, 0x0123456789abcdef\n "
    expect(LOAD "le16 %r0\n exit", 0xcdef);
    expect(LOAD "le32 %r0\n exit", 0x89abcdef);
    expect(LOAD "le64 %r0\n exit", 0x0123456789abcdef);
    expect(LOAD "be16 %r0\n exit", 0xefcd);
    expect(LOAD "be32 %r0\n exit", 0xefcdab89);
    expect(LOAD "be64 %r0\n exit", 0xefcdab8967452301);
    expect(LOAD "swap16 %r0\n exit", 0xefcd);
    expect(LOAD "swap32 %r0\n exit", 0xefcdab89);
    expect(LOAD "swap64 %r0\n exit", 0xefcdab8967452301);
}

Test(vm, atomics) {
#define CELL(rest)                                                                                 \
    "lddw %r1, 0xfffffffffffffff0\n stxdw [%r10-8], %r1\n mov %r0, -16\n mov %r2, 0x31\n" rest     \
    "\n exit"
    expect(CELL("lock add [%r10-8], %r2\n ldxdw %r0, [%r10-8]"), 0x21);
    expect(CELL("lock add32 [%r10-8], %r2\n ldxdw %r0, [%r10-8]"), 0xffffffff00000021);
    expect(CELL("lock fetch add [%r10-8], %r2\n mov %r0, %r2"), 0xfffffffffffffff0);
    expect(CELL("lock fetch add32 [%r10-8], %r2\n mov %r0, %r2"), 0xfffffff0);
    expect(CELL("lock xchg [%r10-8], %r2\n ldxdw %r0, [%r10-8]"), 0x31);
    expect(CELL("lock cmpxchg [%r10-8], %r2\n ldxdw %r0, [%r10-8]"), 0x31);
    expect(CELL("lock cmpxchg [%r10-8], %r2"), 0xfffffffffffffff0);
    expect(CELL("mov %r0, 1\n lock cmpxchg [%r10-8], %r2\n ldxdw %r0, [%r10-8]"),
           0xfffffffffffffff0);
    /* only the low word is compared, and r0 becomes the old word, zero-extended */
    expect(CELL("mov32 %r0, -16\n lock cmpxchg32 [%r10-8], %r2"), 0xfffffff0);
    expect(CELL("lock cmpxchg32 [%r10-8], %r2\n ldxdw %r0, [%r10-8]"), 0xffffffff00000031);
}

Test(vm, jumps) {
    static const struct {
        const char *op;
        int equal, unsigned_less, signed_less; /* is it taken for -1 : 1 as b, and so on */
    } rows[] = {
        /*        5:5  1:-1 (unsigned less)  -1:1 (signed less) */
        {"jeq", 1, 0, 0},  {"jne", 0, 1, 1},  {"jgt", 0, 0, 1},  {"jge", 1, 0, 1},
        {"jlt", 0, 1, 0},  {"jle", 1, 1, 0},  {"jsgt", 0, 1, 0}, {"jsge", 1, 1, 0},
        {"jslt", 0, 0, 1}, {"jsle", 1, 0, 1}, {"jset", 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int k = 0; k < 6; k++) {
            static const int pairs[3][2] = {{5, 5}, {1, -1}, {-1, 1}};
            const int *p = pairs[k % 3];
            int taken = k % 3 == 0   ? rows[i].equal
                        : k % 3 == 1 ? rows[i].unsigned_less
                                     : rows[i].signed_less;
            char text[160];
            snprintf(text, sizeof(text),
                     "mov%s %%r3, %d\n mov%s %%r4, %d\n mov %%r0, 1\n %s%s %%r3, %%r4, +1\n"
                     "mov %%r0, 0\n exit",
                     k < 3 ? "" : "32", p[0], k < 3 ? "" : "32", p[1], rows[i].op,
                     k < 3 ? "" : "32");
            expect(text, (uint64_t)taken);
        }
}

/* ---------------------------------------------------------------------------------------- faults */

/* A program of 16 slots with a function at slot 8; `text` is patched over its start. */
static void fault(const char *text, enum bpf_status status, uint32_t slot, uint32_t addr) {
    uint64_t r0;
    start(&(struct guest_spec){.text = "mov %r0, 0\n mov %r6, 0\n mov %r7, 0\n mov %r8, 0\n"
                                       "mov %r9, 0\n mov %r3, 0\n call local f\n exit\n"
                                       "f: mov %r0, 0\n mov %r0, 0\n mov %r0, 0\n mov %r0, 0\n"
                                       "mov %r0, 0\n mov %r0, 0\n mov %r0, 0\n exit",
                               .mem_size = MEM_SIZE});
    guest_patch(guest, 0, text);
    cr_assert_eq(guest_start(guest), BPF_OK);
    bpf_host_set_budget(guest->host, 1000);
    enum bpf_status got = run(&r0);
    const struct bpf_vm *vm = bpf_host_vm(guest->host);
    cr_expect_eq(got, status, "%s: status %d, not %d", text, got, status);
    cr_expect_eq(vm->fault_slot, slot, "%s: slot %u, not %u", text, vm->fault_slot, slot);
    if (addr)
        cr_expect_eq(vm->fault_addr, addr, "%s: address 0x%08x", text, vm->fault_addr);
}

Test(vm, faults_of_memory) {
    fault("mov %r1, 0\n ldxb %r0, [%r1+0]\n exit", BPF_FAULT_READ, 1, 0);
    fault("mov %r1, 0\n ldxdw %r0, [%r1-1]\n exit", BPF_FAULT_READ, 1, 0xffffffff);
    fault("lddw %r1, 0x20000000\n stb [%r1+4], 0\n exit", BPF_FAULT_WRITE, 2, 0x20000004);
    fault("ldxdw %r0, [%r1+57]\n exit", BPF_FAULT_READ, 0, 0); /* 7 bytes in, one out */
    fault("stxh [%r1+63], %r0\n exit", BPF_FAULT_WRITE, 0, 0);
    fault("lddw %r1, 0x080c0000\n stb [%r1+0], 0\n exit", BPF_FAULT_WRITE, 2, 0x080c0000);
    fault("lddw %r1, 0x080c0000\n lock add [%r1+0], %r0\n exit", BPF_FAULT_WRITE, 2, 0x080c0000);
    fault("lddw %r1, 0x080bffff\n ldxh %r0, [%r1+0]\n exit", BPF_FAULT_READ, 2, 0x080bffff);
    fault("stb [%r10-1024], 0\n exit", BPF_FAULT_WRITE, 0, 0);
}

/* An address is the low 32 bits of register plus offset; a blob may be read. */
Test(vm, addresses_have_32_bits) {
    expect("lddw %r3, 0x500000000\n add %r1, %r3\n ldxb %r0, [%r1+2]\n exit", 0x82);
    expect("lddw %r1, 0x080c0000\n ldxw %r0, [%r1+0]\n exit", BLOB_MAGIC);
    expect("lddw %r1, 0xffffffff080c0000\n ldxw %r0, [%r1+0]\n exit", BLOB_MAGIC);
}

Test(vm, faults_of_control) {
    fault("ja +15\n", BPF_FAULT_JUMP, 16, 0);
    fault("ja -2\n", BPF_FAULT_JUMP, UINT32_MAX, 0);
    fault("jeq %r0, 0, +32767", BPF_FAULT_JUMP, 32768, 0);
    fault("jeq %r0, 0, -32768", BPF_FAULT_JUMP, 1u - 32768u, 0);
    fault("call local +6\n exit", BPF_FAULT_JUMP, 0, 0); /* into the middle of nothing */
    fault("call local +8\n exit", BPF_FAULT_JUMP, 0, 0); /* into the middle of f */
    fault("call local -9\n exit", BPF_FAULT_JUMP, 0, 0);
    fault("call local +7\n ja +14", BPF_FAULT_JUMP, 16, 0); /* f returns, then it leaves */
    fault("mov %r1, 0x1000\n call %r1\n exit", BPF_FAULT_CALL, 1, 0);
    fault("mov %r1, 4095\n call %r1\n exit", BPF_FAULT_CALL, 1, 0);
    fault("mov %r1, 12\n call %r1\n exit", BPF_FAULT_CALL, 1, 0);
    fault("mov %r1, -1\n call %r1\n exit", BPF_FAULT_CALL, 1, 0);
    fault("call 9999\n exit", BPF_FAULT_CALL, 0, 0);
    fault("call 2048\n exit", BPF_FAULT_CALL, 0, 0); /* the compiler's own */
    fault("call 4\n exit", BPF_FAULT_CALL, 0, 0);
    fault("call 12\n exit", BPF_FAULT_READ, 0, 0); /* tail call through r2 = 64 */
    fault("ja -1", BPF_FAULT_BUDGET, 0, 0);
    fault("call local -1", BPF_FAULT_STACK, 0, 0);
}

/* Opcodes that do not exist, registers above r10, half an lddw, writes to r10. */
Test(vm, faults_of_instructions) {
    static const struct bpf_insn bad[] = {
        {.opcode = 0x00},
        {.opcode = 0xff},
        {.opcode = 0x8e},
        {.opcode = 0x84, .regs = 0x0b},
        {.opcode = 0xb7, .regs = 0x0f},
        {.opcode = 0xbf, .regs = 0xb0},
        {.opcode = 0x18, .regs = 0x10, .imm = 1},          /* map 1 of none */
        {.opcode = 0x18, .regs = 0x20},                    /* data 0 of none */
        {.opcode = 0x18, .regs = 0x40, .imm = 2},          /* function 2 of two */
        {.opcode = 0x18, .regs = 0x50},                    /* no such pseudo */
        {.opcode = 0xb7, .regs = 10},                      /* r10 = 0 */
        {.opcode = 0x07, .regs = 10, .imm = 8},            /* r10 += 8 */
        {.opcode = 0x79, .regs = 0x1a},                    /* r10 = *r1 */
        {.opcode = 0x18, .regs = 10},                      /* r10 = 0 ll */
        {.opcode = 0xdb, .regs = 0xa1, .imm = 1},          /* fetch_add(*r1, r10) */
        {.opcode = 0xdb, .regs = 0x01, .imm = 0x77},       /* no such atomic */
        {.opcode = 0xbf, .regs = 0x10, .off = 7},          /* no such sign extension */
        {.opcode = 0xb7, .regs = 0x00, .off = 8, .imm = 1} /* sign extension of an immediate */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t r0;
        start(&(struct guest_spec){.text = "mov %r0, 0\n mov %r0, 0\n call local f\n exit\n"
                                           "f: mov %r0, 0\n exit",
                                   .mem_size = MEM_SIZE});
        guest_bytecode(guest)[0] = bad[i];
        cr_assert_eq(guest_start(guest), BPF_OK);
        enum bpf_status got = run(&r0);
        cr_expect_eq(got, BPF_FAULT_INSN, "row %zu: status %d", i, got);
        cr_expect_eq(bpf_host_vm(guest->host)->fault_slot, 0);
    }
    start(&(struct guest_spec){.text = "mov %r0, 0\n exit", .mem_size = MEM_SIZE});
    guest_bytecode(guest)[1] = (struct bpf_insn){.opcode = 0x18};
    uint64_t r0;
    cr_assert_eq(guest_start(guest), BPF_OK);
    cr_expect_eq(run(&r0), BPF_FAULT_INSN);
    cr_expect_eq(bpf_host_vm(guest->host)->fault_slot, 1);
}

Test(vm, budget_is_exact) {
    uint64_t r0;
    start(&(struct guest_spec){.text = "lddw %r0, 1\n mov %r3, 2\n exit", .mem_size = MEM_SIZE});
    bpf_host_set_budget(guest->host, 3);
    cr_expect_eq(run(&r0), BPF_OK);
    cr_expect_eq(bpf_host_vm(guest->host)->executed, 3);
    bpf_host_set_budget(guest->host, 2);
    cr_expect_eq(run(&r0), BPF_FAULT_BUDGET);
    bpf_host_set_budget(guest->host, 0);
    cr_expect_eq(run(&r0), BPF_OK);
}

/* ------------------------------------------------------------------------------- frames, callbacks */

Test(vm, calls_keep_r6_to_r9_and_have_a_stack_of_their_own) {
    expect("mov %r6, 1\n mov %r7, 2\n mov %r8, 3\n mov %r9, 4\n stdw [%r10-8], 100\n"
           "mov %r1, 7\n call local f\n"
           "add %r0, %r6\n add %r0, %r7\n add %r0, %r8\n add %r0, %r9\n ldxdw %r1, [%r10-8]\n"
           "add %r0, %r1\n exit\n"
           "f: mov %r6, 50\n mov %r7, 50\n mov %r8, 50\n mov %r9, 50\n stdw [%r10-8], 50\n"
           "mov %r0, %r1\n exit",
           117);
    /* a callee may write to its caller's frame through a pointer */
    expect("mov %r1, %r10\n add %r1, -8\n call local f\n ldxdw %r0, [%r10-8]\n exit\n"
           "f: stdw [%r1+0], 9\n mov %r0, 0\n exit",
           9);
}

Test(vm, eight_frames_and_no_more) {
    expect("call local a\n add %r0, 1\n exit\n a: call local b\n add %r0, 1\n exit\n"
           "b: call local c\n add %r0, 1\n exit\n c: call local d\n add %r0, 1\n exit\n"
           "d: call local e\n add %r0, 1\n exit\n e: call local f\n add %r0, 1\n exit\n"
           "f: call local g\n add %r0, 1\n exit\n g: mov %r0, 0\n exit",
           7);
}

/* Recursion is refused by the compiler; patched in, it gets as far as the eighth frame and no further. */
Test(vm, a_ninth_frame_is_not_entered) {
    uint64_t r0;
    start(&(struct guest_spec){
        .text = "call local a\n add %r0, 1\n exit\n a: call local b\n add %r0, 1\n exit\n"
                "b: call local c\n add %r0, 1\n exit\n c: call local d\n add %r0, 1\n exit\n"
                "d: call local e\n add %r0, 1\n exit\n e: call local f\n add %r0, 1\n exit\n"
                "f: call local g\n add %r0, 1\n exit\n"
                "g: ldxb %r0, [%r1+0]\n add %r0, 1\n stxb [%r1+0], %r0\n mov %r0, 0\n exit",
        .mem_size = MEM_SIZE});
    guest_patch(guest, 24, "call local -4\n");
    cr_assert_eq(guest_start(guest), BPF_OK);
    cr_assert_eq(run(&r0), BPF_FAULT_STACK);
    cr_assert_eq(bpf_host_vm(guest->host)->fault_slot, 24);
    cr_assert_eq(bpf_host_context(guest->host)[0], 0x80 + 1, "g was entered %d times",
                 bpf_host_context(guest->host)[0] - 0x80);
}

/* bpf_loop in bpf_loop, a context in the outer frame, r6 to r9 kept, stopping early. */
#define LOOP(count, callback)                                                                      \
    "mov %r1, " count "\n lddw %r2, func " callback                                                \
    "\n mov %r3, %r10\n add %r3, -8\n mov %r4, 0\n call 181\n"

Test(vm, nested_callbacks) {
    expect("mov %r9, 1000\n stdw [%r10-8], 0\n" LOOP(
               "5", "outer") "ldxdw %r1, [%r10-8]\n add %r0, %r1\n add %r0, %r9\n exit\n"
                             "outer: mov %r9, 7\n stxdw [%r10-16], %r2\n stdw [%r10-8], 0\n" LOOP(
                                 "10", "inner") "ldxdw %r1, [%r10-8]\n ldxdw %r2, [%r10-16]\n"
                                                "lock add [%r2+0], %r1\n mov %r0, 0\n exit\n"
                                                "inner: add %r1, 1\n lock add [%r2+0], %r1\n"
                                                "mov %r0, 0\n exit",
           5 + 5 * 55 + 1000);
    expect("stdw [%r10-8], 0\n" LOOP("5", "f") "exit\n f: mov %r0, 0\n jlt %r1, 2, +1\n"
                                               "mov %r0, 1\n exit",
           3);
    expect("stdw [%r10-8], 0\n" LOOP("0", "f") "exit\n f: mov %r0, 0\n exit", 0);
    expect("stdw [%r10-8], 0\n" LOOP("8388609", "f") "exit\n f: mov %r0, 0\n exit", (uint64_t)-7);
    expect("stdw [%r10-8], 0\n mov %r1, 1\n lddw %r2, func f\n mov %r3, 0\n mov %r4, 1\n"
           "call 181\n exit\n f: mov %r0, 0\n exit",
           (uint64_t)-22);
}

Test(vm, callbacks_count_as_frames) {
    fault("mov %r1, 3\n lddw %r2, func 0\n mov %r3, 0\n mov %r4, 0\n call 181\n exit",
          BPF_FAULT_STACK, 5, 0);
    fault("mov %r1, 3\n mov %r2, 5\n call 181\n exit", BPF_FAULT_CALL, 2, 0);
    /* a fault inside a callback ends the program */
    /* a fault inside a callback ends the program; the place is the callback's */
    fault("mov %r1, 3\n lddw %r2, func 1\n mov %r4, 0\n call 181\n exit\n exit\n exit\n"
          "stb [%r4+1], 1",
          BPF_FAULT_WRITE, 8, 1);
}

/* ------------------------------------------------------------------------------------- tail calls */

static const struct prog_map prog_array = {
    .type = BPF_MAP_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 4};

/* Entry 0 jumps to entry 1, which counts in the context and jumps to itself. */
Test(vm, tail_calls_up_to_33) {
    static const uint32_t entries[] = {0, 1};
    static const struct prog_reloc relocs[] = {
        {.kind = PROG_RELOC_PROG, .data = 0, .off = 2, .target = 1}};
    uint64_t r0;
    start(&(struct guest_spec){
        .text = "lddw %r2, map 0\n mov %r3, 2\n call 12\n mov %r0, 77\n exit\n"
                "next: stdw [%r10-512], 3\n ldxdw %r4, [%r1+0]\n add %r4, 1\n"
                "stxdw [%r1+0], %r4\n mov %r6, %r4\n lddw %r2, map 0\n mov %r3, 2\n call 12\n"
                "sub %r6, %r0\n mov %r0, %r6\n exit\n"
                "unused: lddw %r2, func next\n exit",
        .maps = &prog_array,
        .nmaps = 1,
        .relocs = relocs,
        .nrelocs = 1,
        .entries = entries,
        .nentries = 2,
        .mem_size = MEM_SIZE});
    for (int again = 0; again < 2; again++) {
        uint8_t zero[8] = {0};
        cr_assert_eq(bpf_host_run(guest->host, 0, zero, 8, &r0), BPF_OK, "fault at 0x%08x",
                     bpf_host_vm(guest->host)->fault_addr);
        cr_expect_eq(r0, 33 + 22, "%llu", (unsigned long long)r0);
        cr_expect_eq(bpf_host_context(guest->host)[0], 33);
    }
}

Test(vm, refused_tail_calls) {
    static const char *const index[] = {"0", "4", "-1", "0x7fffffff"};
    uint64_t r0;
    for (int i = 0; i < 4; i++) {
        char text[200];
        snprintf(text, sizeof(text), "lddw %%r2, map 0\n mov %%r3, %s\n call 12\n exit", index[i]);
        start(&(struct guest_spec){
            .text = text, .maps = &prog_array, .nmaps = 1, .mem_size = MEM_SIZE});
        cr_assert_eq(run(&r0), BPF_OK);
        cr_expect_eq(r0, (uint64_t)-22);
    }
}

/* Only the low word of the index counts, and not from a sub-program. */
Test(vm, tail_call_details) {
    static const struct prog_reloc relocs[] = {
        {.kind = PROG_RELOC_PROG, .data = 0, .off = 0, .target = 0}};
    uint64_t r0;
    start(&(struct guest_spec){.text = "jeq %r2, 0, done\n mov %r2, 0\n lddw %r2, map 0\n"
                                       "lddw %r3, 0x900000000\n mov %r6, 5\n call 12\n exit\n"
                                       "done: mov %r0, %r6\n add %r0, %r3\n add %r0, 9\n exit",
                               .maps = &prog_array,
                               .nmaps = 1,
                               .relocs = relocs,
                               .nrelocs = 1,
                               .mem_size = MEM_SIZE});
    cr_assert_eq(run(&r0), BPF_OK);
    cr_expect_eq(r0, 9, "the next program starts with r1 alone");
    guest_patch(guest, 0, "call 12\n");
    cr_assert_eq(guest_start(guest), BPF_OK);
    cr_expect_eq(run(&r0), BPF_FAULT_READ);
}

/* ---------------------------------------------------------------------------------------- helpers */

struct recorded {
    uint32_t id;
    uint64_t args[5];
    unsigned calls;
};

static uint64_t record(void *user, uint32_t id, const uint64_t args[5]) {
    struct recorded *r = user;
    r->id = id;
    r->calls++;
    memcpy(r->args, args, sizeof(r->args));
    return 0xfffffffe;
}

Test(vm, device_helpers_get_their_arguments) {
    struct recorded r = {0};
    uint64_t r0;
    start(&(struct guest_spec){.text = "lddw %r1, 0x100000011\n mov %r2, 34\n mov %r3, 51\n"
                                       "call 1024\n mov %r6, %r1\n exit",
                               .mem_size = MEM_SIZE});
    cr_assert_eq(run(&r0), BPF_OK);
    cr_expect_eq(r0, 0, "without a device");
    bpf_host_set_device(guest->host, record, &r);
    cr_assert_eq(run(&r0), BPF_OK);
    cr_expect_eq(r.id, 1024);
    cr_expect_eq(r.args[0], 0x100000011);
    cr_expect_eq(r.args[1], 34);
    cr_expect_eq(r0, (uint64_t)-2, "an int is sign-extended");
    start(&(struct guest_spec){.text = "call 5\n exit", .mem_size = MEM_SIZE});
    bpf_host_set_device(guest->host, record, &r);
    cr_assert_eq(run(&r0), BPF_OK);
    cr_expect_eq(r.id, 5);
    cr_expect_eq(r0, 0xfffffffe, "64 bits are taken as they are");
    cr_expect_eq(r.calls, 2);
}

Test(vm, callx_of_a_helper_and_of_a_function) {
    struct recorded r = {0};
    uint64_t r0;
    start(&(struct guest_spec){.text = "mov %r6, 1025\n mov %r1, 5\n call %r6\n exit",
                               .mem_size = MEM_SIZE});
    bpf_host_set_device(guest->host, record, &r);
    cr_assert_eq(run(&r0), BPF_OK);
    cr_expect_eq(r.id, 1025);
    cr_expect_eq(r.args[0], 5);
    expect("lddw %r6, func f\n mov %r1, 5\n call %r6\n exit\n f: mov %r0, %r1\n mul %r0, 3\n exit",
           15);
}
