/* SPDX-License-Identifier: MIT
 *
 * What a sandbox is for, and how several get on with each other.
 */
#include "attack.h"
#include "hal/board.h"

uint32_t sandbox_fpu(void (*call)(void *argument), void *argument);
uint32_t fpu_pattern(uint32_t seed, volatile uint32_t *stop); /* fpu_pattern.S */

static const uint32_t LONG = 1u << 30;

static bool value_is(unsigned number, uint32_t low, uint32_t high) {
    const struct sandbox_result *result = &boxes[number].result;
    return result->end == SANDBOX_EXIT && result->value == ((uint64_t)high << 32 | low);
}

static const char *result(void) {
    boxes_init();
    const uint32_t arguments[4] = {0xFFFFFFFF, 1, 2, 3};
    CHECK(box_run(0, attack_add, arguments, LONG) == KERNEL_OK);
    CHECK(value_is(0, 1, 5));
    CHECK(boxes[0].result.cycles > 0 && boxes[0].result.cycles < cycles_of_ticks(1));
    return NULL;
}

static void run_registers(void *argument) {
    (void)argument;
    box_run(0, attack_registers, NULL, LONG);
}

/* Nothing of the kernel's or the caller's is left in registers. */
static const char *registers(void) {
    boxes_init();
    CHECK(sandbox_fpu(run_registers, NULL) == 0);
    CHECK(value_is(0, 0, (uint32_t)arenas.arena[0]));
    return NULL;
}

static const char *library(void) {
    boxes_init();
    const uint32_t arguments[4] = {21};
    CHECK(box_run(0, attack_library_call, arguments, LONG) == KERNEL_OK);
    CHECK(value_is(0, 43, 0));
    return NULL;
}

static const char *calls(void) {
    boxes_init();
    const uint32_t arguments[4] = {1, 2, 3, 4};
    CHECK(box_run(0, attack_call, arguments, LONG) == KERNEL_OK);
    CHECK(value_is(0, 1 + 2 + 3 + 4 + 50 + 50 + 4 + 5 + 6, 0x1234));
    return NULL;
}

static const char *reaches(void) {
    boxes_init();
    uint32_t base = (uint32_t)arenas.arena[0];
    CHECK(sandbox_reaches(&boxes[0], base, ARENA));
    CHECK(sandbox_reaches(&boxes[0], base + ARENA - 1, 1));
    CHECK(sandbox_reaches(&boxes[0], base + ARENA, 0));
    CHECK(!sandbox_reaches(&boxes[0], base + 1, ARENA));
    CHECK(!sandbox_reaches(&boxes[0], base - 1, 1));
    CHECK(!sandbox_reaches(&boxes[0], base + 4, UINT32_MAX));
    CHECK(!sandbox_reaches(&boxes[0], base + ARENA, 1));
    return NULL;
}

/* What the MPU cannot hold, or what could not begin, is refused. */
static const char *bad_layout(void) {
    boxes_init();
    const struct sandbox_layout good = box_layouts[1];
    struct sandbox_layout *layout = &box_layouts[1];
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        *layout = good;                                                                            \
        change;                                                                                    \
        CHECK(sandbox_init(&boxes[1], layout) == KERNEL_BAD_ARGUMENT);                             \
    } while (0)
    REFUSED((layout->arena.base += 256, layout->stack_top += 256));
    REFUSED(layout->code.base += 512);
    REFUSED(layout->arena.size = 384);
    REFUSED(layout->arena.size = 0);
    REFUSED(layout->library.size = 16);
    REFUSED((layout->library.size = 128, layout->library.off = 1));
    REFUSED(layout->arena.access = MPU_CODE);
    REFUSED(layout->code.access = MPU_DATA);
    REFUSED(layout->library.access = MPU_CODE);
    REFUSED(layout->stack_top += 4);
    REFUSED(layout->stack_top = layout->arena.base + ARENA + 8);
    REFUSED(layout->stack_top = layout->arena.base + SANDBOX_FRAME);
    REFUSED(layout->stack_top = layout->arena.base - 8);
    REFUSED(layout->static_base = layout->arena.base - 4);
    REFUSED(layout->static_base = layout->arena.base + ARENA + 4);
    REFUSED(layout->arena.off = 1 << 6); /* sandbox_reaches() knows of no holes */
    REFUSED(layout->arena.off = 0x24);
    REFUSED(layout->arena.off = 0xFF);
    REFUSED(layout->arena.off = 0xF0 | 1); /* static_base is in what is off */
    REFUSED(layout->arena.off = 0xF8);     /* stack_top is in what is off */
    REFUSED((layout->arena.off = 7, layout->static_base = layout->stack_top,
             layout->stack_top -= 8)); /* no room for two frames */
    REFUSED((layout->arena.size = 128, layout->stack_top = layout->arena.base + 64,
             layout->arena.off = 1 << 7));
    REFUSED(layout->call_count = SANDBOX_SVC_ENTER);
