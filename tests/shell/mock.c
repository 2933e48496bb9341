/* SPDX-License-Identifier: MIT */
#include "shell/mock.h"
#include "hal/board.h"
#include "hal/gpio.h"
#include "rtos/console.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "rtos/selftest.h"

#include <stdlib.h>
#include <string.h>

struct mock mock;

static uint32_t stacks[2][64];
static struct task tasks[2] = {
    {.name = "console",
     .state = TASK_READY,
     .priority = 10,
     .base = 10,
     .stack = stacks[0],
     .stack_top = stacks[0] + 64,
     .next_task = &tasks[1]},
    {.name = "idle", .state = TASK_READY, .stack = stacks[1], .stack_top = stacks[1] + 64},
};

void mock_start(jmp_buf *end) {
    mock = (struct mock){.exit_code = -1, .end = end};
    tasks[0].cycles = tasks[1].cycles = 0;
    console_init();
    console_log_clear();
}

const char *mock_take(void) {
    static char taken[MOCK_OUTPUT + 1];
    memcpy(taken, mock.output, mock.length);
    taken[mock.length] = 0;
    mock.length = 0;
    return taken;
}

/* ----- hal/board.h -------------------------------------------------------------------------------- */

const char board_name[] = "mock board";

uint32_t board_core_hz(void) {
    return 1000000; /* 1000 cycles a tick */
}

void board_write(const char *text, size_t length) {
    if (length > MOCK_OUTPUT - mock.length)
        length = MOCK_OUTPUT - mock.length;
    memcpy(mock.output + mock.length, text, length);
    mock.length += length;
    tasks[0].cycles += mock.write_cycles;
}

void board_write_raw(const char *bytes, size_t length) {
    board_write(bytes, length);
}

void board_flush(void) {
}

int board_read(uint32_t timeout) {
    if (mock.input_left == 0) {
        mock.ticks += timeout;
        return -1;
    }
    mock.input_left--;
    return *mock.input++;
}

bool board_memory(unsigned index, struct board_memory *out) {
    *out = (struct board_memory){"RAM", 0x20000000, 1000, 400};
    return index == 0;
}

_Noreturn void board_reset(void) {
    mock.resets++;
    longjmp(*mock.end, 1);
}

void board_exit(int code) {
    mock.exit_code = code;
}

int core_semihost(uint32_t operation, const void *argument) {
    const uintptr_t *block = argument;
    if (!mock.semihost)
        return -1;
    if (operation == 1)
        return 5; /* a handle */
    size_t used = strlen(mock.semihosted), room = sizeof(mock.semihosted) - 1 - used;
    size_t take = block[2] < room ? block[2] : room;
    memcpy(mock.semihosted + used, (const char *)block[1], take);
    return (int)(block[2] - take);
}

/* ----- hal/gpio.h --------------------------------------------------------------------------------- */

const struct gpio_name gpio_names[] = {{"USER", GPIO_PIN('A', 0), "button"},
                                       {"LD4", GPIO_PIN('D', 12), "green LED"}};
const unsigned gpio_name_count = 2;
const struct gpio_led gpio_leds[] = {{"green", 60}, {"orange", 61}, {"red", 62}, {"blue", 63}};
const unsigned gpio_led_count = 4;

enum kernel_status gpio_configure(unsigned pin, enum gpio_mode mode) {
    mock.configured = pin;
    mock.mode = mode;
    return KERNEL_OK;
}

enum kernel_status gpio_write(unsigned pin, bool high) {
    mock.pins[pin] = high;
    return KERNEL_OK;
}

enum kernel_status gpio_read(unsigned pin, bool *high) {
    *high = mock.pins[pin];
    return pin == GPIO_PIN('H', 15) ? KERNEL_NOT_THERE : KERNEL_OK;
}

/* ----- the kernel --------------------------------------------------------------------------------- */

uint32_t kernel_lock(void) {
    return 0;
}

void kernel_unlock(uint32_t key) {
    (void)key;
}

uint32_t kernel_ticks(void) {
    return (uint32_t)mock.ticks - 5; /* differences are what counts */
}

uint64_t kernel_uptime(void) {
    return mock.ticks;
}

struct task *task_self(void) {
    return &tasks[0];
}

struct task *task_iterate(const struct task *previous) {
    return previous ? previous->next_task : &tasks[0];
}

size_t task_stack_unused(const struct task *task) {
    (void)task;
    return 96;
}

uint64_t task_cycles(const struct task *task) {
    return task->cycles;
}

/* A quarter of the time goes to the console. */
enum kernel_status task_sleep(uint32_t ticks) {
    mock.ticks += ticks;
    tasks[0].cycles += ticks * 250u;
    tasks[1].cycles += ticks * 5u; /* its counter stops while it sleeps */
    return KERNEL_OK;
}

enum kernel_status mutex_lock(struct mutex *mutex, uint32_t timeout) {
    (void)timeout;
    if (mutex->owner)
        abort(); /* it is not recursive */
    mutex->owner = &tasks[0];
    return KERNEL_OK;
}

enum kernel_status mutex_unlock(struct mutex *mutex) {
    mutex->owner = NULL;
    return KERNEL_OK;
}

const struct fault_record *fault_previous(void) {
    static const struct fault_record record = {.kind = FAULT_PANIC, .task = "lost"};
    return mock.crashed ? &record : NULL;
}

void fault_print(const struct fault_record *record) {
    console_write(CONSOLE_ALL, record->task, strlen(record->task));
    console_write(CONSOLE_ALL, "\n", 1);
}

_Noreturn void fault_panic_of(const struct task *task, const char *text) {
    (void)task, (void)text;
    mock.panics++;
    longjmp(*mock.end, 1);
}

bool selftest_run(const char *suite) {
    mock.suite = suite ? suite : "all";
    return !suite || !strcmp(suite, "sched") || !strcmp(suite, "sem");
}

const char *selftest_suite(unsigned index) {
    return index == 0 ? "sched" : index == 1 ? "sem" : NULL;
}

bool selftest_failed(void) {
    return false;
}
