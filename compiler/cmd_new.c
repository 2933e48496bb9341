/* SPDX-License-Identifier: MIT */
/* bpf2thumb new: a directory with a first program of a type, and a Makefile that builds and runs it. */
#include "commands.h"
#include "program/hook.h"
#include "util/file.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_TYPE = CMD_LONG };

#define DEFAULT_TYPE "timer/100ms"

static const struct cmd_option options[] = {
    {OPT_TYPE, "type", "TYPE",
     "program type: a whole SEC(), or its first word (default: " DEFAULT_TYPE ")", hook_examples},
    {0},
};

struct project {
    struct cmd_args *args;
    const char *directory, *templates;
    const char *name;     /* last part of the directory */
    const char *function; /* the same as a name in C */
    const char *section;  /* for SEC() */
    const char *hook;     /* its first word */
    const char *run;      /* options of a first run: the template's second line */
};

/* ---- What it is called ---- */

/* my-blink -> my_blink. A name like the section's would clash with its symbol. */
static const char *function_name(const struct project *p) {
    char *name = arena_strdup(p->args->arena, p->name);

    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    bool clash = strcmp(name, p->section) == 0 || isdigit((unsigned char)*name);
    return clash ? arena_printf(p->args->arena, "prog_%s", name) : name;
}

/* Names that make, C and a shell take without quotes. */
static bool take_name(struct project *p, const char *path) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    struct arena *arena = p->args->arena;
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    p->directory = arena_printf(arena, "%.*s", (int)length, path);
    const char *slash = strrchr(p->directory, '/');
    p->name = slash ? slash + 1 : p->directory;
    if (*p->name && *p->name != '-' && strspn(p->name, letters) == strlen(p->name))
        return true;
    return diag_error(p->args->diag, DIAG_USAGE, NULL,
                      "name it with letters, digits, _ and -, as in `bpf2thumb new my-blink`",
                      "'%s' is no name for a project", p->name);
}

/* --type timer stands for the example of its hook. */
static bool take_type(struct project *p, const char *type) {
    struct arena *arena = p->args->arena;
    const char *why, *mend;
    enum bpf_hook hook;

    for (unsigned i = 0; i < BPF_HOOK_COUNT; i++)
        if (strcmp(type, hook_info((enum bpf_hook)i)->prefix) == 0)
            type = hook_info((enum bpf_hook)i)->example;
    if (!hook_parse(type, arena, &hook, &why, &mend))
        return diag_error(p->args->diag, DIAG_USAGE, NULL, mend, "%s", why);
    p->section = type;
    p->hook = hook_info(hook)->prefix;
    return true;
}

/* ---- Files ---- */

/* The template with its marks replaced. */
static const char *fill(const struct project *p, const char *text) {
    const struct {
        const char *mark, *value;
    } marks[] = {
        {"@NAME@", p->name}, {"@IDENT@", p->function}, {"@SEC@", p->section}, {"@RUN@", p->run}};
    struct arena *arena = p->args->arena;
    const char *out = "";

    for (const char *at; (at = strchr(text, '@')) != NULL;) {
        const char *value = NULL;
        out = arena_printf(arena, "%s%.*s", out, (int)(at - text), text);
        text = at;
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && !value; i++)
            if (strncmp(at, marks[i].mark, strlen(marks[i].mark)) == 0) {
                value = marks[i].value;
                text += strlen(marks[i].mark);
            }
        if (!value) { /* make's $@ */
            value = "@";
            text++;
        }
        out = arena_printf(arena, "%s%s", out, value);
    }
    return arena_printf(arena, "%s%s", out, text);
}

static bool read_template(const struct project *p, const char *name, const char **text) {
    uint8_t *bytes;
    size_t size;

    if (!file_read(arena_printf(p->args->arena, "%s/%s", p->templates, name), FILE_SIZE_LIMIT,
                   p->args->arena, &bytes, &size, p->args->diag))
        return false;
    *text = (const char *)bytes;
    return true;
}

