/* SPDX-License-Identifier: MIT */
/* Messages: the printed text to the letter, hostile text, JSON. */
#include "util/diag.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *printed(const struct diag *diag, bool colour) {
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    diag_print(diag, file, colour);
    fclose(file);
    return text;
}

static void assert_printed(struct diag *diag, const char *expected) {
    char *text = printed(diag, false);

    cr_assert_str_eq(text, expected, "printed:\n%s\nexpected:\n%s", text, expected);
    free(text);
    diag_free(diag);
}

Test(diag, source_location_with_caret_and_fix) {
    struct diag *diag = diag_new();
    struct diag_loc loc = {.object = "prog.bpf.o",
                           .section = "timer/10ms",
                           .insn = 5,
                           .file = "prog.bpf.c",
                           .line = 12,
                           .column = 9,
                           .text = "    x = table[i];"};

    cr_assert_not(diag_error(diag, DIAG_STACK, &loc, "make i smaller", "%d is too %s", 7, "large"));
    cr_assert(diag_has_errors(diag));
    assert_printed(diag, "prog.bpf.c:12:9: error: 7 is too large\n"
                         "   12 |     x = table[i];\n"
                         "      |         ^\n"
                         "  at: timer/10ms, instruction 5\n"
                         "  fix: make i smaller\n");
}

Test(diag, caret_stays_under_its_place_behind_tabs) {
    struct diag *diag = diag_new();
    struct diag_loc loc = {.insn = -1, .file = "a.c", .line = 3, .column = 3, .text = "\t\tx;"};

    diag_warn(diag, DIAG_CFG, &loc, NULL, "unused");
    cr_assert_not(diag_has_errors(diag));
    assert_printed(diag, "a.c:3:3: warning: unused\n"
                         "    3 |   x;\n"
                         "      |   ^\n");
}

Test(diag, object_location) {
    struct diag *diag = diag_new();
    struct diag_loc whole = DIAG_OBJECT("a.o"), place = DIAG_OBJECT("a.o");

    place.section = "raw";
    place.insn = 3;
    diag_error(diag, DIAG_ELF, &whole, NULL, "not an ELF file");
    diag_note(diag, DIAG_INSN, &place, NULL, "here");
    diag_error(diag, DIAG_USAGE, NULL, NULL, "no file");
    cr_assert_eq(diag_count(diag), 3);
    cr_assert_eq(diag_get(diag, 1)->category, DIAG_INSN);
    assert_printed(diag, "a.o: error: not an ELF file\n"
                         "a.o: raw+3: note: here\n"
                         "error: no file\n");
}

/* Names and source lines come from files that anyone may have made. */
/* Clang records absolute paths; below the working directory they are shown from there. */
Test(diag, paths_are_relative_to_the_working_directory) {
    struct diag *diag = diag_new();
    char inside[4200], beside[4200], *cwd = getcwd(NULL, 0);
    struct diag_loc first = {.insn = -1, .file = inside, .line = 3};
    struct diag_loc second = {.insn = -1, .file = beside, .line = 4};

    snprintf(inside, sizeof(inside), "%s/dir/a.c", cwd);
    snprintf(beside, sizeof(beside), "%sdir/a.c", cwd);
    diag_error(diag, DIAG_CFG, &first, NULL, "one");
    diag_error(diag, DIAG_CFG, &second, NULL, "two");
    char *text = printed(diag, false);
    cr_assert_eq(strncmp(text, "dir/a.c:3: error: one\n", 22), 0, "%s", text);
    cr_assert_not_null(strstr(text, beside));
    free(text);
    free(cwd);
    diag_free(diag);
}

Test(diag, control_characters_do_not_reach_the_terminal) {
    struct diag *diag = diag_new();
    struct diag_loc loc = {.object = "a\033[2J.o", .section = "b\nc", .insn = 0};

    diag_error(diag, DIAG_ELF, &loc, NULL, "symbol \033]0;x\007");
    assert_printed(diag, "a?[2J.o: b?c+0: error: symbol ?]0;x?\n");
}

Test(diag, column_behind_the_line_prints_no_caret) {
    struct diag *diag = diag_new();
    struct diag_loc loc = {
        .insn = -1, .file = "a.c", .line = 1, .column = 4000000000u, .text = "x"};

    diag_error(diag, DIAG_CFG, &loc, NULL, "y");
    assert_printed(diag, "a.c:1:4000000000: error: y\n    1 | x\n");
}

Test(diag, strings_are_copied) {
    struct diag *diag = diag_new();
    char name[] = "a.o", mend[] = "mend";
    struct diag_loc loc = DIAG_OBJECT(name);

    diag_error(diag, DIAG_ELF, &loc, mend, "x");
    name[0] = mend[0] = '!';
    assert_printed(diag, "a.o: error: x\n  fix: mend\n");
}

Test(diag, colour_only_when_asked) {
    struct diag *diag = diag_new();

    diag_error(diag, DIAG_IO, NULL, NULL, "x");
    char *with = printed(diag, true), *without = printed(diag, false);
    cr_assert_not_null(strchr(with, '\033'));
    cr_assert_null(strchr(without, '\033'));
    cr_assert_not(diag_wants_colour(tmpfile()), "a file is not a terminal");
    free(with);
    free(without);
    diag_free(diag);
}

Test(diag, json) {
    struct diag *diag = diag_new();
    struct diag_loc loc = DIAG_OBJECT("a.o");

    loc.insn = 4;
    diag_error(diag, DIAG_MAP, &loc, "m", "t");
    diag_note(diag, DIAG_MAP, NULL, NULL, "u");
    cJSON *json = diag_json(diag);
    char *text = cJSON_PrintUnformatted(json);
    cr_assert_str_eq(
        text, "[{\"severity\":\"error\",\"category\":\"map\",\"message\":\"t\",\"fix\":\"m\","
              "\"object\":\"a.o\",\"insn\":4},"
              "{\"severity\":\"note\",\"category\":\"map\",\"message\":\"u\"}]");
    cJSON_free(text);
    cJSON_Delete(json);
    diag_free(diag);
}
