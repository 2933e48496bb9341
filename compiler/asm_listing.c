/* SPDX-License-Identifier: MIT */
/*
 * Listing of compiled code. First the code is read into rows, one per instruction or piece of data, with
 * a note of what its numbers mean; then the rows are printed, or made JSON. Only that ranges lie in the
 * code is trusted (blob_parse() has checked it): what is in it may be anything, as blobs come from files.
 */
#include "asm_listing.h"

#include "blob_listing.h"
#include "bpf/arena.h"
#include "bpf_listing.h"
#include "ir/ir.h"
#include "thumb2/encoding.h"
#include "thumb2/mir.h"
#include "util/vec.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DATA_PER_ROW 8 /* bytes */
#define TEXT_SIZE 96

struct label {
    uint32_t addr;
    bool data; /* a read-only data section, else a function */
    const char *name;
};

struct row {
    uint32_t addr, size; /* bytes into the code */
    bool data;
    bool target;       /* a branch leads here */
    bool writes_r9;    /* other than from the stack */
    uint32_t branch;   /* where it leads, or BLOB_NONE */
    uint32_t base_off; /* address is r9 + this, BLOB_NONE: no such address */
    uint32_t slot;     /* eBPF instruction, or IR_NO_INSN */
    char text[TEXT_SIZE];
    const char *note; /* or NULL */
};

struct listing {
    struct arena *arena;
    const struct blob *blob;
    const struct asm_debug *debug;
    VEC(struct label) labels; /* sorted by address */
    VEC(struct row) rows;     /* the same */
};

/* ----------------------------------------------------------------------------------------- labels */

static void add_label(struct listing *l, uint32_t addr, bool data, uint32_t name) {
    if (addr != BLOB_NONE)
        vec_push(l->arena, &l->labels, (struct label){addr, data, blob_string(l->blob, name)});
}

