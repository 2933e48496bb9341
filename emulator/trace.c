/* SPDX-License-Identifier: MIT */
/*
 * The trace. A line can only be finished when the next instruction is about to run, because only then
 * the registers have changed: each step completes the line before and begins its own.
 */
#include "trace.h"

#include "asm/asm.h"
#include "thumb2/encoding.h"

#include <inttypes.h>
#include <string.h>

#define BPF_COLUMN 28
#define THUMB_COLUMN 26
#define SHOWN_REGS 15   /* r0 to lr */
#define IT_BLOCK_MAX 16 /* bytes behind an IT */

struct trace {
    const struct trace_debug *debug;
    FILE *file;
    uint32_t regs[SHOWN_REGS];
    bool pending;  /* a line waits for its registers */
    uint32_t slot; /* that was shown last */
    bool has_slot;
    const struct prog_line *line; /* that was shown last */
    uint8_t it;                   /* IT state of the next instruction */
    uint32_t it_at;               /* its address; elsewhere the state does not hold */
    bool in_library;
    uint32_t entered;              /* address */
    uint64_t cycles, instructions; /* when it was entered */
};

bool trace_slot(const struct trace_debug *debug, uint32_t address, uint32_t *slot) {
    size_t low = 0, high = debug->line_count;

    if (!debug->prog || address < debug->code)
        return false;
    while (low < high) { /* the first row behind the address */
        size_t middle = low + (high - low) / 2;
        if (debug->lines[middle].addr <= address - debug->code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || debug->lines[low - 1].insn >= debug->prog->ninsns)
        return false;
    *slot = debug->lines[low - 1].insn;
    return true;
}

bool trace_loc(const struct trace_debug *debug, uint32_t address, struct diag_loc *loc) {
    uint32_t slot;

    if (!trace_slot(debug, address, &slot))
        return false;
    program_loc(debug->prog, slot, loc);
    return true;
}

struct trace *trace_new(struct arena *arena, const struct trace_debug *debug, FILE *file) {
    struct trace *t = arena_alloc(arena, sizeof(*t));
    t->debug = debug;
    t->file = file;
    return t;
}

/* Ends the pending line with what its instruction changed. */
static void finish_line(struct trace *t, struct machine *m) {
    for (unsigned i = 0; i < SHOWN_REGS; i++) {
        uint32_t now = machine_reg(m, i);
        if (t->pending && now != t->regs[i]) {
            static const char *const names[] = {"sp", "lr"};
            if (i < 13)
                fprintf(t->file, " r%u=%x", i, now);
            else
                fprintf(t->file, " %s=%x", names[i - 13], now);
        }
        t->regs[i] = now;
    }
    if (t->pending)
        fputc('\n', t->file);
    t->pending = false;
}

/* Rows of the line table differ in their columns as well. */
static bool same_line(const struct prog_line *a, const struct prog_line *b) {
    return b && a->line == b->line && strcmp(a->file, b->file) == 0;
}

/* A line for the source when it changes; the eBPF instruction likewise, as the left column. */
static void show_origin(struct trace *t, uint32_t pc) {
    char text[ASM_PRINT_SIZE + 16] = "";
    uint32_t slot = 0;
    bool known = trace_slot(t->debug, pc, &slot);

    if (known) {
        const struct prog_line *line = program_line_at(t->debug->prog, slot);
        if (line && !same_line(line, t->line))
            fprintf(t->file, "%s:%u: %s\n", basename(line->file), line->line, line->text);
        t->line = line;
    }
    if (known && !(t->has_slot && slot == t->slot)) {
        int n = snprintf(text, sizeof(text), "%4u: ", slot);
        asm_print(&t->debug->prog->decoded[slot], text + n, sizeof(text) - n);
    }
    t->has_slot = known;
    t->slot = slot;
    fprintf(t->file, "%-*s ", BPF_COLUMN, text);
}

static void show_code(struct trace *t, struct machine *m, uint32_t pc) {
    uint16_t code[2] = {0};
    size_t halfwords = 0;
    enum t2_enc enc;
    struct t2_fields fields;
    unsigned length;
    char text[64];

    for (const void *at; halfwords < 2 && (at = machine_readable(m, pc + halfwords * 2, 2));)
        memcpy(&code[halfwords++], at, 2);
    if (pc != t->it_at)
        t->it = 0;
    if (t2_decode(code, halfwords, t->it != 0, &enc, &fields, &length)) {
        t2_disasm(text, sizeof(text), pc, enc, &fields, t2_it_cond(t->it));
        char *tab = strchr(text, '\t');
        if (tab)
            *tab = ' ';
        t->it = enc == T2_IT_T1 ? t2_it_start(&fields) : t2_it_next(t->it);
    } else {
        snprintf(text, sizeof(text), length == 2 ? ".inst %04x%04x" : ".inst %04x", code[0],
                 code[1]);
    }
    t->it_at = pc + length * 2;
    fprintf(t->file, "%08x  %-*s", pc, THUMB_COLUMN, text);
}

static void leave_library(struct trace *t, struct machine *m) {
    const struct cycles *now = machine_cycles(m);
    const char *name = t->debug->library_name ? t->debug->library_name(t->entered) : NULL;

    fprintf(t->file, "%*s[%s: %" PRIu64 " instructions, %" PRIu64 " cycles]", BPF_COLUMN + 1, "",
            name ? name : "library", now->instructions - t->instructions, now->total - t->cycles);
    t->pending = true;
    finish_line(t, m);
    t->in_library = false;
}

void trace_step(void *user, struct machine *m, uint32_t pc) {
    struct trace *t = user;
    bool library = pc - MEMMAP_LIBRARY < MEMMAP_LIBRARY_SIZE;

    if (library && t->in_library)
        return;
    if (t->in_library)
        leave_library(t, m);
    else
        finish_line(t, m);
    if (library) {
        t->in_library = true;
        t->entered = pc;
        t->cycles = machine_cycles(m)->total;
        t->instructions = machine_cycles(m)->instructions;
        return;
    }
    /* The machine is never asked about what an IT block skips. */
    while (t->it && t->it_at < pc && pc - t->it_at <= IT_BLOCK_MAX) {
        show_origin(t, t->it_at);
        show_code(t, m, t->it_at);
        fputs(" skipped\n", t->file);
    }
    show_origin(t, pc);
    show_code(t, m, pc);
    t->pending = true;
}

void trace_finish(struct trace *t, struct machine *m) {
    if (t->in_library)
        leave_library(t, m);
    else
        finish_line(t, m);
    t->has_slot = false;
    t->line = NULL;
}
