/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <time.h>

void host_watch(struct host *host, int fd, short events, host_ready_fn *ready, void *user) {
    assert(host->count < HOST_SOURCES);
    host->sources[host->count++] = (struct host_source){fd, events, ready, user};
}

void host_forget(struct host *host, int fd) {
    unsigned kept = 0;

    for (unsigned i = 0; i < host->count; i++)
        if (host->sources[i].fd != fd)
            host->sources[kept++] = host->sources[i];
    host->count = kept;
}

/* A source may forget itself or others while it is served: look for it anew by its descriptor. */
static void serve(struct host *host, int fd, short events) {
    for (unsigned i = 0; i < host->count; i++)
        if (host->sources[i].fd == fd) {
            host->sources[i].ready(host->sources[i].user, fd, events);
            return;
        }
}

static void look(struct host *host, int timeout_ms) {
    struct pollfd fds[HOST_SOURCES];
    unsigned count = host->count;

    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct pollfd){host->sources[i].fd, host->sources[i].events, 0};
    if (poll(fds, count, timeout_ms) <= 0)
        return;
    for (unsigned i = 0; i < count; i++)
        if (fds[i].revents)
            serve(host, fds[i].fd, fds[i].revents);
}

static uint64_t wall_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Milliseconds that the board is ahead of the wall; one that was held up does not hurry afterwards. */
static int ahead_ms(const struct host *host, int64_t *offset) {
    if (!host->real_time)
        return 0;
    int64_t ahead = (int64_t)(board_ns(host->board) - wall_ns()) - *offset;
    if (ahead < -100000000 || ahead > 1000000000)
        *offset += ahead;
    return ahead > 0 && ahead <= 1000000000 ? (int)(ahead / 1000000) : 0;
}

static bool goes_on(const struct host *host, enum board_stop stop) {
    if (host->leave || (host->max_cycles && board_cycles(host->board) >= host->max_cycles))
        return false;
    return stop == BOARD_RAN || (host->stay && stop != BOARD_EXITED);
}

enum board_stop host_run(struct host *host) {
    int64_t offset = (int64_t)(board_ns(host->board) - wall_ns());
    enum board_stop stop = BOARD_RAN;

    while (goes_on(host, stop)) {
        uint64_t left = host->max_cycles - board_cycles(host->board);
        stop = board_run(host->board, host->max_cycles && left < HOST_SLICE ? left : HOST_SLICE);
        if (host->each_slice)
            host->each_slice(host->user);
        look(host, ahead_ms(host, &offset));
    }
    return stop;
}
