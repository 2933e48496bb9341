/* SPDX-License-Identifier: MIT
 *
 * The kernel's interface: docs/kernel.md shows it by example. All objects are the caller's and
 * static; the kernel has no heap. Fields are for the kernel only, except where a comment says so.
 *
 * Where a call is legal is said in its name: plain calls belong to tasks (those that do not block also
 * to main() before kernel_start()), calls with _isr to interrupts of the kernel's band (priority
 * KERNEL_IRQ_FIRST and below, see rtos/priority.h). A call from the wrong place changes nothing and
 * says so.
 */
#ifndef RTOS_KERNEL_H
#define RTOS_KERNEL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kernel_status {
#define STATUS(name, value, text) KERNEL_##name = value,
#include "rtos/status.def"
#undef STATUS
};

/* lib/status.c */
const char *kernel_status_text(enum kernel_status status);

enum {
    KERNEL_PRIORITIES = 32,
    KERNEL_PRIORITY_IDLE = 0,   /* the idle task's alone */
    KERNEL_PRIORITY_TIMER = 31, /* the timer task, which tasks may share */
    KERNEL_TICK_HZ = 1000,
    KERNEL_SLICE_TICKS = 5, /* round robin between equals */
    KERNEL_GUARD = 128,     /* bytes at the bottom of every stack, and its alignment: see task.c */
    KERNEL_STACK_MIN = 384, /* guard 128, frame with FPU 108, saved registers 100 */
    KERNEL_MESSAGE_MAX = 128, /* bytes; copied while interrupts are masked */
};

#define KERNEL_NO_WAIT 0u
#define KERNEL_FOREVER UINT32_MAX

struct task;
struct mutex;
struct sandbox;

/* Tasks in order of priority, equals in order of arrival; a ring through next and prev. */
struct task_queue {
    struct task *head; /* most urgent; NULL: empty */
};

/* An entry of the one list of deadlines. */
struct timeout {
    struct timeout *next, *prev; /* next is NULL: not in the list */
    uint32_t deadline;           /* tick at which it is due; differences are taken modulo 2^32 */
    void (*expire)(struct timeout *timeout); /* called with the kernel's interrupts masked */
};

enum task_state {
    TASK_NONE,    /* zeroed memory */
    TASK_READY,   /* runs or may run */
    TASK_WAITING, /* for an object, a time, or both */
    TASK_ENDED,   /* returned or called task_exit() */
    TASK_FAULTED, /* ended by the fault handler */
};

enum task_options {
    TASK_MAY_FAULT = 1, /* a fault ends this task; without it the board restarts (fault.h) */
};

struct task {
    uint32_t *sp;            /* saved stack pointer while not running; first: switch.S */
    struct sandbox *sandbox; /* that it is inside of; second: switch.S. NULL: it is privileged */
    struct task *next, *prev;
    struct task_queue *queue; /* that holds next and prev; NULL: in none */
    struct timeout timeout;
    struct mutex *held;       /* mutexes it owns, through mutex.next_held */
    struct mutex *blocked_on; /* the mutex it waits for */
    union {
        void *message; /* queue: where to copy from or to */
        uint32_t bits; /* event flags: wanted, and on return those that were there */
    } wait;
    uint8_t wait_mode; /* event flags: EVENT_* */
    uint8_t state;
    uint8_t priority; /* as scheduled now */
    uint8_t base;     /* without inheritance */
    uint8_t slice;    /* ticks left before its equals have a turn */
    uint8_t options;
    bool suspended; /* not scheduled, whatever the state */
    uint8_t result; /* enum kernel_status of the last wait */
    const char *name;
    uint32_t *stack;     /* lowest word; the first KERNEL_GUARD bytes are the guard */
    uint32_t *stack_top; /* one past the last */
    uint32_t guard;      /* what MPU_RBAR gets: switch.S */
    uint64_t cycles;     /* of the processor, interrupts on top of it included: switch.S */
    struct task *next_task;
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct task) <= 100, "100 bytes a task");

struct task_config {
    const char *name;
    void (*entry)(void *argument);
    void *argument;
    uint8_t priority;  /* 1 to 31, 31 is the most urgent */
    uint8_t options;   /* enum task_options */
    uint32_t *stack;   /* from TASK_STACK() */
    size_t stack_size; /* bytes, guard included */
};

#define TASK_STACK(name, bytes) alignas(KERNEL_GUARD) uint32_t name[((bytes) + 7) / 8 * 2]

/* sched.c: life of the kernel */
void kernel_init(uint32_t core_hz);
_Noreturn void kernel_start(void);
uint32_t kernel_lock(void); /* masks the kernel's interrupts; nests; keep it short */
void kernel_unlock(uint32_t key);

/* time.c */
uint32_t kernel_ticks(void);   /* for differences: does not begin at 0, and wraps */
uint64_t kernel_uptime(void);  /* ticks since kernel_init(), does not wrap */
uint32_t kernel_wakeups(void); /* how often the idle task has been woken */

