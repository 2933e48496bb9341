/* SPDX-License-Identifier: MIT */
/*
 * Look-ups in the linked program, decoding of its instructions with messages, and the way round the
 * ELF reader: a program from bare instructions.
 */
#include "program/program.h"

#include "bpf/hook.h"
#include "util/vec.h"

#include <assert.h>
#include <string.h>

/* Garbage read as code has an error in every other slot; nobody reads the tenth message. */
#define DECODE_ERRORS_MAX 10

/* ---- Look-ups ---- */

const struct prog_func *program_func_at(const struct program *p, uint32_t slot) {
    uint32_t low = 0, high = p->nfuncs;

    assert(slot < p->ninsns);
    /* The last function that starts at or before slot: functions cover insns without gaps. */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (p->funcs[middle].start <= slot)
            low = middle;
        else
            high = middle;
    }
    assert(slot - p->funcs[low].start < p->funcs[low].len);
    return &p->funcs[low];
}

uint32_t program_callee(const struct program *p, uint32_t slot) {
    assert(p->decoded[slot].op == BPF_CALL_LOCAL);
    return (uint32_t)(program_func_at(p, slot + (uint32_t)p->decoded[slot].target) - p->funcs);
}

const struct prog_line *program_line_at(const struct program *p, uint32_t slot) {
    uint32_t low = 0, high = p->nlines; /* rows below low are at or before slot */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->lines[middle].insn <= slot)
            low = middle + 1;
        else
            high = middle;
    }
    /* A row does not reach over the start of a function that has none of its own. */
    if (low == 0 || p->lines[low - 1].insn < program_func_at(p, slot)->start)
        return NULL;
    return &p->lines[low - 1];
}

void program_loc(const struct program *p, uint32_t slot, struct diag_loc *loc) {
    const struct prog_func *func = program_func_at(p, slot);
    const struct prog_line *line = program_line_at(p, slot);

    *loc = (struct diag_loc){
        .object = p->file,
        .section = func->section,
        .insn = (long)(func->elf_insn + (slot - func->start)),
    };
    if (line) {
        loc->file = line->file;
        loc->line = line->line;
        loc->column = line->column;
        loc->text = line->text;
    }
}

/* ---- Decoding ---- */

static const char *decode_mend(enum bpf_decode_status status) {
    switch (status) {
    case BPF_DECODE_REFUSED: return "rewrite the source without it";
    case BPF_DECODE_REGISTER: return "use r0 to r9, and r10 only to read the frame pointer";
    default: return "compile with clang -target bpf -mcpu=v4 or below; the object may be damaged";
    }
}

static void report_undecodable(const struct program *p, uint32_t slot,
                               enum bpf_decode_status status, struct diag *diag) {
    const struct bpf_insn *insn = &p->insns[slot];
    const char *refused = bpf_refused_name(insn);
    struct diag_loc loc;

    program_loc(p, slot, &loc);
    if (status == BPF_DECODE_REFUSED && refused)
        diag_error(diag, DIAG_INSN, &loc, decode_mend(status), "%s is not supported", refused);
    else
        diag_error(diag, DIAG_INSN, &loc, decode_mend(status),
                   "%s (opcode 0x%02x, registers 0x%02x, offset %d, immediate %d)",
                   bpf_decode_status_text(status), insn->opcode, insn->regs, insn->off, insn->imm);
}

bool program_decode(struct program *p, struct diag *diag) {
    unsigned errors = 0;

    p->decoded = arena_alloc_array(p->arena, p->ninsns, sizeof(*p->decoded));
    for (uint32_t i = 0; i < p->ninsns;) {
        const struct prog_func *func = program_func_at(p, i);
        /* Only the function's own slots: its lddw cannot end in the next function. */
        size_t avail = func->start + func->len - i;
        enum bpf_decode_status status = bpf_decode(&p->insns[i], avail, &p->decoded[i]);

        if (status != BPF_DECODE_OK) {
            report_undecodable(p, i, status, diag);
            if (++errors == DECODE_ERRORS_MAX)
                return false;
            i++;
            continue;
        }
        i += p->decoded[i].len;
    }
    return errors == 0;
}

/* ---- From bare instructions ---- */

static bool is_func_lddw(const struct bpf_decoded *d) {
    return d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_FUNC;
}

