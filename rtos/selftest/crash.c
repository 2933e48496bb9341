/* SPDX-License-Identifier: MIT
 *
 * Faults that restart the board: the record of the run before is what the check looks at.
 */
#include "hal/board.h"
#include "rtos/watchdog.h"
#include "selftest.h"

extern uint32_t _main_stack_bottom[];

static void undefined(void *argument) {
    (void)argument;
    __asm volatile("udf #0");
}

static bool is(const struct fault_record *crash, enum fault_kind kind, const char *task,
               uint32_t exception) {
    return crash->kind == kind && texts_equal(crash->task, task) && crash->exception == exception;
}

/* A task that did not ask to be ended. */
static void task_run(void) {
    helper_start(0, 20, undefined);
}

static const char *task_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_USAGE, "helper0", 0));
    CHECK(crash->frame_valid && *(const uint16_t *)crash->frame[FRAME_PC] == 0xDE00);
    return NULL;
}

/* A task that did, but inside a masked section: the kernel's data may be half changed. */
static void fault_locked(void *argument) {
    kernel_lock();
    undefined(argument);
}

static void masked_run(void) {
    helper_start_options(1, 20, fault_locked, TASK_MAY_FAULT);
}

static const char *masked_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_USAGE, "helper1", 0));
    CHECK(crash->hfsr == 0);
    return NULL;
}

/* A stack that is full inside a masked section: as above, not only the end of the task. */
static void overflow_locked(void *argument) {
    (void)argument;
    kernel_lock();
    use_up_stack(UINT32_MAX);
}

static void masked_stack_run(void) {
    helper_start_options(1, 20, overflow_locked, TASK_MAY_FAULT);
}

static const char *masked_stack_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_STACK_OVERFLOW, "helper1", 0));
    return NULL;
}

/* The calls of the kernel do not look at pointers; the MPU does, and nothing goes on as if there had been an object. */
static void give_null(void *argument) {
    (void)argument;
    semaphore_give(NULL);
    mutex_lock(NULL, KERNEL_NO_WAIT);
}

static void null_run(void) {
    helper_start_options(1, 20, give_null, TASK_MAY_FAULT);
}

static const char *null_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_MEMORY, "helper1", 0));
    CHECK(crash->mmfar < sizeof(struct semaphore));
    return NULL;
}

/* With all interrupts off the fault becomes a HardFault. */
static void fault_disabled(void *argument) {
    __asm volatile("cpsid i");
    undefined(argument);
}

static void disabled_run(void) {
    helper_start_options(1, 20, fault_disabled, TASK_MAY_FAULT);
}

static const char *disabled_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_HARD, "helper1", 0));
    CHECK(crash->hfsr == 1u << 30 && crash->cfsr == 1u << 16);
    return NULL;
}

static void fault_in_interrupt(void) {
    undefined(NULL);
}

static void pend(void *argument) {
    (void)argument;
    board_spare_handler[BOARD_SPARE_KERNEL] = fault_in_interrupt;
    board_spare_pend(BOARD_SPARE_KERNEL);
}

static void interrupt_run(void) {
    helper_start_options(2, 20, pend, TASK_MAY_FAULT);
}

static const char *interrupt_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_USAGE, "helper2", crash->exception));
    CHECK(crash->exception >= 16);
    return NULL;
}

static void overflow_in_interrupt(void) {
    use_up_stack(UINT32_MAX);
}

static void main_stack_run(void) {
    board_spare_handler[BOARD_SPARE_KERNEL] = overflow_in_interrupt;
    board_spare_pend(BOARD_SPARE_KERNEL);
}

static const char *main_stack_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_HARD, "console", crash->exception));
    CHECK(crash->msp - (uint32_t)_main_stack_bottom < 256);
    CHECK(crash->cfsr & (1 << 1 | 1 << 4)); /* DACCVIOL, or MSTKERR of the MemManage fault */
    return NULL;
}

/* Supervisor calls are for sandboxes. */
static void call_supervisor(void *argument) {
    (void)argument;
    __asm volatile("svc #0");
}

static void supervisor_run(void) {
    helper_start_options(1, 20, call_supervisor, TASK_MAY_FAULT);
}

static const char *supervisor_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_PANIC, "helper1", 11));
    CHECK(texts_equal(crash->text, "SVC in privileged code"));
    return NULL;
}

/* A promise that is not kept: the one who broke it is named, not the one who was running. */
static void check_in_twice(void *argument) {
    static struct watchdog watchdog;
    (void)argument;
    watchdog_register(&watchdog, 20);
    for (int i = 0; i < 2; i++) {
        task_sleep(15);
        watchdog_check_in(&watchdog);
    }
    task_suspend(task_self());
}

__attribute__((section(".keep"))) static uint32_t watchdog_begun; /* ticks since start */

static void watchdog_run(void) {
    static struct watchdog mine;
    watchdog_start(40);
    watchdog_begun = (uint32_t)kernel_uptime();
    watchdog_register(&mine, 1000);
    helper_start(3, 20, check_in_twice);
    task_sleep(100);
}

static const char *watchdog_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_PANIC, "helper3", 15));
    CHECK(texts_equal(crash->text, "watchdog: no check-in"));
    uint32_t ticks = crash->ticks - watchdog_begun;
    CHECK(ticks > 50 && ticks < 65);
    return NULL;
}

static void panic_run(void) {
    fault_panic("selftest");
}

static const char *panic_check(const struct fault_record *crash) {
    CHECK(is(crash, FAULT_PANIC, "console", 0));
    CHECK(texts_equal(crash->text, "selftest"));
    CHECK(crash->returns[0] - ((uint32_t)panic_run & ~1u) < 16);
    return NULL;
}

const struct crash_test crash_tests[] = {
    {"task", task_run, task_check},
    {"masked", masked_run, masked_check},
    {"masked_stack", masked_stack_run, masked_stack_check},
    {"null", null_run, null_check},
    {"disabled", disabled_run, disabled_check},
    {"interrupt", interrupt_run, interrupt_check},
    {"main_stack", main_stack_run, main_stack_check},
    {"supervisor", supervisor_run, supervisor_check},
    {"watchdog", watchdog_run, watchdog_check},
    {"panic", panic_run, panic_check},
};
const unsigned crash_tests_count = sizeof(crash_tests) / sizeof(crash_tests[0]);
