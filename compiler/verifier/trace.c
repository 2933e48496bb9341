/* SPDX-License-Identifier: MIT */
/* The verifier's view, instruction by instruction, for --log. */
#include "verifier/trace.h"

#include <inttypes.h>

#include "verifier/values.h"

struct trace {
    const struct analysis *a;
    FILE *out;
    const struct summary *summary; /* at hand */
    const struct prog_line *line;
};

void trace_line(const struct analysis *a, uint32_t slot, const struct prog_line **last, FILE *out) {
    const struct prog_line *line = program_line_at(a->program, slot);
    if (!line || line == *last || !line->text || (*last && (*last)->text == line->text))
        return;
    *last = line;
    fprintf(out, "; %s:%" PRIu32 ": ", line->file, line->line);
    for (const char *p = line->text; *p; p++) /* the object file may say anything */
        fputc((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p, out);
    fputc('\n', out);
}

static void before(void *arg, const struct summary *summary, uint32_t slot, const struct state *s) {
    struct trace *t = arg;
    const struct program *p = t->a->program;
    char text[128];
    if (summary != t->summary) {
        fprintf(t->out, "%s:\n", p->funcs[summary->func].name);
        t->summary = summary;
        t->line = NULL;
    }
    trace_line(t->a, slot, &t->line, t->out);
    state_print(s, p, t->out);
    bpf_disasm(text, sizeof(text), &p->decoded[slot], slot);
    fprintf(t->out, "%4" PRIu32 ": %s\n", slot, text);
}

void trace_fixpoint(struct fixpoint *fp, FILE *out) {
    struct trace t = {.a = fp->a, .out = out};
    const struct fixpoint_visitor visitor = {.arg = &t, .before = before};
    values_walk(fp, &visitor);
}