/* The absolute slot of what a local call or a function pointer refers to. */
static int64_t target_slot(const struct bpf_decoded *d, uint32_t slot) {
    return d->op == BPF_CALL_LOCAL ? (int64_t)slot + d->target : (int64_t)(uint32_t)d->imm;
}

/* Marks where functions start; false if a target is no instruction. */
static bool find_starts(const struct program *p, bool *starts, struct diag *diag) {
    bool good = true;

    starts[0] = true;
    for (uint32_t i = 0; i < p->ninsns; i++) {
        const struct bpf_decoded *d = &p->decoded[i];
        struct diag_loc loc;

        if (d->len == 0)
            continue;
        program_loc(p, i, &loc);
        if (d->op == BPF_LDDW && (d->pseudo == BPF_PSEUDO_MAP || d->pseudo == BPF_PSEUDO_DATA))
            good = diag_error(diag, DIAG_INSN, &loc, "give an object file with maps and data",
                              "bare instructions have no maps and no data to refer to");
        if (d->op != BPF_CALL_LOCAL && !is_func_lddw(d))
            continue;
        int64_t target = target_slot(d, i);
        if (target < 0 || target >= p->ninsns || p->decoded[target].len == 0)
            good = diag_error(diag, DIAG_CALL, &loc, "correct the distance of the call",
                              "the function referred to would be at slot %lld, where no "
                              "instruction starts (the program has %u slots)",
                              (long long)target, p->ninsns);
        else
            starts[target] = true;
    }
    return good;
}

static void make_functions(struct program *p, const bool *starts, const char *name) {
    VEC(struct prog_func) funcs = {0};

    for (uint32_t i = 0; i < p->ninsns; i++) {
        if (!starts[i])
            continue;
        struct prog_func *f = vec_add(p->arena, &funcs);
        f->name = i == 0 ? name : arena_printf(p->arena, "func_%u", i);
        f->section = "raw";
        f->start = f->elf_insn = i;
        f->entry = i == 0 ? 0 : -1;
    }
    p->funcs = funcs.items;
    p->nfuncs = (uint32_t)funcs.count;
    for (uint32_t i = 0; i < p->nfuncs; i++) {
        uint32_t end = i + 1 < p->nfuncs ? p->funcs[i + 1].start : p->ninsns;
        p->funcs[i].len = end - p->funcs[i].start;
    }
}

/* Function pointers: from slots to function indices. */
static void index_function_pointers(struct program *p) {
    for (uint32_t i = 0; i < p->ninsns; i++) {
        struct bpf_decoded *d = &p->decoded[i];

        if (d->len == 0 || !is_func_lddw(d))
            continue;
        uint32_t index = (uint32_t)(program_func_at(p, (uint32_t)target_slot(d, i)) - p->funcs);
        p->funcs[index].address_taken = true;
        p->insns[i].imm = (int32_t)index;
        p->insns[i + 1].imm = 0;
        d->imm = index;
    }
}

struct program *program_from_insns(struct arena *arena, const char *name,
                                   const struct bpf_insn *insns, uint32_t count, uint32_t mem_size,
                                   struct diag *diag) {
    struct program *p = arena_alloc(arena, sizeof(*p));
    struct prog_func whole = {.name = name, .section = "raw", .len = count};
    const struct diag_loc loc = DIAG_OBJECT(name);

    if (count == 0) {
        diag_error(diag, DIAG_INSN, &loc, "give at least `exit`", "the program has no instruction");
        return NULL;
    }
    p->arena = arena;
    p->file = name;
    p->ninsns = count;
    p->insns = arena_alloc_array(arena, count, sizeof(*p->insns));
    memcpy(p->insns, insns, count * sizeof(*insns));

    /* One function for the time being, so that messages of the decoder have a place. */
    p->funcs = &whole;
    p->nfuncs = 1;
    if (!program_decode(p, diag))
        return NULL;
    bool *starts = arena_alloc_array(arena, count, sizeof(*starts));
    if (!find_starts(p, starts, diag))
        return NULL;
    make_functions(p, starts, name);
    index_function_pointers(p);

    p->entries = arena_alloc(arena, sizeof(*p->entries));
    p->entries[0] = (struct prog_entry){
        .name = name, .section = "raw", .hook = BPF_HOOK_RAW, .ctx_size = mem_size};
    p->nentries = 1;
    return p;
}
