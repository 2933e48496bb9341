/* SPDX-License-Identifier: MIT */
/*
 * Linking. From the entries, everything they reach is collected: functions through calls and pointers,
 * data through addresses, and what the data point to. Functions and data that no entry reaches are left
 * out, so that an unused one costs nothing on the board; maps are all kept, as the host may fill one that
 * a program only looks up through a pointer. What is kept is laid out in the order of the object, and the
 * references collected on the way become distances and table indices.
 */
#include "elf/object.h"

#include "bpf/grant.h"
#include "program/hook.h"

#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MEND_REBUILD "the file is damaged: compile it again with clang -target bpf"

/* Opcodes that relocations apply to (RFC 9669 4.3, 5.4); everything else is left to the decoder. */
#define OPCODE_LDDW 0x18
#define OPCODE_CALL 0x85
#define OPCODE_CALLX 0x8d
#define SRC_LOCAL_CALL 1

/* More than any blob has room for. They bound the cost of what is quadratic later, the edges of the call
 * graph, and keep the sums of the layout far below 32 bits. */
#define FUNCS_MAX 4096
#define SLOTS_MAX 131072
#define DATA_MAX (1u << 20)
#define WARNINGS_MAX 20

/* A place in kept code or data that depends on where things end up. */
struct reference {
    uint32_t section;
    uint64_t offset;
    struct target target;
};

struct linker {
    struct object *object;
    struct program *program;
    VEC(struct reference) code, data;
    VEC(uint32_t) funcs_todo, data_todo;
};

static struct bpf_insn insn_at(const struct object *object, uint32_t section, uint64_t offset) {
    struct bpf_insn insn;

    memcpy(&insn, object->sections.items[section].bytes + offset, sizeof(insn));
    return insn;
}

static unsigned src_of(const struct bpf_insn *insn) {
    return insn->regs >> 4;
}

/* ---- What is reached ---- */

static void reach_func(struct linker *l, uint32_t index) {
    struct object_func *f = &l->object->funcs.items[index];

    if (f->reached)
        return;
    f->reached = true;
    vec_push(l->object->arena, &l->funcs_todo, index);
}

/* Keeps the target of a pointer. Calls are not pointers: they go through reach_func(). */
static void reach_target(struct linker *l, const struct target *target) {
    if (target->kind == TARGET_FUNC) {
        l->object->funcs.items[target->index].address_taken = true;
        reach_func(l, target->index);
    }
    if (target->kind == TARGET_DATA && !l->object->sections.items[target->index].reached) {
        l->object->sections.items[target->index].reached = true;
        vec_push(l->object->arena, &l->data_todo, target->index);
    }
}

static void add_reference(struct linker *l, uint32_t section, uint64_t offset,
                          const struct target *target) {
    vec_push(l->object->arena, &l->code, (struct reference){section, offset, *target});
}

/* The relocation must stand at an instruction of its kind. */
static bool check_place(const struct linker *l, const struct object_func *f,
                        const struct object_reloc *reloc, const struct bpf_insn *insn) {
    bool lddw = reloc->type == R_BPF_64_64;
    struct diag_loc loc = object_loc(l->object, f->section, reloc->offset);

    if (lddw ? insn->opcode == OPCODE_LDDW && src_of(insn) == 0 &&
                   f->end - reloc->offset >= 2 * sizeof(*insn)
             : insn->opcode == OPCODE_CALL && src_of(insn) == SRC_LOCAL_CALL)
        return true;
    return diag_error(l->object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                      "corrupt relocation of %s: the instruction at offset %llu of section %s is "
                      "no %s",
                      l->object->symbols.items[reloc->symbol].name,
                      (unsigned long long)reloc->offset, loc.section,
                      lddw ? "load of a 64-bit constant" : "call of a function");
}