#undef REFUSED
    *layout = good;
    CHECK(sandbox_init(&boxes[1], layout) == KERNEL_OK);
    return NULL;
}

/* Of eight eighths the second to sixth are the arena: runs code(target) there. */
static const uint32_t EIGHTH = ARENA / 8;

static enum sandbox_end run_in_part(void (*code)(void), uint32_t target) {
    boxes_init();
    struct sandbox_layout *layout = &box_layouts[0];
    layout->arena.off = 1 << 0 | 1 << 6 | 1 << 7;
    layout->static_base = layout->arena.base + 6 * EIGHTH;
    const uint32_t arguments[4] = {target};
    if (sandbox_init(&boxes[0], layout) != KERNEL_OK ||
        box_run(0, code, arguments, cycles_of_ticks(2)) != KERNEL_OK)
        return SANDBOX_KILLED;
    return boxes[0].result.end;
}

/* What is switched off of the arena belongs to somebody else. */
static const char *part(void) {
    uint32_t base = (uint32_t)arenas.arena[0], low = base + EIGHTH, high = base + 6 * EIGHTH;
    const uint32_t inside[] = {low, high - 4}, outside[] = {base, low - 4, high, base + ARENA - 4};
    for (unsigned i = 0; i < 2; i++)
        CHECK(run_in_part(attack_write, inside[i]) == SANDBOX_EXIT &&
              *(uint32_t *)inside[i] == 0x55);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(run_in_part(attack_write, outside[i]) == SANDBOX_FAULT);
        CHECK(boxes[0].result.fault.mmfar == outside[i] && *(uint32_t *)outside[i] == 0);
        CHECK(run_in_part(attack_read, outside[i]) == SANDBOX_FAULT);
        CHECK(!sandbox_reaches(&boxes[0], outside[i], 4));
    }
    CHECK(run_in_part(attack_registers, 0) == SANDBOX_EXIT && value_is(0, 0, high));
    CHECK(sandbox_reaches(&boxes[0], low, 5 * EIGHTH) &&
          !sandbox_reaches(&boxes[0], low, 5 * EIGHTH + 1));
    return NULL;
}

/* Nor does a frame lie there, neither of a call nor of an interrupt. */
static const char *part_frames(void) {
    uint32_t base = (uint32_t)arenas.arena[0], low = base + EIGHTH, high = base + 6 * EIGHTH;
    const uint32_t tops[] = {low, low + SANDBOX_FRAME - 8, high + 8, base + ARENA};
    for (unsigned i = 0; i < 4; i++) {
        CHECK(run_in_part(attack_sp_svc, tops[i]) == SANDBOX_FAULT);
        CHECK(boxes[0].result.fault.cfsr == 1 << 4 && !sandbox_last_fault()->frame_valid);
        CHECK(run_in_part(attack_sp_loop, tops[i]) == SANDBOX_FAULT);
    }
    CHECK(arenas.arena[0][ARENA_WORDS / 8 - 1] == 0 && arenas.arena[0][6 * ARENA_WORDS / 8] == 0);
    CHECK(run_in_part(attack_sp_loop, low + SANDBOX_FRAME) == SANDBOX_BUDGET);
    CHECK(run_in_part(attack_sp_loop, high) == SANDBOX_BUDGET);
    return NULL;
}

static volatile enum kernel_status seen;

static void run_in_interrupt(void) {
    seen = box_run(0, attack_add, NULL, LONG);
}

