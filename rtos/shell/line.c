/* SPDX-License-Identifier: MIT */
#include "line.h"

static void line_bytes(struct line *line, const char *text, size_t length) {
    if (length)
        line->user->write(line->user->context, text, length);
}

void line_write(struct line *line, const char *text) {
    line_bytes(line, text, strlen(text));
}

static void repeat(struct line *line, char c, size_t count) {
    char some[16];
    for (size_t i = 0; i < sizeof(some); i++)
        some[i] = c;
    for (; count > sizeof(some); count -= sizeof(some))
        line_bytes(line, some, sizeof(some));
    line_bytes(line, some, count);
}

void line_init(struct line *line, const struct line_user *user) {
    *line = (struct line){.user = user};
}

void line_begin(struct line *line) {
    line->length = line->cursor = 0;
    line->text[0] = 0;
    line->too_long = line->told = false;
    line->noise = 0;
    line->browsing = 0;
    line_write(line, line->user->prompt);
}

void line_redraw(struct line *line) {
    line_write(line, line->user->prompt);
    line_bytes(line, line->text, line->length);
    repeat(line, '\b', (size_t)line->length - line->cursor);
}

/* ----- changes of the text ------------------------------------------------------------------------ */

static void move_to(struct line *line, size_t cursor) {
    if (cursor < line->cursor)
        repeat(line, '\b', line->cursor - cursor);
    else
        line_bytes(line, &line->text[line->cursor], cursor - line->cursor);
    line->cursor = (uint16_t)cursor;
}

/* The text from the cursor on has changed, and was longer by `erased` before. */
static void redraw_tail(struct line *line, size_t erased) {
    size_t tail = (size_t)line->length - line->cursor;
    line_bytes(line, &line->text[line->cursor], tail);
    repeat(line, ' ', erased);
    repeat(line, '\b', tail + erased);
}

/* Removes what stands between `from` and `to`; the cursor is at one of them. */
static void erase(struct line *line, size_t from, size_t to) {
    if (from == to)
        return;
    move_to(line, from);
    for (size_t i = to; i <= line->length; i++)
        line->text[from + i - to] = line->text[i];
    line->length -= (uint16_t)(to - from);
    redraw_tail(line, to - from);
}

void line_insert(struct line *line, char c) {
    if (line->overwrite && line->cursor < line->length) {
        line->text[line->cursor] = c;
        move_to(line, line->cursor + 1u);
        return;
    }
    if (line->length == LINE_MAX) {
        if (!line->too_long)
            line_write(line, "\a");
        line->too_long = true;
        return;
    }
    for (size_t i = line->length + 1u; i > line->cursor; i--)
        line->text[i] = line->text[i - 1];
    line->text[line->cursor] = c;
    line->length++;
    size_t tail = (size_t)line->length - line->cursor;
    line_bytes(line, &line->text[line->cursor], tail);
    repeat(line, '\b', tail - 1);
    line->cursor++;
}

void line_replace(struct line *line, const char *text) {
    size_t old = line->length, length = strlen(text);
    move_to(line, 0);
    for (size_t i = 0; i <= length; i++)
        line->text[i] = text[i];
    line->length = (uint16_t)length;
    redraw_tail(line, old > length ? old - length : 0);
    move_to(line, length);
}

static size_t word_left(const struct line *line) {
    size_t at = line->cursor;
    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return at;
}

static size_t word_right(const struct line *line) {
    size_t at = line->cursor;
    while (at < line->length && line->text[at] == ' ')
        at++;
    while (at < line->length && line->text[at] != ' ')
        at++;
    return at;
}

/* ----- keys --------------------------------------------------------------------------------------- */

enum key {
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_KILL_LINE,
    KEY_KILL_END,
    KEY_KILL_WORD,
    KEY_KILL_WORD_RIGHT,
    KEY_INSERT,
    KEY_OLDER,
    KEY_NEWER,
    KEY_COMPLETE,
    KEY_CANCEL,
    KEY_REDRAW,
    KEY_IGNORED, /* known, without a meaning here */
    KEYS
};