static bool scan_relocated(struct linker *l, const struct object_func *f,
                           const struct object_reloc *reloc, const struct bpf_insn *insn) {
    struct target target;

    if (!check_place(l, f, reloc, insn))
        return false;
    if (reloc->type == R_BPF_64_64) {
        if (!resolve(l->object, reloc, insn->imm, &target))
            return false;
        reach_target(l, &target);
    } else {
        /* The immediate counts instructions from the next one; for a global symbol it is -1. */
        struct diag_loc loc = object_loc(l->object, f->section, reloc->offset);
        if (!resolve(l->object, reloc, ((int64_t)insn->imm + 1) * 8, &target))
            return false;
        if (target.kind != TARGET_FUNC)
            return diag_error(l->object->diag, DIAG_RELOC, &loc, "call a function",
                              "a call of %s, which is no function",
                              l->object->symbols.items[reloc->symbol].name);
        reach_func(l, target.index);
    }
    add_reference(l, f->section, reloc->offset, &target);
    return true;
}

/* An instruction without relocation: calls inside of a section, and constants. */
static bool scan_plain(struct linker *l, const struct object_func *f, uint64_t offset,
                       const struct bpf_insn *insn) {
    struct diag_loc loc = object_loc(l->object, f->section, offset);

    if (insn->opcode == OPCODE_LDDW && src_of(insn) != 0)
        return diag_error(
            l->object->diag, DIAG_INSN, &loc, "compile from C with BTF-defined maps",
            "a 64-bit load of kind %u without a relocation: it was already linked for "
            "another system",
            src_of(insn));
    if (insn->opcode != OPCODE_CALL || src_of(insn) != SRC_LOCAL_CALL)
        return true;
    struct target target;
    int64_t to = (int64_t)offset + ((int64_t)insn->imm + 1) * 8;
    if (!resolve_func(l->object, f->section, to, f->section, offset, &target))
        return false;
    reach_func(l, target.index);
    add_reference(l, f->section, offset, &target);
    return true;
}

static bool scan_func(struct linker *l, uint32_t index) {
    const struct object_func f = l->object->funcs.items[index];
    size_t next = object_reloc_from(l->object, f.section, f.start);

    for (uint64_t offset = f.start; offset < f.end;) {
        const struct bpf_insn insn = insn_at(l->object, f.section, offset);
        uint64_t size = insn.opcode == OPCODE_LDDW ? 2 * sizeof(insn) : sizeof(insn);
        const struct object_reloc *reloc =
            next < l->object->relocs.count ? &l->object->relocs.items[next] : NULL;
        bool here = reloc && reloc->section == f.section && reloc->offset < offset + size;

        if (here && reloc->offset != offset) {
            struct diag_loc loc = object_loc(l->object, f.section, offset);
            return diag_error(l->object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                              "corrupt relocation: offset %llu of section %s is inside of an "
                              "instruction",
                              (unsigned long long)reloc->offset, loc.section);
        }
        if (here ? !scan_relocated(l, &f, reloc, &insn) : !scan_plain(l, &f, offset, &insn))
            return false;
        next += here;
        offset += size;
    }
    return true;
}

/* The pointers in a data section; their addends stand in place. */
static bool scan_data(struct linker *l, uint32_t section) {
    const struct object *object = l->object;

    for (size_t i = object_reloc_from(object, section, 0);
         i < object->relocs.count && object->relocs.items[i].section == section; i++) {
        const struct object_reloc *reloc = &object->relocs.items[i];
        const uint8_t *place = object->sections.items[section].bytes + reloc->offset;
        struct target target;

        if (!resolve(object, reloc, (int64_t)object_number(place, 8), &target))
            return false;
        reach_target(l, &target);
        vec_push(object->arena, &l->data, (struct reference){section, reloc->offset, target});
    }
    return true;
}

/* What the programs would like to be permitted is for who installs them: no code refers to it. */
static void reach_grant(struct linker *l) {
    for (uint32_t i = 0; i < l->object->sections.count; i++) {
        const struct object_section *s = &l->object->sections.items[i];
        if (s->kind == SECTION_DATA && strcmp(s->name, BPF_GRANT_SECTION) == 0)
            reach_target(l, &(struct target){.kind = TARGET_DATA, .index = i});
    }
}

