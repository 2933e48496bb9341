/* SPDX-License-Identifier: MIT */
/* The console's sinks on the host: the debugger's rings, the log that survives resets, who gets what. */
#include "rtos/console.h"
#include "rtos/console/sink.h"
#include "shell/mock.h"

#include <criterion/criterion.h>
#include <string.h>

static jmp_buf ended;

static void start(void) {
    mock_start(&ended);
}

TestSuite(console, .init = start);

static size_t debugger_reads(char *out) {
    size_t length = 0;
    struct rtt_ring *up = &rtt_control.up;
    while (up->read != up->write) {
        out[length++] = up->buffer[up->read];
        up->read = (up->read + 1) % up->size;
    }
    return length;
}

Test(console, rtt_is_found) {
    cr_assert_arr_eq(rtt_control.id, "SEGGER RTT\0\0\0\0\0", 16);
    cr_assert_eq(rtt_control.ups, 1u);
    cr_assert_eq(rtt_control.downs, 1u);
    cr_assert_eq(rtt_control.up.size, 1024u);
}

/* Texts of all lengths, read now and then: whole, in order, or dropped and counted. */
Test(console, rtt_drops_what_does_not_fit) {
    char text[200], got[2048], wanted[2048];
    size_t expected = 0, dropped = 0;
    for (unsigned i = 0; i < 5000; i++) {
        size_t length = i * 31 % 190, left = rtt_control.up.size - 1 - expected;
        memset(text, 'a' + (int)(i % 26), length);
        size_t lost = rtt_write(text, length);
        cr_assert_eq(lost, length > left ? length : 0);
        dropped += lost;
        if (!lost)
            memcpy(wanted + expected, text, length), expected += length;
        if (i % 17 == 0) {
            cr_assert_eq(debugger_reads(got), expected);
            cr_assert_arr_eq(got, wanted, expected);
            expected = 0;
        }
    }
    cr_assert_gt(dropped, 0u);
}

Test(console, rtt_does_not_trust_the_debugger) {
    rtt_control.up.read = 0xFFFFFFF0;
    cr_assert_eq(rtt_write("abc", 3), 0u);
    rtt_control.up.write = 12345678;
    rtt_write("abc", 3);
    cr_assert_lt(rtt_control.up.write, 1024u);
    rtt_control.down.write = rtt_control.down.size;
    rtt_control.down.read = 4000000000;
    cr_assert_eq(rtt_read(), -1);
    rtt_control.down.size = 1 << 30;
    rtt_control.down.write = RTT_DOWN + 1000;
    cr_assert_eq(rtt_read(), -1);
}

Test(console, input_from_both) {
    static const uint8_t bytes[] = {'u', 0xff};
    rtt_control.down.buffer[0] = 'r';
    rtt_control.down.write = 1;
    mock.input = bytes;
    mock.input_left = 2;
    cr_assert_eq(console_read(KERNEL_NO_WAIT, NULL), 'r');
    cr_assert_eq(console_read(KERNEL_FOREVER, NULL), 'u');
    cr_assert_eq(console_read(5, NULL), 0xff);
    cr_assert_eq(console_read(KERNEL_NO_WAIT, NULL), -1);
    uint64_t before = mock.ticks;
    cr_assert_eq(console_read(50, NULL), -1);
    cr_assert_eq(mock.ticks - before, 50u);
}

/* A line of a protocol begins a line, whoever wrote half of one, and goes to one sink only. */
Test(console, lines_of_a_protocol) {
    char got[2048];
    cr_assert(console_write_line(CONSOLE_UART, "<1>\n", 4));
    console_write(CONSOLE_ALL, "half", 4);
    console_write(CONSOLE_ALL, "", 0);
    cr_assert(console_write_line(CONSOLE_UART, "<2>\n", 4));
    cr_assert(console_write_line(CONSOLE_UART, "<3>\n", 4));
    console_write(CONSOLE_ALL, "whole\n", 6);
    cr_assert(console_write_line(CONSOLE_UART, "<4>\n", 4));
    cr_assert_str_eq(mock_take(), "<1>\nhalf\n<2>\n<3>\nwhole\n<4>\n");
    cr_assert_eq(debugger_reads(got), 10u);
    console_write(1 << CONSOLE_RTT, "half", 4);
    cr_assert(console_write_line(CONSOLE_RTT, "<5>\n", 4));
    cr_assert_eq(debugger_reads(got), 9u);
    cr_assert_arr_eq(got, "half\n<5>\n", 9);
}

