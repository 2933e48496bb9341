/* SPDX-License-Identifier: MIT */
#include "selftest.h"

static void trace_number(void *argument) {
    trace((char)('a' + number_of(argument)));
}

static const char *order(void) {
    helper_start(0, 3, trace_number);
    helper_start(1, 7, trace_number);
    helper_start(2, 5, trace_number);
    CHECK(trace_is(""));
    CHECK(task_sleep(3) == KERNEL_OK);
    CHECK(trace_is("bca"));
    return NULL;
}

static const char *fifo_of_equals(void) {
    for (unsigned i = 0; i < HELPERS; i++)
        helper_start(i, 5, trace_number);
    task_sleep(3);
    CHECK(trace_is("abcd"));
    return NULL;
}

/* A more urgent task runs before the call that made it ready returns. */
static const char *preempt(void) {
    trace('1');
    helper_start(0, 20, trace_number);
    trace('2');
    helper_start(1, TEST_PRIORITY, trace_number);
    trace('3');
    CHECK(trace_is("1a23"));
    task_yield();
    CHECK(trace_is("b"));
    return NULL;
}

static void yield_loop(void *argument) {
    for (int i = 0; i < 4; i++) {
        trace_number(argument);
        task_yield();
    }
}

static const char *yield(void) {
    helper_start(0, 5, yield_loop);
    helper_start(1, 5, yield_loop);
    helper_start(2, 4, trace_number);
    task_sleep(3);
    CHECK(trace_is("ababababc"));
    return NULL;
}

/* Spins for 40 ticks and notes each tick in which it ran. */
static volatile uint32_t ran_ticks[HELPERS], spin_end;

static void spin(void *argument) {
    unsigned number = number_of(argument);
    uint32_t last = 0;
    while ((int32_t)(kernel_ticks() - spin_end) < 0) {
        if (kernel_ticks() == last)
            continue;
        last = kernel_ticks();
        ran_ticks[number]++;
    }
}

/* Two equals that never wait share the processor, in slices of KERNEL_SLICE_TICKS. */
static const char *round_robin(void) {
    ran_ticks[0] = ran_ticks[1] = ran_ticks[2] = 0;
    spin_end = kernel_ticks() + 12 * KERNEL_SLICE_TICKS;
    helper_start(0, 5, spin);
    helper_start(1, 5, spin);
    helper_start(2, 4, spin); /* less urgent: must not get any of it */
    task_sleep(12 * KERNEL_SLICE_TICKS + 2);
    CHECK(ran_ticks[0] + ran_ticks[1] >= 12 * KERNEL_SLICE_TICKS - 2);
    uint32_t more = ran_ticks[0] > ran_ticks[1] ? ran_ticks[0] : ran_ticks[1];
    uint32_t less = ran_ticks[0] + ran_ticks[1] - more;
    CHECK(more - less <= KERNEL_SLICE_TICKS + 2);
    CHECK(ran_ticks[2] <= 1);
    return NULL;
}

static const char *sleep_exact(void) {
    task_sleep(1); /* to the beginning of a tick */
    for (uint32_t ticks = 1; ticks <= 20; ticks++) {
        uint32_t start = kernel_ticks();
        CHECK(task_sleep(ticks) == KERNEL_OK);
        CHECK(kernel_ticks() - start == ticks);
    }
    CHECK(task_sleep(0x80000000u) == KERNEL_BAD_TIMEOUT);
    uint64_t uptime = kernel_uptime();
    task_sleep(5);
    CHECK(kernel_uptime() - uptime == 5);
    return NULL;
}

static void sleep_number(void *argument) {
    task_sleep(4 - number_of(argument));
    trace_number(argument);
}

static const char *sleep_order(void) {
    task_sleep(1); /* to the beginning of a tick: all four start in it */
    for (unsigned i = 0; i < HELPERS; i++)
        helper_start(i, 20, sleep_number);
    task_sleep(8);
    CHECK(trace_is("dcba"));
    return NULL;
}

static void suspend_self(void *argument) {
    trace_number(argument);
    task_suspend(task_self());
    trace('x');
}

