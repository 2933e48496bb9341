/* SPDX-License-Identifier: MIT
 *
 * Boot order of the firmware, and its console: one key, one command.
 */
#include "bsp.h"
#include "hal/board.h"
#include "rtos/bench.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/print.h"
#include "rtos/priority.h"
#include "rtos/selftest.h"
#include "stm32f407.h"

enum { CONSOLE_PRIORITY = 10 };

static TASK_STACK(console_stack, 2048);
static struct task console_task;
static struct clock clock;
static struct fault_record crash; /* of the run before this one */
static bool crashed;

static void print_help(void) {
    print("keys: h help, t tasks, c crash record, s selftest, b bench, r reset, x leave the "
          "emulator\n");
}

/* The list may change while a line is printed, so each line is fetched anew, by its number. */
static bool task_copy(unsigned number, struct task *out) {
    uint32_t key = kernel_lock();
    struct task *task = task_iterate(NULL);
    while (task && number--)
        task = task_iterate(task);
    if (task)
        *out = *task;
    kernel_unlock(key);
    return task != NULL;
}

static void print_tasks(void) {
    static const char *const states[] = {"none", "ready", "waiting", "ended", "faulted"};
    struct task task;
    print("%-12s %-8s %4s %10s %12s\n", "task", "state", "prio", "cpu ms", "stack unused");
    for (unsigned i = 0; task_copy(i, &task); i++)
        print("%-12s %-8s %4u %10u %12u\n", task.name, states[task.state], task.priority,
              (unsigned)(task.cycles / (clock.core_hz / 1000)), (unsigned)task_stack_unused(&task));
}

static void print_crash(void) {
    if (!crashed) {
        print("no crash record\n");
        return;
    }
    print("crash record of the run before:\n");
    fault_print(&crash);
}

static void command(int key) {
    switch (key) {
    case 'h': print_help(); break;
    case 't': print_tasks(); break;
    case 'c': print_crash(); break;
    case 's': selftest_run(); break;
    case 'b': bench_run(); break;
    case 'r': board_reset();
    case 'x':
        board_exit(selftest_passed() ? 0 : 1);
        print("nobody answers semihosting calls\n");
        break;
    default: break; /* noise on the line is not worth an answer */
    }
}

static void console(void *argument) {
    (void)argument;
    selftest_resume(crashed ? &crash : NULL);
    for (;;)
        command(board_read(KERNEL_FOREVER));
}

static void print_banner(void) {
    static const char *const sources[] = {"no RCC: an emulator", "HSI: no crystal", "HSE, PLL"};
    print("\nbpf2thumb on %s, %u MHz (%s)\n", board_name, (unsigned)(clock.core_hz / 1000000),
          sources[clock.source]);
    if (crashed)
        print_crash();
    print_help();
}

int main(void) {
    static const struct task_config console_config = {.name = "console",
                                                      .entry = console,
                                                      .priority = CONSOLE_PRIORITY,
                                                      .stack = console_stack,
                                                      .stack_size = sizeof(console_stack)};
    clock = clock_init();
    crashed = fault_crash_take(&crash);
    kernel_init(clock.core_hz);
    uart_init(clock.apb1_hz);
    uart_irq_enable();
    irq_enable(IRQ_CAN2_TX, PRIORITY_DEVICE);
    irq_enable(IRQ_CAN2_RX0, PRIORITY_ZERO_LATENCY);
    print_banner();
    task_create(&console_task, &console_config);
    kernel_start();
}
