/* SPDX-License-Identifier: MIT
 *
 * What a run costs: cycles from an event to the return of a program that does nothing. The event comes in an interrupt,
 * as all do, on top of a task below the domain. The end is where
 * sandbox_run() returns to the domain's task, which the linker leads through here.
 */
#include "armv7m.h"
#include "drill.h"
#include "hook_text.h"

#include "hal/board.h"
#include "rtos/bench.h"
#include "rtos/print.h"
#include "rtos/shell.h"

enum { SAMPLES = 31, PERIODIC = 0, QUEUED = 1 /* entries of empty.bpf.c */ };

static struct drill drill;
static struct domain_entry *entry;
static bool queued;
static volatile uint32_t begin, spent;
static struct semaphore done;

static uint32_t now(void) {
    return DWT_CYCCNT;
}

/* NOLINTBEGIN: the linker's names */
typedef enum kernel_status run_function(struct sandbox *box, uint32_t function,
                                        const uint32_t arguments[4], uint32_t budget);
run_function __real_sandbox_run, __wrap_sandbox_run;
enum kernel_status __wrap_sandbox_run(struct sandbox *box, uint32_t function,
                                      const uint32_t arguments[4], uint32_t budget) {
    enum kernel_status status = __real_sandbox_run(box, function, arguments, budget);
    spent = now() - begin;
    return status;
}
/* NOLINTEND */

static void event(void) {
    static const uint32_t context[CTX_SIZE_GPIO / 4];
    if (queued)
        domain_post(entry, context, sizeof(context), NULL, 0);
    else
        domain_wake(entry);
}

/* Below every domain. */
static void measure(void *argument) {
    uint32_t *values = argument;
    for (unsigned i = 0; i < SAMPLES; i++) {
        begin = now();
        board_spare_pend(BOARD_SPARE_KERNEL);
        values[i] = spent;
        task_sleep(1);
    }
    bench_sort(values, SAMPLES);
    semaphore_give(&done);
}

static void report(const char *name, unsigned number) {
    static TASK_STACK(stack, 512);
    static struct task task;
    static uint32_t values[SAMPLES];
    const struct task_config config = {.name = "latency",
                                       .entry = measure,
                                       .argument = values,
                                       .priority = 1,
                                       .stack = stack,
                                       .stack_size = sizeof(stack)};
    entry = domain_entry(drill.domain, number);
    queued = number == QUEUED;
    semaphore_init(&done, 0, 1);
    board_spare_handler[BOARD_SPARE_KERNEL] = event;
    task_create(&task, &config);
    semaphore_take(&done, KERNEL_FOREVER);
    task_sleep(2); /* it comes to its end */
    print("bench: %s %u %u %u %u\n", name, (unsigned)values[0], (unsigned)values[SAMPLES / 2],
          (unsigned)values[SAMPLES - 1], (unsigned)values[SAMPLES / 2]);
}

static int run_latency(struct shell *shell, int argc, char **argv) {
    (void)shell, (void)argc, (void)argv;
    enum bpf_status status = drill_load(&drill, drill_empty, drill_empty_end, BPF_ENGINE_THUMB,
                                        "gpio:PA0=in priority=2");
    if (status)
        return SHELL_FAILED;
    report("event-to-return", PERIODIC);
    report("event-to-return-queued", QUEUED);
    drill_unload(&drill);
    print("bench: end\n");
    return SHELL_DONE;
}
SHELL_COMMAND(latency, .help = "what a run costs, in cycles", .run = run_latency);