/* task.c */
enum kernel_status task_create(struct task *task, const struct task_config *config);
_Noreturn void task_exit(void);
enum kernel_status task_suspend(struct task *task); /* itself too */
enum kernel_status task_resume(struct task *task);
enum kernel_status task_resume_isr(struct task *task);
enum kernel_status task_sleep(uint32_t ticks);
enum kernel_status task_yield(void);
enum kernel_status task_yield_isr(void); /* for the task below, also from a sandbox's call */
enum kernel_status task_set_priority(struct task *task, unsigned priority);
struct task *task_self(void);
struct task *task_iterate(const struct task *previous); /* NULL: the first; inside kernel_lock() */
size_t task_stack_unused(const struct task *task);      /* bytes never written */
uint64_t task_cycles(const struct task *task);

/* lib/tasks.c: a copy of the task of this number, and which one it is; false: there are not so many. The list may
 * change between two calls. */
bool task_copy(unsigned number, struct task *out, const struct task **which);

/* sem.c */
struct semaphore {
    struct task_queue waiters;
    uint32_t count, limit;
};
enum kernel_status semaphore_init(struct semaphore *sem, uint32_t count, uint32_t limit);
enum kernel_status semaphore_take(struct semaphore *sem, uint32_t timeout);
enum kernel_status semaphore_give(struct semaphore *sem);
enum kernel_status semaphore_give_isr(struct semaphore *sem);
enum kernel_status semaphore_take_isr(struct semaphore *sem); /* never waits */

/* mutex.c: with priority inheritance; not recursive; no _isr variant, an interrupt owns nothing */
struct mutex {
    struct task_queue waiters;
    struct task *owner;
    struct mutex *next_held; /* of the same owner */
};
enum kernel_status mutex_init(struct mutex *mutex);
enum kernel_status mutex_lock(struct mutex *mutex, uint32_t timeout);
enum kernel_status mutex_unlock(struct mutex *mutex);

/* queue.c: messages of one size, copied */
struct queue {
    struct task_queue senders, receivers; /* at most one of them is not empty */
    uint8_t *buffer;
    uint16_t message_size, capacity; /* bytes, messages */
    uint16_t first, used;            /* messages */
};
enum kernel_status queue_init(struct queue *queue, void *buffer, size_t message_size,
                              size_t capacity);
enum kernel_status queue_send(struct queue *queue, const void *message, uint32_t timeout);
enum kernel_status queue_receive(struct queue *queue, void *message, uint32_t timeout);
enum kernel_status queue_send_isr(struct queue *queue, const void *message);
enum kernel_status queue_receive_isr(struct queue *queue, void *message);

/* Mailbox: a queue of pointers, handed over by value. What they point to is not copied, may be of any
 * size, and belongs to the receiver from then on. */
struct mailbox {
    struct queue queue;
};
static inline enum kernel_status mailbox_init(struct mailbox *mailbox, void **buffer,
                                              size_t capacity) {
    return queue_init(&mailbox->queue, buffer, sizeof(void *), capacity);
}
static inline enum kernel_status mailbox_send(struct mailbox *mailbox, void *message,
                                              uint32_t timeout) {
    return queue_send(&mailbox->queue, &message, timeout);
}
static inline enum kernel_status mailbox_receive(struct mailbox *mailbox, void **message,
                                                 uint32_t timeout) {
    return queue_receive(&mailbox->queue, message, timeout);
}
static inline enum kernel_status mailbox_send_isr(struct mailbox *mailbox, void *message) {
    return queue_send_isr(&mailbox->queue, &message);
}
static inline enum kernel_status mailbox_receive_isr(struct mailbox *mailbox, void **message) {
    return queue_receive_isr(&mailbox->queue, message);
}

/* event.c */
enum event_mode { EVENT_ANY = 0, EVENT_ALL = 1, EVENT_CLEAR = 2 }; /* EVENT_ALL | EVENT_CLEAR */
struct event {
    struct task_queue waiters;
    uint32_t flags;
};
enum kernel_status event_init(struct event *event);
enum kernel_status
event_wait(struct event *event, uint32_t bits, unsigned mode, uint32_t *got,
           uint32_t timeout); /* got, if not NULL: the flags that ended the wait */
enum kernel_status event_set(struct event *event, uint32_t bits);
enum kernel_status event_set_isr(struct event *event, uint32_t bits);
enum kernel_status event_clear(struct event *event, uint32_t bits); /* from anywhere */

/* time.c: an entry of the list of deadlines, for what cannot wait for the timer task. Inside kernel_lock(); expire() is
 * called inside it, too, by the tick. timeout_remove() does nothing if it is not in the list. */
void timeout_add(struct timeout *timeout, uint32_t ticks);
static inline void timeout_remove(struct timeout *timeout) {
    struct timeout *next = timeout->next, *prev = timeout->prev;
    if (__builtin_expect(!next, 1))
        return;
    prev->next = next;
    next->prev = prev;
    timeout->next = NULL;
}

/* timer.c: callbacks run in the timer task */
struct timer {
    struct timeout timeout;
    void (*callback)(void *argument);
    void *argument;
    uint32_t period;    /* ticks; 0: once */
    struct timer *next; /* among those whose callback is due */
    bool due;
    uint32_t overruns; /* expiries lost because the callback was still due; readable */
};
enum kernel_status timer_init(struct timer *timer, void (*callback)(void *argument),
                              void *argument);
enum kernel_status timer_start(struct timer *timer, uint32_t delay, uint32_t period);
enum kernel_status timer_stop(struct timer *timer);
enum kernel_status timer_start_isr(struct timer *timer, uint32_t delay, uint32_t period);
enum kernel_status timer_stop_isr(struct timer *timer);

#endif
