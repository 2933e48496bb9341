/* SPDX-License-Identifier: MIT */
/*
 * The assembler: text, line by line, into decoded instructions with labels still open; then labels
 * are resolved and everything is encoded by bpf_encode(), which alone knows opcode bits.
 */
#include "asm/asm.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asm/asm_table.h"
#include "util/vec.h"

/* A place in the text, for messages. */
struct place {
    const char *line; /* start of the line, not terminated */
    size_t length;    /* of the line */
    unsigned number;  /* from 1 */
    unsigned column;  /* from 1 */
};

/* A parsed instruction; encoded once all labels are known. */
struct item {
    struct bpf_decoded insn; /* registers above 10 are 0 here */
    uint8_t dst, src;        /* the register fields as written, up to 15 */
    bool wants_index;        /* lddw func: the label's slot goes into imm, not a distance */
    const char *label;       /* target, or NULL */
    uint32_t slot;
    struct place place; /* of the target operand */
};

struct label {
    const char *name;
    uint32_t slot;
    struct place place;
};

struct parser {
    struct arena *arena;
    struct diag *diag;
    const char *file;
    struct place here;    /* the current line */
    const char *at, *end; /* rest of the current line, without comment */
    VEC(struct item) items;
    VEC(struct label) labels; /* sorted by name before they are looked up */
    uint32_t slots;           /* of all items */
    unsigned errors;
};

/* --- messages --------------------------------------------------------------------------------- */

static void message_at(struct parser *p, bool error, struct place place, const char *mend,
                       const char *format, va_list args) {
    char text[256], line[256];
    struct diag_loc loc = {.object = p->file,
                           .insn = -1,
                           .file = p->file,
                           .line = place.number,
                           .column = place.column,
                           .text = line};

    vsnprintf(text, sizeof(text), format, args);
    snprintf(line, sizeof(line), "%.*s", (int)place.length, place.line);
    if (error) {
        p->errors++;
        diag_error(p->diag, DIAG_INSN, &loc, mend, "%s", text);
    } else {
        diag_warn(p->diag, DIAG_INSN, &loc, mend, "%s", text);
    }
}

/* An error at a position of the current line; always false. */
__attribute__((format(printf, 4, 5))) static bool fail(struct parser *p, const char *where,
                                                       const char *mend, const char *format, ...) {
    struct place place = p->here;
    va_list args;

    place.column = (unsigned)(where - place.line) + 1;
    va_start(args, format);
    message_at(p, true, place, mend, format, args);
    va_end(args);
    return false;
}

__attribute__((format(printf, 4, 5))) static bool
fail_at(struct parser *p, struct place place, const char *mend, const char *format, ...) {
    va_list args;

    va_start(args, format);
    message_at(p, true, place, mend, format, args);
    va_end(args);
    return false;
}

__attribute__((format(printf, 4, 5))) static void warn(struct parser *p, const char *where,
                                                       const char *mend, const char *format, ...) {
    struct place place = p->here;
    va_list args;

    place.column = (unsigned)(where - place.line) + 1;
    va_start(args, format);
    message_at(p, false, place, mend, format, args);
    va_end(args);
}

/* --- words, numbers, registers ---------------------------------------------------------------- */

static void skip_blanks(struct parser *p) {
    while (p->at < p->end && isspace((unsigned char)*p->at))
        p->at++;
}

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/* The next word, "" if there is none; its start is returned. */
static const char *word(struct parser *p, size_t *length) {
    skip_blanks(p);
    const char *start = p->at;
    while (p->at < p->end && is_word(*p->at))
        p->at++;
    *length = (size_t)(p->at - start);
    return start;
}

static bool word_is(const char *text, size_t length, const char *expected) {
    return strlen(expected) == length && memcmp(text, expected, length) == 0;
}

/* Takes the word if it comes next. */
static bool accept_word(struct parser *p, const char *expected) {
    const char *back = p->at;
    size_t length;
    const char *text = word(p, &length);

    if (word_is(text, length, expected))
        return true;
    p->at = back;
    return false;
}

