/* SPDX-License-Identifier: MIT */
/* Whole files: round trip, limits, what a failed write leaves behind. */
#include "util/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *arena;
static struct diag *diag;
static char dir[] = "/tmp/test-file-XXXXXX";

static void setup(void) {
    arena = arena_new();
    diag = diag_new();
    cr_assert_not_null(mkdtemp(dir));
}

static void teardown(void) {
    cr_assert_eq(system(arena_printf(arena, "rm -r %s", dir)), 0);
    diag_free(diag);
    arena_free(arena);
}

static const char *in_dir(const char *name) {
    return arena_printf(arena, "%s/%s", dir, name);
}

static int entries(void) {
    int count = 0;
    DIR *d = opendir(dir);

    while (readdir(d))
        count++;
    closedir(d);
    return count - 2; /* . and .. */
}

TestSuite(file, .init = setup, .fini = teardown);

Test(file, round_trip_of_every_size_class) {
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *out = arena_alloc(arena, sizes[i]), *in;
        size_t size;
        for (size_t k = 0; k < sizes[i]; k++)
            out[k] = (uint8_t)(k * 7 + i);
        cr_assert(file_write(in_dir("x"), out, sizes[i], diag));
        cr_assert(file_read(in_dir("x"), FILE_SIZE_LIMIT, arena, &in, &size, diag));
        cr_assert_eq(size, sizes[i]);
        cr_assert_eq(memcmp(in, out, size), 0);
        cr_assert_eq(in[size], 0);
    }
    cr_assert_eq(entries(), 1, "no temporary file is left");
    cr_assert_not(diag_has_errors(diag));
}

Test(file, limit) {
    uint8_t *bytes;
    size_t size;

    cr_assert(file_write(in_dir("x"), "12345", 5, diag));
    cr_assert(file_read(in_dir("x"), 5, arena, &bytes, &size, diag));
    cr_assert_not(file_read(in_dir("x"), 4, arena, &bytes, &size, diag));
    cr_assert_eq(diag_get(diag, 0)->category, DIAG_IO);
}

Test(file, reading_what_is_not_there) {
    uint8_t *bytes;
    size_t size;

    cr_assert_not(file_read(in_dir("none"), 10, arena, &bytes, &size, diag));
    cr_assert_not(file_read(dir, 10, arena, &bytes, &size, diag), "a directory");
    cr_assert_eq(diag_count(diag), 2);
}

Test(file, failed_write_leaves_nothing) {
    cr_assert_not(file_write(in_dir("none/x"), "1", 1, diag));
    cr_assert_eq(entries(), 0);
    mkdir(in_dir("d"), 0777);
    cr_assert_not(file_write(in_dir("d"), "1", 1, diag));
    cr_assert_eq(entries(), 1);
    cr_assert_eq(diag_count(diag), 2);
}

Test(file, mode_of_the_file_replaced_is_kept) {
    struct stat status;

    cr_assert(file_write(in_dir("x"), "1", 1, diag));
    chmod(in_dir("x"), 0751);
    cr_assert(file_write(in_dir("x"), "2", 1, diag));
    stat(in_dir("x"), &status);
    cr_assert_eq(status.st_mode & 07777, 0751);
}

Test(file, devices_are_written_directly) {
    cr_assert(file_write("/dev/null", "1", 1, diag));
    cr_assert_not(file_write("/dev/full", "1", 1, diag), "what cannot be written is an error");
}
