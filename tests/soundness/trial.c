/* SPDX-License-Identifier: MIT */
/* One program: verified, then run with several inputs, each state compared with what the verifier has. */
#include "soundness/coverage.h"
#include "soundness/machine.h"

#include "util/vec.h"
#include "verifier/checks.h"
#include "verifier/fixpoint.h"
#include "verifier/values.h"

#include <stdlib.h>
#include <string.h>

#define STEPS 10000  /* of a run */
#define LOOPS_MAX 64 /* of a program, whose bounds are looked at */

bool trial_injected_error;

/* Abstract states before one instruction, of all summaries in use. */
struct states {
    VEC(const struct state *) at;
    size_t last; /* the one that the machine's state was in */
};

struct trial {
    struct arena *arena;
    struct program *program;
    struct analysis *a;
    struct states *states; /* by slot */
    struct verify_result result;
    struct trial_result *out;
    FILE *log;
};

/* ---- The verifier's side */

static void keep(void *arg, const struct summary *summary, uint32_t slot, const struct state *s) {
    struct trial *t = arg;
    (void)summary;
    vec_push(t->arena, &t->states[slot].at, (const struct state *)state_copy(t->a->pool, s));
}

static void collect_states(struct trial *t) {
    struct fixpoint *fp = fixpoint_new(t->a);
    const struct fixpoint_visitor visitor = {.arg = t, .before = keep};
    t->states = arena_alloc_array(t->arena, t->program->ninsns, sizeof(*t->states));
    values_walk(fp, &visitor);
}

/* ---- Violations */

static void print_state(const struct trial *t, const struct state *s) {
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    state_print(s, t->program, out);
    fclose(out);
    for (char *c = line; *c; c++)
        *c = *c == '\n' ? '\t' : *c;
    fprintf(t->log, "; the state there: %s\n", line);
    free(line);
}

static bool violate(struct trial *t, enum violation violation, uint32_t slot, const char *what) {
    t->out->violation = violation;
    t->out->slot = slot;
    snprintf(t->out->what, sizeof(t->out->what), "%s", what);
    for (size_t i = 0; t->log && violation == VIOLATION_STATE && i < t->states[slot].at.count; i++)
        print_state(t, t->states[slot].at.items[i]);
    return false;
}

/* ---- States */

static bool check_state(struct trial *t, const struct machine *m) {
    struct states *states = &t->states[m->slot];
    const char *why = "the fixpoint does not get there";
    for (size_t i = 0; i < states->at.count; i++) {
        size_t index = (states->last + i) % states->at.count;
        why = not_member(m, states->at.items[index]);
        t->out->compared++;
        if (!why) {
            states->last = index;
            return true;
        }
    }
    return violate(t, VIOLATION_STATE, m->slot, why);
}

/* ---- Bounds of loops: how often a header has run since its loop was entered */

struct counting {
    uint64_t count[VERIFY_FRAMES_MAX][LOOPS_MAX];
    uint32_t serial[VERIFY_FRAMES_MAX]; /* of the frame that was counted */
    uint32_t before[VERIFY_FRAMES_MAX]; /* its slot before this one */
};

static bool check_loops(struct trial *t, struct counting *c, const struct machine *m) {
    uint32_t frame = m->depth - 1, func = m->frame[frame].func;
    const struct cfg *cfg = &t->a->cfgs[func];
    uint32_t start = t->program->funcs[func].start, number = 0;
    bool same = c->serial[frame] == m->frame[frame].serial;
    for (uint32_t i = 0; i < t->result.nloops && i < LOOPS_MAX; i++) {
        const struct verify_loop *loop = &t->result.loops[i];
        if (loop->func != func)
            continue;
        uint32_t index = number++; /* loops are in the order of the graphs' loops */
        if (loop->slot != m->slot)
            continue;
        bool inside = same && cfg_in_loop(cfg, cfg->block_of[c->before[frame] - start], index);
        c->count[frame][i] = inside ? c->count[frame][i] + 1 : 1;
        if (c->count[frame][i] > loop->bound)
            return violate(t, VIOLATION_BOUND, m->slot, "a loop goes on beyond its bound");
    }
    c->before[frame] = m->slot;
    c->serial[frame] = m->frame[frame].serial;
    return true;
}

/* ---- What the compiler is told */

static bool fact_holds(const struct fact *f, const struct word *w) {
    if (w->kind == WORD_NONE)
        return true;
    switch ((enum fact_kind)f->kind) {
    case FACT_NONE: return true;
    case FACT_ZEXT: return w->n >> 32 == 0;
    case FACT_SEXT: return (int64_t)w->n == (int32_t)(uint32_t)w->n;
    case FACT_CONST: return w->kind == WORD_NUMBER && w->n == f->value;
    }
    return false;
}

static bool check_facts_at(struct trial *t, const struct machine *m) {
    const struct fact *at = t->result.facts->at[m->slot];
    for (int r = 0; at && r < BPF_R10; r++)
        if (!fact_holds(&at[r], &m->reg[r]))
            return violate(t, VIOLATION_FACT, m->slot, "a fact where a block begins");
    return true;
}

