/* SPDX-License-Identifier: MIT
 *
 * The scheduler.
 *
 * At every moment the task that runs is the most urgent one that is ready, and among equals the one
 * that has been ready longest. Two data structures give this answer:
 *
 * - A task queue is a ring of tasks, the most urgent first, equals in order of arrival. It is what every
 *   object has for those that wait for it. Insertion looks from the end for the last task that is at
 *   least as urgent, so it costs one comparison where all are equal or the newcomer is the least urgent.
 * - The ready queue is one such queue for each priority, and a bitmap of those that are not empty. Tasks
 *   in one of them are equals, so insertion is at the end, at once; the choice is CLZ of the bitmap and
 *   the head of that queue. Both costs do not depend on the number of tasks.
 *
 * A task is in exactly one queue (task.queue): that of its priority while it may run, also while it is
 * running, that of an object while it waits for one, none while it sleeps, is suspended or has ended.
 * A change of priority is therefore the same for all: out of the queue, in again (sched_move).
 *
 * Nothing here switches. What changes the choice sets PendSV pending; switch.S says why that is enough.
 * PendSV looks again, because interrupts may have changed the choice in between; if it has come back to
 * the running task, the switch loads what it has just saved. So, whenever the kernel is locked, the
 * running task is the choice or a switch is pending. For that reason nobody has to look for the choice
 * who knows what he has done to it: a task that becomes ready is the new choice if it is more urgent
 * than the running one, and a running task that waits never is. Who does not know, because a priority
 * has changed, calls sched_reschedule().
 *
 * How fast it is follows from two rules. Calls that find nothing to do but to count (a semaphore that has
 * units, a mutex that nobody owns) are leaf functions: they save no register, and turn to what is slower
 * with a tail call that takes the key of the lock along. A wait and a wake are one function each, whose
 * straight line is the common case: for as long as it takes, as the only one in the queue, alone at its
 * priority. scripts/bench-kernel measures both.
 *
 * Round robin: a task has KERNEL_SLICE_TICKS ticks of running before it goes behind its equals. One
 * that is preempted by a more urgent task keeps its place and its rest.
 *
 * All of this runs with the kernel's band masked (BASEPRI); interrupts above it do not call the kernel
 * and are never masked. The masked sections have no loops but these: insertion into the queue of an
 * object or into the list of deadlines (as many steps as there are less urgent, or later, entries), the
 * waiters of an event, a chain of mutex owners, and the copy of a message.
 */
#include "kernel.h"

struct kernel kernel;

extern uint32_t _main_stack_top[];
static TASK_STACK(idle_stack, KERNEL_STACK_MIN);
static struct task idle_task;

KERNEL_SLOW void queue_insert_ordered(struct task_queue *queue, struct task *task) {
    struct task *head = queue->head, *before = head->prev; /* the new task goes behind this one */
    while (before->priority < task->priority && before != head)
        before = before->prev;
    if (before->priority < task->priority) { /* all are less urgent */
        before = head->prev;
        queue->head = task;
    }
    task->prev = before;
    task->next = before->next;
    before->next->prev = task;
    before->next = task;
}

static struct task_queue *queue_of(unsigned priority) {
    return &kernel.ready[KERNEL_PRIORITIES - 1 - priority];
}

static bool is_ready(const struct task *task) {
    return task->queue == queue_of(task->priority);
}

/* Equals: always at the end. */
static inline void ready_insert(struct task *task) {
    struct task_queue *queue = queue_of(task->priority);
    struct task *head = queue->head;
    task->queue = queue;
    if (LIKELY(!head)) {
        kernel.ready_bits |= 1u << task->priority;
        queue->head = task->next = task->prev = task;
        return;
    }
    struct task *last = head->prev;
    task->next = head;
    task->prev = last;
    last->next = task;
    head->prev = task;
}

static inline void ready_remove(struct task *task) {
    struct task_queue *queue = task->queue;
    queue_remove(task);
    if (LIKELY(!queue->head))
        kernel.ready_bits &= ~(1u << task->priority);
}

/* The idle task is always ready, so there is always a choice. */
static struct task *choose(void) {
    return kernel.ready[__builtin_clz(kernel.ready_bits)].head;
}

KERNEL_COLD void sched_reschedule(void) {
    if (kernel.started && choose() != kernel.current)
        arch_pend_switch();
}

/* The choice is current, or a switch is pending already: only a more urgent task makes a difference. */
KERNEL_COLD void sched_ready(struct task *task) {
    task->slice = KERNEL_SLICE_TICKS;
    ready_insert(task);
    if (kernel.started && task->priority > kernel.current->priority)
        arch_pend_switch();
}

/* The choice is then another. */
static inline void current_unready(void) {
    struct task *task = kernel.current;
    task->state = TASK_WAITING;
    if (LIKELY(task->queue)) /* it may have suspended itself, with all interrupts masked */
        ready_remove(task);
    arch_pend_switch();
}

KERNEL_COLD enum kernel_status task_may_wait(uint32_t timeout, uint32_t key) {
    if (timeout == KERNEL_NO_WAIT)
        return KERNEL_WOULD_BLOCK;
    if (key || !kernel.started)
        return KERNEL_MASKED;
    if (timeout != KERNEL_FOREVER && timeout > INT32_MAX)
        return KERNEL_BAD_TIMEOUT;
    return KERNEL_OK;
}

