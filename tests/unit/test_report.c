/* SPDX-License-Identifier: MIT
 *
 * A crash record in words, also one that a program or a worn-out RAM has made up.
 */
#include "rtos/lib/report.c"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char printed[8192];
static size_t length;
static struct fault_record record;

void print(const char *pattern, ...) {
    va_list list;
    va_start(list, pattern);
    int n = vsnprintf(printed + length, sizeof(printed) - length, pattern, list);
    va_end(list);
    cr_assert(n >= 0 && n < 160, "longer than a line of the console");
    length += (size_t)n;
}

bool fault_crash_take(struct fault_record *out) {
    *out = record;
    return true;
}

const struct fault_record *fault_last(void) {
    return &record;
}

uint32_t kernel_lock(void) {
    return 0;
}

void kernel_unlock(uint32_t key) {
    (void)key;
}

enum kernel_status timer_init(struct timer *timer, void (*callback)(void *), void *argument) {
    timer->callback = callback;
    timer->argument = argument;
    return KERNEL_OK;
}

enum kernel_status timer_start_isr(struct timer *timer, uint32_t delay, uint32_t period) {
    (void)delay;
    (void)period;
    timer->callback(timer->argument);
    return KERNEL_OK;
}

enum kernel_status timer_stop_isr(struct timer *timer) {
    (void)timer;
    return KERNEL_OK;
}

/* Right by its checksum, mad in every field: it is printed, as text, and nothing is looked up by it. */
Test(report, mad_record) {
    memset(&record, 0xFF, sizeof(record));
    memset(record.task, 0x1B, sizeof(record.task) - 1);
    memset(record.text, '%', sizeof(record.text) - 1);
    record.task[sizeof(record.task) - 1] = record.text[sizeof(record.text) - 1] = 0;
    fault_print(fault_previous());
    for (size_t i = 0; i < length; i++)
        cr_assert(printed[i] == '\n' || (printed[i] >= ' ' && printed[i] <= '~'), "%zu", i);
    cr_assert(strstr(printed, "fault: ? in task ???????????????, exception 4294967295"));
    cr_assert(strstr(printed, "DIVBYZERO") && strstr(printed, "possible return address ffffffff"));
    record.kind = FAULT_PANIC;
    length = 0;
    fault_report_isr();
    cr_assert(strstr(printed, "%%%%"));
}
