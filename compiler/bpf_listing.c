/* SPDX-License-Identifier: MIT */
/*
 * Listing of a linked program. Instructions are in the syntax of the assembler; behind them stands what
 * the numbers mean: the map, the data, the function or the helper, the slot that a jump leads to.
 */
#include "bpf_listing.h"

#include "asm/asm.h"
#include "bpf/helper.h"
#include "bpf/map.h"

#include <inttypes.h>
#include <string.h>

/* ---- Tables ---- */

const char *bpf_list_map_type(uint32_t type) {
    switch (type) {
#define NAME(NAME, number, text)                                                                   \
    case number: return text;
        BPF_MAP_TYPES(NAME)
#undef NAME
    default: return "unknown";
    }
}

static void list_maps(const struct program *p, FILE *out) {
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct prog_map *m = &p->maps[i];
        fprintf(out,
                "map %u %s: %s, key %u bytes, value %u bytes, %u entries, flags 0x%x, "
                "types %016" PRIx64 "\n",
                i, m->name, bpf_list_map_type(m->type), m->key_size, m->value_size, m->max_entries,
                m->map_flags, m->btf_hash);
    }
}

static void list_data(const struct program *p, FILE *out) {
    for (uint32_t i = 0; i < p->ndatas; i++) {
        const struct prog_data *d = &p->datas[i];
        fprintf(out, "data %u %s: %u bytes, %s%s%s\n", i, d->name, d->size,
                d->writable ? "writable" : "read-only", d->image ? "" : ", zeros",
                d->relocated ? ", with pointers" : "");
    }
}

static void list_relocs(const struct program *p, FILE *out) {
    for (uint32_t i = 0; i < p->nrelocs; i++) {
        const struct prog_reloc *r = &p->relocs[i];
        if (r->kind == PROG_RELOC_PROG) {
            fprintf(out, "%s[%u] = program %s\n", p->maps[r->data].name, r->off,
                    p->entries[r->target].name);
            continue;
        }
        fprintf(out, "%s+%u = &", p->datas[r->data].name, r->off);
        switch (r->kind) {
        case PROG_RELOC_DATA: fprintf(out, "%s+%d\n", p->datas[r->target].name, r->addend); break;
        case PROG_RELOC_MAP: fprintf(out, "%s\n", p->maps[r->target].name); break;
        default: fprintf(out, "%s()\n", p->funcs[r->target].name); break;
        }
    }
}

static void list_funcs(const struct program *p, FILE *out) {
    for (uint32_t i = 0; i < p->nentries; i++)
        fprintf(out, "program %u %s: SEC(\"%s\"), %u bytes of context\n", i, p->entries[i].name,
                p->entries[i].section, p->entries[i].ctx_size);
    for (uint32_t i = 0; i < p->nfuncs; i++) {
        const struct prog_func *f = &p->funcs[i];
        fprintf(out, "function %u %s: from section %s%s%s\n", i, f->name, f->section,
                f->entry >= 0 ? ", a program" : "", f->address_taken ? ", address taken" : "");
    }
}

void bpf_list_tables(const struct program *p, FILE *out) {
    if (p->license)
        fprintf(out, "license %s\n", p->license);
    list_maps(p, out);
    list_data(p, out);
    list_relocs(p, out);
    list_funcs(p, out);
}

/* ---- Instructions ---- */

static void explain_lddw(const struct program *p, const struct bpf_decoded *d, FILE *out) {
    uint32_t index = (uint32_t)d->imm, offset = (uint32_t)((uint64_t)d->imm >> 32);

    switch (d->pseudo) {
    case BPF_PSEUDO_MAP: fprintf(out, "  ; &%s", p->maps[index].name); break;
    case BPF_PSEUDO_FUNC: fprintf(out, "  ; &%s()", p->funcs[index].name); break;
    case BPF_PSEUDO_DATA: fprintf(out, "  ; &%s+%u", p->datas[index].name, offset); break;
    default: break;
    }
}

static void explain(const struct program *p, uint32_t slot, FILE *out) {
    const struct bpf_decoded *d = &p->decoded[slot];
    const struct bpf_helper *helper;

    switch (d->op) {
    case BPF_LDDW: explain_lddw(p, d, out); return;
    case BPF_CALL_HELPER:
        helper = bpf_helper_by_id((uint32_t)d->imm);
        if (helper)
            fprintf(out, "  ; bpf_%s()", helper->name);
        return;
    case BPF_CALL_LOCAL:
        fprintf(out, "  ; %s()", program_func_at(p, slot + (uint32_t)d->target)->name);
        return;
    default:
        if (bpf_op_is_jump(d->op))
            fprintf(out, "  ; to %u", slot + (uint32_t)d->target);
    }
}

void bpf_list_text(const char *text, FILE *out) {
    for (text += strspn(text, " \t"); *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, out);
}

void bpf_list_line(const struct prog_line *line, FILE *out) {
    const char *slash = strrchr(line->file, '/');

    fputs("  ; ", out);
    bpf_list_text(slash ? slash + 1 : line->file, out);
    fprintf(out, ":%u: ", line->line);
    bpf_list_text(line->text, out);
    fputc('\n', out);
}

bool bpf_list_same_line(const struct prog_line *a, const struct prog_line *b) {
    return a == b || (a && b && a->line == b->line && strcmp(a->file, b->file) == 0);
}

static void list_func(const struct program *p, const struct prog_func *f, FILE *out) {
    const struct prog_line *last = NULL;

    fprintf(out, "\n%s:\n", f->name);
    for (uint32_t i = f->start; i < f->start + f->len; i++) {
        const struct prog_line *line = program_line_at(p, i);
        char text[ASM_PRINT_SIZE];

        if (p->decoded[i].len == 0)
            continue;
        if (line && !bpf_list_same_line(line, last))
            bpf_list_line(line, out);
        last = line;
        asm_print(&p->decoded[i], text, sizeof(text));
        fprintf(out, "%6u:  %s", i, text);
        explain(p, i, out);
        fputc('\n', out);
    }
}

void bpf_list_code(const struct program *p, FILE *out) {
    for (uint32_t i = 0; i < p->nfuncs; i++)
        list_func(p, &p->funcs[i], out);
}
