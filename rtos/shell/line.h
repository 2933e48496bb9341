/* SPDX-License-Identifier: MIT
 *
 * Editing of one line on a terminal: bytes in, bytes out, nothing else. What is on the screen behind the
 * prompt is always the text, and the terminal's cursor stands where `cursor` says (tests/unit/test_shell_line.c
 * holds a terminal beside it). Only \b, \a, \n and blanks are used for that, so that the dumbest terminal does.
 */
#ifndef SHELL_LINE_H
#define SHELL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    LINE_MAX = 120,        /* bytes of a line */
    LINE_HISTORY = 512,    /* bytes of all earlier lines, a 0 behind each */
    LINE_SEQUENCE_MAX = 8, /* bytes of an escape sequence behind ESC [ */
};

enum line_event {
    LINE_NOTHING,
    LINE_READY,   /* text is a line to be carried out; then call line_begin() */
    LINE_REFUSED, /* text is not: see too_long and noise; then call line_begin() */
};

/* What the editor wants from its user. */
struct line_user {
    void *context;
    const char *prompt;
    void (*write)(void *context, const char *text, size_t length);
    /* The index-th word, from 0 on, that may stand where `text` is cut off; NULL: there are no more. *start is set
     * to the offset of the word's beginning in text. */
    const char *(*complete)(void *context, const char *text, unsigned index, size_t *start);
};

/* Where the bytes of an escape sequence have got to (ECMA-48, 5.4). */
enum line_escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI, ESCAPE_SS3 };

struct line {
    const struct line_user *user;
    char text[LINE_MAX + 1]; /* text[length] == 0 */
    uint16_t length, cursor; /* cursor <= length <= LINE_MAX */
    bool overwrite;          /* what the Insert key changes */
    bool too_long;           /* bytes were lost because the line was full */
    bool told;               /* of an unknown key: once a line is enough */
    bool after_return;       /* the last byte was \r: a \n that follows belongs to it */
    uint32_t noise;          /* bytes that are neither text nor keys */
    uint8_t escape;          /* enum line_escape */
    uint8_t sequence_length; /* <= LINE_SEQUENCE_MAX */
    char sequence[LINE_SEQUENCE_MAX];
    char history[LINE_HISTORY]; /* newest last */
    uint16_t history_used;
    uint16_t browsing;        /* 0: the line is new; n: a copy of the n-th before */
    char draft[LINE_MAX + 1]; /* the new line, while browsing */
};

/* line.c */
void line_init(struct line *line, const struct line_user *user);
void line_begin(struct line *line); /* a new line: prints the prompt */
enum line_event line_feed(struct line *line, uint8_t byte);
void line_insert(struct line *line, char c);
void line_replace(struct line *line, const char *text);
void line_redraw(struct line *line); /* on a fresh line of the screen */
void line_write(struct line *line, const char *text);

/* history.c */
void history_add(struct line *line);
const char *history_entry(const struct line *line, unsigned back); /* 1: the newest; NULL: none */
void history_browse(struct line *line, bool older);

/* complete.c */
void line_complete(struct line *line);

/* text.c */
static inline bool text_equal(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}
bool text_begins(const char *text, const char *prefix, size_t length);

#endif
