/* SPDX-License-Identifier: MIT */
/*
 * The disassembler, and with it the decoder, against llvm-objdump: every opcode that decodes, with several
 * registers, offsets and immediates, goes as bytes into an object that LLVM disassembles.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/insn.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_SLOTS 60000

static struct bpf_insn insns[MAX_SLOTS];
static uint32_t count;

static void add(const struct bpf_insn two[2]) {
    struct bpf_decoded d;
    if (bpf_decode(two, 2, &d) != BPF_DECODE_OK || d.pseudo ||
        d.op == BPF_CALL_LOCAL) /* objdump writes our extensions and relocations in its own ways */
        return;
    if (d.op == BPF_CALLX && two[0].imm) /* as clang-14 encodes it; LLVM 19 does not know that */
        return;
    cr_assert(count + d.len <= MAX_SLOTS);
    memcpy(&insns[count], two, d.len * sizeof(*two));
    count += d.len;
}

static void add_all(void) {
    static const uint8_t regs[] = {0x00, 0x01, 0x10, 0x21, 0xa3, 0x2a, 0x09, 0x90};
    static const int16_t offsets[] = {0, 1, 8, 16, 32, -7, 32767, -32768};
    static const int32_t imms[] = {0,    1,    16,   32,   64,   0x40, 0x41,      0x50,     0x51,
                                   0xa0, 0xa1, 0xe1, 0xf1, 1000, -1,   INT32_MIN, INT32_MAX};
    for (unsigned opcode = 0; opcode < 256; opcode++)
        for (size_t r = 0; r < COUNT(regs); r++)
            for (size_t o = 0; o < COUNT(offsets); o++)
                for (size_t i = 0; i < COUNT(imms); i++)
                    add((const struct bpf_insn[]){{(uint8_t)opcode, regs[r], offsets[o], imms[i]},
                                                  {.imm = imms[i]}});
}

static void run(const char *command) {
    cr_assert_eq(system(command), 0, "%s", command);
}

/* An object whose only section holds the instructions. */
static FILE *objdump(const char *directory) {
    char path[128], command[512];
    snprintf(path, sizeof(path), "%s/all.s", directory);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bytes;
        memcpy(&bytes, &insns[i], sizeof(bytes));
        fprintf(f, ".quad 0x%016llx\n", (unsigned long long)bytes);
    }
    fclose(f);
    snprintf(command, sizeof(command),
             "llvm-mc-19 -triple bpfel -mcpu=v4 -filetype=obj -o %s/all.o %s/all.s", directory,
             directory);
    run(command);
    snprintf(command, sizeof(command),
             "llvm-objdump-19 -d --mcpu=v4 --no-show-raw-insn --no-print-imm-hex %s/all.o",
             directory);
    f = popen(command, "r");
    cr_assert_not_null(f);
    return f;
}

/* LLVM's text in our terms: an absolute target, a constant in hexadecimal. */
static void translate(char *text, size_t size, uint32_t pc) {
    char *jump = strstr(text, "goto"), *wide = strstr(text, " ll");
    if (jump && (jump = strpbrk(jump, "+-"))) {
        uint32_t target = pc + 1 + (uint32_t)strtol(jump, NULL, 10);
        snprintf(jump, size - (size_t)(jump - text), "%u", target);
    }
    if (wide) {
        char *value = strstr(text, "= ") + 2;
        snprintf(value, size - (size_t)(value - text), "0x%llx ll",
                 (unsigned long long)strtoll(value, NULL, 10));
    }
}

Test(disasm, as_llvm_objdump_writes_it) {
    char directory[] = "/tmp/bpf2thumb-XXXXXX", line[256];
    cr_assert_not_null(mkdtemp(directory));
    add_all();
    FILE *f = objdump(directory);
    uint32_t next = 0;
    while (fgets(line, sizeof(line), f)) {
        unsigned pc;
        char theirs[256], ours[96];
        struct bpf_decoded d;
        if (sscanf(line, " %u:\t%255[^\n]", &pc, theirs) != 2)
            continue;
        cr_assert_eq(pc, next, "LLVM is at slot %u, we are at %u", pc, next);
        cr_assert_eq(bpf_decode(&insns[pc], count - pc, &d), BPF_DECODE_OK);
        size_t length = bpf_disasm(ours, sizeof(ours), &d, pc);
        cr_assert_eq(length, strlen(ours));
        translate(theirs, sizeof(theirs), pc);
        cr_expect_str_eq(ours, theirs, "slot %u, opcode %02x: '%s', LLVM '%s'", pc,
                         insns[pc].opcode, ours, theirs);
        next += d.len;
    }
    pclose(f);
    cr_assert(count > 1000 && next == count, "%u of %u slots compared", next, count);
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    run(command);
}

static void expect(const struct bpf_decoded *d, const char *text) {
    char buf[64];
    cr_assert_eq(bpf_disasm(buf, sizeof(buf), d, 100), strlen(text));
    cr_assert_str_eq(buf, text);
}

Test(disasm, what_only_we_have) {
    expect(&(struct bpf_decoded){BPF_LDDW, .dst = 1, .pseudo = BPF_PSEUDO_MAP, .imm = 2},
           "r1 = map 2 ll");
    expect(&(struct bpf_decoded){BPF_LDDW, .dst = 1, .pseudo = BPF_PSEUDO_DATA, .imm = 0x800000003},
           "r1 = data 3+8 ll");
    expect(&(struct bpf_decoded){BPF_LDDW, .dst = 1, .pseudo = BPF_PSEUDO_FUNC, .imm = 0},
           "r1 = func 0 ll");
    expect(&(struct bpf_decoded){BPF_CALL_LOCAL, .target = -40}, "call local 60");
}

/* A buffer too small holds the start; nothing is written behind it. */
Test(disasm, small_buffers) {
    const struct bpf_decoded d = {BPF_ATOMIC_CMPXCHG, 64, .dst = 1, .src = 2, .off = -8};
    const char *text = "r0 = cmpxchg_64(r1 - 8, r0, r2)";
    for (size_t size = 0; size <= strlen(text) + 1; size++) {
        char *buf = malloc(size);
        cr_assert_eq(bpf_disasm(buf, size, &d, 0), strlen(text));
        if (size)
            cr_assert_eq(strlen(buf), size - 1);
        cr_assert_eq(strncmp(buf, text, size ? size - 1 : 0), 0);
        free(buf);
    }
}
