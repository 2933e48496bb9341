/* SPDX-License-Identifier: MIT */
/* Commands described: --help as text, and as JSON for programs that drive the tool. */
#include "util/cmd_table.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static void each(const char *text, const char *separator, cmd_each_fn *call, void *user) {
    while (text && *text) {
        int length = (int)strcspn(text, separator);
        if (length > 0)
            call(text, length, user);
        text += length + (text[length] != '\0');
    }
}

void cmd_each_line(const char *text, cmd_each_fn *call, void *user) {
    each(text, "\n", call, user);
}

void cmd_each_word(const char *text, cmd_each_fn *call, void *user) {
    each(text, " ", call, user);
}

const char *cmd_synopsis(const char *program, const struct cmd *cmd, struct arena *arena) {
    return arena_printf(arena, "%s %s [options]%s%s", program, cmd->name, cmd->operands ? " " : "",
                        cmd->operands ? cmd->operands : "");
}

const char *cmd_example(const char *program, const struct cmd *cmd, struct arena *arena) {
    static const char mark[] = "{program}";
    const char *at = strstr(cmd->example, mark);

    if (!at)
        return cmd->example;
    return arena_printf(arena, "%.*s%s%s", (int)(at - cmd->example), cmd->example, program,
                        at + strlen(mark));
}

const char *cmd_option_argument(const struct cmd_option *option, struct arena *arena) {
    if (!option->arg)
        return "";
    return cmd_arg_is_optional(option) ? arena_printf(arena, "[=%s", option->arg + 1)
                                       : arena_printf(arena, " %s", option->arg);
}

static void print_options(const struct cmd_option *options, struct arena *arena) {
    for (const struct cmd_option *o = options; o && o->id; o++) {
        const char *letter = cmd_has_letter(o) ? arena_printf(arena, "-%c", o->id) : "    ";
        const char *name = o->name ? arena_printf(arena, "--%s", o->name) : "";
        const char *left =
            arena_printf(arena, "%s%s%s%s", letter, cmd_has_letter(o) && o->name ? ", " : "", name,
                         cmd_option_argument(o, arena));
        printf("  %-24s %s\n", left, o->help);
    }
}

static void print_example(const char *line, int length, void *user) {
    (void)user;
    printf("  %.*s\n", length, line);
}

void cmd_print_command_help(const char *program, const struct cmd *cmd, struct arena *arena) {
    printf("usage: %s\n\n%s\n", cmd_synopsis(program, cmd, arena), cmd->brief);
    if (cmd->about)
        printf("\n%s\n", cmd->about);
    printf("\noptions:\n");
    print_options(cmd->options, arena);
    print_options(cmd_common_options, arena);
    printf("\nexample:\n");
    cmd_each_line(cmd_example(program, cmd, arena), print_example, NULL);
}

void cmd_print_help(const struct cmd_program *program, struct arena *arena) {
    printf("usage: %s COMMAND [options] ...\n\n%s\n\ncommands:\n", program->name, program->brief);
    for (const struct cmd *const *cmd = program->commands; *cmd; cmd++)
        printf("  %-10s %s\n", (*cmd)->name, (*cmd)->brief);
    printf("\noptions:\n");
    print_options(
        (const struct cmd_option[]){
            {CMD_LONG, "help", NULL, "print this help", NULL},
            {CMD_LONG, "version", NULL, "print the version", NULL},
            {0},
        },
        arena);
    printf("\n`%s COMMAND --help` shows the options of a command and an example.\n", program->name);
    printf("Exit status: 0 done, 1 the input was refused, 2 usage or I/O error.\n");
}

static void add_item(const char *text, int length, void *array) {
    char *copy = strndup(text, (size_t)length);
    cJSON_AddItemToArray(array, cJSON_CreateString(copy));
    free(copy);
}

static void add_string(cJSON *object, const char *key, const char *text) {
    if (text)
        cJSON_AddStringToObject(object, key, text);
}

static void add_options(cJSON *array, const struct cmd_option *options) {
    for (const struct cmd_option *o = options; o && o->id; o++) {
        cJSON *row = cJSON_CreateObject();
        const char letter[] = {(char)o->id, '\0'};
        if (cmd_has_letter(o))
            cJSON_AddStringToObject(row, "letter", letter);
        add_string(row, "name", o->name);
        add_string(row, "argument", o->arg);
        add_string(row, "help", o->help);
        if (o->values)
            cmd_each_word(o->values, add_item, cJSON_AddArrayToObject(row, "values"));
        cJSON_AddItemToArray(array, row);
    }
}

struct cJSON *cmd_json(const char *program, const struct cmd *cmd, struct arena *arena) {
    cJSON *object = cJSON_CreateObject();

    add_string(object, "name", cmd->name);
    add_string(object, "brief", cmd->brief);
    add_string(object, "program", cmd->program);
    if (cmd->program)
        return object;
    add_string(object, "operands", cmd->operands);
    add_string(object, "about", cmd->about);
    cmd_each_line(cmd_example(program, cmd, arena), add_item,
                  cJSON_AddArrayToObject(object, "examples"));
    cJSON *options = cJSON_AddArrayToObject(object, "options");
    add_options(options, cmd->options);
    add_options(options, cmd_common_options);
    return object;
}

struct cJSON *cmd_program_json(const struct cmd_program *program, struct arena *arena) {
    cJSON *object = cJSON_CreateObject();

    add_string(object, "program", program->name);
    add_string(object, "version", program->version);
    add_string(object, "brief", program->brief);
    cJSON *commands = cJSON_AddArrayToObject(object, "commands");
    for (const struct cmd *const *cmd = program->commands; *cmd; cmd++)
        cJSON_AddItemToArray(commands, cmd_json(program->name, *cmd, arena));
    return object;
}

void cmd_give_text(struct cmd_args *args, const char *text, size_t size) {
    if (args->json)
        cJSON_AddStringToObject(args->result, "text", text);
    else
        fwrite(text, 1, size, stdout);
}
