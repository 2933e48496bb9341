/* SPDX-License-Identifier: MIT */
/* Opening is all that differs: libserialport for serial devices, termios for other terminals, sockets. */
#include "device/line.h"

#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct line_port {
    int fd;
    bool serial;
    struct sp_port *device; /* of libserialport, or NULL */
    struct termios before;  /* of a terminal that libserialport does not know */
    bool restore;
};

static int64_t now_ms(void *context) {
    (void)context;
    return clock_ms();
}

/* Whether fd is ready for what `events` say before `timeout` ms have gone. */
static bool wait_for(int fd, short events, int timeout) {
    int64_t until = clock_ms() + timeout;

    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int64_t left = until - clock_ms();
        int ready = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
        if (ready >= 0)
            return ready > 0;
        if (errno != EINTR || left <= 0)
            return false;
    }
}

static int port_read(void *context, void *bytes, size_t size, int timeout) {
    const struct line_port *port = context;

    if (!wait_for(port->fd, POLLIN, timeout))
        return 0;
    ssize_t got = read(port->fd, bytes, size);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    /* An end, or EIO when the other side of a pseudo-terminal has been closed. */
    return got > 0 ? (int)got : -1;
}

static bool port_write(void *context, const void *bytes, size_t size, int timeout) {
    const struct line_port *port = context;
    const char *at = bytes;

    while (size > 0) {
        if (!wait_for(port->fd, POLLOUT, timeout))
            return false;
        /* A board that has gone must not end us: there is more to be said than SIGPIPE does. */
        ssize_t put =
            port->serial ? write(port->fd, at, size) : send(port->fd, at, size, MSG_NOSIGNAL);
        if (put < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (put < 0)
            return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

struct line line_of(struct line_port *port) {
    return (struct line){.context = port, .read = port_read, .write = port_write, .now = now_ms};
}

bool line_is_serial(const struct line_port *port) {
    return port->serial;
}

/* ---- TCP ---- */

/* A connection within `timeout`, or -1 with errno. */
static int connect_to(const struct addrinfo *address, int timeout) {
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0, on = 1;
    socklen_t length = sizeof(error);

    if (fd < 0)
        return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            error = errno;
        else if (!wait_for(fd, POLLOUT, timeout))
            error = ETIMEDOUT;
        else
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    if (error) {
        close(fd);
        errno = error;
        return -1;
    }
    /* A request is a few lines: none of them is to wait for the answer to the one before. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static bool open_tcp(struct line_port *port, const char *text, int timeout, struct diag *diag) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(text, ':');
    struct addrinfo *list;
    char host[256];

    if (!colon || colon == text || !colon[1] || (size_t)(colon - text) >= sizeof(host))
        return diag_error(diag, DIAG_USAGE, NULL, "write tcp:HOST:PORT, such as tcp:localhost:9090",
                          "tcp:%s has no host or no port", text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    int error = getaddrinfo(host, colon + 1, &hints, &list);
    if (error)
        return diag_error(diag, DIAG_IO, NULL, "check host and port", "tcp:%s: %s", text,
                          gai_strerror(error));
    for (const struct addrinfo *a = list; a && port->fd < 0; a = a->ai_next)
        port->fd = connect_to(a, timeout);
    error = errno;
    freeaddrinfo(list);
    return port->fd >= 0 ||
           diag_error(diag, DIAG_IO, NULL,
                      "start what listens there: the virtual board, OpenOCD's RTT server, QEMU",
                      "tcp:%s: cannot connect: %s", text, strerror(error));
}

/* ---- Serial devices ---- */

/* libserialport's handle is a file descriptor here; it has the settings, poll() does the rest. */
static bool open_device(struct line_port *port, const char *path, unsigned baud) {
    if (sp_get_port_by_name(path, &port->device) != SP_OK)
        return false;
    if (sp_open(port->device, SP_MODE_READ_WRITE) == SP_OK) {
        if (sp_set_baudrate(port->device, (int)baud) == SP_OK &&
            sp_set_bits(port->device, 8) == SP_OK &&
            sp_set_parity(port->device, SP_PARITY_NONE) == SP_OK &&
            sp_set_stopbits(port->device, 1) == SP_OK &&
            sp_set_flowcontrol(port->device, SP_FLOWCONTROL_NONE) == SP_OK &&
            sp_get_port_handle(port->device, &port->fd) == SP_OK)
            return true;
        sp_close(port->device);
    }
    sp_free_port(port->device);
    port->device = NULL;
    port->fd = -1;
    return false;
}

/* What libserialport does not know: a pseudo-terminal has no modem lines. Its baud rate is nobody's. */
static bool open_terminal(struct line_port *port, const char *path) {
    port->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (port->fd < 0)
        return false;
    if (tcgetattr(port->fd, &port->before) != 0)
        return false;
    struct termios raw = port->before;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    port->restore = tcsetattr(port->fd, TCSANOW, &raw) == 0;
    return port->restore;
}

static const char *mend_of(int error, const char *path) {
    switch (error) {
    case ENOENT:
        if (strchr(path, ':'))
            return "write tcp:HOST:PORT for a TCP port";
        return "is the board plugged in? `ls /dev/ttyACM* /dev/ttyUSB*` shows serial ports";
    case EACCES: return "become a member of the group that owns it, often dialout, and log in anew";
    case EBUSY: return "another program has it open: end that one (`fuser -v` names it)";
    case ENOTTY: return "give a serial device, a pseudo-terminal, or tcp:HOST:PORT";
    default: return NULL;
    }
}

static bool open_serial(struct line_port *port, const char *path, unsigned baud,
                        struct diag *diag) {
    struct stat status;

    port->serial = true;
    errno = stat(path, &status) != 0 ? errno : S_ISCHR(status.st_mode) ? 0 : ENOTTY;
    /* Two clients would take each other's answers. */
    if (!errno && (open_device(port, path, baud) || open_terminal(port, path)) &&
        (flock(port->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)) {
        tcflush(port->fd, TCIFLUSH); /* what came for somebody else */
        return true;
    }
    if (errno == EWOULDBLOCK)
        errno = EBUSY;
    return diag_error(diag, DIAG_IO, NULL, mend_of(errno, path), "%s: cannot open: %s", path,
                      strerror(errno));
}

struct line_port *line_open(const char *text, unsigned baud, int timeout, struct diag *diag) {
    struct line_port *port = calloc(1, sizeof(*port));

    if (!port)
        abort();
    port->fd = -1;
    bool tcp = strncmp(text, "tcp:", 4) == 0;
    if (tcp ? open_tcp(port, text + 4, timeout, diag) : open_serial(port, text, baud, diag))
        return port;
    line_close(port);
    return NULL;
}

void line_close(struct line_port *port) {
    if (!port)
        return;
    if (port->restore)
        tcsetattr(port->fd, TCSANOW, &port->before);
    if (port->device) {
        sp_close(port->device);
        sp_free_port(port->device);
    } else if (port->fd >= 0) {
        close(port->fd);
    }
    free(port);
}
