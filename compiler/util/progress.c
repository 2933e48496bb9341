/* SPDX-License-Identifier: MIT */
/* The line is drawn by whoever calls progress_tick(), so nothing else can print at the same time. */
#include "util/progress.h"

#include "util/clock.h"
#include "util/diag.h"

#include <inttypes.h>

#define FIRST_MS 500
#define BAR 20 /* columns */

static struct {
    bool allowed, running, shown;
    const char *what;
    uint64_t done, total;
    int64_t started, due; /* ms */
} state;

void progress_allow(bool allow) {
    state.allowed = allow && diag_is_terminal(stderr);
}

bool progress_wanted(void) {
    return state.running;
}

void progress_begin(const char *what, uint64_t total) {
    if (!state.allowed)
        return;
    state.running = true;
    state.what = what;
    state.done = 0;
    state.total = total;
    state.started = clock_ms();
    state.due = state.started + FIRST_MS;
}

static void draw(int64_t now) {
    fprintf(stderr, "\r\033[K%s", state.what);
    if (state.total > 1)
        fprintf(stderr, ": %" PRIu64 " of %" PRIu64, state.done, state.total);
    fprintf(stderr, ", %" PRId64 " s", (now - state.started) / 1000);
    if (state.total > 1) {
        int done = state.done < state.total ? (int)(BAR * state.done / state.total) : BAR;
        fprintf(stderr, " [%.*s%*s]", done, "####################", BAR - done, "");
    }
    fflush(stderr);
    state.shown = true;
}

void progress_tick(void) {
    if (!state.running)
        return;
    int64_t now = clock_ms();
    if (now < state.due)
        return;
    draw(now);
    state.due = now + PROGRESS_MS;
}

void progress_step(uint64_t done) {
    state.done = done;
    progress_tick();
}

void progress_clear(void) {
    if (!state.shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    state.shown = false;
}

void progress_end(void) {
    progress_clear();
    state.running = false;
}
