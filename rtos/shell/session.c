/* SPDX-License-Identifier: MIT */
#include "session.h"
#include "rtos/console.h"

static const struct shell_command *command_named(const char *name, size_t length) {
    const struct shell_command *command;
    for (unsigned i = 0; (command = shell_command_at(i)); i++)
        if (strlen(command->name) == length && text_begins(command->name, name, length))
            return command;
    return NULL;
}

const char *session_complete(void *context, const char *text, unsigned index, size_t *start) {
    (void)context;
    size_t at = 0, name = 0, name_length = 0;
    unsigned position = 0; /* of the word that begins at *start */
    for (;;) {
        while (text[at] == ' ')
            at++;
        *start = at;
        while (text[at] && text[at] != ' ')
            at++;
        if (!text[at])
            break;
        if (position++ == 0)
            name = *start, name_length = at - *start;
    }
    if (position == 0) {
        const struct shell_command *command = shell_command_at(index);
        return command ? command->name : NULL;
    }
    const struct shell_command *command = command_named(text + name, name_length);
    return command && command->word ? command->word(position, index) : NULL;
}

/* A line that has lost a part of itself might mean anything: it is not carried out. */
static void refuse(struct session *session) {
    const struct line *line = &session->line;
    if (line->noise)
        shell_print(
            &session->shell,
            "shell: %u bytes of noise came with this line (wrong speed?): not carried out\n",
            (unsigned)line->noise);
    else
        shell_print(&session->shell, "shell: longer than %d characters: not carried out\n",
                    LINE_MAX);
}

void session_init(struct session *session, struct shell shell) {
    session->shell = shell;
    session->user = (struct line_user){shell.context, "> ", shell.write, session_complete};
    line_init(&session->line, &session->user);
    line_begin(&session->line);
}

void session_feed(struct session *session, uint8_t byte) {
    enum line_event event = line_feed(&session->line, byte);
    if (event == LINE_NOTHING)
        return;
    if (event == LINE_READY)
        shell_execute(&session->shell, session->line.text);
    else
        refuse(session);
    line_begin(&session->line);
}

static void to_console(void *context, const char *text, size_t length) {
    (void)context;
    console_write(CONSOLE_INTERACTIVE, text, length);
}

static struct session console;
static bool covered;

void shell_console_start(void) {
    session_init(&console, (struct shell){to_console, NULL});
}

void shell_console_feed(uint8_t byte) {
    if (covered)
        line_redraw(&console.line);
    covered = false;
    session_feed(&console, byte);
}

void shell_console_lost(void) {
    if (console.line.length)
        console.line.noise++;
}

void shell_console_covered(void) {
    covered = true;
}
