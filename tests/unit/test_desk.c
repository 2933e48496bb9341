/* SPDX-License-Identifier: MIT */
/* Serial ends, stimuli and the view. */
#include "desk/desk.h"

#include "tests/desk/fake_board.h"

#include "util/arena.h"
#include "util/diag.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct arena *arena;
static struct diag *diag;

static void setup(void) {
    fake_board_reset();
    arena = arena_new();
    diag = diag_new();
}

static void teardown(void) {
    arena_free(arena);
    diag_free(diag);
}

TestSuite(stimuli, .init = setup, .fini = teardown);
TestSuite(serial, .init = setup, .fini = teardown);
TestSuite(view, .init = setup, .fini = teardown);

/* ------------------------------------------------------------------------------------------------
 * Stimuli */

static struct stimuli *parse(const char *text) {
    return stimuli_parse("x.stim", arena_strdup(arena, text), 2, arena, diag);
}

/* The loop of a command, in slices of at most 1 ms. */
static void run(struct stimuli *s, uint64_t cycles) {
    while (fake_board.cycles < cycles) {
        stimuli_apply(s, &fake_board);
        fake_board.cycles += stimuli_cycles(s, &fake_board, 168000);
    }
}

Test(stimuli, each_at_its_time) {
    struct stimuli *s = parse("# comment\n"
                              "\n"
                              "10us pin PA0 1\n"
                              "+5us\tpin PA0 0 # back\n"
                              "1.5ms pin PI15 open\r\n"
                              "1.5ms serial \"a\\r\\n\\\"\\\\\\x7f#\"\n"
                              "2ms accel 0 -1000 32767\n"
                              "336001cycles encoder -4");
    cr_assert(s);
    run(s, 340000);
    cr_expect_str_eq(fake_board.log,
                     "PA0=1@1680 PA0=0@2520 PI15 open 2:61 2:0d 2:0a 2:22 2:5c 2:7f 2:23 "
                     "accel 0 -1000 32767 turn -4@336001 ");
}

Test(stimuli, a_time_is_met_at_any_clock) {
    struct stimuli *s = parse("1us encoder 1\n1ms encoder 2\n1s encoder 3\n");
    cr_assert(s);
    fake_board.mhz = 16;
    run(s, 16000001);
    cr_expect_str_eq(fake_board.log, "turn 1@16 turn 2@16000 turn 3@16000000 ");
}

Test(stimuli, nothing_to_do) {
    struct stimuli *s = parse("\n# nothing\n");
    cr_assert(s);
    stimuli_apply(s, &fake_board);
    cr_expect_eq(stimuli_cycles(s, &fake_board, 1000), 1000);
}

static void refused(const char *text, unsigned line, unsigned column, const char *what) {
    struct diag *own = diag;

    diag = diag_new();
    cr_expect_null(parse(text), "%s", text);
    cr_assert_eq(diag_count(diag), 1, "%s", text);
    const struct diag_message *m = diag_get(diag, 0);
    cr_expect_eq(m->loc.line, line, "%s: line %u", text, m->loc.line);
    cr_expect_eq(m->loc.column, column, "%s: column %u", text, m->loc.column);
    cr_expect_str_eq(m->loc.file, "x.stim");
    cr_expect(strstr(m->text, what), "%s: %s", text, m->text);
    diag_free(diag);
    diag = own;
}

