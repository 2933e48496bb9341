/* SPDX-License-Identifier: MIT */
/*
 * A path that fails, told in notes: where the value comes from that is the matter, then the decisions on the
 * way, in the order in which they were first made. What a loop repeats is told once, with a count; of a long
 * path the beginning and the end are told.
 */
#include "verifier/explain.h"

#include <inttypes.h>

#include "bpf/helper.h"
#include "util/vec.h"
#include "verifier/checks.h"
#include "verifier/trace.h"

#define NOTES_MAX 12
#define NOTES_FIRST 4 /* of them from the beginning */

/* One instruction of a path. */
struct path_step {
    uint32_t slot;
    uint32_t depth; /* calls from the root */
};

struct path {
    VEC(struct path_step) steps; /* the last one is the instruction that may not run */
};

struct explaining {
    const struct analysis *a;
    const struct explore_failure *failure;
    struct path path;
};

static const struct bpf_decoded *insn(const struct analysis *a, uint32_t slot) {
    return &a->program->decoded[slot];
}

/* ---- The path's instructions */

/* The event that decides what follows an instruction, if it is the next one. */
static const struct path_event *event_at(const struct explore_failure *f, size_t next,
                                         uint32_t slot, enum path_kind kind) {
    bool fits = next < f->nevents && f->events[next].kind == kind && f->events[next].slot == slot;
    return fits ? &f->events[next] : NULL;
}

/* The instructions that a failure's events lead through. */
static struct path path_steps(const struct analysis *a, const struct explore_failure *failure) {
    struct path path = {0};
    const struct program *p = a->program;
    uint32_t slot = p->funcs[failure->root->summary->func].start, calls[VERIFY_FRAMES_MAX];
    uint32_t depth = 0;
    size_t next = 0;
    while (next < failure->nevents || slot != failure->problem.slot) {
        const struct bpf_decoded *d = insn(a, slot);
        const struct path_event *event;
        if (event_at(failure, next, slot, PATH_WIDEN)) {
            next++;
            continue;
        }
        vec_push(a->arena, &path.steps, (struct path_step){slot, depth});
        if ((event = event_at(failure, next, slot, PATH_BRANCH)) != NULL) {
            slot += event->taken ? (uint32_t)d->target : d->len;
        } else if ((event = event_at(failure, next, slot, PATH_CALL)) != NULL) {
            calls[depth++] = slot;
            slot = p->funcs[event->func].start;
        } else if ((event = event_at(failure, next, slot, PATH_RETURN)) != NULL) {
            slot = calls[--depth];
            slot += insn(a, slot)->len;
        } else {
            slot += d->op == BPF_JA ? (uint32_t)d->target : d->len;
        }
        next += event != NULL;
    }
    vec_push(a->arena, &path.steps, (struct path_step){slot, depth});
    return path;
}

/* ---- Notes */

static void note(const struct explaining *e, uint32_t slot, const char *text) {
    struct diag_loc loc;
    program_loc(e->a->program, slot, &loc);
    diag_note(e->a->verifier->diag, e->failure->problem.category, &loc, NULL, "%s", text);
}

/* ---- Where a value comes from */

static bool writes(const struct analysis *a, uint32_t slot, unsigned reg) {
    uint16_t reads, written;
    cfg_effects(a->program, slot, a->live_args, &reads, &written);
    return written >> reg & 1;
}

/* The store that a load from the running function's own stack reads, before step i; or 0. */
static size_t find_store(const struct explaining *e, size_t i) {
    const struct path_step *steps = e->path.steps.items;
    const struct bpf_decoded *load = insn(e->a, steps[i].slot);
    for (size_t k = i; k-- > 0 && steps[k].depth >= steps[i].depth;) {
        const struct bpf_decoded *d = insn(e->a, steps[k].slot);
        if (steps[k].depth == steps[i].depth && d->op == BPF_STX && d->dst == BPF_R10 &&
            d->off == load->off && d->width == load->width)
            return k;
    }
    return 0;
}

/* The step that gave register `reg`, as it is before step i, its value: copies are followed to what they are
 * copies of. The path's length if it was given none. */
static size_t find_origin(const struct explaining *e, size_t i, unsigned reg) {
    const struct path_step *steps = e->path.steps.items;
    uint32_t depth = steps[i].depth;
    while (i-- > 0) {
        const struct bpf_decoded *d = insn(e->a, steps[i].slot);
        bool call = d->op == BPF_CALL_LOCAL || d->op == BPF_CALLX;
        if (steps[i].depth + 1 == depth) { /* the call that led here: arguments are the caller's */
            depth--;
            continue;
        }
        if (steps[i].depth > depth) {
            if (reg != BPF_R0 || d->op != BPF_EXIT || steps[i].depth != depth + 1)
                continue;
            depth++; /* the callee's result */
            continue;
        }
        if (call || !writes(e->a, steps[i].slot, reg))
            continue;
        size_t store = 0;
        if (d->op == BPF_MOV && d->src_reg)
            reg = d->src;
        else if (d->op == BPF_LDX && d->src == BPF_R10 && (store = find_store(e, i)) != 0)
            reg = insn(e->a, steps[i = store].slot)->src;
        else if (d->op == BPF_ADD && d->src_reg && d->dst == reg)
            reg = d->src; /* pointer + index: the index is what matters */
        else if (!bpf_op_is_alu(d->op) || d->op == BPF_MOV || d->src_reg)
            return i; /* what constants do to it is no origin */
    }
    return e->path.steps.count;
}

