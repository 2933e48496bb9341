/* SPDX-License-Identifier: MIT */
/* From a case to a linked program: by clang, or from assembler's text, with maps and data added. */
#include "verifier/case.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asm/asm.h"
#include "bpf/map.h"
#include "clang.h"
#include "elf/elf.h"
#include "program/hook.h"
#include "util/file.h"

struct builder {
    struct arena *arena;
    const struct verifier_case *c;
    struct diag *diag;
    struct program *p;
    VEC(char *) labels; /* that functions have to begin at */
    uint32_t *func;     /* by label: index of the function */
    bool good;
};

static void complain(struct builder *b, unsigned line, const char *why, const char *name) {
    struct diag_loc loc = {.insn = -1, .file = b->c->file, .line = line};
    b->good = diag_error(b->diag, DIAG_USAGE, &loc, NULL, "the case is wrong: %s %s", why,
                         name ? name : "");
}

/* ---- Text of the program */

static int find_row(const case_rows *rows, const char *name, size_t length) {
    for (size_t i = 0; i < rows->count; i++)
        if (strlen(rows->items[i].word[0]) == length &&
            memcmp(rows->items[i].word[0], name, length) == 0)
            return (int)i;
    return -1;
}

/* A statement begins behind labels. */
static const char *statement(const char *line, const char *end) {
    for (const char *p = line;; p++) {
        while (p < end && isspace((unsigned char)*p))
            p++;
        line = p;
        while (p < end && (isalnum((unsigned char)*p) || strchr("_.$", *p)))
            p++;
        if (p == end || *p != ':' || p == line)
            return line;
    }
}

static const char *end_of_line(const char *line) {
    const char *end = line + strcspn(line, "\n");
    for (const char *p = line; p < end; p++)
        if (*p == '#' || *p == ';' || (*p == '/' && p[1] == '/'))
            return p;
    return end;
}

unsigned case_line_of(const struct verifier_case *c, long slot) {
    unsigned line = c->text_line;
    if (c->form != CASE_ASM)
        return 0;
    for (const char *at = c->text; *at; line++) {
        const char *end = end_of_line(at), *text = statement(at, end);
        bool wide = end - text > 4 && strncmp(text, "lddw", 4) == 0;
        slot -= text == end ? 0 : wide ? 2 : 1;
        if (slot < 0)
            return line;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return 0;
}

/* `map counts` and `data .rodata+8` become numbers, which the assembler takes. Behind the end stands
 * what tells where functions begin that only tables name. */
static const char *with_indices(struct builder *b) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    unsigned line = b->c->text_line;
    for (const char *p = b->c->text; *p;) {
        bool map = strncmp(p, ", map ", 6) == 0, data = strncmp(p, ", data ", 7) == 0;
        line += *p == '\n';
        if (!map && !data) {
            fputc(*p++, out);
            continue;
        }
        fputs(map ? ", map " : ", data ", out);
        p += map ? 6 : 7;
        size_t n = strcspn(p, "+ \t\n#");
        int index = find_row(map ? &b->c->maps : &b->c->datas, p, n);
        if (index < 0)
            complain(b, line, "no such map or data:", arena_printf(b->arena, "%.*s", (int)n, p));
        fprintf(out, "%d", index < 0 ? 0 : index);
        p += n;
    }
    for (size_t i = 0; i < b->labels.count; i++)
        fprintf(out, "\nlddw r0, func %s", b->labels.items[i]);
    fputs(b->labels.count ? "\nexit\n" : "", out);
    fclose(out);
    char *copy = arena_strdup(b->arena, text);
    free(text);
    return copy;
}

static size_t label(struct builder *b, char *name) {
    for (size_t i = 0; i < b->labels.count; i++)
        if (strcmp(b->labels.items[i], name) == 0)
            return i;
    vec_push(b->arena, &b->labels, name);
    return b->labels.count - 1;
}

static void collect_labels(struct builder *b) {
    vec_for_each(const struct case_row, r, &b->c->programs)
        label(b, r->word[0]);
    vec_for_each(const struct case_row, r, &b->c->pointers)
        if (r->word[3] && strcmp(r->word[2], "func") == 0)
            label(b, r->word[3]);
}

static bool words(struct builder *b, struct bpf_insn **insns, uint32_t *count) {
    VEC(struct bpf_insn) out = {0};
    char *save, *text = arena_strdup(b->arena, b->c->text);
    for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
        uint64_t bits = strtoull(word, NULL, 16);
        struct bpf_insn insn;
        memcpy(&insn, &bits, sizeof(insn));
        vec_push(b->arena, &out, insn);
    }
    *insns = out.items;
    *count = (uint32_t)out.count;
    return out.count > 0;
}

static bool instructions(struct builder *b, struct bpf_insn **insns, uint32_t *count) {
    if (b->c->form == CASE_RAW)
        return words(b, insns, count);
    return asm_parse(b->arena, with_indices(b), b->c->file, insns, count, b->diag);
}

