/* SPDX-License-Identifier: MIT */
/*
 * The surroundings of a board that a command runs: file descriptors that are served between slices of
 * board_run(), and the pace. What is served (terminal, sockets) registers itself:
 *
 *     struct host host = {.board = b};
 *     host_watch(&host, fd, POLLIN, ready, user);
 *     enum board_stop stop = host_run(&host);
 */
#ifndef EMULATOR_BOARD_HOST_H
#define EMULATOR_BOARD_HOST_H

#include "board.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_SOURCES = 16, HOST_FDS = 16, HOST_SLICE = 168000 }; /* cycles: 1 ms at 168 MHz */

/* Called between slices when `fd` is ready; `events` as from poll(). */
typedef void host_ready_fn(void *user, int fd, short events);

struct host {
    struct board *board;
    uint64_t max_cycles; /* 0: no end */
    bool real_time;      /* the board is not faster than the clock on the wall */
    bool stay; /* a halted, locked-up or unpowered core does not end it: a debugger is there */
    volatile bool leave;  /* set it to end host_run() */
    enum board_stop stop; /* how the last slice ended */
    int linger_ms;        /* after a slice, wait so long for a descriptor */

    struct host_source {
        int fd;
        short events;
        host_ready_fn *ready;
        void *user;
    } sources[HOST_SOURCES];
    unsigned count;

    /* For parts whose descriptors come and go; each may be null. */
    void *user;
    uint64_t (*slice)(void *user,
                      uint64_t cycles);            /* how much of it to run; 0: the board is held */
    size_t (*fds)(void *user, struct pollfd *fds); /* at most HOST_FDS to wait for */
    void (*each_slice)(void *user);                /* serves, whatever is ready */
};

void host_watch(struct host *host, int fd, short events, host_ready_fn *ready, void *user);
void host_forget(struct host *host, int fd);
/* Runs until the guest leaves, the board stops, `leave` is set or a signal comes; BOARD_RAN: the last two, or
 * max_cycles. */
enum board_stop host_run(struct host *host);
/* When all is put back: dies of the signal (SIGTERM, SIGHUP, SIGINT) that ended host_run(), if one did. */
void host_signal(void);

#endif
