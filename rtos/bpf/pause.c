/* SPDX-License-Identifier: MIT
 *
 * What the manager does at length, above all programs, it does in slices: after SLICE_NS it sleeps until the next tick, and the
 * rest of this one is the programs'. With its priority lowered it would wait as long as programs please; this way it has a
 * fifth of each tick whatever they do, and holds them up no longer than a slice and one word of flash.
 *
 * Nothing changes meanwhile: the lock is held, and what is being looked at (an upload, a blob in the store) belongs to
 * its holder.
 */
#include "bpf/pause.h"
#include "manager.h"
#include "rtos/clock.h"

enum { SLICE_NS = 200000 };

static bool anybody_runs(void) {
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (manager.programs[i].domain && !manager.programs[i].domain->stopped)
            return true;
    return false;
}

void bpf_pause(void) {
    if (!manager.holder || manager.holder != task_self() || clock_ns() - manager.slice < SLICE_NS ||
        !anybody_runs())
        return;
    task_sleep(1);
    manager.slice = clock_ns();
}