Test(stimuli, errors_name_the_place) {
    refused("pin PA0 1", 1, 1, "a time");
    refused("-1ms pin PA0 1", 1, 1, "a time");
    refused("1e99s pin PA0 1", 1, 1, "out of range");
    refused("1e15s pin PA0 1", 1, 1, "out of range");
    refused("10 pin PA0 1", 1, 4, "no unit");
    refused("10min pin PA0 1", 1, 3, "no unit");
    refused("\n\n1ms led 1", 3, 5, "pin, serial, accel or encoder");
    refused("1ms", 1, 4, "pin, serial, accel or encoder");
    refused("1ms pin A0 1", 1, 9, "a pin");
    refused("1ms pin PJ0 1", 1, 9, "a pin");
    refused("1ms pin PA 1", 1, 9, "a pin");
    refused("1ms pin PA16 1", 1, 11, "out of range");
    refused("1ms pin PA0", 1, 12, "a level");
    refused("1ms pin PA0 2", 1, 13, "a level");
    refused("1ms pin PA0 1 1", 1, 15, "should end");
    refused("1ms serial hello", 1, 12, "in quotes");
    refused("1ms serial \"hello", 1, 18, "no end");
    refused("1ms serial \"\\q\"", 1, 13, "no such escape");
    refused("1ms serial \"\\x1\"", 1, 13, "no such escape");
    refused("1ms accel 1 2", 1, 14, "a whole number");
    refused("1ms accel 1 2 40000", 1, 15, "out of range");
    refused("1ms encoder 1.5", 1, 13, "a whole number");
    refused("1ms encoder 99999999999999999999", 1, 13, "out of range");
    refused("2ms encoder 1\n1ms encoder 1", 2, 1, "earlier");
    refused("2ms encoder 1\n+5cycles encoder 1", 2, 1, "cannot be added");
}

Test(stimuli, all_errors_are_told) {
    cr_expect_null(parse("x\n1ms encoder 1\ny\n"));
    cr_expect_eq(diag_count(diag), 2);
}

/* ------------------------------------------------------------------------------------------------
 * Serial lines */

static struct serial *open_end(const char *where) {
    char error[100] = "";
    struct serial *s = serial_open(where, &fake_board, 2, error, sizeof(error));

    cr_assert(s, "%s", error);
    return s;
}

static void turn(struct serial *s) {
    for (unsigned i = 0; i < 50; i++) {
        struct pollfd fds[DESK_POLL];
        poll(fds, serial_poll(s, fds), 10);
        serial_serve(s);
    }
}

static void say(struct serial *s, const char *text) {
    while (*text)
        serial_put(s, (uint8_t)*text++);
}

static void expect_read(int fd, const char *expected) {
    char text[100] = "";
    ssize_t n = read(fd, text, sizeof(text) - 1);

    cr_expect_geq(n, 0);
    cr_expect_str_eq(text, expected);
}

Test(serial, pty_is_a_wire) {
    struct serial *s = open_end("pty");

    say(s, "boot\n"); /* before anybody is there */
    turn(s);
    int fd = open(serial_place(s), O_RDWR | O_NOCTTY);
    cr_assert_geq(fd, 0);
    expect_read(fd, "boot\n");
    cr_assert_eq(write(fd, "a\r\x03", 3), 3);
    turn(s);
    cr_expect_str_eq(fake_board.log, "2:61 2:0d 2:03 "); /* as it is, and without an echo */
    close(fd);
    turn(s);
    say(s, "again");
    turn(s);
    fd = open(serial_place(s), O_RDWR | O_NOCTTY);
    expect_read(fd, "again");
    close(fd);
    serial_close(s);
}

Test(serial, loop_is_one_wire) {
    struct serial *s = open_end("loop");
    struct pollfd fds[DESK_POLL];

    say(s, "ab");
    cr_expect_str_eq(fake_board.log, "2:61 2:62 ");
    cr_expect_eq(serial_poll(s, fds), 0); /* nobody outside */
    serial_serve(s);
    cr_expect_str_eq(fake_board.log, "2:61 2:62 ");
    serial_close(s);
}

