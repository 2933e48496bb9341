/* SPDX-License-Identifier: MIT */
/* Tables of commands with text that means something to roff: it is shown, not obeyed. */
#include "util/cmd.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

static void run(struct cmd_args *args) {
    (void)args;
}

static const struct cmd_option options[] = {
    {'x', NULL, "N", ".TH of an option", NULL},
    {0},
};

static const struct cmd cmd_hostile = {
    .name = "hostile",
    .brief = "text for roff",
    .about = ".SH is no request\n'nor is this\nC:\\new stays",
    .example = ".so file",
    .options = options,
    .run = run,
};

static const struct cmd *const commands[] = {&cmd_hostile, &cmd_man, NULL};

static const struct cmd_program program = {
    .name = "tool",
    .brief = "A tool.",
    .version = "1",
    .commands = commands,
};

Test(cmd, text_of_a_manual_page_is_no_request, .init = cr_redirect_stdout) {
    static const char *const expected[] = {
        "\n\\&.SH is no request\n\\&'nor is this\nC:\\enew stays\n",
        "\n\\&.TH of an option\n",
        "\n\\&.so file\n",
    };
    char *argv[] = {"tool", "man", NULL}, page[8192];

    cr_assert_eq(cmd_main(&program, 2, argv), CMD_DONE);
    fflush(stdout);
    size_t size = fread(page, 1, sizeof(page) - 1, cr_get_redirected_stdout());
    page[size] = '\0';
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect(strstr(page, expected[i]), "no `%s` in the page:\n%s", expected[i], page);
}
