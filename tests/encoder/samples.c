/* SPDX-License-Identifier: MIT */
/*
 * Prints instructions for the comparison with the GNU tools (tests/encoder/roundtrip):
 *
 *     encoder_samples N       N samples of every row of thumb2.def, each also inside an IT block
 *     encoder_samples words   all 16-bit words
 *
 * One line an instruction: row, halfwords in hexadecimal, text for the assembler, text of
 * t2_disasm(), separated by '|'. The row is "-" for a word that the decoder refuses. An assembler
 * text of "-" says that the assembler would choose another encoding for this text, by design of its
 * syntax.
 */
#include "encoder/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t address; /* of the next instruction */

/* Texts that mean two encodings of one width; the assembler takes the other one. */
static bool is_ambiguous(enum t2_enc enc, const struct t2_fields *f, bool in_it) {
    switch (enc) {
    case T2_ADD_IMM_T1: /* adds r0, r0, #1 is T2 */
    case T2_SUB_IMM_T1: return f->d == f->n;
    case T2_ADD_REG_T2: /* addeq r0, r1 is T1; add r0, sp has an encoding of its own */
        return in_it && f->d < 8 && f->m < 8;
    default: return false;
    }
}

/* The text of t2_disasm() with a width suffix, and branches relative to the current place. */
static void print_assembly(enum t2_enc enc, const struct t2_fields *f, const char *text) {
    const struct t2_row *row = t2_row(enc);
    size_t mnemonic = strcspn(text, "\t"), length = strcspn(text, "@");

    printf("%.*s", (int)mnemonic, text);
    if (!memchr(text, '.', mnemonic))
        printf(row->halfwords == 1 ? ".n" : ".w");
    if (!strstr(row->assembly, " o") && !strstr(row->assembly, ", o"))
        printf("%.*s", (int)(length - mnemonic), text + mnemonic);
    else if (row->op == T2_OP_CBZ || row->op == T2_OP_CBNZ)
        printf(" r%u, . + %d", f->n, f->imm + 4);
    else
        printf(" . + %d", f->imm + 4);
}

static void print_instruction(enum t2_enc enc, const struct t2_fields *f, enum t2_cond cond) {
    uint16_t code[2];
    unsigned length = t2_encode(enc, f, code);
    char text[128];

    t2_disasm(text, sizeof(text), address, enc, f, cond);
    printf(length == 1 ? "%s|%04x|" : "%s|%04x%04x|", t2_row(enc)->name, code[0], code[1]);
    if (is_ambiguous(enc, f, cond != T2_AL))
        printf("-");
    else
        print_assembly(enc, f, text);
    printf("|%s\n", text);
    address += 2 * length;
}

/* The instructions that an IT makes conditional. */
static void print_it_block(const struct t2_fields *it) {
    uint8_t state = t2_it_start(it);

    for (; state; state = t2_it_next(state))
        print_instruction(T2_NOP_T1, &(struct t2_fields){0}, t2_it_cond(state));
}

static void print_samples(unsigned count) {
    uint64_t state = 1;

    for (unsigned enc = 0; enc < T2_ENC_COUNT; enc++)
        for (unsigned i = 0; i < count; i++) {
            struct t2_fields f = fields_encodable((enum t2_enc)enc, false, &state);
            print_instruction((enum t2_enc)enc, &f, T2_AL);
            if (enc == T2_IT_T1)
                print_it_block(&f);
            if (t2_row((enum t2_enc)enc)->rules & T2_NOT_IN_IT)
                continue;
            struct t2_fields it = {.cond = (uint8_t)random_below(&state, T2_AL), .imm = 8};
            print_instruction(T2_IT_T1, &it, T2_AL);
            f = fields_encodable((enum t2_enc)enc, true, &state);
            print_instruction((enum t2_enc)enc, &f, (enum t2_cond)it.cond);
        }
}

/* Words that objdump takes as an IT are followed by as many NOPs as an IT may govern. */
static void print_words(void) {
    for (uint32_t word = 0; word < 0xe800; word++) {
        uint16_t code = (uint16_t)word;
        enum t2_enc enc;
        struct t2_fields f;
        unsigned length;
        char text[128];

        if (t2_decode(&code, 1, false, &enc, &f, &length)) {
            t2_disasm(text, sizeof(text), address, enc, &f, T2_AL);
            printf("%s|%04x|-|%s\n", t2_row(enc)->name, code, text);
        } else {
            printf("-|%04x|-|-\n", code);
        }
        address += 2;
        for (unsigned i = 0; word >> 8 == 0xbf && word & 15 && i < 4; i++, address += 2)
            printf("skip|bf00|-|-\n");
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "words"))
        print_words();
    else if (argc == 2 && atoi(argv[1]) > 0)
        print_samples((unsigned)atoi(argv[1]));
    else
        return fprintf(stderr, "usage: encoder_samples N|words\n"), 2;
    return 0;
}
