/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { STANDSTILL_MS = 1 };

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
    struct pollfd fds[HOST_SOURCES + HOST_FDS];
    unsigned count = host->count;

    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct pollfd){host->sources[i].fd, host->sources[i].events, 0};
    size_t more = host->fds ? host->fds(host->user, fds + count) : 0;
    if (poll(fds, count + more, timeout_ms) <= 0)
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

static bool goes_on(const struct host *host) {
    if (host->leave || (host->max_cycles && board_cycles(host->board) >= host->max_cycles))
        return false;
    return host->stop == BOARD_RAN || (host->stay && host->stop != BOARD_EXITED);
}

static uint64_t slice(struct host *host) {
    uint64_t left = host->max_cycles - board_cycles(host->board);
    uint64_t cycles = host->max_cycles && left < HOST_SLICE ? left : HOST_SLICE;

    return host->slice ? host->slice(host->user, cycles) : cycles;
}

/* A core that stands still would otherwise keep the PC busy with nothing. */
static int wait_ms(const struct host *host, bool ran, int64_t *offset) {
    int ahead = ahead_ms(host, offset);
    int linger = ran && host->stop == BOARD_RAN ? host->linger_ms : STANDSTILL_MS;

    return ahead > linger ? ahead : linger;
}

/* A signal that ends the program ends the run first: terminal and view put back what they have changed. A
 * second one does not wait for this. */
static volatile sig_atomic_t signalled;

static void on_signal(int number) {
    signalled = number;
}

static void catch_signals(void) {
    static const int numbers[] = {SIGTERM, SIGHUP, SIGINT};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction before, mine = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(numbers[i], &mine, NULL); /* nohup's stay ignored */
    }
}

void host_signal(void) {
    if (signalled)
        raise(signalled);
}

enum board_stop host_run(struct host *host) {
    int64_t offset = (int64_t)(board_ns(host->board) - wall_ns());

    host->stop = BOARD_RAN;
    catch_signals();
    while (goes_on(host)) {
        uint64_t cycles = slice(host);
        if (cycles)
            host->stop = board_run(host->board, cycles);
        look(host, wait_ms(host, cycles > 0, &offset));
        if (host->each_slice)
            host->each_slice(host->user);
        host->leave |= signalled != 0;
    }
    return host->stop;
}