static const char *wrong_place(void) {
    boxes_init();
    uint32_t key = kernel_lock();
    enum kernel_status masked = box_run(0, attack_add, NULL, LONG);
    kernel_unlock(key);
    CHECK(masked == KERNEL_MASKED);
    __asm volatile("cpsid i");
    masked = box_run(0, attack_add, NULL, LONG);
    __asm volatile("cpsie i");
    CHECK(masked == KERNEL_MASKED);
    board_spare_handler[BOARD_SPARE_KERNEL] = run_in_interrupt;
    board_spare_pend(BOARD_SPARE_KERNEL);
    CHECK(seen == KERNEL_IN_INTERRUPT);
    CHECK(box_run(0, attack_add, NULL, 0) == KERNEL_BAD_ARGUMENT);
    CHECK(box_run(0, attack_add, NULL, 1u << 31) == KERNEL_BAD_ARGUMENT);
    CHECK(sandbox_kill(&boxes[0]) == KERNEL_NOT_RUNNING);
    return NULL;
}

/* ----- budget --------------------------------------------------------------------------------------- */

static volatile uint32_t spin_ticks;

static void spin(void *argument) {
    (void)argument;
    task_sleep(1);
    uint32_t end = kernel_ticks() + spin_ticks;
    while ((int32_t)(kernel_ticks() - end) < 0)
        ;
}

/* The budget is the sandbox's own time, and is looked at once a tick. */
static const char *budget_of(void (*code)(void)) {
    boxes_init();
    task_sleep(1);
    spin_ticks = 10;
    helper_start(0, 20, spin);
    uint32_t start = kernel_ticks(), budget = cycles_of_ticks(5) / 2;
    CHECK(box_run(0, code, NULL, budget) == KERNEL_OK);
    uint32_t ticks = kernel_ticks() - start;
    CHECK(boxes[0].result.end == SANDBOX_BUDGET);
    CHECK(boxes[0].result.cycles >= budget);
    CHECK(boxes[0].result.cycles < budget + cycles_of_ticks(1) + cycles_of_ticks(1) / 8);
    CHECK(ticks >= 12 && ticks <= 14);
    return NULL;
}

static const char *budget(void) {
    return budget_of(attack_loop);
}

/* Waiting for interrupts costs as much as computing. */
static const char *budget_waiting(void) {
    return budget_of(attack_wait_loop);
}

/* A budget that was not used up is not there the next time. */
static const char *budget_anew(void) {
    boxes_init();
    for (int i = 0; i < 5; i++) {
        CHECK(box_run(0, attack_loop, NULL, cycles_of_ticks(1)) == KERNEL_OK);
        CHECK(boxes[0].result.end == SANDBOX_BUDGET);
        CHECK(box_run(0, attack_add, NULL, 1) == KERNEL_OK);
        CHECK(boxes[0].result.end == SANDBOX_EXIT);
    }
    return NULL;
}

/* ----- kill ----------------------------------------------------------------------------------------- */

static void kill_later(void *argument) {
    task_sleep(3);
    seen = sandbox_kill(&boxes[number_of(argument)]);
    trace('k');
}

static const char *kill_from_task(void) {
    boxes_init();
    helper_start(0, 20, kill_later);
    CHECK(box_run(0, attack_special_loop, NULL, LONG) == KERNEL_OK);
    trace('e');
    CHECK(boxes[0].result.end == SANDBOX_KILLED && seen == KERNEL_OK);
    CHECK(boxes[0].result.cycles > cycles_of_ticks(2) &&
          boxes[0].result.cycles < cycles_of_ticks(4));
    CHECK(trace_is("ke"));
    CHECK(sandbox_kill(&boxes[0]) == KERNEL_NOT_RUNNING);
    return NULL;
}

static void kill_in_interrupt(void) {
    seen = sandbox_kill(&boxes[0]);
}

static void pend_later(void *argument) {
    (void)argument;
    task_sleep(2);
    board_spare_pend(BOARD_SPARE_KERNEL);
}

static const char *kill_from_interrupt(void) {
    boxes_init();
    board_spare_handler[BOARD_SPARE_KERNEL] = kill_in_interrupt;
    helper_start(0, 20, pend_later);
    CHECK(box_run(0, attack_loop, NULL, LONG) == KERNEL_OK);
    CHECK(boxes[0].result.end == SANDBOX_KILLED && seen == KERNEL_OK);
    return NULL;
}

/* A call that kills its caller: not one instruction more. */
static const char *kill_in_call(void) {
    boxes_init();
    CHECK(box_run(0, attack_call_killed, NULL, LONG) == KERNEL_OK);
    CHECK(boxes[0].result.end == SANDBOX_KILLED);
    CHECK(arenas.arena[0][1] == 0);
    return NULL;
}

