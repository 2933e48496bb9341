/* SPDX-License-Identifier: MIT */
/* The shell's line editor beside a terminal: what is on its screen is always what the editor has. */
#include "rtos/shell/line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 256 };

struct terminal {
    char cells[COLUMNS + 1]; /* the row with the cursor */
    size_t column;
    char above[COLUMNS + 1]; /* the row before */
    unsigned bells;
};

static struct terminal terminal;
static struct line line;

static void terminal_clear(void) {
    memset(terminal.cells, ' ', COLUMNS);
    terminal.column = 0;
}

static void terminal_write(void *context, const char *text, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\n') {
            memcpy(terminal.above, terminal.cells, COLUMNS);
            terminal_clear();
        } else if (c == '\b') {
            cr_assert_gt(terminal.column, 0u, "moved left of the first column");
            terminal.column--;
        } else if (c == '\a') {
            terminal.bells++;
        } else {
            cr_assert(c >= ' ' && c <= '~', "byte %d on the terminal", c);
            cr_assert_lt(terminal.column, (size_t)COLUMNS);
            terminal.cells[terminal.column++] = c;
        }
    }
}

static const char *const words[] = {"help", "gpio", "gprint", "led"};

static const char *complete(void *context, const char *text, unsigned index, size_t *start) {
    (void)context;
    *start = strrchr(text, ' ') ? (size_t)(strrchr(text, ' ') - text) + 1 : 0;
    return index < 4 ? words[index] : NULL;
}

static const struct line_user user = {NULL, "> ", terminal_write, complete};

static void start(void) {
    terminal = (struct terminal){0};
    terminal_clear();
    line_init(&line, &user);
    line_begin(&line);
}

static void check(void) {
    char wanted[COLUMNS + 1];
    cr_assert(line.cursor <= line.length && line.length <= LINE_MAX);
    cr_assert_eq(line.text[line.length], 0);
    cr_assert_eq(strlen(line.text), line.length);
    snprintf(wanted, sizeof(wanted), "> %-*s", COLUMNS - 2, line.text);
    cr_assert_arr_eq(terminal.cells, wanted, COLUMNS, "\nscreen: %.130s\neditor: %.130s",
                     terminal.cells, wanted);
    cr_assert_eq(terminal.column, line.cursor + 2u);
}

static enum line_event feed(const char *bytes, size_t length) {
    enum line_event last = LINE_NOTHING;
    for (size_t i = 0; i < length; i++) {
        last = line_feed(&line, (uint8_t)bytes[i]);
        if (last == LINE_NOTHING)
            check();
        else if (i + 1 < length)
            line_begin(&line);
    }
    return last;
}

/* typed: keys; text: the line they leave, with | for the cursor */
#define LEFT "\033[D"
#define RIGHT "\033[C"
#define UP "\033[A"
#define DOWN "\033[B"
static const struct {
    const char *typed, *text;
} edits[] = {
    {"abc", "abc|"},
    {"abc" LEFT LEFT "x", "ax|bc"},
    {"abc" LEFT LEFT RIGHT RIGHT RIGHT "x", "abcx|"},
    {"abc" LEFT LEFT LEFT LEFT "x", "x|abc"},
    {"abc\033OD\033OD\033OCx", "abx|c"},
    {"abc\x02\x02\x06x", "abx|c"},
    {"abc\033[H1\033[F2", "1abc2|"},
    {"abc\033[1~1\033[4~2", "1abc2|"},
    {"abc\033[7~1\033[8~2", "1abc2|"},
    {"abc\033OH1\033OF2", "1abc2|"},
    {"abc\x01"
     "1\x05"
     "2",
     "1abc2|"},
    {"abc\b", "ab|"},
    {"abc\x7f\x7f\x7f\x7f", "|"},
    {"abc" LEFT "\b", "a|c"},
    {"abc\x01\b", "|abc"},
    {"abc\x01\033[3~", "|bc"},
    {"abc\x01\x04\x04", "|c"},
    {"abc\033[3~", "abc|"},
    {"abc" LEFT "\x15", "|"},
    {"abc" LEFT "\x0b", "ab|"},
    {"one two  \x17", "one |"},
    {"one two" LEFT "\x17", "one |o"},
    {"one two\033\x7f", "one |"},
    {"one two\x01\033d", "| two"},
    {"one two\033b", "one |two"},
    {"one two\033b\033b\033b", "|one two"},
    {"one two\x01\033f", "one| two"},
    {"one two\033[1;5D\033[1;5D\033[1;5Cx", "onex| two"},
    {"abc\x01\033[2~xyz!", "xyz!|"},
    {"abc\x01\033[2~x\033[2~y", "xy|bc"},
    {"ab\x0c"
     "c",
     "abc|"},
    {"ab\x03"
     "c",
     "c|"},
    {"one\rtwo\r" UP, "two|"},
    {"one\rtwo\r" UP UP, "one|"},
    {"one\rtwo\r" UP UP UP, "one|"},
    {"one\rtwo\rnew" UP UP DOWN, "two|"},
    {"one\rtwo\rnew" UP UP DOWN DOWN, "new|"},
    {"one\rtwo\rnew" UP UP DOWN DOWN DOWN, "new|"},
    {"one\rtwo\r\x10\x10\x0e", "two|"},
    {"one\rone\rtwo\rtwo\r" UP UP, "one|"},
    {"one\r   \r\r" UP, "one|"},
    {"one\r" UP "x\rtwo\r" UP UP, "onex|"},
    {UP, "|"},
    {DOWN, "|"},
    {"h\t", "help |"},
    {"g\t", "gp|"},
    {"g\t\t", "gp|"},
    {"gp\tr\t", "gprint |"},
    {"x\t", "x|"},
    {"\t", "|"},
    {"help g\t", "help gp|"},
    {"h x" LEFT LEFT "\t", "help | x"},
    {"abc\x01\033[2~h\t", "help |bc"},
    /* keys without a meaning, known and unknown, whole and broken */
    {"a\033[5~\033[6~b", "ab|"},
    {"a\033[15~b", "ab|"},
    {"a\033[200~b", "ab|"},
    {"a\033Zb", "ab|"},
    {"a\033OPb", "ab|"},
    {"a\033[1;2;3;4;5;6zb", "ab|"},
    {"a\033\033[Db", "b|a"},
    {"a\033[\033[Db", "b|a"},
    {"a\033[3\x7f"
     "b",
     "b|"},
    {"a\033[12\x03"
     "b",
     "b|"},
    {"a\xff\x80"
     "b",
     "ab|"},
};

