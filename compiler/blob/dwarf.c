/* SPDX-License-Identifier: MIT */
/*
 * The least DWARF 4 (dwarfstd.org, sections 2.12, 6.2, 7.5) that lets gdb and objdump map code to
 * source lines: one compilation unit without children, and a line program of extended and standard
 * opcodes only (special opcodes would save some bytes in a file that never leaves the host).
 */
#include "blob/dwarf.h"

#include <string.h>

#include "ir/ir.h"
#include "util/vec.h"

enum { /* numbers of DWARF 4, section 7 */
       DW_TAG_COMPILE_UNIT = 0x11,
       DW_AT_NAME = 0x03,
       DW_AT_STMT_LIST = 0x10,
       DW_AT_LOW_PC = 0x11,
       DW_AT_HIGH_PC = 0x12,
       DW_AT_PRODUCER = 0x25,
       DW_FORM_ADDR = 0x01,
       DW_FORM_DATA4 = 0x06,
       DW_FORM_STRING = 0x08,
       DW_FORM_SEC_OFFSET = 0x17,
       DW_LNS_COPY = 1,
       DW_LNS_ADVANCE_PC = 2,
       DW_LNS_ADVANCE_LINE = 3,
       DW_LNS_SET_FILE = 4,
       DW_LNS_SET_COLUMN = 5,
       DW_LNE_END_SEQUENCE = 1,
       DW_LNE_SET_ADDRESS = 2,
       DWARF_VERSION = 4,
       OPCODE_BASE = 13,
};

struct bytes {
    struct arena *arena;
    VEC(uint8_t) v;
};

static void put(struct bytes *b, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        vec_push(b->arena, &b->v, (uint8_t)(value >> (8 * i)));
}

static void put_string(struct bytes *b, const char *text) {
    do
        put(b, (uint8_t)*text, 1);
    while (*text++);
}

static void put_uleb(struct bytes *b, uint64_t value) {
    for (; value >= 128; value >>= 7)
        put(b, (value & 127) | 128, 1);
    put(b, value, 1);
}

static void put_sleb(struct bytes *b, int64_t value) {
    while (value < -64 || value > 63) {
        put(b, (value & 127) | 128, 1);
        value >>= 7;
    }
    put(b, value & 127, 1);
}

/* Leaves room for a length; fix_length() fills in how many bytes followed. */
static size_t put_length(struct bytes *b) {
    put(b, 0, 4);
    return b->v.count;
}

static void fix_length(struct bytes *b, size_t start) {
    uint32_t length = (uint32_t)(b->v.count - start);
    for (unsigned i = 0; i < 4; i++)
        b->v.items[start - 4 + i] = (uint8_t)(length >> (8 * i));
}

static struct bytes abbreviations(struct arena *arena) {
    static const uint8_t attributes[][2] = {
        {DW_AT_PRODUCER, DW_FORM_STRING},      {DW_AT_NAME, DW_FORM_STRING},
        {DW_AT_STMT_LIST, DW_FORM_SEC_OFFSET}, {DW_AT_LOW_PC, DW_FORM_ADDR},
        {DW_AT_HIGH_PC, DW_FORM_DATA4},        {0, 0},
    };
    struct bytes b = {.arena = arena};
    put_uleb(&b, 1);
    put_uleb(&b, DW_TAG_COMPILE_UNIT);
    put(&b, 0, 1); /* no children */
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        put_uleb(&b, attributes[i][0]);
        put_uleb(&b, attributes[i][1]);
    }
    put(&b, 0, 1);
    return b;
}

static struct bytes unit(const struct program *prog, const struct code_unit *code) {
    struct bytes b = {.arena = prog->arena};
    size_t start = put_length(&b);
    put(&b, DWARF_VERSION, 2);
    put(&b, 0, 4); /* offset of the abbreviations */
    put(&b, 4, 1); /* bytes of an address */
    put_uleb(&b, 1);
    put_string(&b, "bpf2thumb");
    put_string(&b, prog->lines[0].file);
    put(&b, 0, 4); /* offset of the line program */
    put(&b, 0, 4); /* from 0 */
    put(&b, code->size, 4);
    fix_length(&b, start);
    return b;
}

/* ----------------------------------------------------------------------------------- line program */

struct files {
    struct arena *arena;
    VEC(const char *) names;
};

/* DWARF's number of a file, from 1. */
static uint32_t file_number(struct files *files, const char *name) {
    for (size_t i = 0; i < files->names.count; i++)
        if (strcmp(files->names.items[i], name) == 0)
            return (uint32_t)i + 1;
    vec_push(files->arena, &files->names, name);
    return (uint32_t)files->names.count;
}

