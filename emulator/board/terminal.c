/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { ESCAPE = 1, ROOM = 64, OUT = 4096 }; /* Ctrl-A; bytes on their way to the board */

static struct {
    struct host *host;
    unsigned usart;
    bool raw, escaped, ended;
    struct termios before;
    uint8_t out[OUT];
    size_t length;
    bool (*take)(void *user, uint8_t key);
    void *user;
} terminal;

static void restore(void) {
    if (terminal.raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
    terminal.raw = false;
}

void terminal_flush(void) {
    size_t done = 0;

    while (done < terminal.length) {
        ssize_t n = write(STDOUT_FILENO, terminal.out + done, terminal.length - done);
        if (n <= 0) { /* nobody reads any more */
            terminal.host->leave = true;
            break;
        }
        done += (size_t)n;
    }
    terminal.length = 0;
}

void terminal_write(const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (terminal.length == OUT)
            terminal_flush();
        terminal.out[terminal.length++] = ((const uint8_t *)bytes)[i];
    }
}

static void key(uint8_t byte) {
    bool escaped = terminal.escaped;

    terminal.escaped = false;
    if (terminal.raw && byte == ESCAPE && !escaped) {
        terminal.escaped = true;
        return;
    }
    if (escaped && (byte == 'x' || byte == 'X')) {
        terminal.host->leave = true;
        return;
    }
    if (escaped && terminal.take && terminal.take(terminal.user, byte))
        return;
    board_serial_send(terminal.host->board, terminal.usart, byte);
}

static void ready(void *user, int fd, short events) {
    uint8_t bytes[ROOM];
    (void)user, (void)events;

    /* The line is slower than we are: what it has not taken stays where it is. */
    size_t pending = board_serial_pending(terminal.host->board, terminal.usart);
    if (pending >= ROOM)
        return;
    ssize_t n = read(fd, bytes, ROOM - pending);
    if (n <= 0)
        host_forget(terminal.host, fd); /* the end of a file; the board goes on */
    for (ssize_t i = 0; i < n; i++)
        key(bytes[i]);
}

void terminal_open(struct host *host, unsigned usart) {
    terminal.host = host;
    terminal.usart = usart;
    if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &terminal.before) == 0) {
        struct termios raw = terminal.before;
        cfmakeraw(&raw);
        raw.c_oflag |= OPOST; /* messages of this program end in \n only */
        terminal.raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
        atexit(restore);
    }
    host_watch(host, STDIN_FILENO, POLLIN, ready, NULL);
}

void terminal_close(void) {
    terminal_flush();
    restore();
}

void terminal_keys(bool (*take)(void *user, uint8_t key), void *user) {
    terminal.take = take;
    terminal.user = user;
}
