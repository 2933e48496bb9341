/* SPDX-License-Identifier: MIT
 *
 * Boot order of the firmware.
 */
#include "bsp.h"
#include "hal/board.h"
#include "rtos/console.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/print.h"
#include "rtos/priority.h"
#include "rtos/selftest.h"
#include "rtos/shell.h"
#include "stm32f407.h"

enum { CONSOLE_PRIORITY = 10 }; /* the tests are made for it */

static TASK_STACK(console_stack, 3072);
static struct task console_task;

uint32_t board_core_hz(void) {
    return clock_now()->core_hz;
}

/* The tests go on after the restarts that they cause; then somebody may type. */
static void console(void *argument) {
    (void)argument;
    selftest_resume(fault_previous());
    shell_console();
}

static void print_banner(void) {
    static const char *const sources[] = {"no RCC: an emulator", "HSI: no crystal", "HSE, PLL"};
    const struct clock *clock = clock_now();
    print("\nbpf2thumb on %s, %u MHz (%s)\n", board_name, (unsigned)(clock->core_hz / 1000000),
          sources[clock->source]);
    const struct fault_record *crash = fault_previous();
    if (crash) {
        print("crash record of the run before:\n");
        fault_print(crash);
    }
    /* Scripts wait for this line. */
    print("shell: `help` lists the commands, `selftest` runs the tests\n");
}

int main(void) {
    static const struct task_config console_config = {.name = "console",
                                                      .entry = console,
                                                      .priority = CONSOLE_PRIORITY,
                                                      .stack = console_stack,
                                                      .stack_size = sizeof(console_stack)};
    const struct clock clock = clock_init();
    console_init();
    kernel_init(clock.core_hz);
    uart_init(clock.apb1_hz);
    uart_irq_enable();
    irq_enable(IRQ_CAN2_TX, PRIORITY_DEVICE);
    irq_enable(IRQ_CAN2_RX0, PRIORITY_ZERO_LATENCY);
    print_banner();
    task_create(&console_task, &console_config);
    kernel_start();
}
