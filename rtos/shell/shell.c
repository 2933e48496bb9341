/* SPDX-License-Identifier: MIT */
#include "rtos/shell.h"
#include "expression.h"
#include "line.h"
#include "rtos/kernel.h"
#include "rtos/print.h"

/* The linker gives the ends of a section whose name is a C identifier (GNU ld manual, 3.5.5). */
extern const struct shell_command *const __start_shell_commands[];
extern const struct shell_command *const __stop_shell_commands[];

void shell_print(struct shell *shell, const char *pattern, ...) {
    char line[160];
    va_list arguments;
    va_start(arguments, pattern);
    size_t length = format_list(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    shell->write(shell->context, line, length < sizeof(line) ? length : sizeof(line) - 1);
}

/* ----- commands ----------------------------------------------------------------------------------- */

static bool comes_before(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a < (unsigned char)*b;
}

/* The next one by name; NULL before the first and behind the last. */
static const struct shell_command *next_command(const struct shell_command *previous) {
    const struct shell_command *best = NULL;
    for (const struct shell_command *const *c = __start_shell_commands; c < __stop_shell_commands;
         c++)
        if ((!previous || comes_before(previous->name, (*c)->name)) &&
            (!best || comes_before((*c)->name, best->name)))
            best = *c;
    return best;
}

const struct shell_command *shell_command_at(unsigned index) {
    const struct shell_command *command = next_command(NULL);
    while (command && index--)
        command = next_command(command);
    return command;
}

static const struct shell_command *find_command(const char *name) {
    for (const struct shell_command *const *c = __start_shell_commands; c < __stop_shell_commands;
         c++)
        if (text_equal((*c)->name, name))
            return *c;
    return NULL;
}

/* ----- one line ----------------------------------------------------------------------------------- */

struct words {
    int count; /* -1: too many; -2: a quotation mark without its partner */
    char *word[SHELL_WORDS];
};

/* Takes the next word out of *text and ends it with 0. "..." keeps blanks. NULL: no more. */
static char *take_word(char **text, bool *open) {
    char *from = *text, *to, *word;
    bool quoted = false;
    while (*from == ' ')
        from++;
    if (!*from)
        return NULL;
    for (word = to = from; *from && (quoted || *from != ' '); from++) {
        if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    }
    *text = *from ? from + 1 : from;
    *to = 0;
    *open = quoted;
    return word;
}

static struct words split(char *text) {
    struct words words = {0};
    bool open = false;
    for (char *word; (word = take_word(&text, &open));) {
        if (open || words.count == SHELL_WORDS) {
            words.count = open ? -2 : -1;
            return words;
        }
        words.word[words.count++] = word;
    }
    return words;
}

static void print_usage(struct shell *shell, const struct shell_command *command) {
    shell_print(shell, "usage: %s%s%s\n", command->name, command->usage ? " " : "",
                command->usage ? command->usage : "");
}

static int call(struct shell *shell, const struct shell_command *command, struct words words) {
    int arguments = words.count - 1;
    int result = SHELL_USAGE;
    if (arguments >= command->least && arguments <= command->most)
        result = command->run(shell, words.count, words.word);
    if (result == SHELL_USAGE)
        print_usage(shell, command);
    if (result > 0)
        shell_print(shell, "%s: %s (status %d)\n", command->name,
                    kernel_status_text((enum kernel_status)result), result);
    return result;
}

static int refuse(struct shell *shell, const char *what) {
    shell_print(shell, "shell: %s\n", what);
    return SHELL_FAILED;
}

int shell_execute(struct shell *shell, const char *line) {
    char text[LINE_MAX + 1];
    size_t length = strlen(line);
    if (length > LINE_MAX)
        return refuse(shell, "the line is too long");
    for (size_t i = 0; i <= length; i++)
        text[i] = line[i];
    char *rest = text;
    bool open = false;
    char *name = take_word(&rest, &open);
    if (!name)
        return SHELL_DONE;
    const struct shell_command *command = open ? NULL : find_command(name);
    if (!command) {
        shell_print(shell, "%s: no such command; `help` lists them\n", name);
        return SHELL_FAILED;
    }
    while (*rest == ' ')
        rest++;
    struct words words = {*rest ? 2 : 1, {name, rest}};
    if (!command->rest) {
        words = split(rest);
        if (words.count < 0 || words.count == SHELL_WORDS)
            return refuse(shell, words.count == -2 ? "a \" is missing" : "too many words");
        for (int i = words.count++; i > 0; i--)
            words.word[i] = words.word[i - 1];
        words.word[0] = name;
    }
    return call(shell, command, words);
}

bool shell_value(struct shell *shell, const char *text, int64_t *value) {
    size_t where;
    enum expression_error error = expression_value(text, value, &where);
    if (error)
        shell_print(shell, "%s:\n  %s\n  %*s^\n", expression_error_text(error), text, (int)where,
                    "");
    return !error;
}
