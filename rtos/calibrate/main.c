/* SPDX-License-Identifier: MIT
 *
 * The firmware of `make calibrate`: measures once, and again with each key. docs/calibrate.md
 */
#include "calibrate.h"
#include "hal/board.h"
#include "rtos/console.h"
#include "rtos/kernel.h"
#include "rtos/print.h"

static TASK_STACK(stack, 1024);
static struct task task;

static void loop(void *argument) {
    (void)argument;
    for (;;) {
        calibrate_run();
        print("calibrate: a key measures again, x leaves an emulator\n");
        int key = console_read(KERNEL_FOREVER, NULL);
        if (key == 'x')
            board_exit(0); /* returns where nobody serves it */
    }
}

int main(void) {
    static const struct task_config config = {.name = "calibrate",
                                              .entry = loop,
                                              .priority = 10,
                                              .stack = stack,
                                              .stack_size = sizeof(stack)};
    board_init();
    console_init();
    kernel_init(board_core_hz());
    board_start();
    print("\ncalibrate: %s, %u MHz (%s)\n", board_name, (unsigned)(board_core_hz() / 1000000),
          board_clock_source());
    task_create(&task, &config);
    kernel_start();
}
