/* SPDX-License-Identifier: MIT */
/* Commands: options by one table, suggestions for typing errors, exit status, JSON. */
#include "util/cmd_table.h"

#include "util/file.h"
#include "util/progress.h"
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
#define ID_COLOUR (INT_MAX - 3)

const struct cmd_option cmd_common_options[] = {
    {ID_JSON, "json", NULL, "print results and messages as one JSON object", NULL},
    {ID_COLOUR, "color", "WHEN", "colour messages: auto (default: on a terminal), always, never",
     CMD_COLOUR_VALUES},
    {ID_HELP, "help", NULL, "print this help", NULL},
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

/* ---- Options ---- */

typedef VEC(struct option) long_options;

/* Options for getopt_long(): its table of long names and its string of letters. */
static void collect_options(struct cmd_args *args, const struct cmd_option *options,
                            long_options *names, char *letters) {
    for (const struct cmd_option *o = options; o && o->id; o++) {
        int has_arg = !o->arg                  ? no_argument
                      : cmd_arg_is_optional(o) ? optional_argument
                                               : required_argument;

        if (o->name)
            vec_push(args->arena, names, (struct option){o->name, has_arg, NULL, o->id});
        if (cmd_has_letter(o)) {
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

/* "; did you mean --cpu?", or "" when no long option is like the word up to a '='. */
static const char *nearest_option(const struct cmd_args *args, const char *text) {
    const struct cmd_option *const tables[] = {args->cmd->options, cmd_common_options};
    char *word = arena_strdup(args->arena, text);
    const char *best = NULL;
    size_t distance = SIZE_MAX;

    word[strcspn(word, "=")] = '\0';
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct cmd_option *o = tables[i]; o && o->id; o++)
            if (o->name)
                suggest(word, o->name, &best, &distance);
    return best ? arena_printf(args->arena, "; did you mean --%s?", best) : "";
}

/*
 * getopt leaves in optopt an unknown letter, or the id of a long option that was given an argument it
 * does not take, or 0 for an unknown long name; that one is the argument before optind. Behind a letter
 * with more behind it, as in -cpu, optind stays at it.
 */
static void unknown_option(struct cmd_args *args, const char *mend) {
    const char *word = args->argv[optind - 1] + 2;
    int length = (int)strcspn(word, "=");

    if (optopt && !letter_exists(args->cmd, optopt)) {
        const char *whole = optind < args->argc ? args->argv[optind] : "";
        bool is_long = whole[0] == '-' && whole[1] == optopt;
        diag_error(args->diag, DIAG_USAGE, NULL, mend, "unknown option -%c%s", optopt,
                   is_long ? nearest_option(args, whole + 1) : "");
    } else if (optopt) {
        diag_error(args->diag, DIAG_USAGE, NULL, mend, "option --%.*s takes no argument", length,
                   word);
    } else {
        diag_error(args->diag, DIAG_USAGE, NULL, mend, "unknown option --%.*s%s", length, word,
                   nearest_option(args, word));
    }
}

static bool parse_colour(struct cmd_args *args, const char *when) {
    static const char *const names[] = {"auto", "always", "never"}; /* as enum cmd_colour */

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(when, names[i]) == 0) {
            args->colour = (enum cmd_colour)i;
            return true;
        }
    return diag_error(args->diag, DIAG_USAGE, NULL, "use auto, always or never",
                      "unknown --color %s", when);
}

int cmd_next(struct cmd_args *args) {
    const char *mend = arena_printf(args->arena, "see the options with `%s %s --help`",
                                    args->program, args->cmd->name);
    long_options names = {0};
    char letters[128] = ":"; /* tells a missing argument from an unknown option */
    int id;

    collect_options(args, args->cmd->options, &names, letters);
    collect_options(args, cmd_common_options, &names, letters);
    (void)vec_add(args->arena, &names);

    opterr = 0;
    while ((id = getopt_long(args->argc, args->argv, letters, names.items, NULL)) == ID_JSON ||
           id == ID_COLOUR)
        if (id == ID_JSON)
            args->json = true;
        else if (!parse_colour(args, optarg))
            return -1;
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
        args->parsed = true;
        progress_allow(!args->json);
        return 0;
    default: return id;
    }
}

bool cmd_operands(struct cmd_args *args, int min, int max) {
    const char *mend =
        arena_printf(args->arena, "usage: %s", cmd_synopsis(args->program, args->cmd, args->arena));

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

const char *cmd_data_dir(const char *in_tree, const char *installed, struct arena *arena) {
    const char *dir = cmd_program_dir(arena), *const places[] = {in_tree, installed};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *path = arena_printf(arena, "%s/%s", dir, places[i]);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
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

/*
 * Whether the arguments ask for JSON. The parser stops at the first error, and what asks for JSON may
 * stand behind it.
 */
static bool asks_for_json(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

/* Bytes of the UTF-8 character at text (RFC 3629, section 4); 0 when it is none. */
static size_t utf8_length(const unsigned char *text) {
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xc2 ? 0
                    : text[0] < 0xe0 ? 2
                    : text[0] < 0xf0 ? 3
                                     : 4;
    unsigned char low = text[0] == 0xe0 ? 0xa0 : text[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = text[0] == 0xed ? 0x9f : text[0] == 0xf4 ? 0x8f : 0xbf;

    if (text[0] > 0xf4 || (length > 1 && (text[1] < low || text[1] > high)))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (text[i] < 0x80 || text[i] > 0xbf)
            return 0;
    return length;
}

/* Names and source lines may be in any encoding; JSON is UTF-8. */
static void print_utf8(const char *text) {
    while (*text) {
        size_t length = utf8_length((const unsigned char *)text);
        if (length)
            fwrite(text, 1, length, stdout);
        else
            fputs("\xef\xbf\xbd", stdout); /* U+FFFD */
        text += length ? length : 1;
    }
    putchar('\n');
}

/* Prints the one document of a command, and deletes it. */
static void print_json(cJSON *result, const struct diag *diag, int status, bool one_line) {
    cJSON_AddBoolToObject(result, "ok", status == CMD_DONE);
    cJSON_AddItemToObject(result, "messages", diag_json(diag));
    char *text = one_line ? cJSON_PrintUnformatted(result) : cJSON_Print(result);
    print_utf8(text);
    cJSON_free(text);
    cJSON_Delete(result);
}

static void print_messages(const struct cmd_args *args) {
    bool colour = args->colour == CMD_COLOUR_ALWAYS ||
                  (args->colour == CMD_COLOUR_AUTO && diag_wants_colour(stderr));
    diag_print(args->diag, stderr, colour);
}

static int run_command(const struct cmd_program *program, const struct cmd *cmd, int argc,
                       char **argv) {
    struct arena *arena = arena_new();
    struct cmd_args args = {.program = program->name,
                            .tool = program,
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
    progress_end();
    int status = exit_status(&args);
    if (!args.parsed && asks_for_json(argc, argv))
        args.json = true;
    if (args.json) {
        if (args.help)
            cJSON_AddItemToObject(args.result, "command", cmd_json(program->name, cmd, arena));
        print_json(args.result, args.diag, status, args.lines);
    } else {
        if (args.help)
            cmd_print_command_help(program->name, cmd, arena);
        print_messages(&args);
        cJSON_Delete(args.result);
    }
    diag_free(args.diag);
    arena_free(arena);
    return status;
}

/* What is not a command: an error about usage. */
static void no_command(const struct cmd_program *program, const char *word, struct arena *arena,
                       struct diag *diag) {
    const char *mend = arena_printf(arena, "see the commands with `%s --help`", program->name);
    const char *best = NULL;
    size_t distance = SIZE_MAX;

    if (!word) {
        diag_error(diag, DIAG_USAGE, NULL, mend, "usage: %s COMMAND [options] ...", program->name);
        return;
    }
    if (word[0] == '-') {
        diag_error(diag, DIAG_USAGE, NULL, mend, "%s stands where the command belongs", word);
        return;
    }
    for (const struct cmd *const *cmd = program->commands; *cmd; cmd++)
        suggest(word, (*cmd)->name, &best, &distance);
    diag_error(diag, DIAG_USAGE, NULL, mend, "unknown command %s%s%s%s", word,
               best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

/* The program without a command: --help, --version, or an error. */
static int run_bare(const struct cmd_program *program, const char *word, bool json) {
    bool version = word && strcmp(word, "--version") == 0;
    bool help = word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
                         strcmp(word, "help") == 0);
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    int status = help || version ? CMD_DONE : CMD_USAGE;

    if (status != CMD_DONE)
        no_command(program, word, arena, diag);
    if (json)
        print_json(status == CMD_DONE ? cmd_program_json(program, arena) : cJSON_CreateObject(),
                   diag, status, false);
    else if (version)
        printf("%s %s\n", program->name, program->version);
    else if (help)
        cmd_print_help(program, arena);
    else
        diag_print(diag, stderr, diag_wants_colour(stderr));
    diag_free(diag);
    arena_free(arena);
    return status;
}

static int dispatch(const struct cmd_program *program, int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : NULL;

    for (const struct cmd *const *cmd = program->commands; word && *cmd; cmd++)
        if (strcmp(word, (*cmd)->name) == 0)
            return run_command(program, *cmd, argc - 1, argv + 1);
    return run_bare(program, word, asks_for_json(argc, argv));
}

int cmd_main(const struct cmd_program *program, int argc, char **argv) {
    int status = dispatch(program, argc, argv);

    if (!file_stdout_done() && status == CMD_DONE)
        status = CMD_USAGE;
    return status;
}
