/* SPDX-License-Identifier: MIT
 *
 * The console's sinks where they are at home: the debugger finds the ring in RAM and nothing that looks like it
 * in the flash, and the log outlives a restart.
 */
#include "rtos/console.h"
#include "selftest.h"

/* As a debugger reads it: no header of the console's. */
extern const char rtt_control[];

extern const char _flash_start[], _firmware_end[];

static bool is_id(const char *at) {
    for (int i = 0; i < 10; i++)
        if (at[i] != rtt_control[i])
            return false;
    return true;
}

/* Two letters of the id here, so that this file does not hold it. */
static const char *rtt_in_ram(void) {
    const uint32_t *words = (const uint32_t *)rtt_control;
    CHECK(rtt_control[0] == 'S' && rtt_control[9] == 'T' && rtt_control[10] == 0);
    CHECK(words[4] == 1 && words[5] == 1); /* one ring each way */
    for (int ring = 6; ring <= 12; ring += 6) {
        CHECK(words[ring + 1] - 0x20000000 < 0x20000); /* the buffer is where debuggers may write */
        CHECK(words[ring + 2] >= 64);
        CHECK(words[ring + 3] < words[ring + 2]);
    }
    return NULL;
}

static const char *rtt_not_in_flash(void) {
    for (const char *at = _flash_start; at + 10 <= _firmware_end; at++)
        CHECK(!is_id(at));
    return NULL;
}

/* Nobody reads the ring: writing more than it holds neither waits nor loses the count. */
static const char *rtt_never_waits(void) {
    struct console_state before, after;
    static char text[100];
    console_state(CONSOLE_RTT, &before);
    uint32_t start = kernel_ticks();
    for (int i = 0; i < 40; i++)
        console_write(1 << CONSOLE_RTT, text, sizeof(text));
    CHECK(kernel_ticks() - start < 3);
    console_state(CONSOLE_RTT, &after);
    CHECK(after.dropped - before.dropped >= 2900 && after.dropped - before.dropped <= 4000);
    return NULL;
}

static size_t log_length(void) {
    char c;
    size_t length = 0;
    while (console_log_read(length, &c, 1))
        length++;
    return length;
}

bool log_has(const char *text) {
    char c;
    for (size_t at = 0; console_log_read(at, &c, 1); at++) {
        size_t same = 0;
        while (text[same] && console_log_read(at + same, &c, 1) && c == text[same])
            same++;
        if (!text[same])
            return true;
    }
    return false;
}

static const char *log_keeps(void) {
    static const char text[] = "selftest: into the log only\n";
    console_write(1 << CONSOLE_LOG, text, sizeof(text) - 1);
    CHECK(log_has(text));
    CHECK(log_length() <= 2048);
    return NULL;
}

/* With a host or without, asking comes back. */
static const char *semihost(void) {
    if (is_debugged()) /* it may serve no such calls */
        return SKIP_DEBUGGED;
    enum kernel_status status = console_enable(CONSOLE_SEMIHOST, true);
    CHECK(status == KERNEL_OK || status == KERNEL_NOT_THERE);
    console_write(1 << CONSOLE_SEMIHOST, "", 0);
    CHECK(console_enable(CONSOLE_SEMIHOST, false) == KERNEL_OK);
    return NULL;
}

const struct test tests_console[] = {
    {"console", "rtt_in_ram", rtt_in_ram},
    {"console", "rtt_not_in_flash", rtt_not_in_flash},
    {"console", "rtt_never_waits", rtt_never_waits},
    {"console", "log_keeps", log_keeps},
    {"console", "semihost", semihost},
};
SUITE_END(console);