static void kill_and_wait(void *argument) {
    (void)argument;
    seen = sandbox_kill(&boxes[0]); /* it is in the hands of a task that has not entered yet */
}

static void run_one(void *argument) {
    unsigned number = number_of(argument);
    trace(box_run(number, attack_loop, NULL, LONG) == KERNEL_OK ? 'a' : 'x');
    trace(boxes[number].result.end == SANDBOX_KILLED ? 'k' : 'x');
}

/* One that does not run at the moment: its task is less urgent, or suspended. */
static const char *kill_of_preempted(void) {
    boxes_init();
    helper_start(0, 5, run_one);
    task_sleep(2);
    CHECK(helpers[0].sandbox == &boxes[0]);
    CHECK(box_run(0, attack_add, NULL, LONG) == KERNEL_RUNNING);
    CHECK(task_suspend(&helpers[0]) == KERNEL_OK);
    helper_start(1, 20, kill_and_wait);
    CHECK(seen == KERNEL_OK);
    task_sleep(2);
    CHECK(trace_is(""));
    task_resume(&helpers[0]);
    task_sleep(1);
    CHECK(trace_is("ak"));
    CHECK(!boxes[0].task);
    return NULL;
}

/* ----- several -------------------------------------------------------------------------------------- */

static void count_in_box(void *argument) {
    unsigned number = number_of(argument);
    const uint32_t arguments[4] = {0x10000u * (number + 1)};
    bool done = box_run(number, attack_count, arguments, LONG) == KERNEL_OK;
    trace(done && boxes[number].result.end == SANDBOX_EXIT ? 'e' : 'x');
}

/* More urgent, with another arena: counts for itself, and may not see the other's. */
static void disturb(void *argument) {
    (void)argument;
    for (int i = 0; i < 20; i++) {
        task_sleep(1);
        const uint32_t other[4] = {(uint32_t)arenas.arena[0]};
        box_run(1, attack_write, other, LONG);
        if (boxes[1].result.end != SANDBOX_FAULT || boxes[1].result.fault.cfsr != 0x82)
            trace('!');
        const uint32_t arguments[4] = {0x20000};
        box_run(1, attack_count, arguments, cycles_of_ticks(1) / 2);
        if (boxes[1].result.end != SANDBOX_BUDGET)
            trace('?');
    }
}

/* Two tasks, both in a sandbox, one preempting the other: each finds its registers and its regions. */
static const char *nested(void) {
    boxes_init();
    helper_start(0, 4, count_in_box);
    helper_start(1, 20, disturb);
    task_sleep(60);
    uint32_t first = arenas.arena[0][0];
    task_sleep(4);
    CHECK(arenas.arena[0][0] > first && arenas.arena[1][0] > 0);
    arenas.arena[0][1] = 1;
    task_sleep(4);
    CHECK(trace_is("e"));
    for (unsigned w = 0; w < ARENA_WORDS; w++)
        CHECK(arenas.below[w] == 0x600D0000u + w && arenas.above[w] == 0x600D0000u + w);
    return NULL;
}

/* Equals, with round robin between them. */
static const char *equals(void) {
    boxes_init();
    helper_start(0, 5, count_in_box);
    helper_start(1, 5, count_in_box);
    task_sleep(8 * KERNEL_SLICE_TICKS);
    uint32_t a = arenas.arena[0][0], b = arenas.arena[1][0];
    CHECK(a > 0 && b > 0);
    CHECK(a < 2 * b && b < 2 * a);
    arenas.arena[0][1] = arenas.arena[1][1] = 1;
    task_sleep(3 * KERNEL_SLICE_TICKS);
    CHECK(trace_is("ee"));
    return NULL;
}

/* ----- FPU ------------------------------------------------------------------------------------------ */

static void run_box(void *argument) {
    (void)argument;
    box_run(0, attack_loop, NULL, cycles_of_ticks(6));
}

static volatile uint32_t wrong, fpu_stop;

static void use_fpu(void *argument) {
    (void)argument;
    volatile uint32_t once = 1;
    while (!fpu_stop) {
        wrong += fpu_pattern(0x3F000000, &once);
        task_sleep(1);
    }
}

static void in_fpu_task(void *argument) {
    wrong += sandbox_fpu(run_box, argument);
    trace(boxes[0].result.end == SANDBOX_BUDGET ? 'b' : 'x');
}

