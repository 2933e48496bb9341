/* SPDX-License-Identifier: MIT */
/* soundness FIRST COUNT: random programs against the verifier's states; see soundness.h. */
#include "soundness/soundness.h"

#include "asm/asm.h"
#include "util/vec.h"
#include "verifier/checks.h"
#include "verifier/fixpoint.h"
#include "verifier/values.h"
#include "verifier/verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 6
#define STEPS 20000

struct states {
    VEC(const struct state *) at;
};

struct trial {
    struct arena *arena;
    struct program *program;
    struct analysis *a;
    struct states *states; /* by slot */
    struct verify_result result;
    bool accepted;
    uint64_t seed;
};

static struct { uint64_t programs, accepted, faulted, refused_faulted, steps, failures; } totals;

static void keep(void *arg, const struct summary *summary, uint32_t slot, const struct state *s) {
    struct trial *t = arg;
    (void)summary;
    vec_push(t->arena, &t->states[slot].at, (const struct state *)state_copy(t->a->pool, s));
}

static void complain(const struct trial *t, const struct machine *m, uint32_t slot,
                     const char *what, const struct state *s) {
    char text[100];
    totals.failures++;
    printf("program %llu, instruction %u: %s\n", (unsigned long long)t->seed, slot, what);
    for (uint32_t i = 0; i < t->program->ninsns; i++)
        if (t->program->decoded[i].len) {
            bpf_disasm(text, sizeof(text), &t->program->decoded[i], i);
            printf("%s %4u: %s\n", i == slot ? ">" : " ", i, text);
        }
    if (s)
        state_print(s, t->program, stdout);
    (void)m;
}

/* How often a loop's header has run since the loop was entered, in each frame. */
struct counting {
    uint64_t count[VERIFY_FRAMES_MAX][64];
    uint32_t before[VERIFY_FRAMES_MAX]; /* the frame's slot before this one; UINT32_MAX: none */
    uint32_t depth;
};

/* NULL, or what is wrong: a loop that goes on beyond its bound. Loops of verify_result are in the order of
 * the graphs' loops, function by function. */
static const char *count_loops(struct trial *t, struct counting *c, const struct machine *m) {
    uint32_t frame = m->depth - 1, func = m->frame[frame].func;
    const struct cfg *cfg = &t->a->cfgs[func];
    uint32_t start = t->program->funcs[func].start;
    for (; c->depth < m->depth; c->depth++)
        c->before[c->depth] = UINT32_MAX;
    c->depth = m->depth;
    for (uint32_t i = 0, of_func = 0; i < t->result.nloops && i < 64; i++) {
        const struct verify_loop *loop = &t->result.loops[i];
        if (loop->func != func)
            continue;
        uint32_t number = of_func++;
        if (loop->slot != m->slot)
            continue;
        bool inside = c->before[frame] != UINT32_MAX &&
                      cfg_in_loop(cfg, cfg->block_of[c->before[frame] - start], number);
        c->count[frame][i] = inside ? c->count[frame][i] + 1 : 1;
        if (c->count[frame][i] > loop->bound)
            return "a loop goes on beyond its bound";
    }
    c->before[frame] = m->slot;
    return NULL;
}

/* False if the run has shown an error of the verifier. */
static bool run(struct trial *t, uint64_t input) {
    static struct machine m;
    static struct counting counting;
    machine_start(&m, t->program, t->seed * 100 + input);
    counting = (struct counting){0};
    m.funcs = t->accepted ? t->result.funcs : NULL;
    for (unsigned step = 0; step < STEPS && !m.done; step++) {
        uint32_t slot = m.slot;
        const struct prog_func *f = program_func_at(t->program, slot);
        const struct cfg *cfg = &t->a->cfgs[f - t->program->funcs];
        uint16_t live = cfg_live_at(cfg, t->program, slot, t->a->live_args);
        const char *why = "the fixpoint does not get there";
        const struct state *closest = NULL;
        for (size_t i = 0; i < t->states[slot].at.count; i++) {
            closest = t->states[slot].at.items[i];
            why = not_member(&m, closest, live);
            if (!why)
                break;
        }
        if (why) {
            complain(t, &m, slot, why, closest);
            return false;
        }
        totals.steps++;
        why = t->accepted ? count_loops(t, &counting, &m) : NULL;
        if (why) {
            complain(t, &m, slot, why, closest);
            return false;
        }
        machine_step(&m);
        if (m.fault) {
            totals.faulted += t->accepted;
            totals.refused_faulted += !t->accepted;
            if (t->accepted)
                complain(t, &m, slot, m.fault, closest);
            return !t->accepted;
        }
    }
    return true;
}

static void try_program(uint64_t seed) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct trial t = {.arena = arena, .seed = seed, .program = generate(arena, seed)};
    struct verify_result form = {0};
    totals.programs++;
    t.accepted = verify(t.program, &t.result, diag);
    totals.accepted += t.accepted;
    if (!t.accepted && getenv("WHY") && diag_count(diag))
        printf("%llu: %s\n", (unsigned long long)seed, diag_get(diag, 0)->text);
    struct verifier v = {.program = t.program, .result = &form, .diag = diag};
    if (verify_form(t.program, &form, diag) && (t.a = values_analysis(&v, arena))) {
        struct fixpoint *fp = fixpoint_new(t.a);
        const struct fixpoint_visitor visitor = {.arg = &t, .before = keep};
        t.states = arena_alloc_array(arena, t.program->ninsns, sizeof(*t.states));
        values_walk(fp, &visitor);
        if (getenv("STATES"))
            for (uint32_t i = 0; i < t.program->ninsns; i++)
                for (size_t k = 0; k < t.states[i].at.count; k++) {
                    printf("%u:\n", i);
                    state_print(t.states[i].at.items[k], t.program, stdout);
                }
        for (uint64_t i = 0; i < RUNS; i++)
            if (!run(&t, i))
                break;
    }
    diag_free(diag);
    arena_free(arena);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: soundness FIRST COUNT\nexample: soundness 1 2000\n");
        return 2;
    }
    uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count && totals.failures < 5; i++)
        try_program(first + i);
    printf("  %llu programs, %llu accepted (%.1f %%), %llu instructions compared; refused ones did "
           "something wrong "
           "in %llu runs\n",
           (unsigned long long)totals.programs, (unsigned long long)totals.accepted,
           100.0 * (double)totals.accepted / (double)totals.programs,
           (unsigned long long)totals.steps, (unsigned long long)totals.refused_faulted);
    printf("%llu passed, %llu failed\n", (unsigned long long)(totals.programs - totals.failures),
           (unsigned long long)totals.failures);
    return totals.failures != 0;
}
