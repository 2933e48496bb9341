/* SPDX-License-Identifier: MIT */
/* The client of a board, up to what its commands make of answers: hostile lines, hostile answers. */
#include "device/device.h"
#include "device/grant_words.h"
#include "device/line.h"
#include "device/message.h"
#include "device/plot.h"
#include "device/smp_client.h"
#include "map_value.h"
#include "tests/device/fake_line.h"
#include "unit/fixture.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_line wire;
static struct smp_client client;

static void device_setup(void) {
    setup();
    wire = (struct fake_line){.now = 1000};
    smp_client_init(&client, fake_line(&wire), 6);
}

TestSuite(client, .init = device_setup, .fini = teardown);
TestSuite(message, .init = setup, .fini = teardown);
TestSuite(text, .init = setup, .fini = teardown);

/* ------------------------------------------------------------------------------------------------
 * Questions and answers */

static const uint8_t good[] = {0xa1, 0x61, 'x', 0x18, 0x2a}; /* {"x": 42} */

static enum smp_result ask(bool repeat, struct smp_answer *answer) {
    const struct smp_question question = {.op = SMP_READ,
                                          .group = SMP_GROUP_PROGRAMS,
                                          .id = 5,
                                          .body = "\xa0",
                                          .size = 1,
                                          .timeout = 900,
                                          .repeat = repeat};
    return smp_ask(&client, &question, answer);
}

static void expect_good(enum smp_result result, const struct smp_answer *answer) {
    cr_assert_eq(result, SMP_ANSWERED);
    cr_assert_eq(answer->size, sizeof(good));
    cr_expect_arr_eq(answer->body, good, sizeof(good));
}

static void answer_right(struct fake_line *line) {
    fake_line_answer(line, SMP_READ_ANSWER, 64, 5, client.sequence, good, sizeof(good));
}

/* Worked out by hand from the specification: 08 00 0001 0040 07 05 a0 behind its length, before its CRC. */
Test(client, a_question_as_bytes) {
    struct smp_answer answer;
    uint8_t body[64];
    struct wire_decoder decoder;
    enum wire_event event = WIRE_NOTHING;

    wire.asked = answer_right;
    expect_good(ask(false, &answer), &answer);
    cr_expect_eq(wire.out[0], 6);
    cr_expect_eq(wire.out[1], 9);
    wire_decoder_init(&decoder, body, sizeof(body));
    for (size_t i = 0; i < wire.out_end; i++)
        event = wire_feed(&decoder, wire.out[i]);
    cr_assert_eq(event, WIRE_PACKET);
    cr_assert_eq(decoder.length, 9);
    cr_expect_arr_eq(body, "\x08\x00\x00\x01\x00\x40\x07\x05\xa0", 9);
}

Test(client, silence_takes_its_time_and_no_more) {
    struct smp_answer answer;

    cr_expect_eq(ask(true, &answer), SMP_SILENT);
    cr_expect_eq(wire.now, 1900);
    cr_expect_eq(wire.sent, 3);
    cr_expect_eq(ask(false, &answer), SMP_SILENT);
    cr_expect_eq(wire.now, 2800);
    cr_expect_eq(wire.sent, 4);
}

Test(client, a_lost_line) {
    struct smp_answer answer;

    wire.lost = true;
    cr_expect_eq(ask(true, &answer), SMP_LINE_LOST);
    wire.stuck = true;
    cr_expect_eq(ask(true, &answer), SMP_LINE_LOST);
}

/* What is not the answer: another operation, group, command, number; lengths that lie; text. */
static void answer_wrong(struct fake_line *line) {
    static const char text[] = "[12.5] sched: 3 tasks\r\n> \x06 \x04 \x06";
    unsigned s = client.sequence;

    fake_line_put(line, text, sizeof(text) - 1);
    fake_line_answer(line, SMP_READ, 64, 5, s, good, sizeof(good)); /* an echo of the question */
    fake_line_answer(line, SMP_WRITE_ANSWER, 64, 5, s, good, sizeof(good));
    fake_line_answer(line, SMP_READ_ANSWER, 9, 5, s, good, sizeof(good));
    fake_line_answer(line, SMP_READ_ANSWER, 64, 4, s, good, sizeof(good));
    fake_line_answer(line, SMP_READ_ANSWER, 64, 5, s - 1, good, sizeof(good));
    fake_line_put(line, text, sizeof(text) - 1);
}

static void answer_wrong_then_right(struct fake_line *line) {
    answer_wrong(line);
    answer_right(line);
}

