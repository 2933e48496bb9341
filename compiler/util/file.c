/* SPDX-License-Identifier: MIT */
/* Reading and writing whole files. */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP (64u * 1024)

static bool io_error(struct diag *diag, const char *path, const char *what) {
    return diag_error(diag, DIAG_IO, NULL, NULL, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Reads to the end of fd. The size is not asked for first: pipes have none, and files change. */
static bool read_all(int fd, const char *path, size_t limit, struct arena *arena, uint8_t **bytes,
                     size_t *size, struct diag *diag) {
    size_t capacity = READ_STEP, used = 0;
    uint8_t *buffer = arena_alloc(arena, capacity + 1);

    for (;;) {
        ssize_t got = read(fd, buffer + used, capacity - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error(diag, path, "read");
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > limit)
            return diag_error(diag, DIAG_IO, NULL, NULL, "%s: longer than %zu bytes", path, limit);
        if (used == capacity) {
            uint8_t *grown = arena_alloc(arena, 2 * capacity + 1);
            buffer = memcpy(grown, buffer, used);
            capacity *= 2;
        }
    }
    buffer[used] = 0;
    *bytes = buffer;
    *size = used;
    return true;
}

bool file_read(const char *path, size_t limit, struct arena *arena, uint8_t **bytes, size_t *size,
               struct diag *diag) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return io_error(diag, path, "open");
    bool done = read_all(fd, path, limit, arena, bytes, size, diag);
    close(fd);
    return done;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size) {
    while (size > 0) {
        ssize_t put = write(fd, bytes, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        size -= (size_t)put;
    }
    return true;
}

static bool write_directly(const char *path, const void *bytes, size_t size, struct diag *diag) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return io_error(diag, path, "open");
    bool done = write_all(fd, bytes, size);
    if (close(fd) != 0 || !done)
        return io_error(diag, path, "write");
    return true;
}

/* The mode that open(..., 0666) would have given; mkstemp() makes files that only the owner reads. */
static mode_t default_mode(void) {
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

/* The temporary file beside a regular file, complete. */
static bool prepare(struct file_output *out, struct diag *diag) {
    struct stat status;
    bool exists = stat(out->path, &status) == 0;

    if (exists && !S_ISREG(status.st_mode))
        return true;
    if (asprintf(&out->temporary, "%s.XXXXXX", out->path) < 0)
        abort();
    int fd = mkstemp(out->temporary);
    if (fd < 0) {
        free(out->temporary);
        out->temporary = NULL;
        return io_error(diag, out->path, "create");
    }
    bool done = write_all(fd, out->bytes, out->size) &&
                fchmod(fd, exists ? status.st_mode & 07777 : default_mode()) == 0;
    done = close(fd) == 0 && done;
    return done || io_error(diag, out->path, "write");
}

static bool put_in_place(struct file_output *out, struct diag *diag) {
    if (rename(out->temporary, out->path) != 0)
        return io_error(diag, out->path, "write");
    free(out->temporary);
    out->temporary = NULL;
    return true;
}

bool file_write_all(struct file_output *outputs, size_t count, struct diag *diag) {
    bool done = true;

    for (size_t i = 0; i < count; i++)
        outputs[i].temporary = NULL;
    for (size_t i = 0; i < count && done; i++)
        done = prepare(&outputs[i], diag);
    /* What cannot be taken back, and may fail, comes before the renaming. */
    for (size_t i = 0; i < count && done; i++)
        if (!outputs[i].temporary)
            done = write_directly(outputs[i].path, outputs[i].bytes, outputs[i].size, diag);
    for (size_t i = 0; i < count && done; i++)
        if (outputs[i].temporary)
            done = put_in_place(&outputs[i], diag);
    for (size_t i = 0; i < count; i++)
        if (outputs[i].temporary) {
            unlink(outputs[i].temporary);
            free(outputs[i].temporary);
        }
    return done;
}

bool file_write(const char *path, const void *bytes, size_t size, struct diag *diag) {
    struct file_output out = {.path = path, .bytes = bytes, .size = size};
    return file_write_all(&out, 1, diag);
}

/* Where a file would come to lie: the directory, and its name there. */
static bool find_directory(const char *path, struct stat *directory, const char **name) {
    const char *slash = strrchr(path, '/');
    char *head;

    *name = slash ? slash + 1 : path;
    if (asprintf(&head, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".") < 0)
        abort();
    bool found = stat(head, directory) == 0;
    free(head);
    return found;
}

static bool same_inode(const struct stat *x, const struct stat *y) {
    return x->st_dev == y->st_dev && x->st_ino == y->st_ino;
}

bool file_same(const char *a, const char *b) {
    struct stat x, y;
    const char *name_a, *name_b;

    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return S_ISREG(x.st_mode) && same_inode(&x, &y);
    return find_directory(a, &x, &name_a) && find_directory(b, &y, &name_b) && same_inode(&x, &y) &&
           strcmp(name_a, name_b) == 0;
}

bool file_spares(const char *output, const char *input, struct diag *diag) {
    if (!file_same(output, input))
        return true;
    return diag_error(diag, DIAG_USAGE, NULL, "name different files",
                      "the output would overwrite %s", input);
}

bool file_stdout_done(void) {
    /* What failed on the way is a mark of the stream; only the last part fails here. */
    bool failed = ferror(stdout);

    errno = 0;
    if (fflush(stdout) == 0 && !failed)
        return true;
    fprintf(stderr, "error: cannot write to standard output%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return false;
}
