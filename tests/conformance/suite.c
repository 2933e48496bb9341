/* SPDX-License-Identifier: MIT */
/*
 * The suite runner. Worker processes take files from a shared counter and leave verdicts in shared
 * memory. They are processes, not threads, so that a crash or an endless loop of one engine costs one
 * verdict: the parent sees the worker die, records why, and starts another that goes on.
 */
#include "conformance/suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/data.h"
#include "util/vec.h"

#define SECONDS_PER_RUN 20 /* a run is stopped by its engine's budget long before */
#define MAX_WORKERS 16
#define MAX_SHOWN 100 /* failures printed in full */

enum state { WAITING, RUNNING, PASSED, FAILED };

struct verdict {
    enum state state;
    char text[240]; /* of FAILED: why */
};

/* Shared by all processes. */
struct board {
    atomic_size_t next;        /* file to take */
    size_t taken[MAX_WORKERS]; /* by each worker */
    struct verdict verdicts[]; /* [file * non + engine] */
};

struct suite {
    struct arena *arena;
    VEC(const char *) files;
    const struct engine *const *on;
    size_t non;
    struct board *board;
    size_t board_size;
};

/* --- files ------------------------------------------------------------------------------------ */

static bool has_suffix(const char *name, const char *suffix) {
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* Adds the .data files of a directory and of those below it. False after a message. */
static bool add_files(struct suite *suite, const char *dir) {
    DIR *d = opendir(dir);
    if (!d) {
        fprintf(stderr, "error: %s: %s\n  fix: give a directory of .data files\n", dir,
                strerror(errno));
        return false;
    }
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(d));) {
        const char *path = arena_printf(suite->arena, "%s/%s", dir, entry->d_name);
        struct stat info;
        if (entry->d_name[0] == '.' || stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            ok = add_files(suite, path);
        else if (has_suffix(path, ".data"))
            vec_push(suite->arena, &suite->files, path);
    }
    closedir(d);
    return ok;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* --- a worker --------------------------------------------------------------------------------- */

static void first_message(const struct diag *diag, char *out, size_t size) {
    const struct diag_message *m = diag_count(diag) ? diag_get(diag, 0) : NULL;

    if (!m)
        snprintf(out, size, "no message");
    else if (m->has_loc && m->loc.line)
        snprintf(out, size, "line %u: %s", m->loc.line, m->text);
    else
        snprintf(out, size, "%s", m->text);
}

static void judge(const struct vector *vector, bool done, uint64_t r0, const struct diag *diag,
                  struct verdict *verdict) {
    enum state state = FAILED;

    if (vector->error && done)
        snprintf(verdict->text, sizeof(verdict->text), "r0 = 0x%llx, expected an error",
                 (unsigned long long)r0);
    else if (!done && !vector->error)
        first_message(diag, verdict->text, sizeof(verdict->text));
    else if (done && r0 != vector->result)
        snprintf(verdict->text, sizeof(verdict->text), "r0 = 0x%llx, expected 0x%llx",
                 (unsigned long long)r0, (unsigned long long)vector->result);
    else
        state = PASSED;
    verdict->state = state; /* last: the parent reads `text` of what has FAILED */
}

/* Runs one file on the engines that have no verdict yet. */
static void run_file(struct suite *suite, struct engine_session *session, size_t file) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct verdict *verdicts = &suite->board->verdicts[file * suite->non];
    struct vector vector;
    bool readable = vector_read(arena, suite->files.items[file], &vector, diag);

    for (size_t i = 0; i < suite->non; i++) {
        if (verdicts[i].state != WAITING)
            continue;
        if (!readable) {
            first_message(diag, verdicts[i].text, sizeof(verdicts[i].text));
            verdicts[i].state = FAILED;
            continue;
        }
        const struct engine_input input = {
            .name = vector.file,
            .insns = vector.insns,
            .count = vector.count,
            .mem = vector.mem,
            .mem_len = vector.mem_len,
            .mem_size = ENGINE_MEM_SIZE,
        };
        struct arena *run_arena = arena_new();
        struct diag *run_diag = diag_new();
        uint64_t r0 = 0;
        verdicts[i].state = RUNNING;
        alarm(SECONDS_PER_RUN);
        bool done = engine_run(session, suite->on[i], run_arena, &input, &r0, run_diag);
        alarm(0);
        judge(&vector, done, r0, run_diag, &verdicts[i]);
        diag_free(run_diag);
        arena_free(run_arena);
    }
    diag_free(diag);
    arena_free(arena);
}

