/* SPDX-License-Identifier: MIT */
/* Runs clang as a child; clang_messages.c puts what it says into other words. */
#include "clang.h"

#include "clang_messages.h"
#include "util/cmd.h"
#include "util/file.h"
#include "util/progress.h"
#include "util/vec.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Where bpf_mcu.h may be, seen from the directory of the executable: build/ in the source tree with
 * its generated headers, or PREFIX/bin.
 */
static const char *const header_dirs[] = {"../programs", "gen", "../share/bpf2thumb/include"};

typedef VEC(const char *) words;

/* CLANG overrides; else the version that the project is tested with, else what there is. */
static const char *find_clang(struct arena *arena) {
    static const char *const names[] = {"clang-19", "clang"};
    const char *chosen = getenv("CLANG"), *path = getenv("PATH");

    if (chosen && *chosen)
        return chosen;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *save, *dirs = arena_strdup(arena, path ? path : "/usr/bin");
        for (char *dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
            if (access(arena_printf(arena, "%s/%s", dir, names[i]), X_OK) == 0)
                return names[i];
    }
    return names[0];
}

static char **command_line(const struct clang_job *job, struct arena *arena) {
    const char *dir = cmd_program_dir(arena);
    words argv = {0};

    vec_push(arena, &argv, find_clang(arena));
    vec_push(arena, &argv, "-target");
    vec_push(arena, &argv, "bpf");
    vec_push(arena, &argv,
             arena_printf(arena, "-mcpu=%s", job->cpu ? job->cpu : CLANG_DEFAULT_CPU));
    vec_push(arena, &argv, "-O2");
    vec_push(arena, &argv, "-g"); /* maps and source lines come from BTF */
    /* A loop that fills or copies stays a loop: memset() and memcpy() would have to be there. */
    vec_push(arena, &argv, "-mllvm");
    vec_push(arena, &argv, "-disable-loop-idiom-memset");
    vec_push(arena, &argv, "-mllvm");
    vec_push(arena, &argv, "-disable-loop-idiom-memcpy");
    vec_push(arena, &argv, "-Wall");
    vec_push(arena, &argv, "-fno-caret-diagnostics");
    vec_push(arena, &argv, "-fno-color-diagnostics");
    vec_push(arena, &argv, "-fno-crash-diagnostics"); /* would leave files in /tmp */
    for (size_t i = 0; i < sizeof(header_dirs) / sizeof(header_dirs[0]); i++) {
        const char *include = arena_printf(arena, "%s/%s", dir, header_dirs[i]);
        if (access(include, X_OK) == 0)
            vec_push(arena, &argv, arena_printf(arena, "-I%s", include));
    }
    for (size_t i = 0; i < job->flag_count; i++)
        vec_push(arena, &argv, job->flags[i]);
    vec_push(arena, &argv,
             "-x"); /* whatever the file's name: clang takes others for linker input */
    vec_push(arena, &argv, "c");
    vec_push(arena, &argv, "-c");
    vec_push(arena, &argv, "-o");
    vec_push(arena, &argv, job->object);
    vec_push(arena, &argv, "--");
    vec_push(arena, &argv, job->source);
    vec_push(arena, &argv, NULL);
    return (char **)argv.items;
}

static void wait_for(pid_t child, int *status) {
    struct pollfd ended = {.fd = progress_wanted() ? pidfd_open(child, 0) : -1, .events = POLLIN};

    while (ended.fd >= 0 && poll(&ended, 1, PROGRESS_MS) == 0)
        progress_tick();
    if (ended.fd >= 0)
        close(ended.fd);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        continue;
}

/* Runs argv and collects what it writes to stderr. False when it could not be started. */
static bool run(char **argv, struct arena *arena, char **output, int *status) {
    int fd = memfd_create("clang messages", MFD_CLOEXEC);
    size_t size = 0;
    ssize_t got;

    if (fd < 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        dup2(fd, STDERR_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (child > 0)
        wait_for(child, status);
    off_t length = lseek(fd, 0, SEEK_END);
    *output = arena_alloc(arena, (size_t)length + 1);
    while ((got = pread(fd, *output + size, (size_t)length - size, (off_t)size)) > 0)
        size += (size_t)got;
    close(fd);
    return child > 0 && !(WIFEXITED(*status) && WEXITSTATUS(*status) == 127);
}

bool clang_compile(const struct clang_job *job, struct arena *arena, struct diag *diag) {
    char **argv = command_line(job, arena), *output;
    int status = 0;

    struct stat file;
    if (stat(job->source, &file) == 0 && S_ISDIR(file.st_mode))
        return diag_error(diag, DIAG_IO, NULL, NULL, "%s: cannot read: %s", job->source,
                          strerror(EISDIR));
    if (access(job->source, R_OK) != 0)
        return diag_error(diag, DIAG_IO, NULL, NULL, "%s: cannot read: %s", job->source,
                          strerror(errno));
    progress_begin("compiling C", 0);
    bool started = run(argv, arena, &output, &status);
    progress_end();
    if (!started)
        return diag_error(diag, DIAG_IO, NULL,
                          "install it (Debian: apt-get install clang-19) or name it in CLANG",
                          "cannot start the C compiler %s", argv[0]);

    const char *first = arena_strdup(arena, output);
    clang_translate(output, job->source, arena, diag);
    if (status == 0)
        return true;
    if (!diag_has_errors(diag))
        diag_error(diag, DIAG_CLANG, NULL, NULL, "%s failed on %s: %.*s", argv[0], job->source,
                   (int)strcspn(first, "\n"), first);
    return false;
}

const char *clang_object_name(const char *source, struct arena *arena) {
    size_t length = strlen(source);

    if (length > 2 && strcmp(source + length - 2, ".c") == 0)
        length -= 2;
    return arena_printf(arena, "%.*s.o", (int)length, source);
}

bool clang_object_open(struct clang_object *object, const char *path, struct arena *arena,
                       struct diag *diag) {
    size_t length = strlen(path);
    const char *tmp = getenv("TMPDIR"), *slash = strrchr(path, '/');

    *object = (struct clang_object){.path = path};
    if (length < 2 || strcmp(path + length - 2, ".c") != 0)
        return true;
    char *directory = arena_printf(arena, "%s/bpf2thumb-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(directory))
        return diag_error(diag, DIAG_IO, NULL, "set TMPDIR to a directory that can be written",
                          "cannot create %s: %s", directory, strerror(errno));
    object->directory = directory;
    object->path =
        arena_printf(arena, "%s/%s", directory, clang_object_name(slash ? slash + 1 : path, arena));
    struct clang_job job = {.source = path, .object = object->path};
    return clang_compile(&job, arena, diag);
}

void clang_object_close(struct clang_object *object) {
    if (!object->directory)
        return;
    unlink(object->path);
    rmdir(object->directory);
    object->directory = NULL;
}