/* Behind the instruction at `slot`, unless it led into a function. */
static bool check_facts_after(struct trial *t, const struct machine *m, uint32_t slot,
                              uint32_t serial) {
    const struct bpf_decoded *d = &t->program->decoded[slot];
    uint8_t branch = t->result.facts->branch[slot];
    if (bpf_op_is_jcc(d->op) && branch != BRANCH_EITHER && d->target != 1) {
        bool taken = m->slot == slot + (uint32_t)d->target;
        return taken == (branch == BRANCH_TAKEN) ||
               violate(t, VIOLATION_FACT, slot, "a jump goes where it never goes");
    }
    bool call = d->op == BPF_CALL_HELPER || d->op == BPF_CALL_LOCAL || d->op == BPF_CALLX;
    bool store = d->op == BPF_ST || d->op == BPF_STX ||
                 (bpf_op_is_atomic(d->op) && !bpf_atomic_fetches(d->op));
    if (bpf_op_is_jcc(d->op) || d->op == BPF_JA || d->op == BPF_EXIT || store ||
        serial != m->frame[m->depth - 1].serial || m->slot != slot + d->len)
        return true;
    unsigned reg = call || d->op == BPF_ATOMIC_CMPXCHG ? BPF_R0
                   : bpf_op_is_atomic(d->op)           ? d->src
                                                       : d->dst;
    return fact_holds(&t->result.facts->after[slot], &m->reg[reg]) ||
           violate(t, VIOLATION_FACT, slot, "a fact behind an instruction");
}

/* ---- Runs */

static bool is_injected(const struct bpf_decoded *d) {
    return trial_injected_error && d->op == BPF_MUL && d->src_reg;
}

static bool check_before(struct trial *t, struct counting *counting, const struct machine *m) {
    if (is_injected(&t->program->decoded[m->slot]))
        return violate(t, VIOLATION_STATE, m->slot, "an injected error");
    if (!check_state(t, m))
        return false;
    return !t->out->accepted || (check_loops(t, counting, m) && check_facts_at(t, m));
}

static bool check_after(struct trial *t, const struct machine *m, uint32_t slot, uint32_t serial) {
    if (m->fault) {
        t->out->faulted = true;
        t->out->faults++;
        return !t->out->accepted || violate(t, VIOLATION_FAULT, slot, m->fault);
    }
    if (m->too_deep)
        return violate(t, VIOLATION_DEPTH, slot, "the stack is deeper than the verifier says");
    return m->done || !t->out->accepted || check_facts_after(t, m, slot, serial);
}

/* False if the run has shown an error of the verifier. */
static bool run(struct trial *t, uint64_t seed) {
    static struct machine m;
    static struct counting counting;
    machine_start(&m, t->program, seed);
    m.funcs = t->out->accepted ? t->result.funcs : NULL;
    memset(&counting, 0, sizeof(counting));
    for (unsigned step = 0; step < STEPS && !m.done && !m.fault; step++) {
        uint32_t slot = m.slot, serial = m.frame[m.depth - 1].serial;
        if (!check_before(t, &counting, &m))
            return false;
        if (bitset_test(t->a->wild, slot)) /* what is called from here is not followed */
            return !t->out->accepted ||
                   violate(t, VIOLATION_STATE, slot, "the verifier cannot tell what this calls");
        t->out->steps++;
        coverage_note(t->states[slot].at.items[t->states[slot].last], &t->program->decoded[slot]);
        machine_step(&m);
        if (!check_after(t, &m, slot, serial))
            return false;
    }
    return true;
}

static void take_refusal(const struct diag *diag, struct trial_result *out) {
    out->category = DIAG_INTERNAL;
    for (size_t i = 0; i < diag_count(diag); i++) {
        const struct diag_message *message = diag_get(diag, i);
        if (message->severity != DIAG_ERROR)
            continue;
        out->category = (int)message->category;
        snprintf(out->what, sizeof(out->what), "%ld: %s", message->loc.insn, message->text);
        return;
    }
}

void trial(const struct source *s, unsigned runs, FILE *log, struct trial_result *out) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct verify_result form = {0};
    struct trial t = {.arena = arena, .out = out, .log = log};
    *out = (struct trial_result){0};
    t.program = source_program(s, arena);
    out->accepted = t.program && verify(t.program, &t.result, diag);
    if (!out->accepted)
        take_refusal(diag, out);
    struct verifier v = {.program = t.program, .result = &form, .diag = diag};
    out->form = t.program && verify_form(t.program, &form, diag) &&
                (t.a = values_analysis(&v, arena)) != NULL;
    if (out->form)
        collect_states(&t);
    for (unsigned i = 0; out->form && i < runs && run(&t, s->seed * 64 + i); i++)
        ;
    diag_free(diag);
    arena_free(arena);
}
