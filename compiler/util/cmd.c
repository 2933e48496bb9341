/* SPDX-License-Identifier: MIT */
/* Commands: options and help from one table, suggestions for typing errors, exit status. */
#include "util/cmd.h"

#include "util/vec.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID_HELP (INT_MAX - 1)
#define ID_JSON (INT_MAX - 2)

static const struct cmd_option common_options[] = {
    {ID_JSON, "json", NULL, "print results and messages as one JSON object"},
    {ID_HELP, "help", NULL, "print this help"},
    {0},
};

/* ---- Suggestions ---- */

#define SUGGEST_LENGTH 32

/* Levenshtein distance of two short words; long ones are as far apart as possible. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[SUGGEST_LENGTH + 1], la = strlen(a), lb = strlen(b);

    if (la > SUGGEST_LENGTH || lb > SUGGEST_LENGTH)
        return SIZE_MAX;
    for (size_t k = 0; k <= lb; k++)
        row[k] = k;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= lb; k++) {
            size_t best = diagonal + (a[i - 1] != b[k - 1]);
            diagonal = row[k];
            if (best > row[k] + 1)
                best = row[k] + 1;
            if (best > row[k - 1] + 1)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[lb];
}

/* Keeps the nearest candidate that a typing error could have turned into `word`. */
static void suggest(const char *word, const char *candidate, const char **best, size_t *distance) {
    size_t d = edit_distance(word, candidate);

    if (d <= 1 + strlen(candidate) / 3 && d < *distance) {
        *best = candidate;
        *distance = d;
    }
}

/* ---- Help ---- */

static bool has_letter(const struct cmd_option *option) {
    return option->id < CMD_LONG;
}

static bool arg_is_optional(const struct cmd_option *option) {
    return option->arg && option->arg[0] == '[';
}

static void print_options(const struct cmd_option *options) {
    for (const struct cmd_option *o = options; o && o->id; o++) {
        char left[80];
        int n = has_letter(o) ? snprintf(left, sizeof(left), "-%c", o->id) : 0;

        if (o->name)
            n += snprintf(left + n, sizeof(left) - (size_t)n, "%s--%s", n ? ", " : "    ", o->name);
        if (arg_is_optional(o))
            n += snprintf(left + n, sizeof(left) - (size_t)n, "[=%s", o->arg + 1);
        else if (o->arg)
            n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->arg);
        assert((size_t)n < sizeof(left));
        printf("  %-24s %s\n", left, o->help);
    }
}

static void print_command_help(const char *program, const struct cmd *cmd) {
    printf("usage: %s %s [options] %s\n\n%s\n", program, cmd->name, cmd->operands, cmd->brief);
    if (cmd->about)
        printf("\n%s\n", cmd->about);
    printf("\noptions:\n");
    print_options(cmd->options);
    print_options(common_options);
    printf("\nexample:\n");
    for (const char *line = cmd->example; *line;) {
        int length = (int)strcspn(line, "\n");
        printf("  %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_help(const struct cmd_program *program) {
    printf("usage: %s COMMAND [options] ...\n\n%s\n\ncommands:\n", program->name, program->brief);
    for (const struct cmd *const *cmd = program->commands; *cmd; cmd++)
        printf("  %-10s %s\n", (*cmd)->name, (*cmd)->brief);
    printf("\n`%s COMMAND --help` shows the options of a command and an example.\n", program->name);
    printf("Exit status: 0 done, 1 the input was refused, 2 usage or I/O error.\n");
}

/* ---- Options ---- */

typedef VEC(struct option) long_options;

/* Options for getopt_long(): its table of long names and its string of letters. */
static void collect_options(struct cmd_args *args, const struct cmd_option *options,
                            long_options *names, char *letters) {
    for (const struct cmd_option *o = options; o && o->id; o++) {
        int has_arg = !o->arg              ? no_argument
                      : arg_is_optional(o) ? optional_argument
                                           : required_argument;

        if (o->name)
            vec_push(args->arena, names, (struct option){o->name, has_arg, NULL, o->id});
        if (has_letter(o)) {
            size_t n = strlen(letters);
            letters[n++] = (char)o->id;
            for (int k = 0; k < has_arg; k++)
                letters[n++] = ':';
            letters[n] = '\0';
        }
    }
}

static bool letter_exists(const struct cmd *cmd, int letter) {
    for (const struct cmd_option *o = cmd->options; o && o->id; o++)
        if (o->id == letter)
            return true;
    return letter >= CMD_LONG;
}

/*
 * getopt leaves in optopt an unknown letter, or the id of a long option that was given an argument it
 * does not take, or 0 for an unknown long name; that one is the argument before optind.
 */
static void unknown_option(struct cmd_args *args, const char *mend) {
    if (optopt && !letter_exists(args->cmd, optopt)) {
        diag_error(args->diag, DIAG_USAGE, NULL, mend, "unknown option -%c", optopt);
        return;
    }
    char *word = arena_strdup(args->arena, args->argv[optind - 1] + 2);
    word[strcspn(word, "=")] = '\0';
    if (optopt) {
        diag_error(args->diag, DIAG_USAGE, NULL, mend, "option --%s takes no argument", word);
        return;
    }
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    for (const struct cmd_option *o = args->cmd->options; o && o->id; o++)
        if (o->name)
            suggest(word, o->name, &best, &distance);
    for (const struct cmd_option *o = common_options; o->id; o++)
        suggest(word, o->name, &best, &distance);
    diag_error(args->diag, DIAG_USAGE, NULL, mend, "unknown option --%s%s%s%s", word,
               best ? "; did you mean --" : "", best ? best : "", best ? "?" : "");
}

int cmd_next(struct cmd_args *args) {
    const char *mend = arena_printf(args->arena, "see the options with `%s %s --help`",
                                    args->program, args->cmd->name);
    long_options names = {0};
    char letters[128] = ":"; /* tells a missing argument from an unknown option */
    int id;

    collect_options(args, args->cmd->options, &names, letters);
    collect_options(args, common_options, &names, letters);
    (void)vec_add(args->arena, &names);

    opterr = 0;
    while ((id = getopt_long(args->argc, args->argv, letters, names.items, NULL)) == ID_JSON)
        args->json = true;
    args->value = optarg;
    switch (id) {
    case ID_HELP: args->help = true; return -1;
    case '?': unknown_option(args, mend); return -1;
    case ':':
        diag_error(args->diag, DIAG_USAGE, NULL, mend, "option %s needs an argument",
                   args->argv[optind - 1]);
        return -1;
    case -1:
        args->argc -= optind;
        args->argv += optind;
        return 0;
    default: return id;
    }
}

bool cmd_operands(struct cmd_args *args, int min, int max) {
    const char *mend = arena_printf(args->arena, "usage: %s %s [options] %s", args->program,
                                    args->cmd->name, args->cmd->operands);

    if (args->argc < min)
        return diag_error(args->diag, DIAG_USAGE, NULL, mend, "%s: an operand is missing",
                          args->cmd->name);
    if (args->argc > max)
        return diag_error(args->diag, DIAG_USAGE, NULL, mend, "%s: unexpected operand %s",
                          args->cmd->name, args->argv[max]);
    return true;
}

bool cmd_number(struct cmd_args *args, const char *what, const char *text, unsigned long long min,
                unsigned long long max, unsigned long long *number) {
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 0);
    /* strtoull() takes "-1" and blanks; a number here starts with a digit. */
    if (!isdigit((unsigned char)text[0]) || *end || errno || *number < min || *number > max)
        return diag_error(args->diag, DIAG_USAGE, NULL, NULL,
                          "%s: %s is not a number from %llu to %llu", what, text, min, max);
    return true;
}

/* ---- Running a command ---- */

const char *cmd_program_dir(struct arena *arena) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (length <= 0)
        return ".";
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    *slash = '\0';
    return arena_strdup(arena, path);
}