/* Which functions the labels are; then the end that told so goes. */
static void find_functions(struct builder *b) {
    uint32_t n = (uint32_t)b->labels.count, tail = n ? 2 * n + 1 : 0;
    b->func = arena_alloc_array(b->arena, n, sizeof(*b->func));
    b->p->ninsns -= tail;
    for (uint32_t i = 0; i < n; i++) {
        b->func[i] = (uint32_t)b->p->insns[b->p->ninsns + 2 * i].imm;
        b->p->funcs[b->func[i]].name = b->labels.items[i];
    }
    b->p->funcs[b->p->nfuncs - 1].len -= tail;
}

/* Bare instructions have no maps and data: their lddw are plain ones for program_from_insns(). */
static bool assemble(struct builder *b) {
    struct bpf_insn *insns;
    uint32_t count;
    if (!instructions(b, &insns, &count))
        return false;
    uint8_t *pseudo = arena_alloc(b->arena, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t src = insns[i].regs >> 4;
        if (b->c->form == CASE_RAW || insns[i].opcode != 0x18 ||
            (src != BPF_PSEUDO_MAP && src != BPF_PSEUDO_DATA))
            continue;
        pseudo[i] = src;
        insns[i].regs &= 15;
    }
    b->p = program_from_insns(b->arena, "main", insns, count, b->c->mem_size, b->diag);
    if (!b->p)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (pseudo[i]) {
            b->p->decoded[i].pseudo = pseudo[i];
            b->p->insns[i].regs |= (uint8_t)(pseudo[i] << 4);
        }
    find_functions(b);
    return true;
}

/* ---- Tables */

static uint32_t number(const char *text) {
    return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
}

