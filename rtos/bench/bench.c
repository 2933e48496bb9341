/* SPDX-License-Identifier: MIT
 *
 * Each measurement is a function that does one thing once and returns the cycles from its begin to its
 * end, the reading of the counter taken off. Where the thing ends in another task, that task (the peer)
 * reads the counter at the first statement that it runs. Interrupts stay on: the tick shows in the
 * largest value, the median is the figure to compare. `cold` is the median when the flash accelerator's
 * caches hold nothing of use. scripts/bench-kernel has goals and published figures of other kernels.
 */
#include "rtos/bench.h"
#include "armv7m.h"
#include "hal/board.h"
#include "rtos/kernel.h"
#include "rtos/print.h"
#include "rtos/sandbox.h"
#include "rtos/shell.h"

enum { SAMPLES = 32, PEER_STACK = 512 };

static TASK_STACK(peer_stack, PEER_STACK);
static struct task peer;
static struct semaphore semaphore;
static struct mutex mutex;
static struct queue queue;
static uint32_t queue_buffer[1];
static struct event event;
static struct timer timer;

static volatile uint32_t begin;
static volatile uint32_t spent;
static volatile bool stopping;
static uint32_t overhead; /* of two readings of the counter, one behind the other */

static inline uint32_t now(void) {
    return DWT_CYCCNT;
}

static inline void use_fpu(void) {
    __asm volatile(".fpu fpv4-sp-d16\n vmov.f32 s16, s16");
}

static uint32_t nothing(void) {
    begin = now();
    return now() - begin;
}

/* Fills the accelerator's 64 lines of code and 8 of data (RM0090 3.5.2) with what nobody needs. */
static void evict(void) {
    static const uint32_t lines[8][4] = {{0}};
    for (unsigned i = 0; i < 8; i++)
        (void)*(const volatile uint32_t *)lines[i];
    __asm volatile(".balign 16\n .rept 512\n nop\n .endr");
}

/* ----- peers -------------------------------------------------------------------------------------- */

static void peer_yields(void *uses_fpu) {
    if (uses_fpu)
        use_fpu();
    while (!stopping) {
        task_yield();
        spent = now() - begin;
    }
}

static void peer_takes(void *unused) {
    (void)unused;
    while (!stopping) {
        semaphore_take(&semaphore, KERNEL_FOREVER);
        spent = now() - begin;
    }
}

static void peer_receives(void *unused) {
    (void)unused;
    uint32_t message;
    while (!stopping) {
        queue_receive(&queue, &message, KERNEL_FOREVER);
        spent = now() - begin;
    }
}

static void peer_waits(void *unused) {
    (void)unused;
    while (!stopping) {
        event_wait(&event, 1, EVENT_ANY | EVENT_CLEAR, NULL, KERNEL_FOREVER);
        spent = now() - begin;
    }
}

/* ----- sandboxes ---------------------------------------------------------------------------------- */

enum { CODE_SIZE = 64, ARENA_SIZE = 256, CALLS = 16 };

void bench_code(void); /* the area, and its first function, which returns at once */
void bench_leave(void);
void bench_calls(void);
void bench_yield(void);
void bench_yields(void);
__asm(".section .text.bench_code, \"ax\"\n .balign 64\n"
      ".global bench_code, bench_leave, bench_calls, bench_yield, bench_yields\n"
      ".type bench_code, %function\n .type bench_leave, %function\n .type bench_calls, %function\n"
      ".type bench_yield, %function\n .type bench_yields, %function\n"
      "bench_code: bx lr\n"
      "bench_leave: svc #0\n"
      "bench_calls: .rept 16\n svc #1\n .endr\n bx lr\n"
      "bench_yield: svc #2\n bx lr\n"
      "bench_yields: svc #2\n b bench_yields\n"
      ".balign 64\n .text\n");

static alignas(ARENA_SIZE) uint32_t arenas[2][ARENA_SIZE / 4];
static struct sandbox boxes[2];
static struct sandbox_layout layouts[2];
static const uint32_t no_arguments[4];

static uint64_t call_nothing(struct sandbox *box, const uint32_t *frame) {
    (void)box, (void)frame;
    return 0;
}