static int compare_labels(const void *a, const void *b) {
    const struct label *x = a, *y = b;
    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void collect_labels(struct listing *l) {
    const struct blob *b = l->blob;
    const struct blob_header *h = b->header;
    for (uint32_t i = 0; i < h->programs.count; i++)
        add_label(l, b->programs[i].entry, false, b->programs[i].name);
    for (uint32_t i = 0; i < h->funcs.count; i++)
        add_label(l, b->funcs[i].code, false, b->funcs[i].name);
    for (uint32_t i = 0; i < h->datas.count; i++)
        if (!(b->datas[i].flags & BLOB_DATA_ARENA) && b->datas[i].image >= h->code.off)
            add_label(l, b->datas[i].image - h->code.off, true, b->datas[i].name);
    qsort(l->labels.items, l->labels.count, sizeof(struct label), compare_labels);
    size_t kept = 0; /* a function that is a program has two equal ones */
    for (size_t i = 0; i < l->labels.count; i++)
        if (kept == 0 || compare_labels(&l->labels.items[kept - 1], &l->labels.items[i]) != 0)
            l->labels.items[kept++] = l->labels.items[i];
    l->labels.count = kept;
}

/* The last label that is not behind addr, or NULL. */
static const struct label *label_before(const struct listing *l, uint32_t addr) {
    size_t low = 0, high = l->labels.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->labels.items[middle].addr <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &l->labels.items[low - 1] : NULL;
}

static const char *place(const struct listing *l, uint32_t addr) {
    const struct label *label = label_before(l, addr);
    if (!label)
        return arena_printf(l->arena, "0x%x", addr);
    if (label->addr == addr)
        return label->name;
    return arena_printf(l->arena, "%s+0x%x", label->name, addr - label->addr);
}

/* What lies at r9 + off: a helper's slot, a data section, a map, the context copy. */
static const char *arena_place(const struct listing *l, uint32_t off) {
    const struct blob *b = l->blob;
    const struct blob_header *h = b->header;
    char buf[64];
    for (uint32_t i = 0; i < h->helpers.count; i++)
        if (off == BPF_ARENA_SLOTS + 4 * i)
            return arena_strdup(l->arena, blob_helper_name(b->helpers[i], buf));
    for (uint32_t i = 0; i < h->datas.count; i++)
        if ((b->datas[i].flags & BLOB_DATA_ARENA) && off >= b->datas[i].off &&
            off - b->datas[i].off < b->datas[i].size)
            return arena_printf(l->arena, "%s+%u", blob_string(b, b->datas[i].name),
                                off - b->datas[i].off);
    for (uint32_t i = 0; i < h->maps.count; i++)
        if (off >= b->maps[i].off && off - b->maps[i].off < b->maps[i].size)
            return arena_printf(l->arena, "map %s+%u", blob_string(b, b->maps[i].name),
                                off - b->maps[i].off);
    if (off >= h->ctx_off && off - h->ctx_off < h->ctx_size)
        return arena_printf(l->arena, "context+%u", off - h->ctx_off);
    return NULL;
}

/* ------------------------------------------------------------------------------------------- rows */

static uint32_t read_word(const struct blob *b, uint32_t off, uint32_t size) {
    uint32_t word = 0;
    memcpy(&word, b->code + off, size);
    return word;
}

/* The eBPF instruction that code at addr stems from. */
static uint32_t slot_at(const struct asm_debug *debug, uint32_t addr) {
    size_t low = 0, high = debug->nlines;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (debug->lines[middle].addr <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? debug->lines[low - 1].insn : IR_NO_INSN;
}

/* What an instruction refers to: a target of a branch, an address relative to pc or r9. */
static void look_at(struct listing *l, struct row *row, enum t2_enc enc,
                    const struct t2_fields *f) {
    const struct t2_row *t2 = t2_row(enc);
    uint32_t relative = ((row->addr + 4) & ~3u) + (uint32_t)f->imm;
    unsigned traits = t2_op_traits(t2->op);
    bool direct =
        t2->op == T2_OP_B || t2->op == T2_OP_BL || t2->op == T2_OP_CBZ || t2->op == T2_OP_CBNZ;
    if (direct) {
        row->branch = row->addr + 4 + (uint32_t)f->imm;
        row->note = place(l, row->branch);
    } else if (t2->op == T2_OP_ADR) {
        row->note = arena_printf(l->arena, "&%s", place(l, relative));
    } else if ((enc == T2_LDR_LIT_T1 || enc == T2_LDR_LIT_T2) &&
               relative + 4 <= l->blob->header->code.count && relative < relative + 4) {
        row->note = arena_printf(l->arena, "= 0x%08x", read_word(l->blob, relative, 4));
    }
    bool memory = traits & (T2_LOAD | T2_STORE) && f->index == T2_OFFSET;
    if (f->n == MREG_R9 && f->form == T2_IMM && (memory || t2->op == T2_OP_ADD) &&
        t2_has(t2, 'n') && f->imm >= 0)
        row->base_off = (uint32_t)f->imm;
    row->writes_r9 = t2_regs_written(enc, f) >> MREG_R9 & 1 && t2->op != T2_OP_LDMIA;
}

static void read_insn(struct listing *l, uint32_t addr, uint32_t end, uint8_t *it) {
    const struct blob *b = l->blob;
    uint16_t code[2] = {0};
    uint32_t room = end - addr < 4 ? end - addr : 4;
    enum t2_enc enc;
    struct t2_fields f;
    unsigned len = 0;
    struct row *row = vec_add(l->arena, &l->rows);
    *row = (struct row){.addr = addr, .branch = BLOB_NONE, .base_off = BLOB_NONE};
    memcpy(code, b->code + addr, room);
    if (!t2_decode(code, room / 2, *it != 0, &enc, &f, &len)) {
        row->size = len && 2 * len <= room ? 2 * len : 2;
        snprintf(row->text, sizeof(row->text), ".inst 0x%04x", code[0]);
        row->note = "not an instruction of this compiler";
        row->slot = IR_NO_INSN;
        *it = 0;
        return;
    }
    row->size = 2 * len;
    row->slot = slot_at(l->debug, addr);
    t2_disasm(row->text, sizeof(row->text), addr, enc, &f, t2_it_cond(*it));
    char *comment = strstr(row->text, "\t@");
    if (comment)
        *comment = '\0';
    *it = enc == T2_IT_T1 ? t2_it_start(&f) : t2_it_next(*it);
    look_at(l, row, enc, &f);
}

/* Words of literal pools, one a row; bytes of read-only data up to the next section. */
static uint32_t read_data(struct listing *l, uint32_t addr, uint32_t end) {
    const struct label *label = label_before(l, addr);
    struct row *row = vec_add(l->arena, &l->rows);
    *row = (struct row){
        .addr = addr, .data = true, .branch = BLOB_NONE, .base_off = BLOB_NONE, .slot = IR_NO_INSN};
    if (label && label->data) {
        const struct label *next = label + 1;
        if (next < l->labels.items + l->labels.count && next->addr < end)
            end = next->addr;
        row->size = end - addr < DATA_PER_ROW ? end - addr : DATA_PER_ROW;
        char text[4 * DATA_PER_ROW] = ".ascii \"";
        size_t n = strlen(text);
        for (uint32_t i = 0; i < row->size; i++) {
            uint8_t c = l->blob->code[addr + i];
            text[n++] = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' ? (char)c : '.';
        }
        snprintf(row->text, sizeof(row->text), "%.*s\"", (int)n, text);
    } else {
        row->size = end - addr < 4 ? end - addr : 4;
        snprintf(row->text, sizeof(row->text), ".word 0x%08x", read_word(l->blob, addr, row->size));
    }
    return addr + row->size;
}

static void read_rows(struct listing *l) {
    for (uint32_t i = 0; i < l->blob->header->ranges.count; i++) {
        const struct blob_range *range = &l->blob->ranges[i];
        uint32_t addr = range->off, end = range->off + range->size;
        uint8_t it = 0;
        while (addr < end) {
            if (range->kind == BLOB_RANGE_DATA || end - addr < 2) {
                addr = read_data(l, addr, end);
                continue;
            }
            read_insn(l, addr, end, &it);
            addr += vec_last(&l->rows).size;
        }
    }
}

static int compare_row(const void *key, const void *row) {
    uint32_t addr = *(const uint32_t *)key, at = ((const struct row *)row)->addr;
    return addr < at ? -1 : addr > at;
}

static void mark_targets(struct listing *l) {
    vec_for_each(const struct row, row, &l->rows) {
        struct row *to = row->branch == BLOB_NONE
                             ? NULL
                             : bsearch(&row->branch, l->rows.items, l->rows.count,
                                       sizeof(struct row), compare_row);
        if (to)
            to->target = true;
    }
}

/* r9 is the arena in functions that never write it; elsewhere it holds some value of theirs. */
static void note_arena(struct listing *l) {
    for (size_t i = 0, end; i < l->rows.count; i = end) {
        const struct label *label = label_before(l, l->rows.items[i].addr);
        bool written = false;
        for (end = i; end < l->rows.count && label_before(l, l->rows.items[end].addr) == label;
             end++)
            written |= l->rows.items[end].writes_r9;
        for (size_t k = i; k < end && !written; k++)
            if (l->rows.items[k].base_off != BLOB_NONE)
                l->rows.items[k].note = arena_place(l, l->rows.items[k].base_off);
    }
}

static struct listing *read_listing(struct arena *arena, const struct blob *blob,
                                    const struct asm_debug *debug) {
    struct listing *l = arena_alloc(arena, sizeof(*l));
    l->arena = arena;
    l->blob = blob;
    l->debug = debug;
    collect_labels(l);
    read_rows(l);
    mark_targets(l);
    note_arena(l);
    return l;
}

/* ------------------------------------------------------------------------------------------- text */

static void print_bytes(const struct listing *l, const struct row *row, FILE *out) {
    char text[2 * DATA_PER_ROW + 8];
    int n = 0;
    for (uint32_t i = 0; i < row->size; i += row->data ? 1 : 2)
        n += row->data ? snprintf(text + n, sizeof(text) - (size_t)n, "%02x",
                                  l->blob->code[row->addr + i])
                       : snprintf(text + n, sizeof(text) - (size_t)n, "%s%04x", i ? " " : "",
                                  read_word(l->blob, row->addr + i, 2));
    fprintf(out, "%-9s", text);
}

static void print_labels(const struct listing *l, uint32_t addr, FILE *out) {
    for (const struct label *label = label_before(l, addr);
         label && label >= l->labels.items && label->addr == addr; label--) {
        fputc('\n', out);
        bpf_list_text(label->name, out);
        fputs(":\n", out);
    }
}

/* A number of the bytecode where it changes, behind it the code of that instruction. */
static void print_row(const struct listing *l, const struct row *row, uint32_t last_slot,
                      FILE *out) {
    char slot[16] = "";
    char text[TEXT_SIZE];
    if (row->slot != IR_NO_INSN && row->slot != last_slot)
        snprintf(slot, sizeof(slot), "%u:", row->slot);
    snprintf(text, sizeof(text), "%s", row->text);
    char *tab = strchr(text, '\t');
    if (tab)
        *tab = '\0';
    fprintf(out, "%6s  %c%6x: ", slot, row->target ? '>' : ' ', row->addr);
    print_bytes(l, row, out);
    int column = fprintf(out, tab ? "  %-7s %s" : "  %s%s", text, tab ? tab + 1 : "");
    if (row->note) {
        fprintf(out, "%*s; ", column < 34 ? 34 - column : 1, "");
        bpf_list_text(row->note, out);
    }
    fputc('\n', out);
}

void asm_list(struct arena *arena, const struct blob *blob, const struct asm_debug *debug,
              FILE *out) {
    const struct listing *l = read_listing(arena, blob, debug);
    const struct prog_line *last_line = NULL;
    uint32_t last_slot = IR_NO_INSN;
    fprintf(out, "  eBPF    address  encoding; > marks targets of branches\n");
    vec_for_each(const struct row, row, &l->rows) {
        const struct label *label = label_before(l, row->addr);
        if (label && label->addr == row->addr) {
            print_labels(l, row->addr, out);
            last_line = NULL;
            last_slot = IR_NO_INSN;
        }
        const struct prog_line *line =
            row->slot == IR_NO_INSN ? NULL : program_line_at(debug->prog, row->slot);
        if (line && !bpf_list_same_line(line, last_line)) {
            bpf_list_line(line, out);
            last_line = line;
        }
        print_row(l, row, last_slot, out);
        last_slot = row->slot;
    }
}

/* ------------------------------------------------------------------------------------------- JSON */

static void json_origin(const struct listing *l, const struct row *row, cJSON *object) {
    if (row->slot == IR_NO_INSN)
        return;
    cJSON_AddNumberToObject(object, "slot", row->slot);
    const struct prog_line *line = program_line_at(l->debug->prog, row->slot);
    if (!line)
        return;
    cJSON_AddStringToObject(object, "file", line->file);
    cJSON_AddNumberToObject(object, "line", line->line);
}

void asm_list_json(struct arena *arena, const struct blob *blob, const struct asm_debug *debug,
                   cJSON *out) {
    const struct listing *l = read_listing(arena, blob, debug);
    cJSON *rows = cJSON_AddArrayToObject(out, "asm");
    vec_for_each(struct row, row, &l->rows) {
        cJSON *object = cJSON_CreateObject();
        const struct label *label = label_before(l, row->addr);
        char bytes[2 * DATA_PER_ROW + 1];
        for (uint32_t i = 0; i < row->size; i++)
            snprintf(bytes + 2 * i, 3, "%02x", blob->code[row->addr + i]);
        char *tab = strchr(row->text, '\t');
        if (tab)
            *tab = ' ';
        cJSON_AddNumberToObject(object, "address", row->addr);
        cJSON_AddStringToObject(object, "in", label ? label->name : "");
        cJSON_AddStringToObject(object, "kind", row->data ? "data" : "code");
        cJSON_AddStringToObject(object, "bytes", bytes);
        cJSON_AddStringToObject(object, "text", row->text);
        if (row->note)
            cJSON_AddStringToObject(object, "note", row->note);
        if (row->branch != BLOB_NONE)
            cJSON_AddNumberToObject(object, "target", row->branch);
        json_origin(l, row, object);
        cJSON_AddItemToArray(rows, object);
    }
}
