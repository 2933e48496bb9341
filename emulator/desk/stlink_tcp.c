/* SPDX-License-Identifier: MIT */
/*
 * The TCP protocol of ST's stlink-server (API 2), as OpenOCD 0.12 speaks it: requests and replies in turn,
 * numbers little-endian, a reply begins with a status except where the table says otherwise. There is one
 * ST-LINK, for one client at a time. The protocol has no way back into step after a malformed request, so
 * that ends the connection; the board does not notice.
 */
#include "desk/desk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum status {
    STATUS_OK = 0x0001,
    STATUS_BAD_PARAMETER = 0x1002,
    STATUS_NOT_AVAILABLE = 0x1053,
};

enum {
    DEVICE = 0x1a1b, /* ids of the only device, and of its only user; any number but 0 */
    CONNECTION = 0x2c2d,
    USB_REQUEST = 32, /* bytes before the data of a USB command */
    DEVICE_INFO = 41, /* bytes in the description of a device */
    SERIAL_NUMBER = 32,
    REPLY_HEAD = 4,
};

struct stlink_server {
    struct stlink stlink;
    int listener, client; /* client: -1 without */
    bool open;            /* the client has opened the device */
    uint8_t in[USB_REQUEST + STLINK_DATA_LIMIT];
    size_t in_size;
    uint8_t out[REPLY_HEAD + STLINK_DATA_LIMIT];
    size_t out_size, out_sent;
};

static void reply(struct stlink_server *s, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size; i++)
        s->out[s->out_size++] = (uint8_t)(value >> (8 * i));
}

/* ------------------------------------------------------------------------------------------------
 * Requests. Each answers; false: what the client says makes no sense. */

static bool refresh(struct stlink_server *s) {
    reply(s, 4, STATUS_OK);
    return true;
}

static bool count_devices(struct stlink_server *s) {
    reply(s, 4, 1);
    return true;
}

static bool device_info(struct stlink_server *s) {
    static const char serial[SERIAL_NUMBER] = "BPF2THUMBVIRTUALF407VG01";
    size_t wanted = bytes_get(s->in + 4, 4);

    if (s->in[1] != 0 || wanted > DEVICE_INFO) {
        reply(s, 4, STATUS_BAD_PARAMETER);
        return true;
    }
    reply(s, 4, STATUS_OK);
    reply(s, 4, DEVICE);
    memcpy(s->out + s->out_size, serial, SERIAL_NUMBER);
    s->out_size += SERIAL_NUMBER;
    reply(s, 2, STLINK_VENDOR);
    reply(s, 2, STLINK_PRODUCT);
    reply(s, 1, s->open); /* in use */
    s->out_size = REPLY_HEAD + wanted;
    return true;
}

static bool open_device(struct stlink_server *s) {
    if (bytes_get(s->in + 4, 4) != DEVICE || s->open) {
        reply(s, 4, STATUS_BAD_PARAMETER);
        reply(s, 4, 0);
        return true;
    }
    s->open = true;
    reply(s, 4, STATUS_OK);
    reply(s, 4, CONNECTION);
    return true;
}

static bool opened(const struct stlink_server *s) {
    return s->open && bytes_get(s->in + 4, 4) == CONNECTION;
}

static bool close_device(struct stlink_server *s) {
    reply(s, 4, opened(s) ? STATUS_OK : STATUS_BAD_PARAMETER);
    if (opened(s)) {
        stlink_disconnect(&s->stlink);
        s->open = false;
    }
    return true;
}

/* Before the data: 4 bytes of head, the connection, the command block, direction, size of the data. */
static size_t data_size(const struct stlink_server *s) {
    return bytes_get(s->in + 28, 4);
}

static bool usb_command(struct stlink_server *s) {
    unsigned direction = s->in[24];
    bool out = direction == STLINK_OUT;

    if (!out && direction != STLINK_IN && direction != STLINK_TRACE)
        return false;
    size_t expected = out ? 0 : data_size(s);
    reply(s, 4, opened(s) ? STATUS_OK : STATUS_BAD_PARAMETER);
    uint8_t *data = out ? s->in + USB_REQUEST : s->out + s->out_size;
    if (opened(s))
        stlink_transfer(&s->stlink, s->in + 8, direction, data, data_size(s));
    else
        memset(s->out + s->out_size, 0, expected);
    s->out_size += expected;
    return true;
}

static bool server_version(struct stlink_server *s) {
    static const uint32_t version[] = {2, 2, 1, 1}; /* API, major, minor, build */

    for (size_t i = 0; i < 4; i++)
        reply(s, 4, version[i]);
    return true;
}

