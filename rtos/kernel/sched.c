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
 * Nothing here switches. What may change the choice ends in sched_reschedule(), which sets PendSV
 * pending when the choice is not the running task; switch.S says why that is enough. kernel_switch() is
 * called by PendSV and looks again, because interrupts may have changed the choice in between; if it
 * has come back to the running task, the switch loads what it has just saved.
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

void queue_insert(struct task_queue *queue, struct task *task) {
    task->queue = queue;
    struct task *head = queue->head;
    if (!head) {
        queue->head = task->next = task->prev = task;
        return;
    }
    struct task *before = head->prev; /* the new task goes behind this one */
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

void queue_remove(struct task *task) {
    struct task_queue *queue = task->queue;
    if (queue->head == task)
        queue->head = task->next == task ? NULL : task->next;
    task->prev->next = task->next;
    task->next->prev = task->prev;
    task->queue = NULL;
}

static bool is_ready(const struct task *task) {
    return task->queue == &kernel.ready[task->priority];
}

static void ready_insert(struct task *task) {
    queue_insert(&kernel.ready[task->priority], task);
    kernel.ready_bits |= 1u << task->priority;
}

static void ready_remove(struct task *task) {
    queue_remove(task);
    if (!kernel.ready[task->priority].head)
        kernel.ready_bits &= ~(1u << task->priority);
}

/* The idle task is always ready, so there is always a choice. */
static struct task *choose(void) {
    return kernel.ready[31 - __builtin_clz(kernel.ready_bits)].head;
}

void sched_reschedule(void) {
    if (kernel.started && choose() != kernel.current)
        arch_pend_switch();
}

void sched_ready(struct task *task) {
    task->slice = KERNEL_SLICE_TICKS;
    ready_insert(task);
    sched_reschedule();
}

void sched_unready(struct task *task) {
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

void sched_rotate(void) {
    struct task *task = kernel.current;
    struct task_queue *equals = &kernel.ready[task->priority];
    if (equals->head != task)
        return; /* it is about to be switched away */
    task->slice = KERNEL_SLICE_TICKS;
    equals->head = task->next; /* a ring: who was first is last */
    sched_reschedule();
}

void sched_account(void) {
    uint32_t now = arch_cycles();
    kernel.current->cycles += now - kernel.switched_at;
    kernel.switched_at = now;
}

uint32_t *kernel_switch(uint32_t *sp) {
    uint32_t key = arch_lock();
    sched_account();
    kernel.current->sp = sp;
    struct task *next = choose();
    kernel.current = next;
    arch_guard(next->stack);
    arch_unlock(key);
    return next->sp;
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
    arch_init(core_hz, KERNEL_TICK_HZ);
    /* task_create() refuses priority 0 to everybody else. */
    const struct task_config config = {.name = "idle",
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
    kernel.switched_at = arch_cycles();
    kernel.started = true;
    arch_guard(idle_stack);
    sched_reschedule();
    arch_start(idle_task.stack_top, idle, _main_stack_top);
}
