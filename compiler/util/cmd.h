/* SPDX-License-Identifier: MIT */
/*
 * Command lines of the form PROGRAM COMMAND [options] operands. A command is one table: the parser, the
 * help text, the manual page and the completion of the shell come from it, so they cannot disagree.
 * Every command also has --help, --json and --color.
 *
 * A command reports through args->diag. What it reports decides the exit status: 0 without errors, 2
 * when the first error is about usage or I/O, else 1 (the input was refused).
 */
#ifndef UTIL_CMD_H
#define UTIL_CMD_H

#include "util/arena.h"
#include "util/diag.h"

#include <stdbool.h>

enum cmd_status { CMD_DONE = 0, CMD_REFUSED = 1, CMD_USAGE = 2 };

/* `id` is what cmd_next() returns. A letter or digit is the short option as well. */
struct cmd_option {
    int id;             /* 'o' for -o; from CMD_LONG for options without a letter */
    const char *name;   /* long name without --, or null */
    const char *arg;    /* name of its argument; "[PASS]" is optional (--name=x); null: none.
                         What FILE and DIR stand for is completed from the file system */
    const char *help;   /* one line */
    const char *values; /* what the argument may be, separated by blanks, for completion; or null */
};

#define CMD_LONG 256

struct cmd;

struct cmd_args {
    const char *program;            /* its name */
    const struct cmd_program *tool; /* and all of its table */
    const struct cmd *cmd;
    struct arena *arena; /* freed after the command */
    struct diag *diag;
    bool json;            /* --json was given: print nothing to stdout, fill `result` */
    struct cJSON *result; /* object that --json prints; `ok` and `messages` are added to it */
    const char *value;    /* argument of the option that cmd_next() returned, or null */
    int argc;             /* operands, once cmd_next() has returned 0 */
    char **argv;
    bool parsed; /* cmd_next() has returned 0 */
    bool help;   /* --help was given; cmd_next() returned -1 */
    enum cmd_colour { CMD_COLOUR_AUTO, CMD_COLOUR_ALWAYS, CMD_COLOUR_NEVER } colour;
    int status; /* set it for an exit status that has no error message; else 0 */
    bool lines; /* --json has printed lines already: the object is the last one, on one line */
};

struct cmd {
    const char *name;
    const char *brief;                /* one line for the list of commands */
    const char *operands;             /* as in usage: "X.bpf.c|X.blob", or null. X.* are files */
    const char *operand_values;       /* what else an operand may be, as in cmd_option; or null */
    const char *about;                /* more for its --help, or null */
    const char *example;              /* command lines, one a line; {program} is who lists it */
    const struct cmd_option *options; /* ends with id 0 */
    void (*run)(struct cmd_args *args);
    const char *program; /* instead of run: executable beside this one that has the command */
};

/* A file or variable that a program reads, for its manual page. */
struct cmd_note {
    const char *name, *text;
};

struct cmd_program {
    const char *name;
    const char *brief;
    const char *version;
    const struct cmd *const *commands;  /* ends with null */
    const struct cmd_note *files;       /* these end with a row without a name */
    const struct cmd_note *environment; /* besides those of CMD_ENVIRONMENT */
    const char *see_also;               /* manual pages, as "bpf2thumb-emu(1), clang(1)" */
};

/* What every program heeds. */
#define CMD_ENVIRONMENT                                                                            \
    {"NO_COLOR", "if it is set and not empty, messages are not coloured (--color overrides it)"},  \
    {                                                                                              \
        "TERM", "dumb: neither colour nor progress"                                                \
    }

/* Commands that any program can list: its completion for bash, its manual page. */
extern const struct cmd cmd_completion, cmd_man;

/*
 * Reads the next option: its id; 0 when all are read (operands are in argv then); -1 when the command
 * should just return, after --help or an error. Use:
 *     for (int id; (id = cmd_next(args)) != 0;)
 *         switch (id) { case 'o': ...; break; default: return; }
 */
int cmd_next(struct cmd_args *args);

/* After the options: whether there are min..max operands; an error message else. */
bool cmd_operands(struct cmd_args *args, int min, int max);

/* Parses a number in C notation within [min, max]; an error that names `what` else. */
bool cmd_number(struct cmd_args *args, const char *what, const char *text, unsigned long long min,
                unsigned long long max, unsigned long long *number);

/* The whole of main(). */
int cmd_main(const struct cmd_program *program, int argc, char **argv);

/* The directory of the running executable, on the arena. */
const char *cmd_program_dir(struct arena *arena);

/*
 * A directory of data that belongs to the tools: beside the executable in the source tree, or below the
 * same PREFIX. Null when it is in neither place. The result is on the arena.
 */
const char *cmd_data_dir(const char *in_tree, const char *installed, struct arena *arena);

#endif