/* The first two lines of a program's template are for us: its licence, and `// run: OPTIONS`. */
static bool read_program(struct project *p, const char **text) {
    static const char mark[] = "// run: ";

    if (!read_template(p, arena_printf(p->args->arena, "%s.bpf.c.in", p->hook), text))
        return false;
    const char *line = strchr(*text, '\n');
    if (!line || strncmp(line + 1, mark, strlen(mark)) != 0)
        return diag_error(p->args->diag, DIAG_INTERNAL, NULL, "install bpf2thumb again",
                          "the template of %s has no line `%s`", p->hook, mark);
    line += 1 + strlen(mark);
    size_t length = strcspn(line, "\n");
    p->run = arena_printf(p->args->arena, "%.*s", (int)length, line);
    *text = line + length + (line[length] == '\n');
    return true;
}

/* All files, or none: what was made is removed again when one cannot be written. */
static bool write_all(const struct project *p, const char *const *names, const char *const *texts,
                      size_t count) {
    struct cmd_args *args = p->args;
    size_t done = 0;

    if (mkdir(p->directory, 0777) != 0)
        return diag_error(args->diag, errno == EEXIST ? DIAG_USAGE : DIAG_IO, NULL,
                          errno == EEXIST ? "choose another name, or remove it" : NULL,
                          "%s: cannot create the directory: %s", p->directory, strerror(errno));
    while (done < count) {
        const char *path = arena_printf(args->arena, "%s/%s", p->directory, names[done]);
        const char *text = fill(p, texts[done]);
        if (!file_write(path, text, strlen(text), args->diag))
            break;
        done++;
    }
    if (done == count)
        return true;
    while (done-- > 0)
        unlink(arena_printf(args->arena, "%s/%s", p->directory, names[done]));
    rmdir(p->directory);
    return false;
}

static void report(const struct project *p, const char *const *names, size_t count) {
    struct cmd_args *args = p->args;
    cJSON *files = cJSON_AddArrayToObject(args->result, "files");

    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(
            files, cJSON_CreateString(arena_printf(args->arena, "%s/%s", p->directory, names[i])));
    cJSON_AddStringToObject(args->result, "directory", p->directory);
    cJSON_AddStringToObject(args->result, "section", p->section);
    if (args->json)
        return;
    printf("%s/%s: a first program, SEC(\"%s\")\n", p->directory, names[0], p->section);
    printf("next: make -C %s run\n", p->directory);
}

static void run(struct cmd_args *args) {
    struct project p = {.args = args};
    const char *type = DEFAULT_TYPE, *texts[3];

    for (int id; (id = cmd_next(args)) != 0;)
        switch (id) {
        case OPT_TYPE: type = args->value; break;
        default: return;
        }
    if (!cmd_operands(args, 1, 1) || !take_name(&p, args->argv[0]) || !take_type(&p, type))
        return;
    p.function = function_name(&p);
    p.templates = cmd_data_dir("../templates", "../share/bpf2thumb/templates", args->arena);
    if (!p.templates) {
        diag_error(args->diag, DIAG_IO, NULL, "install bpf2thumb with `make install`",
                   "the templates are not beside %s", cmd_program_dir(args->arena));
        return;
    }
    const char *const names[] = {arena_printf(args->arena, "%s.bpf.c", p.name), "Makefile",
                                 ".gitignore"};
    if (read_program(&p, &texts[0]) && read_template(&p, "Makefile", &texts[1]) &&
        read_template(&p, "gitignore", &texts[2]) && write_all(&p, names, texts, 3))
        report(&p, names, 3);
}

const struct cmd cmd_new = {
    .name = "new",
    .brief = "make a directory with a first program and its Makefile",
    .operands = "NAME",
    .about =
        "Writes NAME/NAME.bpf.c, a commented program of the type, a Makefile that builds and runs\n"
        "it, and .gitignore. What is there already is never touched.",
    .example = "bpf2thumb new --type uart/3 my-parser\nmake -C my-parser run",
    .options = options,
    .run = run,
};
