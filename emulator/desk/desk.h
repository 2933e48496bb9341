/* SPDX-License-Identifier: MIT */
/*
 * What lies on the desk around the virtual board: the debugger's probe, the other end of a serial line,
 * a view for the terminal, scripted stimuli. All of it works between two calls of board_run(), in one
 * thread; nothing here ever waits.
 *
 * Parts with descriptors have a pair of functions for a loop around poll(): _poll() writes what to wait
 * for (at most DESK_POLL entries) and returns how many; _serve() does whatever can be done at once.
 */
#ifndef EMULATOR_DESK_H
#define EMULATOR_DESK_H

#include "board/board.h"
#include "board/host.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { DESK_POLL = 2 };

/* --- motor.c: a motor at TIM1, its shaft at the encoder --- */

struct motor {
    uint64_t at;         /* ns of the board's time up to which it has turned */
    double speed, angle; /* encoder steps a second; a part of a step */
};
void motor_update(struct motor *m, struct board *b);
uint64_t motor_cycles(uint64_t limit); /* how many to run at most before the next update */

/* --- desk.c: all of it in the board's loop (board/host.h) --- */

struct arena;
struct diag;

struct desk_options {
    unsigned usart;                       /* the console */
    const char *serial[BOARD_USARTS + 1]; /* where each leads: for serial_open(); or null */
    bool stlink, view, motor;             /* wanted */
    unsigned stlink_port;
    const char *stimuli; /* a file, or null */
};

struct desk {
    struct host *host;
    struct serial *serial[BOARD_USARTS + 1]; /* those that are not wanted are null */
    struct stlink_server *stlink;
    struct view *view;
    struct stimuli *stimuli;
    struct motor motor;
    bool with_motor;
};

/* Says on standard error where serial line and ST-LINK are to be found. False after an error message. */
bool desk_open(struct desk *d, struct host *host, const struct desk_options *o, struct arena *arena,
               struct diag *diag);
void desk_close(struct desk *d);            /* also after desk_open() has failed */
bool desk_key(struct desk *d, uint8_t key); /* a key after Ctrl-A; false: means nothing here */

/* --- stlink.c: an ST-LINK/V2, as its commands over USB --- */

enum {
    STLINK_COMMAND_SIZE = 16, /* of the block that begins each transfer */
    STLINK_DATA_LIMIT = 6144, /* bytes of data in a transfer */
    STLINK_VENDOR = 0x0483,   /* STMicroelectronics */
    STLINK_PRODUCT = 0x3748,  /* ST-LINK/V2 */
};

enum stlink_direction { STLINK_OUT = 0, STLINK_IN = 1, STLINK_TRACE = 3 };

struct stlink {
    struct board *board;
    uint8_t mode;        /* what GET_CURRENT_MODE answers */
    bool in_reset;       /* NRST is held low: do not run the board */
    uint8_t rw_status;   /* of the last memory access, for GETLASTRWSTATUS */
    uint32_t rw_address; /* where it failed */
    uint32_t dp_control; /* CTRL/STAT of the debug port: power-up requests */
    uint32_t dp_select;
    uint32_t ap_csw, ap_tar; /* of the AHB-AP */
};

void stlink_init(struct stlink *s, struct board *board);

/*
 * One transfer: the command block, then `size` bytes of data from the host (STLINK_OUT) or to it. What
 * comes to the host is filled completely. A command that does not exist answers with a status that says so.
 */
void stlink_transfer(struct stlink *s, const uint8_t *command, enum stlink_direction direction,
                     uint8_t *data, size_t size);

/* What a host that vanishes leaves behind: out of debug mode, NRST is let go. */
void stlink_disconnect(struct stlink *s);

/* --- stlink_tcp.c: the protocol of ST's stlink-server, for OpenOCD's `hla_stlink_backend tcp` --- */

struct stlink_server;

/* Port 0 chooses a free one. Null after writing why into `error`. */
struct stlink_server *stlink_listen(struct board *board, unsigned port, char *error, size_t size);
void stlink_close(struct stlink_server *s);
unsigned stlink_port(const struct stlink_server *s);
bool stlink_connected(const struct stlink_server *s); /* a debugger is there */
bool stlink_in_reset(const struct stlink_server *s);  /* it holds NRST low: do not run the board */
size_t stlink_poll(const struct stlink_server *s, struct pollfd *fds);
/*
 * Answers at most one command, so that the board runs between two of them as it does under a probe. True: it
 * has, and the next one may be expected soon.
 */
bool stlink_serve(struct stlink_server *s);

/* --- serial.c: the PC's end of a serial line --- */

struct serial;

/* `where` is "pty", "tcp:PORT" (0 chooses one) or "loop": what is sent comes back. Null after writing why into `error`. */
struct serial *serial_open(const char *where, struct board *board, unsigned usart, char *error,
                           size_t size);
void serial_close(struct serial *s); /* null is allowed */
const char *
serial_place(const struct serial *s); /* where to connect to: /dev/pts/3, 127.0.0.1:4000 */
void serial_put(struct serial *s, uint8_t byte); /* from the board */
size_t serial_poll(const struct serial *s, struct pollfd *fds);
void serial_serve(struct serial *s);

/* --- stimuli.c --- */

struct stimuli;

/* `serial` lines go to `usart`. Null after error messages. The text is written to. */
struct stimuli *stimuli_read(const char *file, unsigned usart, struct arena *arena,
                             struct diag *diag);
struct stimuli *stimuli_parse(const char *file, char *text, unsigned usart, struct arena *arena,
                              struct diag *diag);
void stimuli_apply(struct stimuli *s, struct board *b); /* what is due */
/* How many cycles to run at most before the next stimuli_apply(). */
uint64_t stimuli_cycles(const struct stimuli *s, const struct board *b, uint64_t limit);

/* --- view.c: LEDs, PWM and button in the last line of the terminal --- */

struct view;

/* Takes the last line of the terminal `fd`, whose other lines scroll. */
struct view *view_new(struct board *board, int fd, bool colour);
void view_free(struct view *v);                   /* null is allowed; gives the line back */
void view_press(struct view *v);                  /* the button, for 0.1 s of the board's time */
void view_button(struct board *board, bool down); /* up: held low by the board's resistor */
void view_update(
    struct view
        *v); /* call it often: draws when something has changed, at most 20 times a second */
/* What the line says, without control sequences. */
void view_text(const struct board *board, bool pressed, char *text, size_t size);

/* Little-endian, 1 to 4 bytes. */
static inline uint32_t bytes_get(const uint8_t *bytes, unsigned size) {
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

/* --- socket.c --- */

int socket_listen(unsigned port, char *error, size_t size); /* on the loopback only; -1 */
unsigned socket_port(int fd);
int socket_accept(int listener); /* non-blocking, close-on-exec; -1: nobody waits */
bool socket_hung_up(int fd);     /* its client has gone; what it sent before may still be there */

#endif