KERNEL_COLD void task_wait(struct task_queue *queue, uint32_t timeout) {
    current_unready();
    if (timeout != KERNEL_FOREVER)
        timeout_add(&kernel.current->timeout, timeout);
    if (queue)
        queue_insert(queue, kernel.current);
}

KERNEL_COLD static enum kernel_status block_for(struct task_queue *queue, uint32_t timeout,
                                                uint32_t key) {
    enum kernel_status status = task_may_wait(timeout, key);
    if (status) {
        arch_unlock_quiet(key);
        return status;
    }
    task_wait(queue, timeout);
    arch_unlock(key); /* the switch happens here; the next line runs when the task is woken */
    return (enum kernel_status)kernel.current->result;
}

/* What servers do all day, in line: as the first in the queue. */
enum kernel_status task_block(struct task_queue *queue, uint32_t timeout, uint32_t key) {
    struct task *task = kernel.current;
    bool limited = timeout - 1 < INT32_MAX;
    if ((!limited && timeout != KERNEL_FOREVER) || key || !kernel.started || !queue || queue->head)
        return block_for(queue, timeout, key);
    current_unready();
    task->queue = queue;
    queue->head = task->next = task->prev = task;
    if (limited)
        timeout_add(&task->timeout, timeout);
    arch_unlock(0);
    return (enum kernel_status)task->result;
}

enum kernel_status task_wake(struct task *task, enum kernel_status result, uint32_t key) {
    task->result = (uint8_t)result;
    task->state = TASK_READY;
    task->blocked_on = NULL;
    timeout_remove(&task->timeout);
    if (LIKELY(task->queue))
        queue_remove(task);
    if (LIKELY(!task->suspended)) {
        task->slice = KERNEL_SLICE_TICKS;
        ready_insert(task);
        if (LIKELY(task->priority > kernel.current->priority))
            arch_pend_switch(); /* who waits has run: the kernel has started */
    }
    arch_unlock_quiet(
        key); /* who wakes does not mind if the switch comes a few instructions later */
    return KERNEL_OK;
}

KERNEL_COLD void sched_unready(struct task *task) {
    if (!is_ready(task))
        return;
    ready_remove(task);
    sched_reschedule();
}

KERNEL_COLD void sched_move(struct task *task, unsigned priority) {
    struct task_queue *queue = task->queue;
    if (queue && is_ready(task)) {
        ready_remove(task);
        task->priority = (uint8_t)priority;
        ready_insert(task);
    } else {
        if (queue)
            queue_remove(task);
        task->priority = (uint8_t)priority;
        if (queue)
            queue_insert(queue, task);
    }
    sched_reschedule();
}

static inline void rotate(void) {
    struct task *task = kernel.current;
    struct task_queue *equals = queue_of(task->priority);
    if (equals->head != task)
        return; /* it is about to be switched away */
    task->slice = KERNEL_SLICE_TICKS;
    equals->head = task->next; /* a ring: who was first is last */
    if (task->next != task)
        arch_pend_switch();
}

KERNEL_COLD void sched_rotate(void) {
    rotate();
}

enum kernel_status sched_yield_locked(void) {
    uint32_t key = arch_lock();
    rotate();
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

KERNEL_COLD void sched_account(void) {
    uint32_t now = kernel_cycles();
    kernel.current->cycles += now - kernel.switched_at;
    kernel.switched_at = now;
}

uint32_t kernel_lock(void) {
    return arch_lock();
}

void kernel_unlock(uint32_t key) {
    arch_unlock(key);
}

static void idle(void) {
    for (;;) {
        uint32_t key = arch_lock();
        kernel.ticks += arch_sleep(timeout_next());
        kernel.wakeups++;
        arch_unlock(key);
    }
}

static void idle_entry(void *argument) {
    (void)argument;
    idle();
}

KERNEL_COLD void kernel_init(uint32_t core_hz) {
    kernel = (struct kernel){.ticks = FIRST_TICK};
    kernel.deadlines.next = kernel.deadlines.prev = &kernel.deadlines;
    kernel.clock = arch_init(core_hz, KERNEL_TICK_HZ);
    /* task_create() refuses priority 0 to everybody else. */
    static const struct task_config config = {.name = "idle",
                                              .entry = idle_entry,
                                              .priority = 1,
                                              .stack = idle_stack,
                                              .stack_size = sizeof(idle_stack)};
    idle_task = (struct task){0};
    task_create(&idle_task, &config);
    idle_task.base = KERNEL_PRIORITY_IDLE;
    sched_move(&idle_task, KERNEL_PRIORITY_IDLE);
    kernel.current = &idle_task;
    timer_task_init();
}

_Noreturn void kernel_start(void) {
    arch_disable(); /* until arch_start() runs on idle's stack: PendSV saves to PSP */
    kernel.switched_at = kernel_cycles();
    kernel.started = true;
    arch_guard(idle_task.guard);
    sched_reschedule();
    arch_start(idle_task.stack_top, idle, _main_stack_top);
}
