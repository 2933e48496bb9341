/* SPDX-License-Identifier: MIT
 *
 * The kernel's objects and its scheduler on the host: tasks do at random whatever tasks can do to each other, with
 * ticks and interrupts in between, and after each step everything that must hold is looked at.
 *
 * The processor is a few variables. Nothing of a task runs here but one call at a time: a call that waits returns
 * at once, with the task in the state of one that waits, and is not looked at again before its task has been
 * woken; then task.result is what the call would have returned.
 */
#define ARCH_H /* the real one is assembly */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static uint32_t masked, exception;
static bool switch_pending;
static volatile uint32_t cycle_counter;

static uint32_t arch_lock(void) {
    uint32_t old = masked;
    masked = 0x20;
    return old;
}

static void arch_unlock(uint32_t key) {
    masked = key;
}

#define arch_unlock_quiet arch_unlock

static uint32_t arch_exception(void) {
    return exception;
}

static void arch_pend_switch(void) {
    switch_pending = true;
}

static void *arch_load_exclusive(void *from) {
    return *(void **)from;
}

static bool arch_store_exclusive(void *to, void *value) {
    *(void **)to = value;
    return false;
}

static void arch_disable(void) {
}

static void arch_guard(uint32_t guard) {
    (void)guard;
}

static uint32_t arch_guard_of(const uint32_t *stack) {
    return (uint32_t)(uintptr_t)stack;
}

static uint32_t arch_time_now(void) {
    return cycle_counter;
}

static volatile uint32_t *arch_init(uint32_t core_hz, uint32_t tick_hz) {
    (void)core_hz;
    (void)tick_hz;
    return &cycle_counter;
}

static uint32_t *arch_stack_init(uint32_t *top, void (*entry)(void *), void *argument,
                                 void (*end)(void)) {
    (void)entry;
    (void)argument;
    (void)end;
    return top - 17;
}

static uint32_t arch_sleep(uint32_t ticks) {
    return ticks;
}

_Noreturn static void arch_start(uint32_t *idle_top, void (*idle)(void), uint32_t *main_top) {
    (void)idle_top;
    (void)idle;
    (void)main_top;
    __builtin_trap(); /* the test starts the kernel */
}

uint32_t _main_stack_top[1]; /* NOLINT: the linker script's name */
void kernel_tick(void);
void kernel_fault_end(void);

#include "rtos/priority.h"
#define _Static_assert(...) /* offsets for assembly */
#include "rtos/kernel/kernel.h"

#include "rtos/kernel/event.c"
#include "rtos/kernel/mutex.c"
#include "rtos/kernel/queue.c"
#include "rtos/kernel/sched.c"
#include "rtos/kernel/sem.c"
#include "rtos/kernel/task.c"
#include "rtos/kernel/time.c"
#include "rtos/kernel/timer.c"
#undef _Static_assert

#include <criterion/criterion.h>
#include <string.h>

void sandbox_tick(struct sandbox *box) {
    (void)box;
}

/* ----- what there is ------------------------------------------------------------------------------ */

enum { TASKS = 7, SEMAPHORES = 2, MUTEXES = 5, QUEUES = 2, TIMERS = 3, CAPACITY = 3 };

static struct task tasks[TASKS];
alignas(KERNEL_GUARD) static uint32_t stacks[TASKS][KERNEL_STACK_MIN / 4];
static uint64_t deadlines[TASKS]; /* tick at which the wait ends; 0: none */
static struct semaphore semaphores[SEMAPHORES];
static struct mutex mutexes[MUTEXES];
static struct queue queues[QUEUES];
static uint32_t buffers[QUEUES][CAPACITY], messages[TASKS];
static struct event event;
static struct timer timers[TIMERS];
static uint64_t timer_due[TIMERS]; /* tick of the next expiry; 0: stopped */
static unsigned timer_calls[TIMERS], timer_expected[TIMERS];

static uint32_t random_state;

static uint32_t any(uint32_t limit) {
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * limit >> 32);
}

static void timer_called(void *argument) {
    timer_calls[(size_t)argument]++;
}