/* It waits for a debugger that reads, and not for ever for one that does not. */
Test(console, lines_wait_for_the_debugger) {
    char many[1023] = {0};
    rtt_write(many, sizeof(many));
    uint64_t before = mock.ticks;
    cr_assert_not(console_write_line(CONSOLE_RTT, "<1>\n", 4));
    cr_assert(mock.ticks - before >= 1000 && mock.ticks - before < 1100);
    console_drain(CONSOLE_RTT);
    cr_assert(mock.ticks - before >= 2000 && mock.ticks - before < 2200);
    cr_assert_eq(debugger_reads(many), 1023u);
    before = mock.ticks;
    console_drain(CONSOLE_RTT);
    console_drain(CONSOLE_UART);
    cr_assert(console_write_line(CONSOLE_RTT, "<1>\n", 4));
    cr_assert_eq(mock.ticks, before);
}

/* The whole log: pieces of all sizes give the same. */
static size_t read_log(char *out, size_t piece) {
    size_t length = 0, n;
    while ((n = console_log_read(length, out + length, piece)))
        length += n;
    return length;
}

Test(console, log_keeps_the_end) {
    static char all[100000], got[4096];
    size_t length = 0;
    for (unsigned i = 0; i < 1500; i++) {
        size_t n = i * 37 % 60;
        for (size_t k = 0; k < n; k++)
            all[length + k] = (char)(i + k);
        ramlog_write(all + length, n);
        length += n;
        size_t kept = read_log(got, 1 + i % 100);
        cr_assert_eq(kept, length < 2048 ? length : 2048, "%zu of %zu bytes", kept, length);
        cr_assert_arr_eq(got, all + length - kept, kept);
    }
    cr_assert_eq(console_log_read(2048, got, 1), 0u);
}

/* Only what the header vouches for is a log. */
Test(console, log_after_power_on_is_empty) {
    char got[4096];
    ramlog_write("old", 3);
    cr_assert_eq(read_log(got, 100), 3u);
    uint32_t *header = &ramlog.magic;
    for (unsigned bit = 0; bit < 64; bit++) {
        header[bit / 32] ^= 1u << bit % 32; /* magic, then count */
        cr_assert_eq(read_log(got, 100), 0u, "bit %u of the header", bit);
        header[bit / 32] ^= 1u << bit % 32; /* magic, then count */
    }
    ramlog.count = 4096 | (4096u ^ 0xFFFF) << 16; /* consistent, but out of range */
    cr_assert_eq(read_log(got, 100), 0u);
    ramlog_write("new", 3);
    cr_assert_eq(read_log(got, 100), 3u);
    cr_assert_arr_eq(got, "new", 3);
}

Test(console, who_gets_what) {
    char got[2048];
    struct console_state state;
    console_write(CONSOLE_ALL, "all ", 4);
    console_write(CONSOLE_INTERACTIVE, "typed ", 6);
    console_enable(CONSOLE_RTT, false);
    console_write(CONSOLE_ALL, "later", 5);
    cr_assert_str_eq(mock_take(), "all typed later");
    cr_assert_eq(read_log(got, 100), 9u);
    cr_assert_arr_eq(got, "all later", 9);
    cr_assert_eq(debugger_reads(got), 10u);
    console_enable(CONSOLE_RTT, true);
    for (int i = 0; i < 30; i++)
        console_write(CONSOLE_ALL, got, 50);
    console_state(CONSOLE_RTT, &state);
    cr_assert(state.on && state.dropped == 10 * 50, "%u dropped", state.dropped);
    console_state(CONSOLE_UART, &state);
    cr_assert(state.on && state.dropped == 0);
}

Test(console, semihosting_only_with_a_host) {
    struct console_state state;
    cr_assert_eq(console_enable(CONSOLE_SEMIHOST, true), KERNEL_NOT_THERE);
    console_state(CONSOLE_SEMIHOST, &state);
    cr_assert_not(state.on);
    mock.semihost = true;
    cr_assert_eq(console_enable(CONSOLE_SEMIHOST, true), KERNEL_OK);
    char many[200];
    memset(many, 'x', sizeof(many));
    console_write(CONSOLE_ALL, many, 200);
    console_write(CONSOLE_ALL, many, 200);
    console_state(CONSOLE_SEMIHOST, &state);
    cr_assert_eq(state.dropped, 145u, "255 fit");
    cr_assert_eq(console_enable(CONSOLE_SINKS, true), KERNEL_BAD_ARGUMENT);
}
