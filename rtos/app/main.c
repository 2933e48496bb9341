/* SPDX-License-Identifier: MIT
 *
 * Boot order of the firmware, on whatever board.
 */
#include "hal/board.h"
#include "hal/gpio.h"
#include "rtos/console.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/print.h"
#include "rtos/programs.h"
#include "rtos/selftest.h"
#include "rtos/smp.h"

enum { CONSOLE_PRIORITY = 10 }; /* the tests are made for it */

const struct smp_service *const smp_services[] = {&smp_service_os, &smp_service_shell,
                                                  &smp_service_programs, NULL};

static TASK_STACK(console_stack, 4096);
static struct task console_task;

/* The tests go on after the restarts that they cause; then somebody may type. */
static void console(void *argument) {
    (void)argument;
    selftest_resume(fault_previous());
    programs_start(button_held());
    smp_console();
}

static void print_banner(void) {
    print("\nbpf2thumb on %s, %u MHz (%s)\n", board_name, (unsigned)(board_core_hz() / 1000000),
          board_clock_source());
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
    board_init();
    console_init();
    kernel_init(board_core_hz());
    board_start();
    print_banner();
    task_create(&console_task, &console_config);
    kernel_start();
}
