/* SPDX-License-Identifier: MIT */
/* Reading the tables of commands: what the parser, help, manual page and completion share. */
#ifndef UTIL_CMD_TABLE_H
#define UTIL_CMD_TABLE_H

#include "util/cmd.h"

#include <stdio.h>

struct cJSON;

/* Options of every command; ends with id 0. */
extern const struct cmd_option cmd_common_options[];

#define CMD_COLOUR_VALUES "auto always never"

static inline bool cmd_has_letter(const struct cmd_option *option) {
    return option->id < CMD_LONG;
}

static inline bool cmd_arg_is_optional(const struct cmd_option *option) {
    return option->arg && option->arg[0] == '[';
}

/* "bpf2thumb build [options] X.bpf.c" */
const char *cmd_synopsis(const char *program, const struct cmd *cmd, struct arena *arena);

/* Its example, with the name of the program that lists it. */
const char *cmd_example(const char *program, const struct cmd *cmd, struct arena *arena);

/* What --help shows behind an option's name: " FILE", "[=PASS]" or "". */
const char *cmd_option_argument(const struct cmd_option *option, struct arena *arena);

void cmd_print_help(const struct cmd_program *program, struct arena *arena);
void cmd_print_command_help(const char *program, const struct cmd *cmd, struct arena *arena);

/* The same as data: a command, or all of them. The caller deletes it. */
struct cJSON *cmd_json(const char *program, const struct cmd *cmd, struct arena *arena);
struct cJSON *cmd_program_json(const struct cmd_program *program, struct arena *arena);

/* Runs `call` for each line of text, and for each word of a list separated by blanks. */
typedef void cmd_each_fn(const char *text, int length, void *user);
void cmd_each_line(const char *text, cmd_each_fn *call, void *user);
void cmd_each_word(const char *text, cmd_each_fn *call, void *user);

/* For a command that makes a text: to stdout, or into the result as `text`. */
void cmd_give_text(struct cmd_args *args, const char *text, size_t size);

#endif