static bool reach_all(struct linker *l) {
    reach_grant(l);
    for (uint32_t i = 0; i < l->object->funcs.count; i++)
        if (l->object->funcs.items[i].entry)
            reach_func(l, i);
    while (l->funcs_todo.count || l->data_todo.count)
        if (l->funcs_todo.count ? !scan_func(l, vec_pop(&l->funcs_todo))
                                : !scan_data(l, vec_pop(&l->data_todo)))
            return false;
    unsigned warnings = 0;
    vec_for_each(const struct object_func, f, &l->object->funcs) {
        struct diag_loc loc = object_loc(l->object, f->section, f->start);
        if (!f->reached && f->global && warnings++ < WARNINGS_MAX)
            diag_warn(l->object->diag, DIAG_SYMBOL, &loc,
                      "give it a SEC(), call it, or make it static",
                      "function %s is used by no program and is left out", f->name);
    }
    return true;
}

/* ---- Layout ---- */

static bool place_funcs(struct linker *l) {
    struct object *object = l->object;
    struct program *p = l->program;
    VEC(struct prog_func) funcs = {0};

    vec_for_each(struct object_func, f, &object->funcs) {
        if (!f->reached)
            continue;
        f->index = (uint32_t)funcs.count;
        uint32_t len = (uint32_t)((f->end - f->start) / sizeof(struct bpf_insn));
        vec_push(object->arena, &funcs,
                 (struct prog_func){
                     .name = f->name,
                     .section = object->sections.items[f->section].name,
                     .start = p->ninsns,
                     .len = len,
                     .entry = -1,
                     .address_taken = f->address_taken,
                     .elf_insn = (uint32_t)(f->start / sizeof(struct bpf_insn)),
                 });
        p->ninsns += len;
    }
    p->funcs = funcs.items;
    p->nfuncs = (uint32_t)funcs.count;
    if (p->nfuncs > FUNCS_MAX || p->ninsns > SLOTS_MAX) {
        struct diag_loc loc = DIAG_OBJECT(object->path);
        return diag_error(object->diag, DIAG_ELF, &loc, "make the programs smaller",
                          "%u functions with %u instructions; there can be %d with %d", p->nfuncs,
                          p->ninsns, FUNCS_MAX, SLOTS_MAX);
    }
    p->insns = arena_alloc_array(object->arena, p->ninsns, sizeof(*p->insns));
    vec_for_each(const struct object_func, f, &object->funcs) {
        if (f->reached)
            memcpy(&p->insns[p->funcs[f->index].start],
                   object->sections.items[f->section].bytes + f->start, f->end - f->start);
    }
    return true;
}

static bool place_data(struct linker *l) {
    struct object *object = l->object;
    uint64_t bytes = 0;
    VEC(struct prog_data) datas = {0};

    vec_for_each(struct object_section, s, &object->sections) {
        if (!s->reached)
            continue;
        s->data = (uint32_t)datas.count;
        bytes += s->size;
        vec_push(object->arena, &datas,
                 (struct prog_data){.name = s->name,
                                    .image = s->bytes,
                                    .size = (uint32_t)s->size,
                                    .align = s->align,
                                    .writable = s->writable});
    }
    l->program->datas = datas.items;
    l->program->ndatas = (uint32_t)datas.count;
    if (bytes > DATA_MAX) {
        struct diag_loc loc = DIAG_OBJECT(object->path);
        return diag_error(object->diag, DIAG_SECTION, &loc, "make arrays smaller",
                          "the data of the programs takes %llu bytes, more than any target has",
                          (unsigned long long)bytes);
    }
    return true;
}

