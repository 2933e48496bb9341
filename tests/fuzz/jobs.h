/* SPDX-License-Identifier: MIT */
/* A fuzzer's work in several processes: what a crash in one of them takes with it is its own. */
#ifndef FUZZ_JOBS_H
#define FUZZ_JOBS_H

#include <stdbool.h>
#include <stdio.h>

struct jobs {
    unsigned count;
    void *user;
    /* In a process of its own: job 0 to count - 1 writes what it found. */
    void (*run)(void *user, unsigned job, FILE *results);
    /* In the caller's process, one job after the other: reads it. False: it is not all there. */
    bool (*collect)(void *user, FILE *results);
};

/* Runs all jobs, collects their results; says and counts which did not come to their end. */
unsigned jobs_run(const struct jobs *jobs);

/* The value of --jobs: 1 to 256, or 0 if it is something else. */
unsigned jobs_parse(const char *text);

#endif
