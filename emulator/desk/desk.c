/* SPDX-License-Identifier: MIT */
/* The parts on the desk, in the board's loop. */
#include "desk/desk.h"

#include "board/terminal.h"

#include "util/arena.h"
#include "util/diag.h"

#include <string.h>
#include <unistd.h>

/*
 * Commands of a probe come in bursts, each after the answer to the one before, and each waits for the end of a
 * slice. So the slice after a command is short, and the loop lingers for the next one. While the core is
 * halted, OpenOCD mostly waits for the flash to be erased; that time costs nothing.
 */
enum { SLICE_IN_BURST = HOST_SLICE / 4, LINGER_MS = 1, SLICE_HALTED = 16 * HOST_SLICE };

enum { BUTTON_KEY = 'b' }; /* after Ctrl-A */

static bool open_line(struct desk *d, const struct desk_options *o, unsigned usart,
                      struct diag *diag) {
    char error[100];
    bool console = usart == o->usart;

    d->serial[usart] = serial_open(o->serial[usart], d->host->board, usart, error, sizeof(error));
    if (!d->serial[usart])
        return diag_error(diag, DIAG_IO, NULL,
                          console ? "use stdio, none, pty, tcp:PORT (tcp:0: any port)"
                                  : "use pty, tcp:PORT (tcp:0: any port), loop",
                          "%s: %s", console ? "--serial" : "--uart", error);
    if (console)
        fprintf(stderr, "serial: %s\n", serial_place(d->serial[usart]));
    else
        fprintf(stderr, "uart %u: %s\n", usart, serial_place(d->serial[usart]));
    return true;
}

static bool open_serial(struct desk *d, const struct desk_options *o, struct diag *diag) {
    for (unsigned usart = 1; usart <= BOARD_USARTS; usart++)
        if (o->serial[usart] && !open_line(d, o, usart, diag))
            return false;
    return true;
}

static bool open_stlink(struct desk *d, const struct desk_options *o, struct diag *diag) {
    char error[100];

    if (!o->stlink)
        return true;
    d->stlink = stlink_listen(d->host->board, o->stlink_port, error, sizeof(error));
    if (!d->stlink)
        return diag_error(diag, DIAG_IO, NULL, "choose another port (0: any)", "--stlink: %s",
                          error);
    d->host->stay = true; /* a chip that cannot run is what a probe is for */
    fprintf(stderr, "stlink: port %u\n", stlink_port(d->stlink));
    return true;
}

static bool open_view(struct desk *d, const struct desk_options *o, struct diag *diag) {
    if (!o->view)
        return true;
    if (!diag_is_terminal(stdout) || !isatty(STDIN_FILENO))
        return diag_error(diag, DIAG_USAGE, NULL, NULL, "--view needs a terminal");
    d->view = view_new(d->host->board, STDOUT_FILENO, diag_wants_colour(stdout));
    return true;
}

static bool open_stimuli(struct desk *d, const struct desk_options *o, struct arena *arena,
                         struct diag *diag) {
    if (o->stimuli)
        d->stimuli = stimuli_read(o->stimuli, o->usart, arena, diag);
    return d->stimuli || !o->stimuli;
}

static size_t desk_poll(void *user, struct pollfd *fds) {
    const struct desk *d = user;
    size_t count = 0;

    for (unsigned usart = 1; usart <= BOARD_USARTS; usart++)
        if (d->serial[usart])
            count += serial_poll(d->serial[usart], fds + count);
    if (d->stlink)
        count += stlink_poll(d->stlink, fds + count);
    return count;
}

static void desk_serve(void *user) {
    struct desk *d = user;

    terminal_flush();
    for (unsigned usart = 1; usart <= BOARD_USARTS; usart++)
        if (d->serial[usart])
            serial_serve(d->serial[usart]);
    if (d->stlink)
        d->host->linger_ms = stlink_serve(d->stlink) ? LINGER_MS : 0;
    if (d->view)
        view_update(d->view);
}

static uint64_t desk_slice(void *user, uint64_t cycles) {
    struct desk *d = user;

    if (d->stlink && stlink_in_reset(d->stlink))
        return 0;
    if (d->host->stop == BOARD_HALTED && !d->host->real_time && cycles == HOST_SLICE)
        cycles = SLICE_HALTED;
    else if (d->host->linger_ms && d->host->stop == BOARD_RAN && cycles > SLICE_IN_BURST)
        cycles = SLICE_IN_BURST;
    if (d->with_motor) {
        motor_update(&d->motor, d->host->board);
        if (d->host->stop !=
            BOARD_HALTED) /* time in which OpenOCD waits for the flash passes as fast as it can */
            cycles = motor_cycles(cycles);
    }
    if (!d->stimuli)
        return cycles;
    stimuli_apply(d->stimuli, d->host->board);
    return stimuli_cycles(d->stimuli, d->host->board, cycles);
}

bool desk_open(struct desk *d, struct host *host, const struct desk_options *o, struct arena *arena,
               struct diag *diag) {
    *d = (struct desk){.host = host, .with_motor = o->motor};
    host->user = d;
    host->fds = desk_poll;
    host->each_slice = desk_serve;
    host->slice = desk_slice;
    view_button(host->board, false);
    return open_serial(d, o, diag) && open_stlink(d, o, diag) && open_stimuli(d, o, arena, diag) &&
           open_view(d, o, diag);
}

void desk_close(struct desk *d) {
    view_free(d->view);
    for (unsigned usart = 1; usart <= BOARD_USARTS; usart++)
        serial_close(d->serial[usart]);
    stlink_close(d->stlink);
}

bool desk_key(struct desk *d, uint8_t key) {
    if (!d->view || key != BUTTON_KEY)
        return false;
    view_press(d->view);
    return true;
}
