/* SPDX-License-Identifier: MIT */
/*
 * The PC's end of a serial line: a pseudo terminal, or a TCP port of this machine for one client. What the
 * board has sent and nobody has read stays here, the newest 8 KiB of it, so that who connects late still sees
 * how the board started.
 */
#include "desk/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum {
    KEPT = 8192,
    /* Bytes on the way to the board. There is no flow control on the wire: more would only make what a user
     * types wait behind what was pasted before. */
    PENDING_LIMIT = 64,
};

struct serial {
    struct board *board;
    unsigned usart;
    int fd;       /* the pseudo terminal's master, or the client; -1 without */
    int slave;    /* kept open: a pseudo terminal without users fails to be read; -1 for TCP */
    int listener; /* -1 for a pseudo terminal */
    bool loop;    /* a wire from its transmitter to its receiver: no descriptors */
    char place[64];
    uint8_t kept[KEPT]; /* a ring */
    size_t first, count;
};

static bool open_pty(struct serial *s) {
    struct termios mode;

    s->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s->fd < 0 || grantpt(s->fd) != 0 || unlockpt(s->fd) != 0 ||
        ptsname_r(s->fd, s->place, sizeof(s->place)) != 0)
        return false;
    s->slave = open(s->place, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s->slave < 0 || tcgetattr(s->slave, &mode) != 0)
        return false;
    cfmakeraw(&mode); /* it is a wire: no echo, no CR for LF */
    return tcsetattr(s->slave, TCSANOW, &mode) == 0 &&
           fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK) == 0;
}

static bool open_tcp(struct serial *s, const char *port, char *error, size_t size) {
    char *end;
    unsigned long number = strtoul(port, &end, 10);

    if (end == port || *end || *port == '-' || number > 65535) {
        snprintf(error, size, "%s is not a port number", port);
        return false;
    }
    s->listener = socket_listen((unsigned)number, error, size);
    if (s->listener < 0)
        return false;
    snprintf(s->place, sizeof(s->place), "127.0.0.1:%u", socket_port(s->listener));
    return true;
}

static bool open_place(struct serial *s, const char *where, char *error, size_t size) {
    if (strncmp(where, "tcp:", 4) == 0)
        return open_tcp(s, where + 4, error, size);
    if (strcmp(where, "pty") == 0) {
        if (open_pty(s))
            return true;
        snprintf(error, size, "pseudo terminal: %s", strerror(errno));
        return false;
    }
    if (strcmp(where, "loop") == 0) {
        s->loop = true;
        snprintf(s->place, sizeof(s->place), "loop");
        return true;
    }
    snprintf(error, size, "%s is neither pty nor tcp:PORT", where);
    return false;
}

struct serial *serial_open(const char *where, struct board *board, unsigned usart, char *error,
                           size_t size) {
    struct serial *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->board = board;
    s->usart = usart;
    s->fd = s->slave = s->listener = -1;
    if (open_place(s, where, error, size))
        return s;
    serial_close(s);
    return NULL;
}

void serial_close(struct serial *s) {
    if (!s)
        return;
    int fds[] = {s->fd, s->slave, s->listener};
    for (size_t i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(s);
}

const char *serial_place(const struct serial *s) {
    return s->place;
}

void serial_put(struct serial *s, uint8_t byte) {
    if (s->loop) {
        board_serial_send(s->board, s->usart, byte);
        return;
    }
    if (s->count == KEPT) {
        s->first = (s->first + 1) % KEPT;
        s->count--;
    }
    s->kept[(s->first + s->count++) % KEPT] = byte;
}

size_t serial_poll(const struct serial *s, struct pollfd *fds) {
    size_t count = 0;
    short events = 0;

    if (s->listener >= 0)
        fds[count++] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    if (s->fd < 0)
        return count;
    if (board_serial_pending(s->board, s->usart) < PENDING_LIMIT)
        events |= POLLIN;
    if (s->count)
        events |= POLLOUT;
    fds[count++] = (struct pollfd){.fd = s->fd, .events = events};
    return count;
}

/* After read() or write(): whether the client has gone. */
static bool lost(const struct serial *s, ssize_t n) {
    return s->listener >= 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR));
}

static void drop_client(struct serial *s) {
    close(s->fd);
    s->fd = -1;
}

static void take_input(struct serial *s) {
    uint8_t bytes[PENDING_LIMIT];
    size_t pending = board_serial_pending(s->board, s->usart);

    if (pending >= PENDING_LIMIT)
        return;
    ssize_t n = read(s->fd, bytes, PENDING_LIMIT - pending);
    for (ssize_t i = 0; i < n; i++)
        board_serial_send(s->board, s->usart, bytes[i]);
    if (lost(s, n))
        drop_client(s);
}

static ssize_t put_out(struct serial *s, const uint8_t *bytes, size_t size) {
    /* A client that has gone must not end the program with SIGPIPE. */
    return s->listener >= 0 ? send(s->fd, bytes, size, MSG_NOSIGNAL) : write(s->fd, bytes, size);
}

static void give_output(struct serial *s) {
    while (s->count) {
        size_t whole = KEPT - s->first < s->count ? KEPT - s->first : s->count;
        ssize_t n = put_out(s, s->kept + s->first, whole);
        if (n <= 0) {
            if (lost(s, n))
                drop_client(s);
            return;
        }
        s->first = (s->first + (size_t)n) % KEPT;
        s->count -= (size_t)n;
    }
}

/* A wire has two ends: a second client is turned away. */
static void accept_client(struct serial *s) {
    int fd = socket_accept(s->listener);

    if (fd < 0)
        return;
    if (s->fd >= 0 && socket_hung_up(s->fd))
        drop_client(s);
    if (s->fd < 0)
        s->fd = fd;
    else
        close(fd);
}

void serial_serve(struct serial *s) {
    if (s->listener >= 0)
        accept_client(s);
    if (s->fd >= 0)
        take_input(s);
    if (s->fd >= 0)
        give_output(s);
}
