/* SPDX-License-Identifier: MIT
 *
 * Calls from interrupts: a spare interrupt of the board is pended by software.
 */
#include "hal/board.h"
#include "selftest.h"

static struct semaphore sem;
static struct queue queue;
static uint32_t buffer[1];
static struct event event;
static struct timer timer;
static struct mutex mutex;
static volatile enum kernel_status seen[12];
static volatile unsigned seen_count;

static void see(enum kernel_status status) {
    seen[seen_count++] = status;
}

static void interrupt(void (*handler)(void)) {
    seen_count = 0;
    board_spare_handler[BOARD_SPARE_KERNEL] = handler;
    board_spare_pend(BOARD_SPARE_KERNEL);
}

static void take_twice(void *argument) {
    (void)argument;
    for (int i = 0; i < 2; i++)
        trace(semaphore_take(&sem, 20) == KERNEL_OK ? 't' : 'T');
}

static void give_two(void) {
    see(semaphore_give_isr(&sem));
    trace('i');
    see(semaphore_give_isr(&sem));
    see(semaphore_give_isr(&sem));
    see(semaphore_take_isr(&sem));
    see(semaphore_take_isr(&sem));
}

/* The woken task runs after the interrupt, before the interrupted task. */
static const char *semaphore(void) {
    semaphore_init(&sem, 0, 1);
    helper_start(0, 20, take_twice);
    interrupt(give_two);
    trace('1');
    CHECK(seen[0] == KERNEL_OK && seen[1] == KERNEL_OK && seen[2] == KERNEL_LIMIT);
    CHECK(seen[3] == KERNEL_OK && seen[4] == KERNEL_WOULD_BLOCK);
    semaphore_give(&sem);
    CHECK(trace_is("it1t"));
    return NULL;
}

static void give_one(void) {
    see(semaphore_give_isr(&sem));
}

/* An interrupt that wakes nobody more urgent does not switch. */
static const char *no_switch(void) {
    semaphore_init(&sem, 0, 1);
    helper_start(0, 5, take_twice);
    task_sleep(1);
    interrupt(give_one);
    trace('1');
    task_sleep(1);
    trace('2');
    interrupt(give_one);
    task_sleep(2);
    CHECK(trace_is("1t2t"));
    return NULL;
}

static void receive(void *argument) {
    (void)argument;
    uint32_t message = 0;
    queue_receive(&queue, &message, 20);
    trace((char)message);
}

static void use_queue(void) {
    uint32_t message = 'q';
    see(queue_send_isr(&queue, &message)); /* to the waiting task */
    message = 'r';
    see(queue_send_isr(&queue, &message));
    see(queue_send_isr(&queue, &message));
    see(queue_receive_isr(&queue, &message));
    see(queue_receive_isr(&queue, &message));
}

static const char *messages(void) {
    queue_init(&queue, buffer, sizeof(uint32_t), 1);
    helper_start(0, 20, receive);
    interrupt(use_queue);
    CHECK(seen[0] == KERNEL_OK && seen[1] == KERNEL_OK && seen[2] == KERNEL_WOULD_BLOCK);
    CHECK(seen[3] == KERNEL_OK && seen[4] == KERNEL_WOULD_BLOCK);
    CHECK(trace_is("q"));
    return NULL;
}

static void wait_event(void *argument) {
    (void)argument;
    trace(event_wait(&event, 4, EVENT_ANY, NULL, 20) == KERNEL_OK ? 'e' : 'E');
}

static void set_event(void) {
    see(event_set_isr(&event, 4));
}

static const char *events(void) {
    event_init(&event);
    helper_start(0, 20, wait_event);
    interrupt(set_event);
    CHECK(trace_is("e"));
    CHECK(seen[0] == KERNEL_OK);
    return NULL;
}

static void suspend(void *argument) {
    (void)argument;
    task_suspend(task_self());
    trace('r');
}

static void resume(void) {
    see(task_resume_isr(&helpers[0]));
}

static const char *resumes(void) {
    helper_start(0, 20, suspend);
    interrupt(resume);
    CHECK(trace_is("r"));
    CHECK(seen[0] == KERNEL_OK);
    return NULL;
}

