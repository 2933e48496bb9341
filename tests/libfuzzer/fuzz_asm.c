/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: text through the eBPF assembler. What it accepts is printed instruction by instruction
 * and read again, which gives the same bytes.
 */
#include "asm/asm.h"
#include "libfuzzer/target.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096

static void print_and_read(const struct bpf_insn *insns, uint32_t count, struct arena *arena) {
    for (uint32_t i = 0; i < count;) {
        struct diag *diag = diag_new();
        struct bpf_decoded d;
        struct bpf_insn *again;
        uint32_t n;
        char text[ASM_PRINT_SIZE];

        if (bpf_decode(&insns[i], count - i, &d) != BPF_DECODE_OK) {
            diag_free(diag); /* such as r12, which tests of refusals need */
            i++;
            continue;
        }
        asm_print(&d, text, sizeof(text));
        uint32_t slots = insns[i].opcode == 0x18 ? 2 : 1;
        bool jump = strchr("\x05\x06", insns[i].opcode & 7) && insns[i].opcode != 0x95;
        /* A jump's target lies outside of a program of one instruction. */
        if (!jump && (!asm_parse(arena, text, "again", &again, &n, diag) || n != slots ||
                      memcmp(again, &insns[i], slots * sizeof(*again))))
            abort();
        diag_free(diag);
        i += slots;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char text[TEXT_MAX + 1];
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct bpf_insn *insns;
    uint32_t count;

    if (size > TEXT_MAX)
        size = TEXT_MAX;
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (asm_parse(arena, text, "fuzz", &insns, &count, diag))
        print_and_read(insns, count, arena);
    else if (!diag_has_errors(diag))
        abort();
    diag_free(diag);
    arena_free(arena);
    return 0;
}