static int dial(const struct serial *s) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)atoi(strchr(serial_place(s), ':') + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

Test(serial, tcp_takes_one_client_after_another) {
    struct serial *s = open_end("tcp:0");

    say(s, "boot\n");
    turn(s);
    int fd = dial(s);
    turn(s);
    expect_read(fd, "boot\n");
    int other = dial(s);
    turn(s);
    expect_read(other, "");
    close(other);
    cr_assert_eq(write(fd, "x", 1), 1);
    turn(s);
    cr_expect_str_eq(fake_board.log, "2:78 ");
    close(fd);
    say(s, "lost or kept");
    turn(s);
    fd = dial(s);
    say(s, "!");
    turn(s);
    char text[100] = "";
    cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
    cr_expect(strchr(text, '!'));
    close(fd);
    serial_close(s);
}

Test(serial, the_newest_is_kept) {
    struct serial *s = open_end("tcp:0");
    char *text = arena_alloc(arena, 20001);

    for (unsigned i = 0; i < 10000; i++)
        say(s, i < 9999 ? "ab" : "yz");
    int fd = dial(s);
    turn(s);
    ssize_t n = read(fd, text, 20000);
    cr_expect_eq(n, 8192);
    cr_expect_str_eq(text + n - 4, "abyz");
    close(fd);
    serial_close(s);
}

Test(serial, input_waits_for_the_board) {
    struct serial *s = open_end("tcp:0");
    char text[300];
    int fd = dial(s);

    memset(text, 'x', sizeof(text));
    cr_assert_eq(write(fd, text, sizeof(text)), sizeof(text));
    turn(s);
    cr_expect_eq(fake_board.pending, 64);
    fake_board.pending = 0;
    turn(s);
    cr_expect_eq(fake_board.pending, 64);
    close(fd);
    serial_close(s);
}

Test(serial, places_that_do_not_exist) {
    char error[100];

    cr_expect_null(serial_open("usb", &fake_board, 2, error, sizeof(error)));
    cr_expect_str_eq(error, "usb is neither pty nor tcp:PORT");
    cr_expect_null(serial_open("tcp:x", &fake_board, 2, error, sizeof(error)));
    cr_expect_str_eq(error, "x is not a port number");
    cr_expect_null(serial_open("tcp:65536", &fake_board, 2, error, sizeof(error)));
    cr_expect_null(serial_open("tcp:-1", &fake_board, 2, error, sizeof(error)));
}

/* ------------------------------------------------------------------------------------------------
 * View */

Test(view, text) {
    char text[256];

    fake_board.pins[3][14] = true;
    view_text(&fake_board, false, text, sizeof(text));
    cr_expect_str_eq(text, " green-  orange-  red*  blue-  button up ");
    fake_board.pwm[3][12] = 1.25;
    fake_board.pwm[4][9] = 1.5;
    view_text(&fake_board, true, text, sizeof(text));
    cr_expect_str_eq(text, " green 25%  orange-  red*  blue-  button down  PE9 50.0%");
    view_text(&fake_board, true, text, 10);
    cr_expect_str_eq(text, " green 25");
}

/* A terminal of 10 lines of 60 characters; what came out of it since the last time. */
static int terminal_master, terminal;

static void make_terminal(void) {
    struct winsize size = {.ws_row = 10, .ws_col = 60};

    terminal_master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    grantpt(terminal_master);
    unlockpt(terminal_master);
    terminal = open(ptsname(terminal_master), O_RDWR | O_NOCTTY);
    cr_assert_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
}

/* What is written to a terminal arrives at its other side a little later. */
static bool arrives(void) {
    struct pollfd fd = {.fd = terminal_master, .events = POLLIN};

    return poll(&fd, 1, 100) > 0;
}

/* Waits for a piece of output; what came with it goes. */
static void see(const char *expected) {
    char text[4096] = "";
    size_t length = 0;

    for (unsigned i = 0; i < 50 && !strstr(text, expected); i++) {
        ssize_t n = arrives() ? read(terminal_master, text + length, sizeof(text) - 1 - length) : 0;
        length += n > 0 ? (size_t)n : 0;
        text[length] = '\0';
    }
    cr_expect(strstr(text, expected), "no %s in %s", expected, text);
    while (arrives())
        cr_assert_geq(read(terminal_master, text, sizeof(text)), 0);
}

Test(view, last_line_and_button) {
    make_terminal();
    struct view *v = view_new(&fake_board, terminal, true);
    see("\033[1;9r");
    usleep(60000);
    fake_board.pins[3][12] = true;
    view_update(v);
    see("\033[10;1H");
    view_press(v);
    usleep(60000);
    view_update(v);
    see("button down");
    usleep(60000);
    view_update(v);
    cr_expect_not(arrives()); /* nothing has changed */
    fake_board.cycles = 168000 * 101ull;
    view_update(v);
    usleep(60000);
    view_update(v);
    see("button up");
    cr_expect_str_eq(fake_board.log, "PA0=1@0 PA0=0@16968000 ");
    view_free(v);
    see("\033[r");
}