/* What is written to a port whose other side has gone is an error, and no signal. */
Test(client, a_port_that_was_closed) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger at_once = {1, 0};
    socklen_t length = sizeof(address);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    bool written = true;

    cr_assert_eq(bind(server, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(listen(server, 1), 0);
    cr_assert_eq(getsockname(server, (struct sockaddr *)&address, &length), 0);
    struct line_port *port =
        line_open(arena_printf(arena, "tcp:127.0.0.1:%d", ntohs(address.sin_port)), 0, 2000, diag);
    cr_assert_not_null(port);
    int board = accept(server, NULL, NULL);
    setsockopt(board, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(board);
    close(server);
    for (unsigned i = 0; i < 20 && i < 2u + 20u * written; i++)
        written = line_of(port).write(port, "x", 1, 100);
    cr_expect(!written);
    line_close(port);
}

Test(client, only_the_answer_counts) {
    struct smp_answer answer;

    wire.asked = answer_wrong;
    cr_expect_eq(ask(false, &answer), SMP_SILENT);
    cr_expect_eq(client.late, 5);
    cr_expect_geq(client.text, 50);
    wire.asked = answer_wrong_then_right;
    for (wire.piece = 1; wire.piece < 20; wire.piece++)
        expect_good(ask(false, &answer), &answer);
}

static void answer_damaged_once(struct fake_line *line) {
    answer_right(line);
    if (line->sent == 1)
        line->in[line->in_end - 6] ^= 1;
}

Test(client, a_damaged_answer_is_asked_for_again) {
    struct smp_answer answer;

    wire.asked = answer_damaged_once;
    expect_good(ask(true, &answer), &answer);
    cr_expect_eq(answer.tries, 2);
    cr_expect_eq(smp_client_broken(&client), 1);
}

Test(client, what_may_not_be_asked_twice_is_not) {
    struct smp_answer answer;

    wire.asked = answer_damaged_once;
    cr_expect_eq(ask(false, &answer), SMP_SILENT);
    cr_expect_eq(wire.sent, 1);
}

/* The answer to the first question comes when it has just been asked a second time, and then the second one's. */
static void answer_the_first_when_asked_again(struct fake_line *line) {
    static unsigned first;

    if (line->sent == 1)
        first = client.sequence;
    for (unsigned i = 0; line->sent == 2 && i < 2; i++)
        fake_line_answer(line, SMP_READ_ANSWER, 64, 5, first, good, sizeof(good));
}

Test(client, a_slow_answer_is_good_and_its_double_is_dropped) {
    struct smp_answer answer;

    wire.asked = answer_the_first_when_asked_again;
    expect_good(ask(true, &answer), &answer);
    wire.asked = NULL;
    cr_expect_eq(ask(true, &answer),
                 SMP_SILENT); /* the double is there, but for another question */
    cr_expect_eq(client.late, 1);
}

static void answer_huge(struct fake_line *line) {
    static uint8_t body[12000];

    fake_line_answer(line, SMP_READ_ANSWER, 64, 5, client.sequence, body, sizeof(body));
    fake_line_put(line, "\x06\x09//8xMjM0NTY3OAo=\n", 20); /* announces 65,535 bytes */
    fake_line_put(line,
                  "\x06\x09"
                  "AAkIAAABAEAHBaA=\n",
                  19);
    answer_right(line);
}

Test(client, answers_that_are_too_long) {
    struct smp_answer answer;

    wire.asked = answer_huge;
    expect_good(ask(false, &answer), &answer);
    cr_expect_geq(smp_client_broken(&client), 3);
}

/* Bytes of an answer changed, left out, doubled: either it is answered rightly, or not at all. */
static void answer_mangled(struct fake_line *line) {
    size_t begin = line->in_end;

    answer_wrong(line);
    answer_right(line);
    for (int n = rand() % 4; n > 0; n--) {
        size_t at = begin + (size_t)rand() % (line->in_end - begin);
        switch (rand() % 3) {
        case 0: line->in[at] = (uint8_t)rand(); break;
        case 1:
            memmove(line->in + at, line->in + at + 1, line->in_end - at - 1);
            line->in_end--;
            break;
        default: memmove(line->in + at + 1, line->in + at, line->in_end - at); line->in_end++;
        }
    }
}

Test(client, mangled_answers) {
    struct smp_answer answer;
    unsigned answered = 0;

    srand(1);
    wire.asked = answer_mangled;
    for (unsigned i = 0; i < 20000; i++) {
        wire.in_at = wire.in_end = 0;
        enum smp_result result = ask(true, &answer);
        cr_assert_neq(result, SMP_LINE_LOST);
        if (result == SMP_ANSWERED)
            expect_good(result, &answer);
        answered += result == SMP_ANSWERED;
    }
    cr_expect_gt(answered, 18000);
}

/* ------------------------------------------------------------------------------------------------
 * CBOR */

static struct cbor_item_t *parse(const char *hex) {
    uint8_t *bytes;
    size_t size;

    cr_assert(map_value_unhex(hex, arena, &bytes, &size), "%s", hex);
    /* Exactly as long as it is, so that the sanitizer sees a read behind it. */
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    struct cbor_item_t *m = message_parse(copy, size);
    free(copy);
    return m;
}

/* Each test is a process of its own: what is interrupted here stays so. */
Test(client, a_wait_ends_by_input_time_or_interrupt) {
    int ends[2];

    cr_assert(pipe(ends) == 0);
    device_catch_interrupt();
    cr_expect(device_wait(ends[0], 0) == DEVICE_TIME_OUT);
    cr_expect(device_wait(-1, 20) == DEVICE_TIME_OUT);
    cr_assert(write(ends[1], "x", 1) == 1);
    cr_expect(device_wait(ends[0], -1) == DEVICE_INPUT);
    cr_expect(device_sleep(1));
    raise(SIGINT); /* before the wait begins */
    cr_expect(device_wait(-1, -1) == DEVICE_INTERRUPTED);
    cr_expect(!device_sleep(3600 * 1000));
}

/* A wait for ever ends by a signal whenever it comes; a second one would end the process. */
Test(client, an_interrupt_is_never_too_early) {
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0) {
            device_catch_interrupt();
            alarm(20);
            _exit(device_wait(-1, -1) == DEVICE_INTERRUPTED ? 0 : 1);
        }
        int status = 0;
        usleep((useconds_t)(i * 5));
        kill(child, SIGINT);
        waitpid(child, &status, 0);
        bool not_yet_caught = WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;
        cr_expect(not_yet_caught || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "%x", status);
    }
}

