/* SPDX-License-Identifier: MIT
 *
 * What a domain takes of the processor, by the account of its task, and of the RAM: not more than its grant, whatever
 * its runs are like.
 */
#include "drill.h"

#include "hal/board.h"
#include "rtos/print.h"

enum { MS = 400, BUDGET_US = 200, PERIOD_MS = 10, FILL = 1 };
#define GRANT "priority=9 budget=200us/10ms ram=40K policy=continue "

static struct drill a, b;
static const char *wrong;

static uint32_t a_tick(void) {
    return board_core_hz() / KERNEL_TICK_HZ;
}

/* Cycles of its task in MS milliseconds. */
static uint32_t used(void) {
    uint32_t before = (uint32_t)task_cycles(&a.domain->task);
    task_sleep(MS);
    return (uint32_t)task_cycles(&a.domain->task) - before;
}

/* Its share, what it had left in the beginning, and a quarter more: while it waits events still come. */
static uint32_t share(void) {
    uint32_t budget = a_tick() / 1000 * BUDGET_US;
    return budget * (MS / PERIOD_MS + 2) / 4 * 5;
}

static const char *finish(void) {
    drill_unload(&a);
    drill_unload(&b);
    return wrong;
}

/* A run costs more than what the program does in it. */
static const char *many_runs(enum bpf_engine engine) {
    wrong = NULL;
    EXPECT(!drill_load(&a, drill_often, drill_often_end, engine, GRANT));
    EXPECT(used() <= share());
    EXPECT(a.domain->entries[0].runs > 0 && a.domain->entries[0].overruns > 0);
end:
    return finish();
}

/* What a fault costs is the program's, too; and the handler, above everybody, does not look through its memory. */
static const char *faults(enum bpf_engine engine) {
    wrong = NULL;
    EXPECT(!drill_load(&a, drill_faulty, drill_faulty_end, engine, GRANT "budget=10ms/10ms"));
    EXPECT(!drill_call(&a, FILL, NULL, 0));
    drill_call(&a, 0, NULL, 0);
    EXPECT(a.domain->box.result.end == SANDBOX_FAULT);
    EXPECT(a.domain->box.result.cycles < a_tick() / 10);
    a.grant.budget_us = BUDGET_US;
    budget_init(a.domain);
    EXPECT(used() <= share() + a_tick());
    EXPECT(a.domain->faults > 1);
end:
    return finish();
}

/* Interrupts are nobody's: hooks that want them more often than the tick are refused, and too many of them. */
static const char *too_often(enum bpf_engine engine) {
    wrong = NULL;
    EXPECT(drill_load(&a, drill_adc, drill_adc_end, engine, "adc:1") == BPF_PERIOD);
    EXPECT(drill_load(&a, drill_crowd, drill_crowd_end, engine, "") == BPF_TOO_MANY);
    enum bpf_status status = drill_load(&a, drill_samples, drill_samples_end, engine, "adc:1");
    if (status == BPF_BUSY || status == BPF_NOT_THERE)
        goto end; /* QEMU has no ADC like this */
    EXPECT(!status);
    EXPECT(drill_load(&b, drill_samples, drill_samples_end, engine, "adc:1") == BPF_TOO_MANY);
end:
    return finish();
}

/* Who is told how much RAM is needed gets by with that, and with no byte less. Events of the one wait in slots. */
static const char *memory(enum bpf_engine engine) {
    char text[32];
    wrong = NULL;
    EXPECT(drill_load(&a, drill_samples, drill_samples_end, engine, "adc:1 ram=1K") == BPF_RAM);
    EXPECT(drill_load(&a, drill_often, drill_often_end, engine, "ram=16") == BPF_RAM);
    uint32_t needed = a.where;
    format(text, sizeof(text), "ram=%u", (unsigned)needed - 1);
    EXPECT(drill_load(&a, drill_often, drill_often_end, engine, text) == BPF_RAM);
    EXPECT(a.where == needed);
    format(text, sizeof(text), "ram=%u", (unsigned)needed);
    EXPECT(!drill_load(&a, drill_often, drill_often_end, engine, text));
end:
    return finish();
}

/* The end of a domain comes at any place of its task: also between an event and the run. */
static const char *ended(enum bpf_engine engine) {
    enum { WINDOW = 6000, STEP = 24 /* cycles before a tick */ };
    wrong = NULL;
    for (uint32_t before = STEP; before < WINDOW; before += STEP) {
        EXPECT(!drill_load(&a, drill_spin, drill_spin_end, engine, "priority=9 budget=200ms/1s"));
        uint32_t tick = kernel_ticks();
        while (kernel_ticks() - tick < 2) /* an event waits, the domain has not run */
            ;
        uint32_t begin = (uint32_t)task_cycles(task_self());
        while ((uint32_t)task_cycles(task_self()) - begin < a_tick() - before)
            ;
        task_sleep(1);
        tick = kernel_ticks();
        drill_unload(&a);
        EXPECT(kernel_ticks() - tick < 10);
    }
end:
    return finish();
}

const struct drill_row drill_share_tests[] = {
    {"share_many_runs", many_runs}, {"share_faults", faults}, {"share_too_often", too_often},
    {"share_memory", memory},       {"share_ended", ended},   {NULL, NULL},
};