static const char *suspend(void) {
    helper_start(0, 20, suspend_self);
    trace('1');
    task_sleep(2);
    CHECK(trace_is("a1"));
    CHECK(task_resume(&helpers[0]) == KERNEL_OK);
    CHECK(trace_is("x"));
    CHECK(helpers_ended());
    CHECK(task_resume(&helpers[0]) == KERNEL_TASK_ENDED);
    CHECK(task_suspend(&helpers[0]) == KERNEL_TASK_ENDED);
    helper_start(1, 5, trace_number); /* ready, does not run yet */
    CHECK(task_suspend(&helpers[1]) == KERNEL_OK);
    task_sleep(2);
    CHECK(trace_is(""));
    task_resume(&helpers[1]);
    task_sleep(2);
    CHECK(trace_is("b"));
    return NULL;
}

static struct semaphore sem;

static void take(void *argument) {
    (void)argument;
    trace(semaphore_take(&sem, KERNEL_FOREVER) == KERNEL_OK ? 't' : '?');
}

/* A task that is suspended while it waits gets what it waits for, but runs only when resumed. */
static const char *suspend_waiting(void) {
    semaphore_init(&sem, 0, 1);
    helper_start(0, 20, take);
    CHECK(task_suspend(&helpers[0]) == KERNEL_OK);
    CHECK(semaphore_give(&sem) == KERNEL_OK);
    trace('1');
    CHECK(sem.count == 0);
    CHECK(task_resume(&helpers[0]) == KERNEL_OK);
    CHECK(trace_is("1t"));
    return NULL;
}

static const char *priority(void) {
    helper_start(0, 5, trace_number);
    CHECK(task_set_priority(&helpers[0], 20) == KERNEL_OK); /* runs now */
    trace('1');
    helper_start(1, 5, trace_number);
    CHECK(task_set_priority(task_self(), 4) == KERNEL_OK); /* helper 1 runs now */
    trace('2');
    CHECK(task_set_priority(task_self(), TEST_PRIORITY) == KERNEL_OK);
    CHECK(trace_is("a1b2"));
    CHECK(task_set_priority(task_self(), 0) == KERNEL_BAD_PRIORITY);
    CHECK(task_set_priority(task_self(), 32) == KERNEL_BAD_PRIORITY);
    CHECK(task_set_priority(&helpers[0], 5) == KERNEL_TASK_ENDED);
    return NULL;
}

/* A masked section holds a switch until its outermost end, and refuses to wait. */
static const char *lock_nests(void) {
    semaphore_init(&sem, 0, 1);
    helper_start(0, 20, take);
    uint32_t outer = kernel_lock(), inner = kernel_lock();
    semaphore_give(&sem);
    trace('1');
    kernel_unlock(inner);
    trace('2');
    CHECK(semaphore_take(&sem, 1) == KERNEL_MASKED);
    CHECK(task_sleep(1) == KERNEL_MASKED);
    CHECK(task_suspend(task_self()) == KERNEL_MASKED);
    uint32_t start = kernel_ticks();
    for (volatile int i = 0; i < 200000; i++)
        ;
    CHECK(kernel_ticks() == start); /* the tick is masked, too */
    kernel_unlock(outer);
    trace('3');
    CHECK(trace_is("12t3"));
    return NULL;
}

static void call_exit(void *argument) {
    trace_number(argument);
    task_exit();
}

static unsigned tasks_alive(void) {
    unsigned alive = 0;
    for (struct task *t = task_iterate(NULL); t; t = task_iterate(t))
        alive++;
    return alive;
}

static const char *end(void) {
    unsigned before = tasks_alive();
    helper_start(0, 20, call_exit);
    CHECK(helpers[0].state == TASK_ENDED);
    helper_start(0, 5, call_exit); /* once more in the same memory */
    struct task_config config = {"x", call_exit, NULL, 5, 0, helper_stacks[0], HELPER_STACK};
    CHECK(task_create(&helpers[0], &config) == KERNEL_BAD_ARGUMENT);
    task_sleep(2);
    CHECK(trace_is("aa"));
    CHECK(tasks_alive() == before && before >= 3); /* idle, timer, console, and those of programs */
    return NULL;
}