Test(message, malformed) {
    static const char *const bad[] = {
        "",
        "00",                 /* no map */
        "80",                 /* an array */
        "a0a0",               /* something behind it */
        "a1",                 /* an entry is missing */
        "a16178",             /* its value is missing */
        "a161781a0000",       /* half a number */
        "a16178640000",       /* half a text */
        "bf6178",             /* no end */
        "bf617801",           /* no end */
        "a1617862",           /* text without bytes */
        "ff",                 /* an end of nothing */
        "a1ff00",             /* an end as key */
        "bbffffffffffffffff", /* 2^64 - 1 entries */
        "bb7fffffffffffffff", /* twice that is too many */
        "a161789bffffffffffffffff",
        "a161789b0000000100000000",
        "a161785b00000000ffffffff41",
        "a161787bffffffffffffffff41",
        "a161781c",                   /* reserved */
        "a161781f",                   /* a number of unknown length */
        "a161787f6161",               /* chunks without an end */
        "a161787f4161ff",             /* bytes among chunks of text */
        "a16178818181818181818181a0", /* too deep */
        "a16178c6c6c6c6c6c6c6c6c600", /* tags as well */
        "d9d9f7",                     /* a tag of nothing */
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_null(parse(bad[i]), "%s", bad[i]);
}

Test(message, values) {
    /* {"n": 7, "i": -3, "b": true, "t": "a\x1b" "b", "h": h'0102', "a": [1, [h'', h'03']], "m": {"n": 8},
     *  1: 2, "c": (_ "x", "yz"), "u": "\u009b1m"} */
    struct cbor_item_t *m =
        parse("aa616e076169226162f5617463611b6261684201026161820182404103616da1616e08"
              "010261637f617862797aff617564c29b316d");
    uint64_t n = 0;
    int64_t i = 0;
    bool b = false;
    size_t size = 0;

    cr_assert_not_null(m);
    cr_expect(message_uint(m, "n", &n) && n == 7);
    cr_expect(message_int(m, "i", &i) && i == -3);
    cr_expect(message_int(m, "n", &i) && i == 7);
    cr_expect_not(message_uint(m, "i", &n), "negative");
    cr_expect(message_bool(m, "b", &b) && b);
    cr_expect_not(message_bool(m, "n", &b));
    cr_expect_str_eq(message_text(m, "t", arena), "a?b", "no control characters");
    cr_expect_str_eq(message_text(m, "u", arena), "??1m", "nothing but ASCII");
    cr_expect_str_eq(message_text(m, "c", arena), "xyz", "in chunks");
    cr_expect_null(message_text(m, "h", arena));
    cr_expect_arr_eq(message_bytes(m, "h", arena, &size), "\x01\x02", 2);
    cr_expect_eq(size, 2);
    cr_expect_null(message_bytes(m, "none", arena, &size));
    cr_expect_eq(message_count(m, "a"), 2);
    cr_expect_eq(message_count(m, "m"), 0);
    cr_expect(message_is_array(m, "a") && !message_is_array(m, "m"));
    const struct cbor_item_t *pair = message_item(m, "a", 1);
    cr_expect_not_null(message_item_bytes(message_item_at(pair, 0), arena, &size));
    cr_expect_eq(size, 0);
    cr_expect_null(message_item_at(pair, 2));
    cr_expect_null(message_item(m, "a", 2));
    cr_expect(message_uint(message_map(m, "m"), "n", &n) && n == 8);
    message_free(m);
}

Test(message, what_is_written_can_be_read) {
    struct cbor_item_t *m = message_new();
    char *words[] = {"pin", "PD12"};
    static const uint64_t numbers[] = {0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT64_MAX};
    uint64_t n;
    size_t size;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        message_add_uint(m, arena_printf(arena, "n%zu", i), numbers[i]);
    message_add_text(m, "name", "blink");
    message_add_bytes(m, "empty", NULL, 0);
    message_add_texts(m, "argv", words, 2);
    const uint8_t *bytes = message_bytes_of(m, arena, &size);
    message_free(m);
    m = message_parse(bytes, size);
    cr_assert_not_null(m);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cr_expect(message_uint(m, arena_printf(arena, "n%zu", i), &n) && n == numbers[i]);
    cr_expect_str_eq(message_text(m, "name", arena), "blink");
    cr_expect_not_null(message_bytes(m, "empty", arena, &size));
    cr_expect_eq(message_count(m, "argv"), 2);
    message_free(m);
}

Test(message, what_is_no_bool) {
    static const char *const items[] = {
        "01", "20", "f6", "f97e00", "fa3f800000", "fb3ff0000000000000", "40", "60", "80", "a0"};

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        char hex[64];
        bool value;
        snprintf(hex, sizeof(hex), "a16162%s", items[i]);
        struct cbor_item_t *m = parse(hex);
        cr_assert(m, "%s", hex);
        cr_expect(!message_bool(m, "b", &value), "%s", hex);
        message_free(m);
    }
}