static void entry(void *argument) {
    (void)argument;
}

static void create(unsigned i) {
    const struct task_config config = {.name = "task",
                                       .entry = entry,
                                       .priority = (uint8_t)(1 + any(5)),
                                       .stack = stacks[i],
                                       .stack_size = sizeof(stacks[i])};
    cr_assert_eq(task_create(&tasks[i], &config), KERNEL_OK);
    deadlines[i] = 0;
}

static void begin(uint32_t seed) {
    random_state = seed;
    masked = exception = 0;
    memset(tasks, 0, sizeof(tasks));
    memset(timer_due, 0, sizeof(timer_due));
    memset(timer_calls, 0, sizeof(timer_calls));
    memset(timer_expected, 0, sizeof(timer_expected));
    kernel_init(168000000);
    kernel.ticks = seed % 2 ? (1ull << 32) - 50 : (1ull << 33) - 50; /* the wrap is near */
    for (unsigned i = 0; i < SEMAPHORES; i++)
        semaphore_init(&semaphores[i], i, 2);
    for (unsigned i = 0; i < MUTEXES; i++)
        mutex_init(&mutexes[i]);
    for (unsigned i = 0; i < QUEUES; i++)
        queue_init(&queues[i], buffers[i], sizeof(uint32_t), CAPACITY);
    for (size_t i = 0; i < TIMERS; i++)
        timer_init(&timers[i], timer_called, (void *)i);
    event_init(&event);
    for (unsigned i = 0; i < TASKS; i++)
        create(i);
    kernel.started = true;
    sched_reschedule();
}

/* ----- what must hold ----------------------------------------------------------------------------- */

/* Length of the ring, whose links are whole and whose members say that they are in it, the most urgent first. */
static unsigned ring_length(const struct task_queue *queue) {
    unsigned length = 0;
    const struct task *task = queue->head;
    if (!task)
        return 0;
    do {
        cr_assert(task->queue == queue && task->next->prev == task && task->prev->next == task);
        if (task->next != queue->head)
            cr_assert(task->next->priority <= task->priority, "not in order");
        task = task->next;
        cr_assert(++length <= TASKS + 2);
    } while (task != queue->head);
    return length;
}

static void check_ready(void) {
    unsigned length = 0, expected = 2;
    for (unsigned p = 0; p < KERNEL_PRIORITIES; p++) {
        const struct task_queue *queue = queue_of(p);
        unsigned here = ring_length(queue);
        cr_assert_eq(here != 0, kernel.ready_bits >> p & 1);
        if (here)
            cr_assert_eq(queue->head->priority, p);
        length += here;
    }
    expected -= timer_task.state == TASK_WAITING;
    for (unsigned i = 0; i < TASKS; i++) {
        bool ready = tasks[i].state == TASK_READY && !tasks[i].suspended;
        cr_assert_eq(ready, tasks[i].queue == queue_of(tasks[i].priority));
        expected += ready;
    }
    cr_assert_eq(length, expected);
}

static bool holds(const struct task *task, const struct mutex *mutex) {
    unsigned found = 0, steps = 0;
    for (const struct mutex *m = task->held; m; m = m->next_held) {
        found += m == mutex;
        cr_assert(++steps <= MUTEXES);
    }
    cr_assert(found <= 1);
    return found;
}

/* Waiters have an owner that gets their priority, through all chains; chains have an end. */
static void check_mutexes(void) {
    for (unsigned i = 0; i < MUTEXES; i++) {
        const struct mutex *m = &mutexes[i];
        if (!ring_length(&m->waiters))
            continue;
        cr_assert(m->owner && m->owner->priority >= m->waiters.head->priority);
        cr_assert(!waits_for(m->owner->blocked_on, m->owner), "a circle");
    }
    for (unsigned i = 0; i < TASKS; i++) {
        const struct task *task = &tasks[i];
        bool alive = is_alive(task);
        for (unsigned m = 0; m < MUTEXES; m++) {
            cr_assert_eq(mutexes[m].owner == task, alive && holds(task, &mutexes[m]));
            cr_assert_eq(task->queue == &mutexes[m].waiters, task->blocked_on == &mutexes[m]);
        }
        if (alive)
            cr_assert_eq(task->priority, inherited(task));
        else
            cr_assert(!task->queue && !task->held && !task->timeout.next);
    }
}