/* The text of BPF_GRANT(), so that a slip is found here and not by who installs the program. */
static bool check_grant(struct linker *l) {
    struct object *object = l->object;
    struct bpf_grant grant = bpf_grant_default;
    struct bpf_grant_error error;

    vec_for_each(const struct object_section, s, &object->sections) {
        if (s->data == OBJECT_NONE || strcmp(s->name, BPF_GRANT_SECTION) != 0)
            continue;
        struct diag_loc loc = DIAG_OBJECT(object->path);
        loc.section = s->name;
        const char *text = (const char *)s->bytes;
        if (s->writable || !s->size || !text || text[s->size - 1] != '\0' ||
            s->size > BPF_GRANT_TEXT)
            return diag_error(object->diag, DIAG_SECTION, &loc,
                              "write BPF_GRANT(\"...\"), once in a source",
                              "section %s holds no text of BPF_GRANT()", s->name);
        if (!bpf_grant_parse(text, s->size - 1, &grant, &error))
            return diag_error(object->diag, DIAG_SECTION, &loc,
                              arena_printf(object->arena, "expected there: %s", error.expected),
                              "BPF_GRANT() is wrong from \"%s\" on", text + error.at);
    }
    return true;
}

/* Source lines of the kept functions; both are in the order of the object. */
static void place_lines(struct linker *l) {
    const struct object *object = l->object;
    VEC(struct prog_line) lines = {0};
    size_t next = 0;

    vec_for_each(const struct object_func, f, &object->funcs) {
        for (; next < object->lines.count; next++) {
            const struct object_line *line = &object->lines.items[next];
            if (line->section > f->section ||
                (line->section == f->section && line->offset >= f->end))
                break;
            if (!f->reached || line->section != f->section || line->offset < f->start)
                continue;
            uint32_t slot = (uint32_t)((line->offset - f->start) / sizeof(struct bpf_insn));
            vec_push(object->arena, &lines,
                     (struct prog_line){.insn = l->program->funcs[f->index].start + slot,
                                        .line = line->line,
                                        .column = line->column,
                                        .file = line->file,
                                        .text = line->text});
        }
    }
    l->program->lines = lines.items;
    l->program->nlines = (uint32_t)lines.count;
}

/* ---- Entries ---- */

static bool make_entry(struct linker *l, const struct elf_options *options,
                       const struct object_func *f, struct prog_entry *entry) {
    const char *section =
        options->type ? options->type : l->object->sections.items[f->section].name;
    const char *why, *mend;
    enum bpf_hook hook;

    if (!hook_parse(section, l->object->arena, &hook, &why, &mend)) {
        struct diag_loc loc = object_loc(l->object, f->section, f->start);
        if (options->type)
            return diag_error(l->object->diag, DIAG_USAGE, NULL, mend, "--type: %s", why);
        return diag_error(l->object->diag, DIAG_SECTION, &loc, mend, "program %s: %s", f->name,
                          why);
    }
    uint32_t mem_size = options->mem_size ? options->mem_size : BPF_RAW_MEM_DEFAULT;
    *entry = (struct prog_entry){
        .name = f->name,
        .section = arena_strdup(l->object->arena, section),
        .func = f->index,
        .hook = hook,
        .ctx_size = hook == BPF_HOOK_RAW ? mem_size : hook_ctx_size(hook),
    };
    return true;
}

static bool make_entries(struct linker *l, const struct elf_options *options) {
    VEC(struct prog_entry) entries = {0};

    vec_for_each(const struct object_func, f, &l->object->funcs) {
        if (!f->entry)
            continue;
        l->program->funcs[f->index].entry = (int32_t)entries.count;
        if (!make_entry(l, options, f, vec_add(l->object->arena, &entries)))
            return false;
    }
    l->program->entries = entries.items;
    l->program->nentries = (uint32_t)entries.count;
    return true;
}

/* ---- References ---- */