static void trace_timer(void *argument) {
    (void)argument;
    trace('t');
}

static void start_timer(void) {
    see(timer_start_isr(&timer, 2, 0));
}

static void stop_timer(void) {
    see(timer_stop_isr(&timer));
}

static const char *timers(void) {
    timer_init(&timer, trace_timer, NULL);
    interrupt(start_timer);
    CHECK(seen[0] == KERNEL_OK);
    task_sleep(4);
    CHECK(trace_is("t"));
    interrupt(start_timer);
    interrupt(stop_timer);
    task_sleep(4);
    CHECK(trace_is(""));
    return NULL;
}

static void call_as_task(void) {
    see(semaphore_take(&sem, 1));
    see(semaphore_give(&sem));
    see(mutex_lock(&mutex, KERNEL_NO_WAIT));
    see(mutex_unlock(&mutex));
    see(queue_send(&queue, buffer, KERNEL_NO_WAIT));
    see(event_set(&event, 1));
    see(timer_start(&timer, 1, 0));
    see(task_sleep(1));
    see(task_yield());
    see(task_suspend(&helpers[0]));
    see(task_set_priority(task_self(), 5));
    see(task_create(&helpers[0], NULL));
}

/* A call from the wrong place says so and does nothing. */
static const char *wrong_place(void) {
    semaphore_init(&sem, 1, 2);
    mutex_init(&mutex);
    interrupt(call_as_task);
    CHECK(seen_count == 12);
    for (unsigned i = 0; i < seen_count; i++)
        CHECK(seen[i] == KERNEL_IN_INTERRUPT);
    CHECK(sem.count == 1 && !mutex.owner);
    CHECK(semaphore_give_isr(&sem) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(semaphore_take_isr(&sem) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(queue_send_isr(&queue, buffer) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(queue_receive_isr(&queue, buffer) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(event_set_isr(&event, 1) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(timer_start_isr(&timer, 1, 0) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(timer_stop_isr(&timer) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(task_resume_isr(&helpers[0]) == KERNEL_NOT_IN_INTERRUPT);
    CHECK(task_yield_isr() == KERNEL_NOT_IN_INTERRUPT);
    CHECK(sem.count == 1);
    return NULL;
}

static void yields_in_interrupt(void) {
    trace(task_yield_isr() == KERNEL_OK ? 'i' : '!');
}

static void traces_b(void *unused) {
    (void)unused;
    trace('b');
}

/* The task that is interrupted goes behind its equals, at once. */
static const char *yields(void) {
    trace_is("");
    helper_start(0, task_self()->priority, traces_b);
    trace('a');
    interrupt(yields_in_interrupt);
    trace('c');
    CHECK(trace_is("aibc"));
    return NULL;
}

static volatile unsigned zero_latency_ran, kernel_band_ran;

static void zero_latency(void) {
    zero_latency_ran++;
}

static void kernel_band(void) {
    kernel_band_ran++;
}

/* The kernel's masked sections hold up its own band and nothing above it. */
static const char *bands(void) {
    zero_latency_ran = kernel_band_ran = 0;
    board_spare_handler[BOARD_SPARE_ZERO_LATENCY] = zero_latency;
    board_spare_handler[BOARD_SPARE_KERNEL] = kernel_band;
    uint32_t key = kernel_lock();
    board_spare_pend(BOARD_SPARE_KERNEL);
    board_spare_pend(BOARD_SPARE_ZERO_LATENCY);
    bool right = zero_latency_ran == 1 && kernel_band_ran == 0;
    kernel_unlock(key);
    CHECK(right);
    CHECK(kernel_band_ran == 1);
    return NULL;
}

const struct test tests_isr[] = {
    {"isr", "semaphore", semaphore},
    {"isr", "no_switch", no_switch},
    {"isr", "messages", messages},
    {"isr", "events", events},
    {"isr", "resumes", resumes},
    {"isr", "timers", timers},
    {"isr", "wrong_place", wrong_place},
    {"isr", "yields", yields},
    {"isr", "bands", bands},
};
SUITE_END(isr);
