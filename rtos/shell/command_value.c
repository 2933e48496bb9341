/* SPDX-License-Identifier: MIT
 *
 * Commands with variables and expressions.
 */
#include "expression.h"
#include "line.h"
#include "rtos/shell.h"

static const char *variable_word(unsigned position, unsigned index) {
    int64_t value;
    (void)position;
    return variable_at(index, &value);
}

static int list(struct shell *shell) {
    int64_t value;
    const char *name;
    for (unsigned i = 0; (name = variable_at(i, &value)); i++)
        shell_print(shell, "%-*s = %lld (0x%llx)\n", VARIABLE_NAME - 1, name, (long long)value,
                    (unsigned long long)value);
    return SHELL_DONE;
}

static int print_value(struct shell *shell, int argc, char **argv) {
    int64_t value;
    if (argc == 1)
        return list(shell);
    if (!shell_value(shell, argv[1], &value))
        return SHELL_FAILED;
    shell_print(shell, "%lld (0x%llx)\n", (long long)value, (unsigned long long)value);
    return SHELL_DONE;
}

static int store(struct shell *shell, const char *name, size_t length, int64_t value) {
    switch (variable_set(name, length, value)) {
    case VARIABLE_OK: return SHELL_DONE;
    case VARIABLE_BAD_NAME: return SHELL_USAGE;
    case VARIABLE_LONG_NAME:
        shell_print(shell, "set: a name has at most %d characters\n", VARIABLE_NAME - 1);
        return SHELL_FAILED;
    case VARIABLE_NO_ROOM:
        shell_print(shell, "set: all %d variables are in use; unset NAME frees one\n", VARIABLES);
        return SHELL_FAILED;
    }
    return SHELL_FAILED;
}

/* NAME = EXPRESSION; the sign may be left out. */
static int set(struct shell *shell, int argc, char **argv) {
    if (argc == 1)
        return list(shell);
    const char *text = argv[1];
    size_t length = variable_name_length(text);
    const char *rest = text + length;
    while (*rest == ' ')
        rest++;
    if (*rest == '=')
        rest++;
    else if (rest == text + length) /* as in 1x, or a name and no more */
        return SHELL_USAGE;
    while (*rest == ' ')
        rest++;
    int64_t value;
    if (!shell_value(shell, rest, &value))
        return SHELL_FAILED;
    return store(shell, text, length, value);
}

static int unset(struct shell *shell, int argc, char **argv) {
    (void)argc;
    if (variable_remove(argv[1], strlen(argv[1])))
        return SHELL_DONE;
    shell_print(shell, "unset: there is no variable %s\n", argv[1]);
    return SHELL_FAILED;
}

SHELL_COMMAND(print, .usage = "[EXPRESSION]",
              .help = "the value, with + - * / % & | ^ ~ ! << >> < == ( )", .most = 1, .rest = true,
              .run = print_value, .word = variable_word);
SHELL_COMMAND(set, .usage = "[NAME = EXPRESSION]", .help = "sets a variable of 64 bits; lists all",
              .most = 1, .rest = true, .run = set, .word = variable_word);
SHELL_COMMAND(unset, .usage = "NAME", .help = "removes a variable", .least = 1, .most = 1,
              .run = unset, .word = variable_word);