static void set_pointer(struct bpf_insn *lddw, enum bpf_pseudo pseudo, uint32_t index,
                        uint32_t offset) {
    lddw[0].regs = (uint8_t)((lddw[0].regs & 0x0f) | pseudo << 4);
    lddw[0].imm = (int32_t)index;
    lddw[1].imm = (int32_t)offset;
}

static void apply_to_code(struct linker *l, const struct reference *r, uint32_t slot) {
    const struct object *object = l->object;
    struct bpf_insn *insn = &l->program->insns[slot];

    if (insn->opcode == OPCODE_CALL) {
        uint32_t callee = object->funcs.items[r->target.index].index;
        insn->imm = (int32_t)(l->program->funcs[callee].start - slot - 1);
        return;
    }
    switch (r->target.kind) {
    case TARGET_NULL: set_pointer(insn, BPF_PSEUDO_NONE, 0, 0); break;
    case TARGET_MAP: set_pointer(insn, BPF_PSEUDO_MAP, r->target.index, 0); break;
    case TARGET_FUNC:
        set_pointer(insn, BPF_PSEUDO_FUNC, object->funcs.items[r->target.index].index, 0);
        break;
    case TARGET_DATA:
        set_pointer(insn, BPF_PSEUDO_DATA, object->sections.items[r->target.index].data,
                    r->target.offset);
        break;
    }
}

/* The slot of a place in a kept function. */
static uint32_t slot_of(const struct linker *l, uint32_t section, uint64_t offset) {
    const struct object *object = l->object;
    size_t low = 0, high = object->funcs.count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const struct object_func *f = &object->funcs.items[middle];
        if (f->section < section || (f->section == section && f->start <= offset))
            low = middle;
        else
            high = middle;
    }
    const struct object_func *f = &object->funcs.items[low];
    assert(f->section == section && f->reached && offset >= f->start && offset < f->end);
    return l->program->funcs[f->index].start + (uint32_t)((offset - f->start) / 8);
}

/* clang-14 puts callx's register into the immediate, clang-19 into the destination register. */
static void normalise_callx(struct program *p) {
    for (uint32_t i = 0; i < p->ninsns; i++) {
        struct bpf_insn *insn = &p->insns[i];
        if (insn->opcode == OPCODE_LDDW)
            i++;
        if (insn->opcode != OPCODE_CALLX || insn->regs != 0 || insn->imm < 0 || insn->imm > BPF_R10)
            continue;
        insn->regs = (uint8_t)insn->imm;
        insn->imm = 0;
    }
}

/* A pointer in data as a row of the program's relocations. */
static bool data_reloc(const struct linker *l, const struct reference *r, struct prog_reloc *row) {
    const struct object *object = l->object;

    *row = (struct prog_reloc){.data = object->sections.items[r->section].data,
                               .off = (uint32_t)r->offset};
    switch (r->target.kind) {
    case TARGET_NULL: return false;
    case TARGET_MAP:
        row->kind = PROG_RELOC_MAP;
        row->target = r->target.index;
        return true;
    case TARGET_FUNC:
        row->kind = PROG_RELOC_FUNC;
        row->target = object->funcs.items[r->target.index].index;
        return true;
    case TARGET_DATA:
        row->kind = PROG_RELOC_DATA;
        row->target = object->sections.items[r->target.index].data;
        row->addend = (int32_t)r->target.offset;
        return true;
    }
    return false;
}

/* ---- Initial programs of prog_arrays ---- */

