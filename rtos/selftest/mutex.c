/* SPDX-License-Identifier: MIT
 *
 * Mutexes, and the inheritance of priorities. The test's own task (10) holds, helpers wait.
 */
#include "selftest.h"

static struct mutex m, n, o;
static volatile enum kernel_status status_of[HELPERS];

static unsigned own_priority(void) {
    return task_self()->priority;
}

static const char *ownership(void) {
    CHECK(mutex_init(&m) == KERNEL_OK);
    CHECK(mutex_init(NULL) == KERNEL_BAD_ARGUMENT);
    CHECK(mutex_unlock(&m) == KERNEL_NOT_OWNER);
    CHECK(mutex_lock(&m, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(mutex_lock(&m, KERNEL_FOREVER) == KERNEL_ALREADY_OWNER);
    CHECK(mutex_unlock(&m) == KERNEL_OK);
    CHECK(mutex_unlock(&m) == KERNEL_NOT_OWNER);
    CHECK(m.owner == NULL);
    return NULL;
}

/* Locks m, notes it, unlocks. */
static void lock_m(void *argument) {
    unsigned number = number_of(argument);
    status_of[number] = mutex_lock(&m, KERNEL_FOREVER);
    trace((char)('a' + number));
    if (!status_of[number])
        mutex_unlock(&m);
}

static void try_m(void *argument) {
    unsigned number = number_of(argument);
    status_of[number] = mutex_lock(&m, KERNEL_NO_WAIT);
    trace(mutex_unlock(&m) == KERNEL_NOT_OWNER ? 'n' : '?');
}

static const char *contention(void) {
    mutex_init(&m);
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 20, lock_m);
    helper_start(1, 21, lock_m);
    helper_start(2, 22, try_m);
    CHECK(status_of[2] == KERNEL_WOULD_BLOCK);
    CHECK(trace_is("n"));
    mutex_unlock(&m);
    CHECK(trace_is("ba"));
    CHECK(m.owner == NULL);
    return NULL;
}

static const char *inherit(void) {
    mutex_init(&m);
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 20, lock_m);
    CHECK(own_priority() == 20);
    helper_start(1, 15, lock_m); /* less urgent than what was inherited: runs and waits later */
    CHECK(own_priority() == 20);
    helper_start(2, 25, lock_m);
    CHECK(own_priority() == 25);
    mutex_unlock(&m);
    CHECK(own_priority() == TEST_PRIORITY);
    CHECK(trace_is("cab"));
    return NULL;
}

static void spin_until_traced(void *argument) {
    (void)argument;
    trace('M');
}

/* What inheritance is for: a task in the middle does not hold up the most urgent one. */
static const char *inversion(void) {
    mutex_init(&m);
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 20, lock_m);
    helper_start(1, 15, spin_until_traced);
    trace('1');
    mutex_unlock(&m);
    trace('2');
    CHECK(trace_is("1aM2"));
    return NULL;
}

static void lock_n_then_m(void *argument) {
    unsigned number = number_of(argument);
    mutex_lock(&n, KERNEL_FOREVER);
    status_of[number] = mutex_lock(&m, KERNEL_FOREVER);
    trace((char)('a' + number));
    if (!status_of[number])
        mutex_unlock(&m);
    mutex_unlock(&n);
}

static void lock_o_then_n(void *argument) {
    mutex_lock(&o, KERNEL_FOREVER);
    mutex_lock(&n, KERNEL_FOREVER);
    trace((char)('a' + number_of(argument)));
    mutex_unlock(&n);
    mutex_unlock(&o);
}

static void lock_o_timeout(void *argument) {
    unsigned number = number_of(argument);
    status_of[number] = mutex_lock(&o, 5);
    trace((char)('a' + number));
    if (!status_of[number])
        mutex_unlock(&o);
}

static void init_three(void) {
    mutex_init(&m);
    mutex_init(&n);
    mutex_init(&o);
}

/* 3 waits for o, held by 1, who waits for n, held by 0, who waits for m, held here. */
static const char *chain_of_three(void) {
    init_three();
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 12, lock_n_then_m);
    helper_start(1, 14, lock_o_then_n);
    CHECK(own_priority() == 14 && helpers[0].priority == 14);
    helper_start(3, 25, lock_o_timeout);
    CHECK(own_priority() == 25);
    CHECK(helpers[0].priority == 25 && helpers[1].priority == 25);
    mutex_unlock(&m);
    CHECK(own_priority() == TEST_PRIORITY);
    CHECK(trace_is("abd"));
    CHECK(status_of[3] == KERNEL_OK);
    return NULL;
}