/* From one call to the next, which the other sandbox makes: all that a yield takes is in between. */
static uint64_t call_yield(struct sandbox *box, const uint32_t *frame) {
    (void)frame;
    spent = now() - begin;
    if (stopping)
        sandbox_kill(box);
    begin = now();
    task_yield_isr();
    return 0;
}

static sandbox_call *const calls[] = {call_nothing, call_yield};

static void box_init(unsigned number) {
    uint32_t code = (uint32_t)bench_code & ~1u, arena = (uint32_t)arenas[number];
    layouts[number] =
        (struct sandbox_layout){.code = {.base = code, .size = CODE_SIZE, .access = MPU_CODE},
                                .arena = {.base = arena, .size = ARENA_SIZE, .access = MPU_DATA},
                                .library = {.base = code, .size = CODE_SIZE, .access = MPU_LIBRARY},
                                .stack_top = arena + ARENA_SIZE,
                                .static_base = arena,
                                .leave = (uint32_t)bench_leave,
                                .calls = calls,
                                .call_count = sizeof(calls) / sizeof(calls[0])};
    sandbox_init(&boxes[number], &layouts[number]);
}

static void box_run(unsigned number, void (*function)(void)) {
    sandbox_run(&boxes[number], (uint32_t)function, no_arguments, INT32_MAX);
}

static void peer_in_box(void *unused) {
    (void)unused;
    box_run(1, bench_yields);
}

/* ----- measurements ------------------------------------------------------------------------------- */

static uint32_t yield(void) {
    begin = now();
    task_yield();
    return spent;
}

static uint32_t yield_alone(void) {
    begin = now();
    task_yield();
    return now() - begin;
}

static uint32_t semaphore_pair(void) {
    begin = now();
    semaphore_give(&semaphore);
    semaphore_take(&semaphore, KERNEL_NO_WAIT);
    return now() - begin;
}

static uint32_t mutex_pair(void) {
    begin = now();
    mutex_lock(&mutex, KERNEL_NO_WAIT);
    mutex_unlock(&mutex);
    return now() - begin;
}

static uint32_t timer_pair(void) {
    begin = now();
    timer_start(&timer, 1000, 0);
    timer_stop(&timer);
    return now() - begin;
}

static uint32_t queue_pair(void) {
    uint32_t message = 0;
    begin = now();
    queue_send(&queue, &message, KERNEL_NO_WAIT);
    queue_receive(&queue, &message, KERNEL_NO_WAIT);
    return now() - begin;
}

static uint32_t semaphore_switch(void) {
    begin = now();
    semaphore_give(&semaphore);
    return spent;
}

static uint32_t message_round(void) {
    uint32_t message = 0;
    begin = now();
    queue_send(&queue, &message, KERNEL_NO_WAIT);
    return now() - begin;
}

static uint32_t event_switch(void) {
    begin = now();
    event_set(&event, 1);
    return spent;
}

static uint32_t sandbox_run_empty(void) {
    begin = now();
    box_run(0, bench_code);
    return now() - begin;
}

static uint32_t sandbox_helper(void) {
    uint32_t without = sandbox_run_empty();
    begin = now();
    box_run(0, bench_calls);
    return (now() - begin - without) / CALLS + overhead;
}

static uint32_t sandbox_yield(void) {
    box_run(0, bench_yield);
    return spent;
}

static void never(void *unused) {
    (void)unused;
}

static void handler_gives(void) {
    semaphore_give_isr(&semaphore);
}

static void handler_stamps(void) {
    spent = now() - begin;
}

static uint32_t interrupt(void) {
    begin = now();
    board_spare_pend(BOARD_SPARE_KERNEL);
    return spent;
}

/* ----- the table ---------------------------------------------------------------------------------- */

struct measurement {
    const char *name;
    uint32_t (*once)(void);
    void (*peer)(void *argument); /* NULL: none */
    uint8_t peer_above;           /* priorities above this task */
    bool fpu;                     /* both tasks have used the FPU */
    void (*handler)(void);        /* of the spare interrupt */
};

