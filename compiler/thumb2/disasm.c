/* SPDX-License-Identifier: MIT */
/*
 * Text of an instruction, from the assembly template of its row (thumb2.def describes templates).
 */
#include "thumb2/encoding.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
    char *buf;
    size_t size, length; /* length may pass size; what is beyond is dropped */
};

static const char *const register_names[16] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                               "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};
static const char *const shift_names[] = {"lsl", "lsr", "asr", "ror", "rrx"};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...) {
    size_t used = text->length < text->size ? text->length : text->size;
    va_list args;

    va_start(args, format);
    text->length += (size_t)vsnprintf(text->buf + used, text->size - used, format, args);
    va_end(args);
}

const char *t2_cond_name(enum t2_cond cond) {
    static const char *const names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                        "hi", "ls", "ge", "lt", "gt", "le", ""};

    assert(cond <= T2_AL);
    return names[cond];
}

/*
 * The t and e of an IT: one letter per mask bit above its lowest 1, t if the bit is firstcond's bit
 * 0.
 */
static void put_it_mask(struct text *text, const struct t2_fields *f) {
    for (int bit = 3; f->imm & ((1 << bit) - 1); bit--)
        put(text, "%c", (f->imm >> bit & 1) == (f->cond & 1) ? 't' : 'e');
}

/* Up to the first space; the condition goes before the width suffix. */
static const char *put_mnemonic(struct text *text, const char *template, const struct t2_fields *f,
                                enum t2_cond cond) {
    bool cond_done = false;

    for (; *template && *template != ' '; template ++) {
        if (*template == '.') {
            put(text, "%s", t2_cond_name(cond));
            cond_done = true;
        }
        if (*template != '{') {
            put(text, "%c", *template);
            continue;
        }
        if (template[1] == 's' && f->setflags)
            put(text, "s");
        else if (template[1] == 'c')
            put(text, "%s", t2_cond_name((enum t2_cond)f->cond));
        else if (template[1] == 'x')
            put_it_mask(text, f);
        template += 2;
    }
    if (!cond_done)
        put(text, "%s", t2_cond_name(cond));
    return template;
}

static void put_list(struct text *text, uint16_t list) {
    const char *separator = "";

    put(text, "{");
    for (unsigned i = 0; i < 16; i++)
        if (list >> i & 1) {
            put(text, "%s%s", separator, register_names[i]);
            separator = ", ";
        }
    put(text, "}");
}

/* Takes back the ", " before an operand that is left out. */
static void drop_comma(struct text *text) {
    text->length -= 2;
}

static void put_operand(struct text *text, char letter, const struct t2_row *row,
                        const struct t2_fields *f, uint32_t address) {
    struct t2_fields copy = *f;

    switch (letter) {
    case 'i':
        if (row->imm == T2_IMM_EXPAND || row->imm == T2_IMM_W16)
            put(text, "#%u", (unsigned)f->imm);
        else
            put(text, "#%d", (int)f->imm);
        break;
    case 'o': put(text, "0x%x", (unsigned)(address + 4 + (uint32_t)f->imm)); break;
    case 'k':
        if (f->shift == T2_LSL && f->amount == 0)
            drop_comma(text);
        else if (f->shift == T2_RRX)
            put(text, "rrx");
        else
            put(text, "%s #%u", shift_names[f->shift], f->amount);
        break;
    case 'p': put_list(text, f->reglist); break;
    case 'b': put(text, "#%u", f->lsb); break;
    case 'w': put(text, "#%u", f->width); break;
    case 'c': put(text, "%s", f->cond == T2_AL ? "al" : t2_cond_name((enum t2_cond)f->cond)); break;
    default: put(text, "%s", register_names[*t2_register(&copy, letter) & 15]);
    }
}

/* A letter that does not belong to a word. */
static bool is_operand(const char *start, const char *p) {
    return isalpha((unsigned char)*p) && !isalnum((unsigned char)p[1]) &&
           (p == start || !isalnum((unsigned char)p[-1]));
}

static void put_operands(struct text *text, const char *template, const struct t2_row *row,
                         const struct t2_fields *f, uint32_t address) {
    for (const char *p = template; *p; p++) {
        if (!is_operand(template, p) && !(*p == '-' && p[1] == 'i')) {
            if (*p != '!' || f->index != T2_OFFSET) /* LDMIA_T1 has both */
                put(text, "%c", *p);
        } else if (*p == '-') { /* SUB of the magnitude of a negative offset */
            put(text, "#%d", -(int)f->imm);
            p++;
        } else if (*p == 'i' && f->imm == 0 && !strcmp(p, "i]")) {
            drop_comma(text); /* [r1] for [r1, #0] */
        } else {
            put_operand(text, *p, row, f, address);
        }
    }
}

/* What is relative to the pc is given as an address too. */
static void put_comment(struct text *text, const struct t2_row *row, const struct t2_fields *f,
                        uint32_t address) {
    bool literal = row->form != T2_REG && row->tie_count && row->tie[0].right == T2_PC;

    if (literal || row->op == T2_OP_ADR)
        put(text, "\t@ 0x%x", (unsigned)(((address + 4) & ~3u) + (uint32_t)f->imm));
}

size_t t2_disasm(char *buf, size_t size, uint32_t address, enum t2_enc enc,
                 const struct t2_fields *f, enum t2_cond cond) {
    const struct t2_row *row = t2_row(enc);
    struct text text = {buf, size, 0};
    const char *operands =
        put_mnemonic(&text, row->assembly, f, row->rules & T2_NO_COND ? T2_AL : cond);

    if (*operands) {
        put(&text, "\t");
        put_operands(&text, operands + 1, row, f, address);
    }
    put_comment(&text, row, f, address);
    if (size && text.length < size)
        buf[text.length] = 0;
    return text.length;
}
