/* SPDX-License-Identifier: MIT */
#include "selftest.h"

static struct timer timer, other;
static volatile uint32_t fired_at[16];
static volatile unsigned fired;
static struct task *volatile fired_in;
static struct semaphore sem;

static void note(void *argument) {
    (void)argument;
    fired_in = task_self();
    if (fired < 16)
        fired_at[fired] = kernel_ticks();
    fired++;
}

static uint32_t begin(void) {
    fired = 0;
    timer_init(&timer, note, NULL);
    task_sleep(1);
    return kernel_ticks();
}

static const char *once(void) {
    uint32_t start = begin();
    CHECK(timer_start(&timer, 5, 0) == KERNEL_OK);
    task_sleep(4);
    CHECK(fired == 0);
    task_sleep(10);
    CHECK(fired == 1 && fired_at[0] == start + 5);
    CHECK(texts_equal(fired_in->name, "timer"));
    CHECK(timer_start(&timer, 0, 0) == KERNEL_BAD_TIMEOUT);
    CHECK(timer_start(&timer, 0x80000000u, 0) == KERNEL_BAD_TIMEOUT);
    CHECK(timer_init(&timer, NULL, NULL) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

static const char *periodic(void) {
    uint32_t start = begin();
    timer_start(&timer, 2, 3);
    task_sleep(15);
    CHECK(timer_stop(&timer) == KERNEL_OK);
    CHECK(fired == 5);
    for (unsigned i = 0; i < fired; i++)
        CHECK(fired_at[i] == start + 2 + 3 * i);
    task_sleep(5);
    CHECK(fired == 5);
    return NULL;
}

/* A start while it runs begins anew; a stop of what is not running does nothing. */
static const char *restart(void) {
    uint32_t start = begin();
    CHECK(timer_stop(&timer) == KERNEL_OK);
    timer_start(&timer, 5, 0);
    task_sleep(3);
    timer_start(&timer, 5, 0);
    task_sleep(10);
    CHECK(fired == 1 && fired_at[0] == start + 8);
    return NULL;
}

static void wait_in_callback(void *argument) {
    (void)argument;
    semaphore_take(&sem, KERNEL_FOREVER);
}

/* While the timer task is held up: lost expiries are counted, and a stop takes a due callback away. */
static const char *overrun(void) {
    begin();
    semaphore_init(&sem, 0, 1);
    timer_init(&other, wait_in_callback, NULL);
    timer_start(&other, 1, 0);
    timer_start(&timer, 2, 2);
    task_sleep(9);
    CHECK(fired == 0 && timer.overruns == 3);
    semaphore_give(&sem);
    CHECK(fired == 1);
    timer_start(&other, 1, 0);
    task_sleep(4);
    timer_stop(&timer);
    semaphore_give(&sem);
    task_sleep(4);
    CHECK(fired == 1 || fired == 2);
    unsigned before = fired;
    task_sleep(5);
    CHECK(fired == before);
    return NULL;
}

static void trace_argument(void *argument) {
    trace((char)number_of(argument));
}

/* Timers of one tick come in the order in which they were started. */
static const char *order(void) {
    begin();
    timer_init(&timer, trace_argument, (void *)'a');
    timer_init(&other, trace_argument, (void *)'b');
    uint32_t key = kernel_lock();
    timer_start(&other, 3, 0);
    timer_start(&timer, 3, 0);
    kernel_unlock(key);
    task_sleep(5);
    CHECK(trace_is("ba"));
    return NULL;
}

const struct test tests_timer[] = {
    {"timer", "once", once},       {"timer", "periodic", periodic}, {"timer", "restart", restart},
    {"timer", "overrun", overrun}, {"timer", "order", order},
};
SUITE_END(timer);