static void check_others(void) {
    for (unsigned i = 0; i < SEMAPHORES; i++)
        cr_assert(!(ring_length(&semaphores[i].waiters) && semaphores[i].count) &&
                  semaphores[i].count <= semaphores[i].limit);
    for (unsigned i = 0; i < QUEUES; i++) {
        const struct queue *q = &queues[i];
        cr_assert(q->used <= CAPACITY && q->first < CAPACITY);
        cr_assert(!ring_length(&q->senders) || q->used == CAPACITY);
        cr_assert(!ring_length(&q->receivers) || q->used == 0);
    }
    ring_length(&event.waiters);
}

/* Who waits is not late, who has been woken by time was woken in time. */
static void check_times(void) {
    const struct timeout *previous = NULL, *t = kernel.deadlines.next;
    for (; t != &kernel.deadlines; previous = t, t = t->next) {
        cr_assert(t->next->prev == t && t->prev->next == t);
        cr_assert(!previous || !is_later(previous->deadline, t->deadline));
        cr_assert(is_later(t->deadline, (uint32_t)kernel.ticks), "overdue");
    }
    for (unsigned i = 0; i < TASKS; i++) {
        bool waits = tasks[i].state == TASK_WAITING;
        cr_assert_eq(waits && deadlines[i], tasks[i].timeout.next != NULL);
        if (waits && deadlines[i])
            cr_assert(deadlines[i] > kernel.ticks);
        if (!waits && deadlines[i] && tasks[i].result == KERNEL_TIMEOUT)
            cr_assert_eq(deadlines[i], kernel.ticks, "woken at another time");
        if (!waits)
            deadlines[i] = 0;
    }
}

static void check_all(void) {
    cr_assert_eq(masked, 0);
    check_ready();
    check_mutexes();
    check_others();
    check_times();
}

/* ----- what happens ------------------------------------------------------------------------------- */

/* Between two steps nothing is masked: the most urgent one runs, and a switch was pending if that is another. */
static void switch_tasks(void) {
    struct task *best = choose();
    cr_assert(best == kernel.current || switch_pending, "nobody would switch");
    for (unsigned i = 0; i < TASKS; i++)
        if (tasks[i].state == TASK_READY && !tasks[i].suspended)
            cr_assert(tasks[i].priority <= best->priority);
    switch_pending = false;
    kernel.current = best;
}

static void expect_timers(void) {
    for (unsigned i = 0; i < TIMERS; i++)
        if (timer_due[i] == kernel.ticks) {
            timer_expected[i]++;
            timer_due[i] = timers[i].period ? kernel.ticks + timers[i].period : 0;
        }
}

static void tick(void) {
    exception = 15;
    kernel_tick();
    exception = 0;
    expect_timers();
}

/* The timer task is the most urgent of all: its callbacks are over before a tick passes. */
static void run_timer_task(void) {
    while (run_one())
        ;
    semaphore_take(&timers_due, KERNEL_FOREVER);
    for (unsigned i = 0; i < TIMERS; i++)
        cr_assert(timer_calls[i] == timer_expected[i] && timers[i].overruns == 0);
}

static uint32_t any_timeout(void) {
    static const uint32_t some[] = {KERNEL_NO_WAIT, KERNEL_FOREVER, 1, 1, 2, 3, 7,
                                    INT32_MAX,      INT32_MAX - 1};
    return some[any(sizeof(some) / sizeof(some[0]))];
}

/* A call that waits is in the state of one that waits now. */
static void note(uint32_t timeout) {
    size_t i = (size_t)(kernel.current - tasks);
    if (kernel.current->state == TASK_WAITING && timeout != KERNEL_FOREVER)
        deadlines[i] = kernel.ticks + timeout;
}