/* Replaces this process by the program that has the command, as git does with its sub-commands. */
static void run_elsewhere(struct cmd_args *args) {
    const char *dir = cmd_program_dir(args->arena);
    char *path = arena_printf(args->arena, "%s/%s", dir, args->cmd->program);

    /* argv[0] is the command's name; the vector before it is still the caller's. */
    char **argv = args->argv - 1;
    argv[0] = path;
    execv(path, argv);
    diag_error(args->diag, DIAG_IO, NULL, "build or install it: make all, make install",
               "cannot start %s: %s", path, strerror(errno));
}

static int exit_status(const struct cmd_args *args) {
    for (size_t i = 0; i < diag_count(args->diag); i++) {
        const struct diag_message *m = diag_get(args->diag, i);
        if (m->severity == DIAG_ERROR)
            return m->category == DIAG_USAGE || m->category == DIAG_IO ? CMD_USAGE : CMD_REFUSED;
    }
    return args->status;
}

static void print_json(struct cmd_args *args, int status) {
    cJSON_AddBoolToObject(args->result, "ok", status == CMD_DONE);
    cJSON_AddItemToObject(args->result, "messages", diag_json(args->diag));
    char *text = cJSON_Print(args->result);
    puts(text);
    cJSON_free(text);
}

static int run_command(const struct cmd_program *program, const struct cmd *cmd, int argc,
                       char **argv) {
    struct arena *arena = arena_new();
    struct cmd_args args = {.program = program->name,
                            .cmd = cmd,
                            .arena = arena,
                            .diag = diag_new(),
                            .argc = argc,
                            .argv = argv};

    args.result = cJSON_CreateObject();
    if (cmd->program)
        run_elsewhere(&args);
    else
        cmd->run(&args);
    int status = exit_status(&args);
    if (args.help)
        print_command_help(program->name, cmd);
    else if (args.json)
        print_json(&args, status);
    else
        diag_print(args.diag, stderr, diag_wants_colour(stderr));
    cJSON_Delete(args.result);
    diag_free(args.diag);
    arena_free(arena);
    return status;
}

static int unknown_command(const struct cmd_program *program, const char *word) {
    const char *best = NULL;
    size_t distance = SIZE_MAX;

    for (const struct cmd *const *cmd = program->commands; *cmd; cmd++)
        suggest(word, (*cmd)->name, &best, &distance);
    fprintf(stderr, "%s: unknown command %s", program->name, word);
    if (best)
        fprintf(stderr, "; did you mean %s?", best);
    fprintf(stderr, "\n  fix: see the commands with `%s --help`\n", program->name);
    return CMD_USAGE;
}

static int dispatch(const struct cmd_program *program, int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s COMMAND [options] ...\n", program->name);
        fprintf(stderr, "  fix: see the commands with `%s --help`\n", program->name);
        return CMD_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(program);
        return CMD_DONE;
    }
    if (strcmp(word, "--version") == 0) {
        printf("%s %s\n", program->name, program->version);
        return CMD_DONE;
    }
    for (const struct cmd *const *cmd = program->commands; *cmd; cmd++)
        if (strcmp(word, (*cmd)->name) == 0)
            return run_command(program, *cmd, argc - 1, argv + 1);
    return unknown_command(program, word);
}

int cmd_main(const struct cmd_program *program, int argc, char **argv) {
    int status = dispatch(program, argc, argv);

    /* A full disk shows only here. */
    if (fflush(stdout) != 0 && status == CMD_DONE) {
        fprintf(stderr, "error: cannot write to standard output: %s\n", strerror(errno));
        status = CMD_USAGE;
    }
    return status;
}