static uint32_t map_type(struct builder *b, const struct case_row *r) {
    static const struct {
        const char *name;
        uint32_t type;
    } types[] = {
#define TYPE(NAME, number, text) {text, number},
        BPF_MAP_TYPES(TYPE)
#undef TYPE
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (r->word[1] && strcmp(types[i].name, r->word[1]) == 0)
            return types[i].type;
    complain(b, r->line, "no such type of map:", r->word[1]);
    return BPF_MAP_ARRAY;
}

static void make_maps(struct builder *b) {
    struct program *p = b->p;
    p->nmaps = (uint32_t)b->c->maps.count;
    p->maps = arena_alloc_array(b->arena, p->nmaps, sizeof(*p->maps));
    for (uint32_t i = 0; i < p->nmaps; i++) {
        const struct case_row *r = &b->c->maps.items[i];
        struct prog_map *m = &p->maps[i];
        const char *why = "";
        *m = (struct prog_map){.name = r->word[0],
                               .type = map_type(b, r),
                               .key_size = number(r->word[2]),
                               .value_size = number(r->word[3]),
                               .max_entries = number(r->word[4])};
        if (r->word[5] && strcmp(r->word[5], "timer") == 0 && r->word[6]) {
            m->has_timer = true;
            m->timer_off = number(r->word[6]);
        } else if (r->word[5]) {
            complain(b, r->line, "`timer` and its offset are expected:", r->word[5]);
        }
        m->bytes = bpf_map_bytes(m->type, m->key_size, m->value_size, m->max_entries, 0, &why);
        if (!m->bytes)
            complain(b, r->line, why, NULL);
    }
}

static void make_datas(struct builder *b) {
    struct program *p = b->p;
    p->ndatas = (uint32_t)b->c->datas.count;
    p->datas = arena_alloc_array(b->arena, p->ndatas, sizeof(*p->datas));
    for (uint32_t i = 0; i < p->ndatas; i++) {
        const struct case_row *r = &b->c->datas.items[i];
        struct prog_data *d = &p->datas[i];
        VEC(uint8_t) image = {0};
        *d = (struct prog_data){
            .name = r->word[0], .align = 8, .writable = strncmp(r->word[0], ".rodata", 7) != 0};
        if (r->word[1] && strcmp(r->word[1], "zero") == 0) {
            d->size = number(r->word[2]);
            if (!d->writable || strncmp(d->name, ".bss", 4) != 0)
                d->image = arena_alloc(b->arena, d->size + 8);
            continue;
        }
        char *end;
        for (char *at = r->rest; *at; at = end + strspn(end, " ")) {
            vec_push(b->arena, &image, (uint8_t)strtoul(at, &end, 16));
            if (end == at) {
                complain(b, r->line, "bytes in hex are expected:", at);
                break;
            }
        }
        d->image = image.items;
        d->size = (uint32_t)image.count;
    }
}

static void make_pointers(struct builder *b) {
    struct program *p = b->p;
    size_t count = b->c->pointers.count + b->c->values.count;
    p->relocs = arena_alloc_array(b->arena, count, sizeof(*p->relocs));
    vec_for_each(const struct case_row, r, &b->c->pointers) {
        int data = find_row(&b->c->datas, r->word[0], strlen(r->word[0])), target = -1;
        enum prog_reloc_kind kind = PROG_RELOC_FUNC;
        if (r->word[3] && strcmp(r->word[2], "func") == 0)
            target = (int)b->func[label(b, r->word[3])];
        else if (r->word[3]) {
            bool map = strcmp(r->word[2], "map") == 0;
            kind = map ? PROG_RELOC_MAP : PROG_RELOC_DATA;
            target = find_row(map ? &b->c->maps : &b->c->datas, r->word[3], strlen(r->word[3]));
        }
        if (data < 0 || target < 0) {
            complain(b, r->line, "a pointer needs a section, an offset, a kind and a name", NULL);
            continue;
        }
        if (kind == PROG_RELOC_FUNC)
            p->funcs[target].address_taken = true;
        p->datas[data].relocated = true;
        p->relocs[p->nrelocs++] =
            (struct prog_reloc){kind, (uint32_t)data, number(r->word[1]), (uint32_t)target,
                                (int32_t)number(r->word[4])};
    }
}

/* Function 0 is a program; others by `program:`, of the same type unless they name one. */
static void make_entries(struct builder *b) {
    struct program *p = b->p;
    const char *why, *mend;
    p->nentries = (uint32_t)b->c->programs.count + 1;
    p->entries = arena_alloc_array(b->arena, p->nentries, sizeof(*p->entries));
    for (uint32_t i = 0; i < p->nentries; i++) {
        const struct case_row *r = i ? &b->c->programs.items[i - 1] : NULL;
        struct prog_entry *e = &p->entries[i];
        *e = (struct prog_entry){.name = r ? r->word[0] : "main",
                                 .section = r && r->word[1] ? r->word[1] : b->c->type,
                                 .func = r ? b->func[label(b, r->word[0])] : 0};
        if (!hook_parse(e->section, b->arena, &e->hook, &why, &mend))
            complain(b, b->c->line, why, NULL);
        e->ctx_size = e->hook == BPF_HOOK_RAW ? b->c->mem_size : hook_ctx_size(e->hook);
        p->funcs[e->func].entry = (int32_t)i;
        if (r)
            p->funcs[e->func].address_taken = false;
        p->funcs[e->func].section = e->section;
    }
}

/* After pointers: PROG rows come last. */
static void make_values(struct builder *b) {
    struct program *p = b->p;
    vec_for_each(const struct case_row, r, &b->c->values) {
        int map = find_row(&b->c->maps, r->word[0], strlen(r->word[0])), entry = -1;
        for (uint32_t i = 0; r->word[2] && i < p->nentries; i++)
            if (strcmp(p->entries[i].name, r->word[2]) == 0)
                entry = (int)i;
        if (map < 0 || entry < 0)
            complain(b, r->line, "no such prog_array or program", NULL);
        else
            p->relocs[p->nrelocs++] = (struct prog_reloc){PROG_RELOC_PROG, (uint32_t)map,
                                                          number(r->word[1]), (uint32_t)entry, 0};
    }
}

/* ---- C */

/* `#include` first, on the line of the block's head, so that line numbers are easy to tell. */
static struct program *compile_c(struct builder *b, const struct case_paths *paths) {
    const char *source = arena_printf(b->arena, "%s/case.bpf.c", paths->directory);
    const char *object = arena_printf(b->arena, "%s/case.bpf.o", paths->directory);
    const char *flag = arena_printf(b->arena, "-I%s", paths->include);
    const char *text = arena_printf(b->arena, "#include \"bpf_mcu.h\"\n%s", b->c->text);
    struct clang_job job = {.source = source, .object = object, .flags = &flag, .flag_count = 1};
    struct elf_options options = {.name = "case.bpf.c", .mem_size = b->c->mem_size};
    struct program *p = NULL;
    if (!file_write(source, text, strlen(text), b->diag) ||
        !clang_compile(&job, b->arena, b->diag) ||
        !elf_read(object, b->arena, &options, &p, b->diag))
        return NULL;
    /* The directory is another one each time. */
    for (uint32_t i = 0; i < p->nlines; i++) {
        const char *slash = strrchr(p->lines[i].file, '/');
        p->lines[i].file = slash ? slash + 1 : p->lines[i].file;
    }
    return p;
}

struct program *case_build(struct arena *arena, const struct verifier_case *c,
                           const struct case_paths *paths, struct diag *diag) {
    struct builder b = {.arena = arena, .c = c, .diag = diag, .good = true};
    if (c->form == CASE_C)
        return compile_c(&b, paths);
    collect_labels(&b);
    if (!assemble(&b))
        return NULL;
    make_maps(&b);
    make_datas(&b);
    make_pointers(&b);
    make_entries(&b);
    make_values(&b);
    return b.good ? b.p : NULL;
}
