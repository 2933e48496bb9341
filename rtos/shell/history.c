/* SPDX-License-Identifier: MIT */
#include "line.h"

const char *history_entry(const struct line *line, unsigned back) {
    size_t end = line->history_used;
    for (; back > 0 && end > 0; back--) {
        size_t start = end - 1; /* its 0 */
        while (start > 0 && line->history[start - 1])
            start--;
        if (back == 1)
            return &line->history[start];
        end = start;
    }
    return NULL;
}

/* The oldest lines make room. */
static void make_room(struct line *line, size_t size) {
    size_t drop = 0;
    while (line->history_used - drop + size > LINE_HISTORY)
        drop += strlen(&line->history[drop]) + 1;
    for (size_t i = drop; i < line->history_used; i++)
        line->history[i - drop] = line->history[i];
    line->history_used -= (uint16_t)drop;
}

/* Lines of blanks, and the same line again, are not worth a place. */
void history_add(struct line *line) {
    const char *last = history_entry(line, 1);
    size_t blanks = 0;
    while (line->text[blanks] == ' ')
        blanks++;
    if (!line->text[blanks] || (last && text_equal(last, line->text)))
        return;
    make_room(line, line->length + 1u);
    for (size_t i = 0; i <= line->length; i++)
        line->history[line->history_used++] = line->text[i];
}

static void keep_draft(struct line *line) {
    for (size_t i = 0; i <= line->length; i++)
        line->draft[i] = line->text[i];
}

void history_browse(struct line *line, bool older) {
    unsigned to = older ? line->browsing + 1u : line->browsing - 1u;
    if (!older && line->browsing == 0) {
        line_write(line, "\a");
        return;
    }
    const char *entry = to ? history_entry(line, to) : line->draft;
    if (!entry) {
        line_write(line, "\a");
        return;
    }
    if (line->browsing == 0)
        keep_draft(line);
    line->browsing = (uint16_t)to;
    line_replace(line, entry);
}