/* The register that an instruction fails by, or -1. */
static int culprit(const struct bpf_decoded *d) {
    if (d->op == BPF_LDX || d->op == BPF_LDXS)
        return d->src;
    if (d->op == BPF_ST || d->op == BPF_STX || bpf_op_is_atomic(d->op) || bpf_op_is_jcc(d->op))
        return d->dst;
    return d->op == BPF_EXIT ? BPF_R0 : -1;
}

static void explain_origin(const struct explaining *e) {
    size_t last = e->path.steps.count - 1;
    const struct bpf_decoded *d = insn(e->a, e->failure->problem.slot);
    enum diag_category category = e->failure->problem.category;
    bool value_matters = category == DIAG_NULL || category == DIAG_BOUNDS ||
                         category == DIAG_RETURN || category == DIAG_POINTER;
    int reg = culprit(d);
    size_t origin = reg < 0 || !value_matters ? last : find_origin(e, last, (unsigned)reg);
    if (origin >= last)
        return;
    uint32_t slot = e->path.steps.items[origin].slot;
    const char *expression = problem_expression(e->a, slot);
    d = insn(e->a, slot);
    if (category == DIAG_BOUNDS && d->op == BPF_MOV)
        return; /* what a counter starts with */
    const struct bpf_helper *h =
        d->op == BPF_CALL_HELPER ? bpf_helper_by_id((uint32_t)d->imm) : NULL;
    const char *what = category == DIAG_BOUNDS ? "the offset" : "the value";
    if (h && category == DIAG_NULL)
        note(e, slot, arena_printf(e->a->arena, "bpf_%s() may return null here", h->name));
    else if (h)
        note(e, slot, arena_printf(e->a->arena, "%s comes from bpf_%s() here", what, h->name));
    else if (expression)
        note(e, slot, arena_printf(e->a->arena, "%s comes from `%s` here", what, expression));
    else
        note(e, slot, arena_printf(e->a->arena, "%s comes from here", what));
}

/* ---- Decisions */

struct decision {
    const struct path_event *event;
    uint64_t times;
};

struct decisions {
    VEC(struct decision) list;
    uint32_t *index; /* by slot, and by outcome or kind (4): 1 + place in the list */
};

static const struct cfg_block *block_at(const struct analysis *a, uint32_t slot,
                                        const struct cfg **cfg) {
    const struct prog_func *f = program_func_at(a->program, slot);
    *cfg = &a->cfgs[f - a->program->funcs];
    return &(*cfg)->blocks[(*cfg)->block_of[slot - f->start]];
}

/* The loops that a jump stays in or leaves; CFG_NONE if it does not decide that. */
static uint32_t loop_decided(const struct analysis *a, uint32_t slot, bool *leaves, bool taken) {
    const struct cfg *cfg;
    const struct cfg_block *b = block_at(a, slot, &cfg);
    uint32_t loop = b->loop;
    if (loop == CFG_NONE || b->nsucc < 2)
        return CFG_NONE;
    *leaves = !cfg_in_loop(cfg, b->succ[taken], loop);
    bool other = !cfg_in_loop(cfg, b->succ[!taken], loop);
    return *leaves == other ? CFG_NONE : loop;
}

/* The loop that a way of a jump leads into from outside, with nothing to decide in between. */
static bool enters_loop(const struct analysis *a, uint32_t slot, bool taken) {
    const struct cfg *cfg;
    const struct cfg_block *b = block_at(a, slot, &cfg);
    if (b->nsucc < 2)
        return false;
    uint32_t to = b->succ[taken];
    for (int i = 0; i < 3 && cfg->blocks[to].nsucc == 1 && cfg->blocks[to].loop == b->loop; i++)
        to = cfg->blocks[to].succ[0];
    uint32_t loop = cfg->blocks[to].loop;
    return loop != b->loop && loop != CFG_NONE && cfg->loops[loop].parent == b->loop;
}

/* Calls are told if they have not returned. */
static bool is_active(const struct explore_failure *f, size_t i) {
    uint32_t depth = 1;
    for (size_t k = i + 1; k < f->nevents; k++) {
        depth += f->events[k].kind == PATH_CALL;
        depth -= f->events[k].kind == PATH_RETURN;
        if (depth == 0)
            return false;
    }
    return true;
}