static const char *bad_config(void) {
    static struct task task;
    const struct task_config good = {"x", call_exit, NULL, 5, 0, helper_stacks[0], HELPER_STACK};
    struct task_config config = good;
    config.priority = 0;
    CHECK(task_create(&task, &config) == KERNEL_BAD_PRIORITY);
    config.priority = 32;
    CHECK(task_create(&task, &config) == KERNEL_BAD_PRIORITY);
    config = good;
    config.stack_size = KERNEL_STACK_MIN - 32;
    CHECK(task_create(&task, &config) == KERNEL_BAD_STACK);
    config = good;
    config.stack += 4;
    CHECK(task_create(&task, &config) == KERNEL_BAD_STACK);
    config = good;
    config.entry = NULL;
    CHECK(task_create(&task, &config) == KERNEL_BAD_ARGUMENT);
    CHECK(task_create(&task, NULL) == KERNEL_BAD_ARGUMENT);
    CHECK(texts_equal(kernel_status_text(KERNEL_OK), "done"));
    CHECK(texts_equal(kernel_status_text(KERNEL_TIMEOUT), "the time-out passed"));
    return NULL;
}

static void spin_ten_ticks(void *argument) {
    (void)argument;
    uint32_t end_tick = kernel_ticks() + 10;
    while ((int32_t)(kernel_ticks() - end_tick) < 0)
        ;
}

/* Time of a task is its own: a task that spins gets all of it, one that sleeps next to nothing. */
static const char *cpu_time(void) {
    task_sleep(1);
    uint64_t own = task_cycles(task_self());
    helper_start(0, 5, spin_ten_ticks);
    task_sleep(1);
    uint64_t one_tick = task_cycles(&helpers[0]);
    task_sleep(1);
    one_tick = task_cycles(&helpers[0]) - one_tick; /* the first one began with helper_start() */
    task_sleep(12);
    uint64_t all = task_cycles(&helpers[0]);
    own = task_cycles(task_self()) - own;
    CHECK(one_tick > 0);
    CHECK(all >= 9 * one_tick && all <= 11 * one_tick);
    CHECK(own < one_tick);
    return NULL;
}

/* The clock goes on while a tick is held up by a masked section: no step is backwards or too long. */
static const char *cpu_time_masked(void) {
    uint64_t longest = 0, total = 0;
    uint32_t key = kernel_lock();
    for (uint64_t last = task_cycles(task_self()), now; total < 200000; last = now) {
        now = task_cycles(task_self());
        total += now - last;
        if (now - last > longest)
            longest = now - last;
    }
    kernel_unlock(key);
    CHECK(longest < 2000);
    return NULL;
}

static uint32_t wake_after;

static void sleep_around(void *argument) {
    unsigned number = number_of(argument);
    task_sleep(wake_after - 2 * number);
    trace_number(argument);
}

/* 32-bit ticks wrap 500 ticks after the start, where this runs. */
static const char *tick_wrap(void) {
    task_sleep(1);
    uint32_t start = kernel_ticks(), left = 0 - start;
    uint64_t uptime = kernel_uptime();
    CHECK(left < 600);
    wake_after = left + 4;
    for (unsigned i = 0; i < HELPERS; i++)
        helper_start(i, 20, sleep_around);
    CHECK(task_sleep(left - 1) == KERNEL_OK);
    CHECK(trace_is("d"));
    CHECK(kernel_ticks() == UINT32_MAX);
    CHECK(task_sleep(10) == KERNEL_OK);
    CHECK(trace_is("cba"));
    CHECK(kernel_ticks() == 9 && kernel_uptime() - uptime == left + 9);
    return NULL;
}

const struct test tests_late[] = {{"late", "tick_wrap", tick_wrap}};
SUITE_END(late);

const struct test tests_sched[] = {
    {"sched", "order", order},
    {"sched", "fifo_of_equals", fifo_of_equals},
    {"sched", "preempt", preempt},
    {"sched", "yield", yield},
    {"sched", "round_robin", round_robin},
    {"sched", "sleep_exact", sleep_exact},
    {"sched", "sleep_order", sleep_order},
    {"sched", "suspend", suspend},
    {"sched", "suspend_waiting", suspend_waiting},
    {"sched", "priority", priority},
    {"sched", "lock_nests", lock_nests},
    {"sched", "end", end},
    {"sched", "bad_config", bad_config},
    {"sched", "cpu_time", cpu_time},
    {"sched", "cpu_time_masked", cpu_time_masked},
};
SUITE_END(sched);