static void wait_somewhere(void) {
    size_t i = (size_t)(kernel.current - tasks);
    uint32_t timeout = any_timeout();
    switch (any(6)) {
    case 0: semaphore_take(&semaphores[any(SEMAPHORES)], timeout); break;
    case 1: queue_send(&queues[any(QUEUES)], &messages[i], timeout); break;
    case 2: queue_receive(&queues[any(QUEUES)], &messages[i], timeout); break;
    case 3: event_wait(&event, 1 + any(7), any(4), NULL, timeout); break;
    case 4:
        timeout = 1 + any(4);
        task_sleep(timeout);
        break;
    default: mutex_lock(&mutexes[any(MUTEXES)], timeout); break;
    }
    note(timeout);
}

static void use_timer(void) {
    unsigned i = any(TIMERS);
    static const uint32_t periods[] = {0, 1, 2, 5, INT32_MAX};
    uint32_t delay = any(8) ? 1 + any(4) : INT32_MAX, period = periods[any(5)];
    if (any(4) == 0) {
        timer_stop(&timers[i]);
        timer_due[i] = 0;
        return;
    }
    cr_assert_eq(timer_start(&timers[i], delay, period), KERNEL_OK);
    timer_due[i] = kernel.ticks + delay;
}

static void act_on_task(void) {
    unsigned i = any(TASKS);
    switch (any(4)) {
    case 0: task_set_priority(&tasks[i], 1 + any(6)); break;
    case 1:
        if (any(3) == 0)
            task_suspend(&tasks[i]);
        break;
    case 2: task_resume(&tasks[i]); break;
    default:
        if (!is_alive(&tasks[i]))
            create(i);
    }
}

/* What an interrupt may do, or a task without waiting. */
static void give_something(void) {
    if (any(3) == 0)
        exception = 16 + 38;
    bool isr = exception;
    uint32_t number = any(100);
    switch (any(5)) {
    case 0: (isr ? semaphore_give_isr : semaphore_give)(&semaphores[any(SEMAPHORES)]); break;
    case 1: (isr ? event_set_isr : event_set)(&event, 1 + any(7)); break;
    case 2: event_clear(&event, 1 + any(7)); break;
    case 3:
        if (isr)
            queue_send_isr(&queues[any(QUEUES)], &number);
        else
            queue_receive(&queues[any(QUEUES)], &number, KERNEL_NO_WAIT);
        break;
    default: (isr ? task_yield_isr : task_yield)(); break;
    }
    exception = 0;
}

static void unlock_something(void) {
    struct mutex *held = kernel.current->held;
    if (held && held->next_held && any(2))
        held = held->next_held; /* not the last one */
    mutex_unlock(any(4) && held ? held : &mutexes[any(MUTEXES)]);
}

/* Inside a locked section nothing waits, and the switch comes behind it. */
static void act_locked(void) {
    uint32_t key = kernel_lock();
    const struct task *task = kernel.current;
    for (unsigned n = any(3); n; n--)
        any(2) ? give_something() : mutex_lock(&mutexes[any(MUTEXES)], KERNEL_FOREVER);
    cr_assert(task == kernel.current && task->state == TASK_READY);
    kernel_unlock(key);
}

static void step(void) {
    if (kernel.current == &timer_task) {
        run_timer_task();
    } else if (kernel.current == &idle_task || any(8) == 0) {
        uint32_t what = any(5);
        what < 3 ? tick() : what == 3 ? act_on_task() : give_something();
    } else {
        switch (any(10)) {
        case 0: act_on_task(); break;
        case 1: use_timer(); break;
        case 2: act_locked(); break;
        case 3: kernel.current->held &&any(4) ? unlock_something() : kernel_fault_end(); break;
        case 4:
        case 5: unlock_something(); break;
        case 6: give_something(); break;
        default: wait_somewhere(); break;
        }
    }
}

Test(kernel, random_steps) {
    for (uint32_t seed = 1; seed <= 200; seed++) {
        begin(seed);
        for (unsigned i = 0; i < 1000; i++) {
            switch_tasks();
            step();
            check_all();
        }
    }
}