/* A task with values in the FPU runs a sandbox, which is preempted by a task that uses the FPU. */
static const char *fpu(void) {
    boxes_init();
    wrong = fpu_stop = 0;
    helper_start(1, 20, use_fpu);
    helper_start(0, 5, in_fpu_task);
    task_sleep(12);
    fpu_stop = 1;
    task_sleep(3);
    CHECK(wrong == 0);
    CHECK(trace_is("b"));
    return NULL;
}

/* ----- interrupts at all places --------------------------------------------------------------------- */

static struct semaphore rung;
static volatile uint32_t rings, ring_period, rung_at_all;

/* As many as rings says, with ring_period between them: the second and third fall into what the first set going. */
static void ring(void) {
    if (rings) /* one more may have become pending meanwhile */
        rings--;
    board_alarm(rings ? ring_period : 0);
    rung_at_all++;
    semaphore_give_isr(&rung);
}

static void run_on_alarm(void *argument) {
    (void)argument;
    volatile uint32_t once = 1;
    const uint32_t arguments[4] = {3, 4, 5, 6};
    while (semaphore_take(&rung, KERNEL_FOREVER) == KERNEL_OK && !fpu_stop) {
        bool ran = box_run(1, attack_add, arguments, LONG) == KERNEL_OK;
        wrong += !ran || !value_is(1, 8, 10);
        wrong += fpu_pattern(0x3F000000, &once);
    }
}

static void run_add(void *argument) {
    (void)argument;
    const uint32_t arguments[4] = {0xFFFFFFFF, 1, 2, 3};
    wrong += box_run(0, attack_add, arguments, LONG) != KERNEL_OK || !value_is(0, 1, 5);
}

static void run_and_look(void *argument) {
    run_registers(argument);
    wrong += !value_is(0, 0, (uint32_t)arenas.arena[0]);
}

/* Timer counts are two cycles: `odd` moves what follows by one. */
static void run_after(uint32_t counts, bool odd, bool fpu_used, void (*run)(void *)) {
    rings = 3;
    ring_period = 40 + counts % 37;
    board_alarm(counts);
    if (odd)
        __asm volatile("nop");
    if (fpu_used)
        wrong += sandbox_fpu(run, NULL);
    else
        run(NULL);
    board_alarm(0); /* what is left of it */
}

/* Whatever instruction of the way in, of the way out or of the switches is interrupted by what lets another task
 * into another sandbox: both find what they should, and so does the FPU. */
static const char *interrupted(void) {
    boxes_init();
    board_counter_start();
    board_alarm_handler = ring;
    wrong = fpu_stop = rung_at_all = 0;
    semaphore_init(&rung, 0, 1);
    rings = 1;
    board_alarm(1000);
    task_sleep(2);
    if (rings)
        return SKIP "no alarm";
    semaphore_take(&rung, KERNEL_NO_WAIT);
    helper_start(0, 20, run_on_alarm);
    for (uint32_t i = 0; i < 4 * 300; i++) {
        run_after(10 + i / 4, i & 1, i & 2, i / 2 % 3 ? run_and_look : run_add);
        CHECK(wrong == 0);
    }
    CHECK(rung_at_all > 1200);
    fpu_stop = 1;
    semaphore_give(&rung);
    return NULL;
}

const struct test tests_sandbox[] = {
    {"sandbox", "result", result},
    {"sandbox", "registers", registers},
    {"sandbox", "library", library},
    {"sandbox", "calls", calls},
    {"sandbox", "reaches", reaches},
    {"sandbox", "bad_layout", bad_layout},
    {"sandbox", "part", part},
    {"sandbox", "part_frames", part_frames},
    {"sandbox", "wrong_place", wrong_place},
    {"sandbox", "budget", budget},
    {"sandbox", "budget_waiting", budget_waiting},
    {"sandbox", "budget_anew", budget_anew},
    {"sandbox", "kill_from_task", kill_from_task},
    {"sandbox", "kill_from_interrupt", kill_from_interrupt},
    {"sandbox", "kill_in_call", kill_in_call},
    {"sandbox", "kill_of_preempted", kill_of_preempted},
    {"sandbox", "nested", nested},
    {"sandbox", "equals", equals},
    {"sandbox", "fpu", fpu},
    {"sandbox", "interrupted", interrupted},
};
SUITE_END(sandbox);