Test(shell_line, edits) {
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        char got[LINE_MAX + 2];
        start();
        feed(edits[i].typed, strlen(edits[i].typed));
        snprintf(got, sizeof(got), "%.*s|%s", line.cursor, line.text, line.text + line.cursor);
        cr_expect_str_eq(got, edits[i].text, "edit %zu: %s, expected %s", i, got, edits[i].text);
    }
}

Test(shell_line, ends_of_lines) {
    start();
    cr_assert_eq(feed("a\r", 2), LINE_READY);
    line_begin(&line);
    cr_assert_eq(feed("\n", 1), LINE_NOTHING, "the second half of \\r\\n");
    cr_assert_eq(feed("\n", 1), LINE_READY, "a line of its own");
    line_begin(&line);
    cr_assert_eq(feed("ab\033[D\n", 6), LINE_READY);
    cr_assert_str_eq(line.text, "ab");
    cr_assert_eq(strncmp(terminal.above, "> ab ", 5), 0);
    line_begin(&line);
    cr_assert_eq(feed("ab\033[\r", 5), LINE_READY, "inside an escape sequence");
}

Test(shell_line, too_long) {
    char many[LINE_MAX + 40];
    memset(many, 'a', sizeof(many));
    start();
    feed(many, LINE_MAX);
    cr_assert_not(line.too_long);
    cr_assert_eq(terminal.bells, 0u);
    feed(many, 40);
    cr_assert(line.too_long);
    cr_assert_eq(terminal.bells, 1u, "one bell is enough");
    cr_assert_eq(line.length, LINE_MAX);
    cr_assert_eq(feed("\r", 1), LINE_REFUSED);
    line_begin(&line);
    cr_assert_eq(feed("b\r", 2), LINE_READY);
    line_begin(&line);
    feed(many, sizeof(many));
    cr_assert_eq(feed("\x15"
                      "c\r",
                      3),
                 LINE_READY, "a new beginning after kill line");
    cr_assert_str_eq(line.text, "c");
}

Test(shell_line, noise) {
    start();
    feed("\x80\xfe\0ab", 5);
    cr_assert_eq(line.noise, 3u);
    cr_assert_eq(terminal.bells, 1u);
    cr_assert_eq(feed("\r", 1), LINE_REFUSED);
    line_begin(&line);
    cr_assert_eq(feed("b\r", 2), LINE_READY);
}

Test(shell_line, unknown_key_is_named_once) {
    start();
    feed("ab\033[15~", 7);
    cr_assert_eq(strncmp(terminal.above, "unknown key: ESC [ 15~  ", 24), 0, "%.40s",
                 terminal.above);
    feed("\033[17~\x03\033x", 8);
    cr_assert_eq(strncmp(terminal.above, "unknown key: ESC x  ", 20), 0, "%.40s", terminal.above);
}

Test(shell_line, candidates_are_listed) {
    start();
    feed("gp\t", 3);
    cr_assert_eq(strncmp(terminal.above, "gpio  gprint  ", 14), 0, "%.40s", terminal.above);
}

/* The oldest lines make room for new ones; none is ever cut. */
Test(shell_line, history_is_full) {
    char text[200];
    start();
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), "%d %0*d", i, 1 + i * 7 % 110, 0);
        feed(text, strlen(text));
        cr_assert_eq(feed("\r", 1), LINE_READY);
        line_begin(&line);
        cr_assert_str_eq(history_entry(&line, 1), text);
        int back = 1, number;
        for (const char *entry; (entry = history_entry(&line, (unsigned)back)); back++) {
            cr_assert_eq(sscanf(entry, "%d", &number), 1);
            cr_assert_eq(number, i + 1 - back);
        }
        cr_assert(back > 4 || back == i + 2, "%d lines are kept", back - 1);
    }
}

/* All bytes, those that do something more often: nothing is written where it should not be. */
Test(shell_line, random_bytes) {
    static const char likely[] =
        "\033\033\033[[[OD~ABCDFH1234;5\t\b\x7f\x01\x05\x15\x17\x0b\x03\x0c gphelp\r";
    uint64_t x = 88172645463325252u;
    start();
    for (int i = 0; i < 1000000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        uint8_t byte =
            x >> 60 ? (uint8_t)likely[(x >> 8) % (sizeof(likely) - 1)] : (uint8_t)(x >> 16);
        if (line_feed(&line, byte) != LINE_NOTHING)
            line_begin(&line);
        check();
    }
}