/* A key's bytes, behind ESC where there is one: as readline, xterm and the VT220 have them. */
static const struct {
    enum line_escape escape;
    const char *bytes;
    enum key key;
} keys[] = {
    {ESCAPE_NONE, "\x02", KEY_LEFT},
    {ESCAPE_CSI, "D", KEY_LEFT},
    {ESCAPE_SS3, "D", KEY_LEFT},
    {ESCAPE_NONE, "\x06", KEY_RIGHT},
    {ESCAPE_CSI, "C", KEY_RIGHT},
    {ESCAPE_SS3, "C", KEY_RIGHT},
    {ESCAPE_NONE, "\x01", KEY_HOME},
    {ESCAPE_CSI, "H", KEY_HOME},
    {ESCAPE_CSI, "1~", KEY_HOME},
    {ESCAPE_CSI, "7~", KEY_HOME},
    {ESCAPE_SS3, "H", KEY_HOME},
    {ESCAPE_NONE, "\x05", KEY_END},
    {ESCAPE_CSI, "F", KEY_END},
    {ESCAPE_CSI, "4~", KEY_END},
    {ESCAPE_CSI, "8~", KEY_END},
    {ESCAPE_SS3, "F", KEY_END},
    {ESCAPE_BEGUN, "b", KEY_WORD_LEFT},
    {ESCAPE_CSI, "1;5D", KEY_WORD_LEFT},
    {ESCAPE_BEGUN, "f", KEY_WORD_RIGHT},
    {ESCAPE_CSI, "1;5C", KEY_WORD_RIGHT},
    {ESCAPE_NONE, "\b", KEY_BACKSPACE},
    {ESCAPE_NONE, "\x7f", KEY_BACKSPACE},
    {ESCAPE_NONE, "\x04", KEY_DELETE},
    {ESCAPE_CSI, "3~", KEY_DELETE},
    {ESCAPE_NONE, "\x15", KEY_KILL_LINE},
    {ESCAPE_NONE, "\x0b", KEY_KILL_END},
    {ESCAPE_NONE, "\x17", KEY_KILL_WORD},
    {ESCAPE_BEGUN, "\x7f", KEY_KILL_WORD},
    {ESCAPE_BEGUN, "d", KEY_KILL_WORD_RIGHT},
    {ESCAPE_CSI, "2~", KEY_INSERT},
    {ESCAPE_NONE, "\x10", KEY_OLDER},
    {ESCAPE_CSI, "A", KEY_OLDER},
    {ESCAPE_SS3, "A", KEY_OLDER},
    {ESCAPE_NONE, "\x0e", KEY_NEWER},
    {ESCAPE_CSI, "B", KEY_NEWER},
    {ESCAPE_SS3, "B", KEY_NEWER},
    {ESCAPE_NONE, "\t", KEY_COMPLETE},
    {ESCAPE_NONE, "\x03", KEY_CANCEL},
    {ESCAPE_NONE, "\x0c", KEY_REDRAW},
    {ESCAPE_CSI, "5~", KEY_IGNORED},
    {ESCAPE_CSI, "6~", KEY_IGNORED},
};

static enum key find_key(enum line_escape escape, const char *bytes, size_t length) {
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].escape == escape && strlen(keys[i].bytes) == length &&
            text_begins(keys[i].bytes, bytes, length))
            return keys[i].key;
    return KEYS;
}

static void cancel(struct line *line) {
    line_write(line, "^C\n");
    line_begin(line);
}