static void collect(const struct explaining *e, struct decisions *out) {
    const struct explore_failure *f = e->failure;
    struct arena *arena = e->a->arena;
    out->index = arena_alloc_array(arena, 4 * (size_t)e->a->program->ninsns, sizeof(*out->index));
    for (size_t i = 0; i < f->nevents; i++) {
        const struct path_event *event = &f->events[i];
        uint32_t kind = event->kind == PATH_BRANCH ? event->taken
                        : event->kind == PATH_CALL ? 2
                                                   : 3;
        uint32_t *index = &out->index[4 * event->slot + kind];
        if (event->kind == PATH_RETURN || (event->kind == PATH_CALL && !is_active(f, i)))
            continue;
        if (*index) {
            out->list.items[*index - 1].times++;
            continue;
        }
        vec_push(arena, &out->list, (struct decision){event, 1});
        *index = (uint32_t)out->list.count;
    }
}

static bool is_header(const struct analysis *a, uint32_t slot) {
    const struct cfg *cfg;
    const struct cfg_block *b = block_at(a, slot, &cfg);
    return b->start == slot && b->loop != CFG_NONE && &cfg->blocks[cfg->loops[b->loop].header] == b;
}

/* Where control goes on: the first line behind the jump that is another one. */
static uint32_t next_line(const struct analysis *a, const struct path_event *event) {
    const struct bpf_decoded *d = insn(a, event->slot);
    const struct prog_line *from = program_line_at(a->program, event->slot);
    uint32_t slot = event->slot + (event->taken ? (uint32_t)d->target : d->len);
    const struct prog_line *to = program_line_at(a->program, slot);
    return from && to && to->line != from->line ? to->line : 0;
}

static const char *branch_text(const struct explaining *e, const struct path_event *event) {
    struct arena *arena = e->a->arena;
    bool holds, leaves = false;
    uint32_t slot = event->slot, loop = loop_decided(e->a, slot, &leaves, event->taken);
    bool in = enters_loop(e->a, slot, event->taken);
    bool enters = loop == CFG_NONE && in != enters_loop(e->a, slot, !event->taken);
    int goes_on = loop != CFG_NONE ? !leaves : enters ? in : -1;
    const char *condition = explain_condition(e->a, slot, event->taken, goes_on, &holds);
    if (condition)
        return arena_printf(arena, "when `%s` is %s", condition, holds ? "true" : "false");
    if (loop != CFG_NONE)
        return leaves ? "when the loop ends here" : "when the loop goes on here";
    if (enters)
        return in ? "when the loop is entered" : "when the loop is not entered";
    uint32_t line = next_line(e->a, event);
    if (line)
        return arena_printf(arena, "when control goes from here to line %" PRIu32, line);
    char text[64];
    bpf_disasm(text, sizeof(text), insn(e->a, slot), slot);
    return arena_printf(arena, "when the branch is%s taken: %s", event->taken ? "" : " not", text);
}

static const char *decision_text(const struct explaining *e, const struct decision *decision) {
    struct arena *arena = e->a->arena;
    const struct path_event *event = decision->event;
    if (event->kind == PATH_WIDEN)
        return is_header(e->a, event->slot) ? "after any number of iterations of this loop"
                                            : "where many ways come together";
    if (event->kind == PATH_CALL)
        return arena_printf(arena, "in %s(), called here", e->a->program->funcs[event->func].name);
    const char *text = branch_text(e, event);
    if (decision->times == 1)
        return text;
    return arena_printf(arena, "%s (%" PRIu64 " times)", text, decision->times);
}

static void explain_decisions(const struct explaining *e) {
    struct decisions decisions = {0};
    collect(e, &decisions);
    size_t count = decisions.list.count;
    size_t left_out = count > NOTES_MAX ? count - NOTES_MAX : 0;
    for (size_t i = 0; i < count; i++) {
        const struct decision *d = &decisions.list.items[i];
        const char *text = decision_text(e, d);
        if (left_out && i == NOTES_FIRST) {
            i += left_out;
            d = &decisions.list.items[i];
            text = arena_printf(e->a->arena, "(%zu decisions further) %s", left_out + 1,
                                decision_text(e, d));
        }
        note(e, d->event->slot, text);
    }
}

/* ---- All */

void explain_path(const struct analysis *a, const struct explore_failure *failure) {
    struct explaining e = {a, failure, path_steps(a, failure)};
    const struct explore_root *root = failure->root;
    if (root->kind == ROOT_CALLBACK)
        note(&e, root->slot,
             arena_printf(a->arena, "in %s(), which is called back from here",
                          a->program->funcs[root->summary->func].name));
    explain_origin(&e);
    explain_decisions(&e);
}

/* ---- For --log */

void explain_trace(const struct analysis *a, const struct explore_failure *failure, FILE *out) {
    struct path path = path_steps(a, failure);
    const struct prog_line *last = NULL;
    fprintf(out, "the path to: %s\n", failure->problem.text);
    vec_for_each(struct path_step, step, &path.steps) {
        char text[128];
        trace_line(a, step->slot, &last, out);
        bpf_disasm(text, sizeof(text), insn(a, step->slot), step->slot);
        fprintf(out, "%*s%4" PRIu32 ": %s\n", (int)(2 * step->depth), "", step->slot, text);
    }
}