/* A time-out at the end of the chain takes back what it had lent to all three. */
static const char *chain_timeout(void) {
    init_three();
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 12, lock_n_then_m);
    helper_start(1, 14, lock_o_then_n);
    helper_start(3, 25, lock_o_timeout);
    CHECK(own_priority() == 25);
    uint32_t start = kernel_ticks();
    while (own_priority() == 25 && kernel_ticks() - start < 20)
        ;
    CHECK(own_priority() == 14);
    CHECK(helpers[0].priority == 14 && helpers[1].priority == 14);
    CHECK(status_of[3] == KERNEL_TIMEOUT);
    mutex_unlock(&m);
    CHECK(own_priority() == TEST_PRIORITY);
    CHECK(trace_is("dab"));
    return NULL;
}

static void lock_n(void *argument) {
    mutex_lock(&n, KERNEL_FOREVER);
    trace((char)('a' + number_of(argument)));
    mutex_unlock(&n);
}

/* Two mutexes with waiters of different urgency, released in either order. */
static const char *any_order(void) {
    for (int m_first = 0; m_first < 2; m_first++) {
        init_three();
        mutex_lock(&m, KERNEL_FOREVER);
        mutex_lock(&n, KERNEL_FOREVER);
        helper_start(0, 20, lock_m);
        helper_start(1, 15, lock_n);
        CHECK(own_priority() == 20);
        mutex_unlock(m_first ? &m : &n);
        CHECK(own_priority() == (m_first ? 15 : 20));
        mutex_unlock(m_first ? &n : &m);
        CHECK(own_priority() == TEST_PRIORITY);
        CHECK(trace_is("ab"));
    }
    return NULL;
}

static const char *base_change(void) {
    mutex_init(&m);
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 20, lock_m);
    task_set_priority(task_self(), 12);
    CHECK(own_priority() == 20);
    task_set_priority(task_self(), 22);
    CHECK(own_priority() == 22);
    task_set_priority(task_self(), 12);
    task_set_priority(&helpers[0], 18); /* what a waiter lends follows its priority */
    CHECK(own_priority() == 18);
    mutex_unlock(&m);
    CHECK(own_priority() == 12);
    task_set_priority(task_self(), TEST_PRIORITY);
    CHECK(trace_is("a"));
    return NULL;
}

static const char *deadlock(void) {
    init_three();
    mutex_lock(&m, KERNEL_FOREVER);
    helper_start(0, 12, lock_n_then_m);
    helper_start(1, 14, lock_o_then_n);
    CHECK(mutex_lock(&n, KERNEL_FOREVER) == KERNEL_DEADLOCK);
    CHECK(mutex_lock(&o, 10) == KERNEL_DEADLOCK);
    mutex_unlock(&m);
    CHECK(trace_is("ab"));
    return NULL;
}

static void end_with_m(void *argument) {
    (void)argument;
    mutex_lock(&m, KERNEL_FOREVER);
    task_suspend(task_self());
}

static const char *owner_died(void) {
    mutex_init(&m);
    helper_start(0, 20, end_with_m);
    helper_start(1, 15, lock_m);
    CHECK(mutex_lock(&m, 1) == KERNEL_TIMEOUT);
    task_resume(&helpers[0]);
    CHECK(status_of[1] == KERNEL_OWNER_DIED);
    CHECK(m.owner == &helpers[1] || m.owner == NULL);
    CHECK(trace_is("b"));
    return NULL;
}

const struct test tests_mutex[] = {
    {"mutex", "ownership", ownership},
    {"mutex", "contention", contention},
    {"mutex", "inherit", inherit},
    {"mutex", "inversion", inversion},
    {"mutex", "chain_of_three", chain_of_three},
    {"mutex", "chain_timeout", chain_timeout},
    {"mutex", "any_order", any_order},
    {"mutex", "base_change", base_change},
    {"mutex", "deadlock", deadlock},
    {"mutex", "owner_died", owner_died},
};
SUITE_END(mutex);