static bool count_clients(struct stlink_server *s) {
    reply(s, 4, STATUS_NOT_AVAILABLE);
    return true;
}

static const struct request {
    size_t size; /* of the request, without data */
    bool (*answer)(struct stlink_server *s);
} requests[] = {
    {2, refresh},      {1, count_devices},         {8, device_info},    {8, open_device},
    {8, close_device}, {USB_REQUEST, usb_command}, {4, server_version}, {8, count_clients},
};

/* ------------------------------------------------------------------------------------------------
 * The connection */

static void drop_client(struct stlink_server *s) {
    close(s->client);
    s->client = -1;
    s->open = false;
    s->in_size = s->out_size = s->out_sent = 0;
    stlink_disconnect(&s->stlink);
}

/* A second client is turned away at once, rather than left to wait for an answer. */
static void accept_client(struct stlink_server *s) {
    int fd = socket_accept(s->listener);

    if (fd < 0)
        return;
    if (s->client >= 0 && socket_hung_up(s->client))
        drop_client(s); /* who starts OpenOCD anew may be here before we have noticed */
    if (s->client < 0)
        s->client = fd;
    else
        close(fd);
}

/* Whether all of the reply has gone. */
static bool send_reply(struct stlink_server *s) {
    while (s->out_sent < s->out_size) {
        ssize_t n = send(s->client, s->out + s->out_sent, s->out_size - s->out_sent, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n <= 0) {
            drop_client(s);
            return false;
        }
        s->out_sent += (size_t)n;
    }
    s->out_size = s->out_sent = 0;
    return true;
}

/* How many bytes the request has that `in` begins with; 0: not to be known yet, -1: none has. */
static ssize_t request_size(const struct stlink_server *s) {
    if (s->in_size == 0)
        return 0;
    if (s->in[0] >= sizeof(requests) / sizeof(requests[0]))
        return -1;
    size_t size = requests[s->in[0]].size;
    if (size < USB_REQUEST)
        return (ssize_t)size;
    if (s->in_size < size)
        return 0;
    if (data_size(s) > STLINK_DATA_LIMIT)
        return -1;
    return (ssize_t)(size + (s->in[24] == STLINK_OUT ? data_size(s) : 0));
}

static bool complete(const struct stlink_server *s) {
    ssize_t size = request_size(s);

    return size < 0 || (size > 0 && (size_t)size <= s->in_size);
}

static void receive(struct stlink_server *s) {
    ssize_t n = recv(s->client, s->in + s->in_size, sizeof(s->in) - s->in_size, 0);

    if (n > 0)
        s->in_size += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        drop_client(s);
}

static bool serve_client(struct stlink_server *s) {
    if (!send_reply(s))
        return false;
    if (!complete(s))
        receive(s);
    if (s->client < 0 || !complete(s))
        return false;
    ssize_t size = request_size(s);
    if (size < 0 || !requests[s->in[0]].answer(s)) {
        drop_client(s);
        return false;
    }
    assert(s->out_size <= sizeof(s->out));
    s->in_size -= (size_t)size;
    memmove(s->in, s->in + size, s->in_size);
    send_reply(s);
    return s->open;
}

bool stlink_serve(struct stlink_server *s) {
    accept_client(s);
    return s->client >= 0 && serve_client(s);
}

size_t stlink_poll(const struct stlink_server *s, struct pollfd *fds) {
    fds[0] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    if (s->client < 0)
        return 1;
    /* A request that came with the one before is in no socket any more; POLLOUT does not wait. */
    bool ready = s->out_size || complete(s);
    fds[1] = (struct pollfd){.fd = s->client, .events = ready ? POLLOUT : POLLIN};
    return 2;
}

struct stlink_server *stlink_listen(struct board *board, unsigned port, char *error, size_t size) {
    int fd = socket_listen(port, error, size);

    if (fd < 0)
        return NULL;
    struct stlink_server *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->listener = fd;
    s->client = -1;
    stlink_init(&s->stlink, board);
    return s;
}

void stlink_close(struct stlink_server *s) {
    if (!s)
        return;
    if (s->client >= 0)
        close(s->client);
    close(s->listener);
    free(s);
}

unsigned stlink_port(const struct stlink_server *s) {
    return socket_port(s->listener);
}

bool stlink_connected(const struct stlink_server *s) {
    return s->open;
}

bool stlink_in_reset(const struct stlink_server *s) {
    return s->stlink.in_reset;
}