static bool accept(struct parser *p, char c) {
    skip_blanks(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static bool expect(struct parser *p, char c, const char *after) {
    if (accept(p, c))
        return true;
    return fail(p, p->at, NULL, "expected '%c' after %s", c, after);
}

/* A number: [+-] decimal or 0x hex. Gives sign and magnitude; blanks after the sign are allowed. */
static bool number(struct parser *p, const char *what, bool *negative, uint64_t *magnitude) {
    skip_blanks(p);
    const char *start = p->at;
    *negative = accept(p, '-');
    if (!*negative)
        accept(p, '+');

    size_t length;
    const char *digits = word(p, &length);
    bool hex = length > 2 && digits[0] == '0' && (digits[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : 10;
    uint64_t value = 0;

    if (length == 0)
        return fail(p, start, NULL, "expected %s", what);
    for (size_t i = hex ? 2 : 0; i < length; i++) {
        char c = digits[i];
        unsigned digit = isdigit((unsigned char)c)   ? (unsigned)(c - '0')
                         : isalpha((unsigned char)c) ? (unsigned)(c | 0x20) - 'a' + 10
                                                     : 99;
        if (digit >= base)
            return fail(p, start, "numbers are decimal, or hexadecimal after 0x",
                        "expected %s, found '%.*s'", what, (int)length, digits);
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return fail(p, start, NULL, "'%.*s' does not fit 64 bits", (int)length, digits);
    }
    *magnitude = value;
    return true;
}

/* A register, 0..15: %r3 or r3. */
static bool reg(struct parser *p, uint8_t *out) {
    skip_blanks(p);
    const char *start = p->at;
    accept(p, '%');
    size_t length;
    const char *text = word(p, &length);
    unsigned n = 0;

    if (length < 2 || length > 3 || text[0] != 'r')
        return fail(p, start, "registers are %r0 to %r10", "expected a register");
    for (size_t i = 1; i < length; i++)
        n = isdigit((unsigned char)text[i]) ? n * 10 + (unsigned)(text[i] - '0') : 99;
    if (n > 15)
        return fail(p, start, "registers are %r0 to %r10", "no register %.*s", (int)length, text);
    *out = (uint8_t)n;
    return true;
}

/* Whether a register comes next: %..., or r and digits. */
static bool at_register(struct parser *p) {
    skip_blanks(p);
    if (p->at < p->end && *p->at == '%')
        return true;
    return p->end - p->at >= 2 && p->at[0] == 'r' && isdigit((unsigned char)p->at[1]);
}

/* --- operands --------------------------------------------------------------------------------- */

/* A 32-bit immediate, signed or unsigned as written; the instruction sign-extends it. */
static bool imm32(struct parser *p, int64_t *out) {
    bool negative;
    uint64_t magnitude;
    skip_blanks(p);
    const char *start = p->at;

    if (!number(p, "a register or an immediate", &negative, &magnitude))
        return false;
    if (magnitude > (negative ? UINT64_C(0x80000000) : UINT64_C(0xffffffff)))
        warn(p, start, "load a 64-bit constant with lddw",
             "the immediate does not fit 32 bits; its low 32 bits are used");
    uint64_t bits = negative ? 0 - magnitude : magnitude;
    *out = (int32_t)(uint32_t)bits;
    return true;
}

static bool imm64(struct parser *p, int64_t *out) {
    bool negative;
    uint64_t magnitude;

    if (!number(p, "a constant", &negative, &magnitude))
        return false;
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

/* A signed distance or offset within [min, max]. */
static bool small(struct parser *p, const char *what, int64_t min, int64_t max, int64_t *out) {
    bool negative;
    uint64_t magnitude;
    skip_blanks(p);
    const char *start = p->at;

    if (!number(p, what, &negative, &magnitude))
        return false;
    int64_t value = (int64_t)(negative ? 0 - magnitude : magnitude);
    if (magnitude > UINT32_MAX || value < min || value > max)
        return fail(p, start, NULL, "%s must lie in %lld to %lld", what, (long long)min,
                    (long long)max);
    *out = value;
    return true;
}

/* [%r1], [%r1+8], [%r1-0x10] */
static bool memory(struct parser *p, uint8_t *base, int16_t *off) {
    int64_t value = 0;

    skip_blanks(p);
    if (!accept(p, '['))
        return fail(p, p->at, "write it as [%r1+8]", "expected a memory operand");
    if (!reg(p, base))
        return false;
    skip_blanks(p);
    if (p->at < p->end && (*p->at == '+' || *p->at == '-') &&
        !small(p, "an offset", INT16_MIN, INT16_MAX, &value))
        return false;
    *off = (int16_t)value;
    return expect(p, ']', "the memory operand");
}

/* A label, or +N or -N slots from the next instruction. */
static bool target(struct parser *p, struct item *item) {
    skip_blanks(p);
    item->place = p->here;
    item->place.column = (unsigned)(p->at - p->here.line) + 1;
    if (p->at < p->end && (*p->at == '+' || *p->at == '-')) {
        int64_t distance;
        if (!small(p, "a distance", INT32_MIN, INT32_MAX, &distance))
            return false;
        /* The wire counts from the next instruction, struct bpf_decoded from this one; both wrap. */
        item->insn.target = (int32_t)((uint32_t)distance + 1);
        return true;
    }

    size_t length;
    const char *text = word(p, &length);
    if (length == 0)
        return fail(p, text, "write a label, or +N or -N instructions", "expected a target");
    item->label = arena_printf(p->arena, "%.*s", (int)length, text);
    return true;
}

static bool reg_or_imm(struct parser *p, struct item *item) {
    if (!at_register(p))
        return imm32(p, &item->insn.imm);
    item->insn.src_reg = 1;
    return reg(p, &item->src);
}

/* --- instructions ----------------------------------------------------------------------------- */

/* call 5, call helper 5, call local label, call %r2; `call runtime 5` (BTF id) is encoded for tests
 * of its refusal: its source register field is 2, RFC 9669 4.3.1. */
static bool call(struct parser *p, struct item *item) {
    if (accept_word(p, "local")) {
        item->insn.op = BPF_CALL_LOCAL;
        return target(p, item);
    }
    if (at_register(p)) {
        item->insn.op = BPF_CALLX;
        return reg(p, &item->dst);
    }
    if (accept_word(p, "runtime"))
        item->src = 2;
    else
        accept_word(p, "helper");
    item->insn.op = BPF_CALL_HELPER;
    return imm32(p, &item->insn.imm);
}

/* lddw %r1, 0x1122334455667788; lddw %r1, map 0; data 2+16; func label (or func 7: a slot) */
static bool lddw(struct parser *p, struct item *item) {
    int64_t index = 0, offset = 0;

    item->insn.len = 2;
    if (!reg(p, &item->dst) || !expect(p, ',', "the register"))
        return false;
    if (accept_word(p, "func")) {
        item->insn.pseudo = BPF_PSEUDO_FUNC;
        skip_blanks(p);
        if (p->at < p->end && !isdigit((unsigned char)*p->at)) {
            item->wants_index = true;
            return target(p, item);
        }
    } else if (accept_word(p, "map")) {
        item->insn.pseudo = BPF_PSEUDO_MAP;
    } else if (accept_word(p, "data")) {
        item->insn.pseudo = BPF_PSEUDO_DATA;
    } else {
        return imm64(p, &item->insn.imm);
    }
    if (!small(p, "an index", 0, UINT32_MAX, &index))
        return false;
    skip_blanks(p);
    if (p->at < p->end && *p->at == '+' && !small(p, "an offset", 0, UINT32_MAX, &offset))
        return false;
    item->insn.imm = (int64_t)((uint64_t)index | (uint64_t)offset << 32);
    return true;
}

static bool control(struct parser *p, struct item *item) {
    switch (item->insn.op) {
    case BPF_JA: return target(p, item);
    case BPF_CALL_HELPER: return call(p, item);
    case BPF_CALLX: return reg(p, &item->dst);
    case BPF_LDDW: return lddw(p, item);
    default: return true; /* exit */
    }
}

static bool operands(struct parser *p, enum asm_form form, struct item *item) {
    switch (form) {
    case ASM_ALU:
        return reg(p, &item->dst) && expect(p, ',', "the register") && reg_or_imm(p, item);
    case ASM_MOVSX:
        item->insn.src_reg = 1;
        return reg(p, &item->dst) && expect(p, ',', "the register") && reg(p, &item->src);
    case ASM_ALU1:
    case ASM_END: return reg(p, &item->dst);
    case ASM_JCC:
        return reg(p, &item->dst) && expect(p, ',', "the register") && reg_or_imm(p, item) &&
               expect(p, ',', "the second operand") && target(p, item);
    case ASM_LOAD:
        return reg(p, &item->dst) && expect(p, ',', "the register") &&
               memory(p, &item->src, &item->insn.off);
    case ASM_STORE_IMM:
        return memory(p, &item->dst, &item->insn.off) && expect(p, ',', "the memory operand") &&
               imm32(p, &item->insn.imm);
    case ASM_STORE_REG:
    case ASM_ATOMIC:
        return memory(p, &item->dst, &item->insn.off) && expect(p, ',', "the memory operand") &&
               reg(p, &item->src);
    case ASM_CTRL: break;
    }
    return control(p, item);
}

/* The row of the instruction that comes next; `lock [fetch] add32` is looked up as fetch_add32. */
static const struct asm_row *mnemonic(struct parser *p, uint8_t *width) {
    size_t length;
    const char *start = word(p, &length), *text = start;
    bool atomic = word_is(text, length, "lock");
    const struct asm_row *row = NULL;

    if (atomic) {
        bool fetch = accept_word(p, "fetch");
        text = word(p, &length);
        if (fetch) {
            char *joined = arena_printf(p->arena, "fetch_%.*s", (int)length, text);
            row = asm_find(joined, strlen(joined), true, width);
        }
    }
    if (!row) /* xchg and cmpxchg always fetch, and may say so */
        row = asm_find(text, length, atomic, width);
    if (row)
        return row;

    char near[32], mend[64] = "";
    if (asm_suggest(text, length, atomic, near, sizeof(near)))
        snprintf(mend, sizeof(mend), "did you mean '%s'?", near);
    if (length == 0)
        fail(p, start, NULL,
             atomic ? "expected an operation after lock" : "expected an instruction or a label");
    else
        fail(p, text, mend[0] ? mend : NULL, "no %s '%.*s'",
             atomic ? "atomic operation" : "instruction", (int)length, text);
    return NULL;
}

/* One instruction, if the line still holds one. */
static bool statement(struct parser *p) {
    struct item item = {.insn.len = 1, .slot = p->slots};

    skip_blanks(p);
    if (p->at == p->end)
        return true;
    const struct asm_row *row = mnemonic(p, &item.insn.width);
    if (!row)
        return false;
    item.insn.op = row->op;
    if (!operands(p, row->form, &item))
        return false;
    skip_blanks(p);
    if (p->at != p->end)
        return fail(p, p->at, "one instruction a line; comments start with #",
                    "expected the end of the line");

    item.insn.dst = item.dst <= BPF_R10 ? item.dst : 0;
    item.insn.src = item.src <= BPF_R10 ? item.src : 0;
    if (row->form == ASM_CTRL && row->op != BPF_JA)
        item.insn.width = 0; /* has none */
    vec_push(p->arena, &p->items, item);
    p->slots += item.insn.len;
    return true;
}

/* Takes `name:` if the line goes on with it. */
static bool accept_label(struct parser *p) {
    const char *back = p->at;
    size_t length;
    const char *text = word(p, &length);

    skip_blanks(p);
    if (length == 0 || p->at == p->end || *p->at != ':') {
        p->at = back;
        return false;
    }
    struct label label = {
        .name = arena_printf(p->arena, "%.*s", (int)length, text),
        .slot = p->slots,
        .place = p->here,
    };
    label.place.column = (unsigned)(text - p->here.line) + 1;
    vec_push(p->arena, &p->labels, label);
    p->at++;
    return true;
}

/* Where a comment starts: #, ; or two slashes. */
static const char *comment(const char *at, const char *end) {
    for (; at < end; at++)
        if (*at == '#' || *at == ';' || (*at == '/' && at + 1 < end && at[1] == '/'))
            return at;
    return end;
}

static void lines(struct parser *p, const char *text) {
    while (*text && p->errors < ASM_MAX_ERRORS) {
        size_t length = strcspn(text, "\n");
        p->here = (struct place){.line = text, .length = length, .number = p->here.number + 1};
        p->at = text;
        p->end = comment(text, text + length);
        while (accept_label(p))
            ;
        statement(p);
        text += length + (text[length] == '\n');
    }
}

/* --- labels and encoding ---------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    const struct label *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order
                 : (x->place.number > y->place.number) - (x->place.number < y->place.number);
}

static const struct label *find_label(const struct parser *p, const char *name) {
    size_t low = 0, high = p->labels.count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(p->labels.items[middle].name, name);
        if (order == 0)
            return &p->labels.items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void sort_labels(struct parser *p) {
    if (p->labels.count)
        qsort(p->labels.items, p->labels.count, sizeof(struct label), by_name);
    for (size_t i = 1; i < p->labels.count; i++)
        if (strcmp(p->labels.items[i - 1].name, p->labels.items[i].name) == 0)
            fail_at(p, p->labels.items[i].place, "give each label a name of its own",
                    "label '%s' is already defined in line %u", p->labels.items[i].name,
                    p->labels.items[i - 1].place.number);
    if (find_label(p, "exit"))
        return;
    for (size_t i = 0; i < p->items.count; i++) {
        if (p->items.items[i].insn.op != BPF_EXIT)
            continue;
        vec_push(p->arena, &p->labels,
                 (struct label){.name = "exit", .slot = p->items.items[i].slot});
        qsort(p->labels.items, p->labels.count, sizeof(struct label), by_name);
        return;
    }
}

static bool resolve(struct parser *p, struct item *item) {
    if (item->label) {
        const struct label *label = find_label(p, item->label);
        if (!label)
            return fail_at(p, item->place, "define it as 'name:', or write +N or -N",
                           "no label '%s'", item->label);
        if (item->wants_index)
            item->insn.imm = label->slot;
        else
            item->insn.target = (int32_t)label->slot - (int32_t)item->slot;
    }
    int64_t distance = (int64_t)item->insn.target - 1;
    if (bpf_op_is_jcc(item->insn.op) && (distance < INT16_MIN || distance > INT16_MAX))
        return fail_at(p, item->place, "jump with the inverse condition over a ja",
                       "the target is %lld instructions away; conditional jumps reach 32767",
                       (long long)distance);
    return true;
}

bool asm_parse(struct arena *arena, const char *text, const char *file, struct bpf_insn **out,
               uint32_t *count, struct diag *diag) {
    struct parser p = {.arena = arena, .diag = diag, .file = file};

    lines(&p, text);
    sort_labels(&p);
    for (size_t i = 0; i < p.items.count && p.errors < ASM_MAX_ERRORS; i++)
        resolve(&p, &p.items.items[i]);
    if (p.errors)
        return false;

    *out = arena_alloc_array(arena, p.slots + 1, sizeof(**out));
    *count = p.slots;
    for (size_t i = 0; i < p.items.count; i++) {
        const struct item *item = &p.items.items[i];
        struct bpf_insn code[2];
        unsigned slots = bpf_encode(&item->insn, code);
        assert(slots == item->insn.len);
        if (item->dst > BPF_R10)
            code[0].regs = (uint8_t)((code[0].regs & 0xf0) | item->dst);
        if (item->src > BPF_R10 || item->insn.op == BPF_CALL_HELPER)
            code[0].regs = (uint8_t)((code[0].regs & 0x0f) | item->src << 4);
        memcpy(&(*out)[item->slot], code, slots * sizeof(code[0]));
    }
    return true;
}