static const struct measurement measurements[] = {
    {.name = "yield", .once = yield, .peer = peer_yields},
    {.name = "yield-fpu", .once = yield, .peer = peer_yields, .fpu = true},
    {.name = "yield-alone", .once = yield_alone},
    {.name = "semaphore-give-take", .once = semaphore_pair},
    {.name = "semaphore-give-switch",
     .once = semaphore_switch,
     .peer = peer_takes,
     .peer_above = 1},
    {.name = "mutex-lock-unlock", .once = mutex_pair},
    {.name = "queue-send-receive", .once = queue_pair},
    {.name = "message-two-switches", .once = message_round, .peer = peer_receives, .peer_above = 1},
    {.name = "event-set-switch", .once = event_switch, .peer = peer_waits, .peer_above = 1},
    {.name = "timer-start-stop", .once = timer_pair},
    {.name = "interrupt-to-handler", .once = interrupt, .handler = handler_stamps},
    {.name = "interrupt-to-task",
     .once = interrupt,
     .peer = peer_takes,
     .peer_above = 2,
     .handler = handler_gives},
    {.name = "sandbox-enter-exit", .once = sandbox_run_empty},
    {.name = "svc-helper", .once = sandbox_helper},
    {.name = "yield-sandbox", .once = sandbox_yield, .peer = peer_in_box},
};

static void peer_start(const struct measurement *m) {
    const struct task_config config = {.name = "bench",
                                       .entry = m->peer,
                                       .argument = m->fpu ? &peer : NULL,
                                       .priority = (uint8_t)(task_self()->base + m->peer_above),
                                       .stack = peer_stack,
                                       .stack_size = sizeof(peer_stack)};
    task_create(&peer, &config);
    task_yield(); /* it runs up to its wait */
}

/* Wakes whatever the peer waits for, until it has seen `stopping`. */
static void peer_stop(void) {
    uint32_t message = 0;
    stopping = true;
    while (peer.state == TASK_READY || peer.state == TASK_WAITING) {
        semaphore_give(&semaphore);
        queue_send(&queue, &message, KERNEL_NO_WAIT);
        event_set(&event, 1);
        task_yield();
    }
}

static void prepare(const struct measurement *m) {
    semaphore_init(&semaphore, 0, 1);
    mutex_init(&mutex);
    queue_init(&queue, queue_buffer, sizeof(uint32_t), 1);
    event_init(&event);
    timer_init(&timer, never, NULL);
    box_init(0);
    box_init(1);
    stopping = false;
    board_spare_handler[BOARD_SPARE_KERNEL] = m->handler;
}

void bench_sort(uint32_t *values, unsigned count) {
    for (unsigned i = 1; i < count; i++)
        for (unsigned j = i; j > 0 && values[j] < values[j - 1]; j--) {
            uint32_t larger = values[j - 1];
            values[j - 1] = values[j];
            values[j] = larger;
        }
}

static void take_samples(const struct measurement *m, uint32_t values[SAMPLES], bool cold) {
    for (unsigned i = 0; i < SAMPLES; i++) {
        if (cold)
            evict();
        values[i] = m->once() - overhead;
    }
    bench_sort(values, SAMPLES);
}

static void run(const struct measurement *m) {
    uint32_t warm[SAMPLES], cold[SAMPLES];
    prepare(m);
    if (m->peer)
        peer_start(m);
    take_samples(m, cold, true);
    take_samples(m, warm, false);
    if (m->peer)
        peer_stop();
    print("bench: %s %u %u %u %u\n", m->name, (unsigned)warm[0], (unsigned)warm[SAMPLES / 2],
          (unsigned)warm[SAMPLES - 1], (unsigned)cold[SAMPLES / 2]);
}

void bench_run(void) {
    overhead = 0;
    overhead = nothing();
    if (overhead == 0) {
        print("bench: nothing counts cycles here\n");
        return;
    }
    for (unsigned i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++)
        run(&measurements[i]);
    print("bench: end\n");
}

static int command(struct shell *shell, int argc, char **argv) {
    (void)shell, (void)argc, (void)argv;
    bench_run();
    return SHELL_DONE;
}
SHELL_COMMAND(bench, .help = "what the kernel's calls cost, in cycles", .run = command);
