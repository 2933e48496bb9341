/* SPDX-License-Identifier: MIT
 *
 * The shell: commands, and where their output goes. A command is added where it belongs, in any file:
 *
 *     static int blink(struct shell *shell, int argc, char **argv) { ... return SHELL_DONE; }
 *     SHELL_COMMAND(blink, .usage = "[MS]", .help = "blinks the LED once", .most = 1, .run = blink);
 */
#ifndef RTOS_SHELL_H
#define RTOS_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whoever reads the answers: a terminal, or a protocol that collects them. */
struct shell {
    void (*write)(void *context, const char *text, size_t length);
    void *context;
};

/* What a command returns. Above 0: an enum kernel_status, whose text the shell prints. */
enum shell_result {
    SHELL_DONE = 0,
    SHELL_USAGE = -1,  /* the shell prints the usage */
    SHELL_FAILED = -2, /* the command has said why */
};

enum { SHELL_WORDS = 8 }; /* the command's name included */

struct shell_command {
    const char *name, *help;
    const char *usage;   /* the arguments; NULL: there are none */
    uint8_t least, most; /* number of arguments */
    bool rest; /* argv[1] is the rest of the line as it was typed; an empty one is no argument */
    int (*run)(struct shell *shell, int argc, char **argv);
    /* For completion: the index-th word that may be the argument number `position` (1: the first); NULL: there
     * are no more. */
    const char *(*word)(unsigned position, unsigned index);
};

/* The linker collects pointers to all commands (ld: section shell_commands). */
#define SHELL_COMMAND(identifier, ...)                                                             \
    static const struct shell_command shell_command_##identifier = {.name = #identifier,           \
                                                                    __VA_ARGS__};                  \
    __attribute__((section("shell_commands"),                                                      \
                   used)) static const struct shell_command *const shell_entry_##identifier =      \
        &shell_command_##identifier

/* shell.c */
int shell_execute(struct shell *shell, const char *line);
__attribute__((format(printf, 2, 3))) void shell_print(struct shell *shell, const char *pattern,
                                                       ...); /* cut at 160 bytes */
/* The value of an integer expression; false: it has none, and the shell has said why. */
bool shell_value(struct shell *shell, const char *text, int64_t *value);
const struct shell_command *shell_command_at(unsigned index); /* by name; NULL: there are no more */

/* session.c: on the console. Who reads it (rtos/smp.h) gives the shell what is meant for it. */
void shell_console_start(void);
void shell_console_feed(uint8_t byte);
void shell_console_lost(
    void); /* bytes that may have been part of the line: it is not to be carried out */
void shell_console_covered(void); /* the line is no longer the last thing on the screen */

#endif
