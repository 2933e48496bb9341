/* SPDX-License-Identifier: MIT */
#include "fuzz/jobs.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 256 };

unsigned jobs_parse(const char *text) {
    char *end;
    unsigned long count = strtoul(text, &end, 10);

    return *text && !*end && count <= MAX ? (unsigned)count : 0;
}

/* The results' file, empty if there is no process. */
static FILE *start(const struct jobs *jobs, unsigned job) {
    FILE *results = tmpfile();

    fflush(NULL);
    if (!results || fork() != 0)
        return results;
    jobs->run(jobs->user, job, results);
    fflush(NULL);
    _exit(0);
}

unsigned jobs_run(const struct jobs *jobs) {
    FILE *results[MAX];
    unsigned failed = 0;

    for (unsigned job = 0; job < jobs->count; job++)
        results[job] = start(jobs, job);
    while (wait(NULL) > 0)
        ;
    for (unsigned job = 0; job < jobs->count; job++) {
        if (results[job])
            rewind(results[job]);
        if (!results[job] || !jobs->collect(jobs->user, results[job])) {
            printf("job %u did not come to its end\n", job);
            failed++;
        }
        if (results[job])
            fclose(results[job]);
    }
    return failed;
}
