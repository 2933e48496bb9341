/* SPDX-License-Identifier: MIT */
/*
 * Shell and protocol on one console: what is typed on the serial port or in the debugger's ring is carried out, what
 * comes in frames is answered where it came from, and neither sees anything of the other.
 */
#include "bpf/smp.h"
#include "bpf/wire.h"
#include "rtos/console/sink.h"
#include "rtos/smp.h"
#include "shell/mock.h"
#include "wire/notation.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct smp_service *const smp_services[] = {&smp_service_os, &smp_service_shell, NULL};

static jmp_buf ended;
static struct {
    char bytes[8192];
    size_t length;
} input;

static void start(void) {
    mock_start(&ended);
    input.length = 0;
}

TestSuite(smp_console, .init = start);

static void add(void *context, const char *line, size_t length) {
    (void)context;
    memcpy(input.bytes + input.length, line, length);
    input.length += length;
}

static void type(const char *text) {
    add(NULL, text, strlen(text));
}

static void ask(uint8_t op, uint16_t group, uint8_t id, const char *text) {
    uint8_t packet[SMP_PACKET];
    size_t size = notation_parse(text, packet + SMP_HEADER, sizeof(packet) - SMP_HEADER);
    struct smp_header h = {SMP_V2, op, 0, (uint16_t)size, group, 5, id};
    smp_header_write(&h, packet);
    wire_encode(packet, SMP_HEADER + size, add, NULL);
}

/* Runs until the board restarts; what came out of the serial port. */
static const char *run(void) {
    type("\025reset\r");
    mock.input = (const uint8_t *)input.bytes;
    mock.input_left = input.length;
    if (setjmp(ended) == 0)
        smp_console();
    return mock_take();
}

/* Text and answers, each answer as its notation between < and >. */
static const char *readable(const char *output) {
    static char text[1 << 16];
    uint8_t *buffer = malloc(SMP_PACKET + WIRE_CRC);
    struct wire_decoder d;
    size_t length = 0;
    wire_decoder_init(&d, buffer, SMP_PACKET + WIRE_CRC);
    for (; *output; output++)
        switch (wire_feed(&d, (uint8_t)*output)) {
        case WIRE_TEXT:
            memcpy(text + length, d.text, d.text_count);
            length += d.text_count;
            break;
        case WIRE_PACKET:
            length += (size_t)sprintf(
                text + length, "<%s>\n",
                notation_print((struct cbor){buffer + SMP_HEADER, buffer + d.length}));
            break;
        case WIRE_BROKEN: cr_assert_fail("%s", wire_refusal_text(d.refusal));
        case WIRE_NOTHING: break;
        }
    text[length] = 0;
    free(buffer);
    return text;
}

#define SAYS(text)                                                                                 \
    do {                                                                                           \
        const char *said = readable(run());                                                        \
        cr_assert_str_eq(said, text, "%s", said);                                                  \
    } while (0)

Test(smp_console, shell_alone) {
    type("print 1\r");
    SAYS("> print 1\n1 (0x1)\n> reset\n");
}

/* An answer begins a line, and the line that is being typed comes back with the next key. */
Test(smp_console, an_answer_while_somebody_types) {
    type("print 1");
    ask(SMP_READ, 0, 6, "{}");
    ask(SMP_READ, 0, 0, "{d: 'x'}");
    type("1\r");
    SAYS(
        "> print 1\n<{buf_size: 1024, buf_count: 1}>\n<{r: 'x'}>\n> print 11\n11 (0xb)\n> reset\n");
}

Test(smp_console, answers_of_several_lines) {
    ask(SMP_WRITE, 9, 0, "{argv: ['help', 'led']}");
    char long_text[700] = "{d: '";
    memset(long_text + 5, 'y', 600);
    strcpy(long_text + 605, "'}");
    ask(SMP_READ, 0, 0, long_text);
    const char *got = readable(run());
    cr_assert(strstr(got,
                     "> \n<{o: 'led COLOUR on|off|toggle\n  switches an LED\n', ret: 0}>\n<{r: "
                     "'yyyyyy"));
    cr_assert(strstr(got, "yyy'}>\n> reset\n"));
}

