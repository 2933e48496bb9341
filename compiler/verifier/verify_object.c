/* SPDX-License-Identifier: MIT */
/* What is odd about an object as a whole, though nothing about it is unsafe: warnings. */
#include "verifier/checks.h"

#include <stdlib.h>
#include <string.h>

#include "program/hook.h"

/* Periods of one object's timers that differ by more than this get a warning. */
#define PERIOD_RATIO_MAX 10

static void mark_map(bool *used, const struct program *p, uint32_t map) {
    if (map < p->nmaps)
        used[map] = true;
}

/* A map that no instruction and no table names can only be read and written by the host. */
static void warn_unused_maps(struct verifier *v) {
    const struct program *p = v->program;
    bool *used = arena_alloc_array(p->arena, p->nmaps, sizeof(*used));

    for (uint32_t i = 0; i < p->ninsns; i++) {
        const struct bpf_decoded *d = &p->decoded[i];
        if (d->len && d->op == BPF_LDDW && d->pseudo == BPF_PSEUDO_MAP)
            mark_map(used, p, (uint32_t)d->imm);
    }
    for (uint32_t i = 0; i < p->nrelocs; i++)
        if (p->relocs[i].kind == PROG_RELOC_MAP)
            mark_map(used, p, p->relocs[i].target);
    for (uint32_t i = 0; i < p->nmaps; i++)
        if (!used[i])
            verify_warn_object(v, DIAG_MAP, "remove it: it takes memory on the board",
                               arena_printf(p->arena, "no program uses map %s (%u bytes)",
                                            p->maps[i].name, p->maps[i].bytes));
}

/* Programs of one object share a task, so that a slow one delays a fast one (architecture.md 8). */
static void warn_mixed_rates(struct verifier *v) {
    const struct program *p = v->program;
    const struct prog_entry *fast = NULL, *slow = NULL;

    for (uint32_t i = 0; i < p->nentries; i++) {
        const struct prog_entry *e = &p->entries[i];
        if (e->hook != BPF_HOOK_TIMER)
            continue;
        if (!fast || hook_timer_us(e->section) < hook_timer_us(fast->section))
            fast = e;
        if (!slow || hook_timer_us(e->section) > hook_timer_us(slow->section))
            slow = e;
    }
    if (fast && hook_timer_us(slow->section) / PERIOD_RATIO_MAX > hook_timer_us(fast->section))
        verify_warn_object(
            v, DIAG_SECTION, "put programs of very different rates into objects of their own",
            arena_printf(p->arena,
                         "%s (SEC(\"%s\")) and %s (SEC(\"%s\")) share one task: while "
                         "%s runs, %s waits",
                         fast->name, fast->section, slow->name, slow->section, slow->name,
                         fast->name));
}

void verify_object(struct verifier *v) {
    warn_unused_maps(v);
    warn_mixed_rates(v);
}