Test(message, nearly_right) {
    static const char text[] =
        "aa616e076169226162f5617463611b6261684201026161820182404103616da1616e08"
        "010261637f617862797aff";
    uint8_t *bytes, *copy;
    size_t size;

    srand(1);
    cr_assert(map_value_unhex(text, arena, &bytes, &size));
    copy = malloc(size);
    for (unsigned i = 0; i < 50000; i++) {
        memcpy(copy, bytes, size);
        for (int n = 1 + rand() % 3; n > 0; n--)
            copy[(size_t)rand() % size] = (uint8_t)rand();
        struct arena *own = arena_new();
        struct cbor_item_t *m = message_parse(copy, size);
        size_t length;
        message_text(m, "t", own);
        message_bytes(m, "h", own, &length);
        message_item(m, "a", 1);
        message_map(m, "m");
        message_free(m);
        arena_free(own);
    }
    free(copy);
}

/* ------------------------------------------------------------------------------------------------
 * Keys, values, pictures, words */

static void value_is(const char *text, size_t size, const char *hex, const char *printed) {
    uint8_t *bytes = arena_alloc(arena, size + 1), *again = arena_alloc(arena, size + 1);

    cr_assert_null(map_value_parse(text, bytes, size, arena), "%s", text);
    cr_expect_str_eq(map_value_hex(bytes, size, arena), hex, "%s", text);
    cr_expect_str_eq(map_value_print(bytes, size, arena), printed, "%s", text);
    cr_assert_null(map_value_parse(printed, again, size, arena), "%s", printed);
    cr_expect_arr_eq(bytes, again, size + 1);
}

static void value_is_not(const char *text, size_t size, const char *why) {
    uint8_t bytes[64];
    const char *error = map_value_parse(text, bytes, size, arena);

    cr_assert(error, "%s", text);
    cr_expect(strstr(error, why), "%s: %s", text, error);
}

