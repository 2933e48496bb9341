/* SPDX-License-Identifier: MIT */
#include "selftest.h"

static struct semaphore sem;
static volatile enum kernel_status status_of[HELPERS];

static const char *count(void) {
    CHECK(semaphore_init(&sem, 2, 3) == KERNEL_OK);
    CHECK(semaphore_take(&sem, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(semaphore_take(&sem, KERNEL_FOREVER) == KERNEL_OK);
    CHECK(semaphore_take(&sem, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    for (int i = 0; i < 3; i++)
        CHECK(semaphore_give(&sem) == KERNEL_OK);
    CHECK(semaphore_give(&sem) == KERNEL_LIMIT);
    CHECK(semaphore_init(&sem, 4, 3) == KERNEL_BAD_ARGUMENT);
    CHECK(semaphore_init(&sem, 0, 0) == KERNEL_BAD_ARGUMENT);
    CHECK(semaphore_init(NULL, 0, 1) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

static void take_and_trace(void *argument) {
    unsigned number = number_of(argument);
    status_of[number] = semaphore_take(&sem, KERNEL_FOREVER);
    trace((char)('a' + number));
}

/* The most urgent waiter is first, whatever the order in which they came; equals as they came. */
static const char *order(void) {
    semaphore_init(&sem, 0, 9);
    helper_start(0, 20, take_and_trace);
    helper_start(1, 22, take_and_trace);
    helper_start(2, 21, take_and_trace);
    helper_start(3, 22, take_and_trace);
    for (int i = 0; i < 4; i++) {
        semaphore_give(&sem);
        trace('.');
    }
    CHECK(trace_is("b.d.c.a."));
    CHECK(sem.count == 0);
    return NULL;
}

/* Priorities that change while waiting change the order. */
static const char *order_moves(void) {
    semaphore_init(&sem, 0, 9);
    helper_start(0, 20, take_and_trace);
    helper_start(1, 22, take_and_trace);
    helper_start(2, 21, take_and_trace);
    task_set_priority(&helpers[0], 25);
    task_set_priority(&helpers[1], 19);
    for (int i = 0; i < 3; i++)
        semaphore_give(&sem);
    CHECK(trace_is("acb"));
    return NULL;
}

static const char *timeout(void) {
    semaphore_init(&sem, 0, 1);
    task_sleep(1);
    for (uint32_t ticks = 1; ticks < 10; ticks++) {
        uint32_t start = kernel_ticks();
        CHECK(semaphore_take(&sem, ticks) == KERNEL_TIMEOUT);
        CHECK(kernel_ticks() - start == ticks);
    }
    CHECK(sem.waiters.head == NULL);
    CHECK(semaphore_give(&sem) == KERNEL_OK); /* goes to nobody who has left */
    CHECK(sem.count == 1);
    CHECK(semaphore_take(&sem, 0x80000000u) == KERNEL_OK); /* does not wait: not looked at */
    CHECK(semaphore_take(&sem, 0x80000000u) == KERNEL_BAD_TIMEOUT);
    return NULL;
}

static void take_with_timeout(void *argument) {
    unsigned number = number_of(argument);
    status_of[number] = semaphore_take(&sem, 5 + 5 * number);
    trace((char)('a' + number));
}

/* Waiters leave in the order of their time-outs; one that is served in time has no time-out left. */
static const char *timeout_of_many(void) {
    semaphore_init(&sem, 0, 1);
    for (unsigned i = 0; i < 3; i++)
        helper_start(i, 20 + i, take_with_timeout);
    task_sleep(7);
    CHECK(trace_is("a"));
    CHECK(status_of[0] == KERNEL_TIMEOUT);
    semaphore_give(&sem);
    CHECK(trace_is("c"));
    CHECK(status_of[2] == KERNEL_OK);
    task_sleep(20);
    CHECK(trace_is("b"));
    CHECK(status_of[1] == KERNEL_TIMEOUT);
    return NULL;
}

const struct test tests_sem[] = {
    {"sem", "count", count},
    {"sem", "order", order},
    {"sem", "order_moves", order_moves},
    {"sem", "timeout", timeout},
    {"sem", "timeout_of_many", timeout_of_many},
};
SUITE_END(sem);