Test(smp_console, text_inside_of_a_packet) {
    char frames[2048];
    ask(SMP_READ, 0, 0,
        "{d: '123456789012345678901234567890123456789012345678901234567890"
        "12345678901234567890'}");
    memcpy(frames, input.bytes, input.length);
    char *second = strstr(frames, "\n") + 1;
    size_t length = input.length;
    cr_assert(second < frames + length, "two lines");
    input.length = 0;
    add(NULL, frames, (size_t)(second - frames));
    type("print 5\r");
    add(NULL, second, (size_t)(frames + length - second));
    const char *got = readable(run());
    cr_assert(strstr(got, "> print 5\n5 (0x5)\n> \n<{r: '1234567890") == got, "%s", got);
}

Test(smp_console, a_line_that_lost_a_part_is_not_carried_out) {
    type("print 1\6\11AAMx!\r2\r\r");
    const char *got = readable(run());
    cr_assert(strstr(got, "not carried out") && !strstr(got, "12 (0xc)"), "%s", got);
    start();
    type("\6\11AAMx!\rprint 12\r"); /* there was no line yet */
    SAYS("> print 12\n12 (0xc)\n> reset\n");
    start();
    type("print 1\6\11AAMx\n"); /* a packet that is not finished when the next one begins */
    ask(SMP_READ, 0, 6, "{}");
    type("2\r");
    SAYS("> print 1\n<{buf_size: 1024, buf_count: 1}>\n> print 12\n12 (0xc)\n> reset\n");
}

/* Ctrl-F is the editor's when no marker comes of it. */
Test(smp_console, keys_that_begin_frames) {
    type("print 21\033[D\033[D\6\b7\r");
    cr_assert(strstr(readable(run()), "\n71 (0x47)\n"));
}

static void ring_type(const char *bytes, size_t length) {
    struct rtt_ring *down = &rtt_control.down;
    cr_assert_lt(length, down->size);
    memcpy(down->buffer, bytes, length);
    down->write = (uint32_t)length;
}

/* From the ring to the ring; the largest packet goes into it at once. */
Test(smp_console, the_debuggers_ring) {
    char text[SMP_PACKET + 16] = "{d: '";
    memset(text + 5, 'y', 600);
    strcpy(text + 605, "'}");
    ask(SMP_READ, 0, 0, text);
    ring_type(input.bytes, input.length);
    input.length = 0;
    const char *got = run();
    cr_assert_str_eq(got, "> > reset\n", "%s", got);
    struct rtt_ring *up = &rtt_control.up;
    up->buffer[up->write] = 0;
    got = readable(up->buffer);
    cr_assert(strstr(got, "> \n<{r: 'yyyyyy") == got, "%s", got);
    static uint8_t largest[SMP_PACKET];
    input.length = 0;
    wire_encode(largest, sizeof(largest), add, NULL);
    cr_assert_lt(input.length, rtt_control.down.size);
}

/* Nobody reads the ring: the answer is given up, and the board goes on. */
Test(smp_console, a_ring_that_nobody_reads) {
    for (int i = 0; i < 100; i++)
        rtt_write("0123456789012345678", 19);
    ask(SMP_READ, 0, 6, "{}");
    ring_type(input.bytes, input.length);
    input.length = 0;
    type("print 3\r");
    cr_assert(strstr(run(), "print 3\n3 (0x3)\n"));
    cr_assert_lt(mock.ticks, 5000u);
}

Test(smp_console, counters) {
    ask(SMP_READ, 0, 6, "{}");
    type("\6\11A\n\6\11AAMx!\n\4\24AAAA\nsmp\r");
    const char *got = readable(run());
    cr_assert(strstr(got,
                     "uart  1 packets\nuart  1 refused: a character that is not base64\nuart  1 "
                     "refused: base64 that does not come in whole groups\nuart  1 refused: a "
                     "continuation without a beginning\nrtt   0 packets\n"),
              "%s", got);
}