Test(text, values_of_maps) {
    value_is("1", 4, "01000000", "1");
    value_is("0x1f", 2, "1f00", "31");
    value_is("-3", 4, "fdffffff", "-3");
    value_is("255", 1, "ff", "-1");
    value_is("-128", 1, "80", "-128");
    value_is("18446744073709551615", 8, "ffffffffffffffff", "-1");
    value_is("-9223372036854775808", 8, "0000000000000080", "-9223372036854775808");
    value_is("258", 3, "020100", "hex:020100");
    value_is("1,2,-3", 12, "0100000002000000fdffffff", "1,2,-3");
    value_is("1,2", 2, "0102", "513");
    value_is("hex:0102ff", 3, "0102ff", "hex:0102ff");
    value_is("hex:", 0, "", "hex:");
    value_is_not("256", 1, "does not fit into 1 byte");
    value_is_not("-129", 1, "does not fit");
    value_is_not("18446744073709551616", 8, "does not fit");
    value_is_not("x", 4, "no number");
    value_is_not("", 4, "no number");
    value_is_not("1 ", 4, "no number");
    value_is_not("--1", 4, "no number");
    value_is_not("1,", 8, "no number");
    value_is_not("1", 12, "one number for 12 bytes");
    value_is_not("1,2,3", 8, "3 numbers for 8 bytes");
    value_is_not("1,2,3,4,5", 4, "5 numbers for 4 bytes");
    value_is_not("hex:010", 2, "pairs");
    value_is_not("hex:01", 2, "1 bytes, not 2");
    value_is_not("hex:0x", 1, "pairs");
}

Test(text, plots) {
    struct plot plot = {0};
    char line[PLOT_WIDTH + 1];
    static const int64_t wild[] = {0, 10, 11, -1, 1000, INT64_MAX, INT64_MIN, 5};

    cr_expect(plot_fit(&plot, 3));
    cr_expect_not(plot_fit(&plot, 10));
    plot_line(&plot, 10, line);
    cr_expect_eq(strlen(line), PLOT_WIDTH);
    cr_expect_eq(line[0], '|');
    cr_expect_eq(line[PLOT_WIDTH - 1], '*');
    cr_expect(plot_fit(&plot, 11) && plot.high == 20);
    cr_expect(plot_fit(&plot, -3) && plot.low == -5);
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        plot_fit(&plot, wild[i]);
        cr_expect_leq(plot.low, wild[i]);
        cr_expect_geq(plot.high, wild[i]);
        plot_line(&plot, wild[i], line);
        cr_expect_eq(strchr(line, '*') - line + 1 <= PLOT_WIDTH, 1);
    }
    plot_bar(UINT64_MAX, UINT64_MAX, line);
    cr_expect_eq(strlen(line), PLOT_WIDTH);
    plot_bar(1, 1000000, line);
    cr_expect_str_eq(line, "#");
    plot_bar(0, 0, line);
    cr_expect_str_eq(line, "");
}

static const char *words_of(const char *text) {
    struct bpf_grant grant = bpf_grant_default;
    struct bpf_grant_error error;

    cr_assert(bpf_grant_parse(text, strlen(text), &grant, &error), "%s", text);
    return grant_words(&grant, arena);
}

Test(text, grants_in_words) {
    const char *words = words_of("gpio:PD12-15=out gpio:PE0=out/safe=1 gpio:PA0=in led:0-3+7 pwm:2 "
                                 "encoder:0 adc:1+16 uart:2 accel trace budget=2ms/1s priority=5 "
                                 "policy=restart:1/1500ms");
    static const char *const expected[] = {
        "reads pins PA0\n",
        "sets pins PD12 to PD15; low when it is stopped\n",
        "sets pins PE0; high when it is stopped\n",
        "switches LEDs 0 to 3, 7\n",
        "sets PWM channels 2; off when it is stopped\n",
        "reads encoders 0\n",
        "measures ADC channels 1, 16\n",
        "reads and writes UARTs 2\n",
        "reads the accelerometer\n",
        "sees what the kernel does",
        "runs for at most 2 ms of every 1 s, with priority 5 of 9\n",
        "takes at most 8192 bytes of RAM; 8 events may wait\n",
        "starts anew after a fault, 1 time in 1500 ms; then it is stopped\n",
    };

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect(strstr(words, expected[i]), "no %s in %s", expected[i], words);
    cr_expect(strstr(words_of("policy=stop"), "is stopped by a fault\n"));
    cr_expect(strstr(words_of("policy=continue"), "goes on after a fault\n"));
    cr_expect(strstr(words_of("gpio:PA15=in gpio:PB0=in"), "reads pins PA15, PB0\n"));
}