static void press(struct line *line, enum key key) {
    size_t at = line->cursor, end = line->length;
    switch (key) {
    case KEY_LEFT: move_to(line, at ? at - 1 : 0); break;
    case KEY_RIGHT: move_to(line, at < end ? at + 1 : end); break;
    case KEY_HOME: move_to(line, 0); break;
    case KEY_END: move_to(line, end); break;
    case KEY_WORD_LEFT: move_to(line, word_left(line)); break;
    case KEY_WORD_RIGHT: move_to(line, word_right(line)); break;
    case KEY_BACKSPACE: erase(line, at ? at - 1 : 0, at); break;
    case KEY_DELETE: erase(line, at, at < end ? at + 1 : end); break;
    case KEY_KILL_LINE: erase(line, 0, end); break;
    case KEY_KILL_END: erase(line, at, end); break;
    case KEY_KILL_WORD: erase(line, word_left(line), at); break;
    case KEY_KILL_WORD_RIGHT: erase(line, at, word_right(line)); break;
    case KEY_INSERT: line->overwrite = !line->overwrite; break;
    case KEY_OLDER: history_browse(line, true); break;
    case KEY_NEWER: history_browse(line, false); break;
    case KEY_COMPLETE: line_complete(line); break;
    case KEY_CANCEL: cancel(line); break;
    case KEY_REDRAW:
        line_write(line, "\n");
        line_redraw(line);
        break;
    case KEY_IGNORED:
    case KEYS: break;
    }
    if (line->length == 0) /* whoever has cleared a bad line may go on with it */
        line->too_long = false, line->noise = 0;
}

/* ----- bytes -------------------------------------------------------------------------------------- */

static bool is_text(uint8_t byte) {
    return byte >= ' ' && byte < 0x7F;
}

/* An escape sequence that no key of the table sends. */
static void unknown_key(struct line *line) {
    static const char *const begins[] = {"", "ESC ", "ESC [ ", "ESC O "};
    if (line->told)
        return;
    line->told = true;
    line_write(line, "\nunknown key: ");
    line_write(line, begins[line->escape]);
    for (size_t i = 0; i < line->sequence_length; i++)
        if (is_text((uint8_t)line->sequence[i]))
            line_bytes(line, &line->sequence[i], 1);
    line_write(line, "\n");
    line_redraw(line);
}

static void end_escape(struct line *line) {
    enum key key = find_key(line->escape, line->sequence, line->sequence_length);
    if (key == KEYS)
        unknown_key(line);
    line->escape = ESCAPE_NONE;
    press(line, key);
}

/* A byte inside an escape sequence. false: it is not part of one; the sequence is given up. */
static bool escape_feed(struct line *line, uint8_t byte) {
    bool alt = line->escape == ESCAPE_BEGUN && byte == 0x7F;
    if (!is_text(byte) && !alt) {
        line->escape = ESCAPE_NONE;
        return false;
    }
    if (line->escape == ESCAPE_BEGUN && (byte == '[' || byte == 'O')) {
        line->escape = byte == '[' ? ESCAPE_CSI : ESCAPE_SS3;
        return true;
    }
    if (line->sequence_length < LINE_SEQUENCE_MAX) /* longer than every known one */
        line->sequence[line->sequence_length++] = (char)byte;
    if (line->escape != ESCAPE_CSI ||
        byte >= 0x40) /* parameters and intermediate bytes are below */
        end_escape(line);
    return true;
}

static enum line_event enter(struct line *line) {
    move_to(line, line->length);
    line_write(line, "\n");
    history_add(line);
    return line->too_long || line->noise ? LINE_REFUSED : LINE_READY;
}

enum line_event line_feed(struct line *line, uint8_t byte) {
    bool second = line->after_return && byte == '\n';
    line->after_return = byte == '\r';
    if (second)
        return LINE_NOTHING;
    if (line->escape != ESCAPE_NONE && escape_feed(line, byte))
        return LINE_NOTHING;
    char c = (char)byte;
    enum key key = find_key(ESCAPE_NONE, &c, 1);
    if (byte == '\r' || byte == '\n')
        return enter(line);
    if (byte == 0x1B) {
        line->escape = ESCAPE_BEGUN;
        line->sequence_length = 0;
    } else if (is_text(byte)) {
        line_insert(line, c);
    } else if (key != KEYS) {
        press(line, key);
    } else if (line->noise++ == 0) {
        line_write(line, "\a");
    }
    return LINE_NOTHING;
}