static void put_line_header(struct bytes *b, const struct files *files) {
    static const uint8_t operands[OPCODE_BASE - 1] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
    put(b, DWARF_VERSION, 2);
    size_t start = put_length(b);
    put(b, 2, 1);           /* shortest instruction: addresses advance in halfwords */
    put(b, 1, 1);           /* operations per instruction */
    put(b, 1, 1);           /* is_stmt */
    put(b, (uint8_t)-5, 1); /* line_base, line_range: of special opcodes, not used */
    put(b, 14, 1);
    put(b, OPCODE_BASE, 1);
    for (size_t i = 0; i < sizeof(operands); i++)
        put(b, operands[i], 1);
    put(b, 0, 1); /* no directories: names are as clang recorded them */
    for (size_t i = 0; i < files->names.count; i++) {
        put_string(b, files->names.items[i]);
        put(b, 0, 3); /* directory, time and length: unknown */
    }
    put(b, 0, 1);
    fix_length(b, start);
}

struct line_state {
    uint32_t addr, file, line;
};

static void advance(struct bytes *b, struct line_state *s, uint32_t addr) {
    if (addr == s->addr)
        return;
    put(b, DW_LNS_ADVANCE_PC, 1);
    put_uleb(b, (addr - s->addr) / 2);
    s->addr = addr;
}

static void put_row(struct bytes *b, struct line_state *s, uint32_t addr, uint32_t file,
                    const struct prog_line *line) {
    advance(b, s, addr);
    if (file != s->file) {
        put(b, DW_LNS_SET_FILE, 1);
        put_uleb(b, file);
    }
    put(b, DW_LNS_SET_COLUMN, 1);
    put_uleb(b, line->column);
    put(b, DW_LNS_ADVANCE_LINE, 1);
    put_sleb(b, (int64_t)line->line - s->line);
    put(b, DW_LNS_COPY, 1);
    s->file = file;
    s->line = line->line;
}

static void put_slot(const struct program *prog, struct files *files, struct bytes *b,
                     struct line_state *s, const struct code_line *row) {
    const struct prog_line *line =
        row->insn == IR_NO_INSN ? NULL : program_line_at(prog, row->insn);
    if (line)
        put_row(b, s, row->addr, file_number(files, line->file), line);
}

/* Where functions begin, a row of its own, with the line of the first instruction that has one: saving
 * registers stems from no eBPF instruction, and must not seem to belong to the function before. */
static const struct prog_line *first_line(const struct program *prog, const struct code_unit *code,
                                          const struct code_func *func) {
    vec_for_each(const struct code_line, row, &code->lines)
        if (row->addr >= func->addr && row->addr < func->addr + func->size &&
            row->insn != IR_NO_INSN)
            return program_line_at(prog, row->insn);
    return NULL;
}

static struct bytes lines(const struct program *prog, const struct code_unit *code) {
    struct files files = {.arena = prog->arena};
    for (uint32_t i = 0; i < prog->nlines; i++)
        file_number(&files, prog->lines[i].file);
    struct bytes b = {.arena = prog->arena};
    size_t start = put_length(&b);
    put_line_header(&b, &files);
    put(&b, 0, 1);
    put_uleb(&b, 5);
    put(&b, DW_LNE_SET_ADDRESS, 1);
    put(&b, 0, 4);
    struct line_state s = {.file = 1, .line = 1};
    size_t next = 0; /* row of code->lines */
    vec_for_each(const struct code_func, func, &code->funcs) {
        const struct prog_line *first = first_line(prog, code, func);
        if (first)
            put_row(&b, &s, func->addr, file_number(&files, first->file), first);
        for (uint32_t end = func->addr + func->size;
             next < code->lines.count && code->lines.items[next].addr < end; next++)
            put_slot(prog, &files, &b, &s, &code->lines.items[next]);
        advance(&b, &s, func->addr + func->size);
    }
    put(&b, 0, 1);
    put_uleb(&b, 1);
    put(&b, DW_LNE_END_SEQUENCE, 1);
    fix_length(&b, start);
    return b;
}

bool dwarf_sections(const struct program *prog, const struct code_unit *code,
                    struct dwarf_section out[DWARF_SECTIONS]) {
    if (!prog->nlines)
        return false;
    struct bytes b[DWARF_SECTIONS] = {abbreviations(prog->arena), unit(prog, code),
                                      lines(prog, code)};
    static const char *const names[] = {".debug_abbrev", ".debug_info", ".debug_line"};
    for (int i = 0; i < DWARF_SECTIONS; i++)
        out[i] = (struct dwarf_section){names[i], b[i].v.items, (uint32_t)b[i].v.count};
    return true;
}