static bool map_slot(const struct linker *l, uint32_t map, const struct object_reloc *reloc,
                     struct prog_reloc *row) {
    const struct object *object = l->object;
    const struct object_map *m = &object->maps.items[map];
    struct diag_loc loc = object_loc_section(object, reloc->section);
    struct target target;

    if (!m->has_values || reloc->offset < m->values_offset ||
        (reloc->offset - m->values_offset) % 8)
        return diag_error(object->diag, DIAG_MAP, &loc, "initialise only .values of a prog_array",
                          "map %s: a pointer at offset %llu, which is no attribute values", m->name,
                          (unsigned long long)(reloc->offset - m->start));
    uint64_t slot = (reloc->offset - m->values_offset) / 8;
    if (slot >= l->program->maps[map].max_entries)
        return diag_error(object->diag, DIAG_MAP, &loc, "raise max_entries",
                          "map %s: a program at index %llu, but max_entries is %u", m->name,
                          (unsigned long long)slot, l->program->maps[map].max_entries);
    const uint8_t *place = object->sections.items[reloc->section].bytes + reloc->offset;
    if (!resolve(object, reloc, (int64_t)object_number(place, 8), &target))
        return false;
    const struct object_func *f =
        target.kind == TARGET_FUNC ? &object->funcs.items[target.index] : NULL;
    if (!f || !f->entry)
        return diag_error(object->diag, DIAG_MAP, &loc, "name functions that have a SEC()",
                          "map %s: %s at index %llu is no program", m->name,
                          f ? f->name : object->symbols.items[reloc->symbol].name,
                          (unsigned long long)slot);
    *row = (struct prog_reloc){.kind = PROG_RELOC_PROG,
                               .data = map,
                               .off = (uint32_t)slot,
                               .target = (uint32_t)l->program->funcs[f->index].entry};
    return true;
}

/* Relocations inside .maps belong to the map that they lie in. */
static bool link_maps(struct linker *l, struct prog_reloc *rows, uint32_t *count) {
    const struct object *object = l->object;
    uint32_t map = 0;

    for (size_t i = object_reloc_from(object, object->maps_section, 0);
         i < object->relocs.count && object->relocs.items[i].section == object->maps_section; i++) {
        const struct object_reloc *reloc = &object->relocs.items[i];
        struct diag_loc loc = object_loc_section(object, reloc->section);
        while (map < object->maps.count && object->maps.items[map].end <= reloc->offset)
            map++;
        if (map == object->maps.count || reloc->offset < object->maps.items[map].start)
            return diag_error(object->diag, DIAG_RELOC, &loc, MEND_REBUILD,
                              "corrupt relocation: offset %llu of section .maps is in no map",
                              (unsigned long long)reloc->offset);
        if (!map_slot(l, map, reloc, &rows[(*count)++]))
            return false;
    }
    return true;
}

static int compare_places(const void *a, const void *b) {
    const struct reference *x = a, *y = b;

    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool apply_references(struct linker *l) {
    struct program *p = l->program;

    vec_for_each(const struct reference, r, &l->code) {
        apply_to_code(l, r, slot_of(l, r->section, r->offset));
    }
    if (l->data.count)
        qsort(l->data.items, l->data.count, sizeof(*l->data.items), compare_places);
    p->relocs = arena_alloc_array(p->arena, l->object->relocs.count, sizeof(*p->relocs));
    vec_for_each(const struct reference, r, &l->data) {
        struct prog_reloc *row = &p->relocs[p->nrelocs];
        if (!data_reloc(l, r, row))
            continue;
        p->datas[row->data].relocated = true;
        p->nrelocs++;
    }
    return l->object->maps_section == OBJECT_NONE || link_maps(l, p->relocs, &p->nrelocs);
}

/* ---- All of it ---- */

static void read_license(struct linker *l) {
    vec_for_each(const struct object_section, s, &l->object->sections) {
        if (s->kind == SECTION_LICENSE && s->bytes)
            l->program->license = arena_printf(l->object->arena, "%.*s", (int)s->size, s->bytes);
    }
}

bool link_program(struct object *object, const struct elf_options *options,
                  struct program *program) {
    struct linker l = {.object = object, .program = program};

    if (!funcs_find(object, options) || !reach_all(&l))
        return false;
    if (!place_funcs(&l) || !place_data(&l) || !check_grant(&l))
        return false;
    place_lines(&l);
    if (!make_entries(&l, options) || !apply_references(&l))
        return false;
    normalise_callx(program);
    read_license(&l);
    return true;
}
