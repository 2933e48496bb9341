/* SPDX-License-Identifier: MIT
 *
 * Tab: what all possible words have in common is typed; if that is nothing new, they are listed.
 */
#include "line.h"

/* The words that begin with what stands before the cursor. */
struct found {
    size_t start; /* of the word, in the line */
    unsigned count;
    const char *first;
    size_t common; /* bytes that all have in common */
};

/* The n-th word that fits, or NULL; *next is where to go on looking. */
static const char *next_fitting(struct line *line, const char *before, unsigned *next,
                                size_t *start) {
    const struct line_user *user = line->user;
    for (;;) {
        const char *word = user->complete(user->context, before, (*next)++, start);
        if (!word || text_begins(word, before + *start, line->cursor - *start))
            return word;
    }
}

static struct found find(struct line *line, const char *before) {
    struct found found = {.start = line->cursor};
    unsigned next = 0;
    for (;;) {
        size_t start = line->cursor;
        const char *word = next_fitting(line, before, &next, &start);
        if (!word)
            return found;
        if (found.count++ == 0) {
            found.first = word;
            found.start = start;
            found.common = strlen(word);
        }
        size_t same = 0;
        while (same < found.common && word[same] == found.first[same])
            same++;
        found.common = same;
    }
}

static void list(struct line *line, const char *before) {
    unsigned next = 0;
    size_t start = line->cursor;
    const char *word;
    line_write(line, "\n");
    while ((word = next_fitting(line, before, &next, &start))) {
        line_write(line, word);
        line_write(line, "  ");
    }
    line_write(line, "\n");
    line_redraw(line);
}

void line_complete(struct line *line) {
    char before[LINE_MAX + 1];
    for (size_t i = 0; i < line->cursor; i++)
        before[i] = line->text[i];
    before[line->cursor] = 0;
    struct found found = find(line, before);
    size_t typed = line->cursor - found.start;
    if (found.count == 0) {
        line_write(line, "\a");
        return;
    }
    bool overwrite = line->overwrite;
    line->overwrite = false;
    for (size_t i = typed; i < found.common; i++)
        line_insert(line, found.first[i]);
    if (found.count == 1)
        line_insert(line, ' ');
    line->overwrite = overwrite;
    if (found.count > 1 && typed == found.common)
        list(line, before);
}