/* Never returns. `first` is a file to finish after a crash, or the number of files. */
_Noreturn static void worker(struct suite *suite, size_t number, size_t first) {
    struct engine_session *session = engine_session_new();

    if (first < suite->files.count)
        run_file(suite, session, first);
    for (;;) {
        size_t file = atomic_fetch_add(&suite->board->next, 1);
        if (file >= suite->files.count)
            break;
        suite->board->taken[number] = file;
        run_file(suite, session, file);
    }
    engine_session_free(session);
    _exit(0);
}

/* --- the parent ------------------------------------------------------------------------------- */

static pid_t start(struct suite *suite, size_t number, size_t first) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        worker(suite, number, first);
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    return pid;
}

/* A worker died with work in hand: its running verdict says why. */
static void bury(struct suite *suite, size_t file, int status) {
    for (size_t i = 0; i < suite->non; i++) {
        struct verdict *verdict = &suite->board->verdicts[file * suite->non + i];
        if (verdict->state != RUNNING)
            continue;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            snprintf(verdict->text, sizeof(verdict->text), "ran longer than %d s", SECONDS_PER_RUN);
        else if (WIFSIGNALED(status))
            snprintf(verdict->text, sizeof(verdict->text), "the engine crashed: %s",
                     strsignal(WTERMSIG(status)));
        else
            snprintf(verdict->text, sizeof(verdict->text), "the engine ended the process with %d",
                     WEXITSTATUS(status));
        verdict->state = FAILED;
    }
}

static void run_all(struct suite *suite) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = processors < 1 ? 1 : processors > MAX_WORKERS ? MAX_WORKERS : (size_t)processors;
    pid_t workers[MAX_WORKERS];

    for (size_t i = 0; i < count; i++)
        workers[i] = start(suite, i, suite->files.count);
    for (size_t alive = count; alive;) {
        int status;
        pid_t pid = wait(&status);
        size_t number = 0;
        while (number < count && workers[number] != pid)
            number++;
        if (number == count)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            alive--;
            continue;
        }
        bury(suite, suite->board->taken[number], status);
        workers[number] = start(suite, number, suite->board->taken[number]);
    }
}

static size_t count_state(const struct suite *suite, size_t engine, enum state state) {
    size_t n = 0;
    for (size_t f = 0; f < suite->files.count; f++)
        n += suite->board->verdicts[f * suite->non + engine].state == state;
    return n;
}

static int report(const struct suite *suite) {
    size_t passed = 0, failed = 0;

    for (size_t f = 0; f < suite->files.count; f++)
        for (size_t e = 0; e < suite->non; e++) {
            const struct verdict *verdict = &suite->board->verdicts[f * suite->non + e];
            if (verdict->state == PASSED)
                continue;
            if (failed++ < MAX_SHOWN)
                printf("FAIL %s, %s: %s\n", suite->files.items[f], suite->on[e]->name,
                       verdict->text);
        }
    if (failed > MAX_SHOWN)
        printf("... and %zu more failures\n", failed - MAX_SHOWN);
    printf("%-32s %6s %6s\n", "engine", "passed", "failed");
    for (size_t e = 0; e < suite->non; e++) {
        size_t good = count_state(suite, e, PASSED);
        printf("%-32s %6zu %6zu\n", suite->on[e]->name, good, suite->files.count - good);
        passed += good;
    }
    printf("%zu files, %zu engines\n%zu passed, %zu failed\n", suite->files.count, suite->non,
           passed, failed);
    return failed ? 1 : 0;
}

int suite_run(char *const *dirs, size_t ndirs, const struct engine *const *on, size_t non) {
    struct suite suite = {.arena = arena_new(), .on = on, .non = non};
    int status = 2;

    for (size_t i = 0; i < ndirs; i++) {
        size_t before = suite.files.count;
        if (!add_files(&suite, dirs[i]))
            goto out;
        if (suite.files.count == before) {
            fprintf(stderr, "error: %s: no .data files\n  fix: give a directory of .data files\n",
                    dirs[i]);
            goto out;
        }
    }
    qsort(suite.files.items, suite.files.count, sizeof(char *), by_name);

    suite.board_size = sizeof(struct board) + suite.files.count * non * sizeof(struct verdict);
    suite.board =
        mmap(NULL, suite.board_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (suite.board == MAP_FAILED) {
        perror("mmap");
        goto out;
    }
    run_all(&suite);
    status = report(&suite);
    munmap(suite.board, suite.board_size);
out:
    arena_free(suite.arena);
    return status;
}
