/* SPDX-License-Identifier: MIT */
/*
 * What one sees of a Discovery board: four LEDs, the blue button, and what PWM drives. It takes the last line of
 * the terminal; the lines above scroll as ever (DECSTBM), so the console beside it needs not know.
 */
#include "desk/desk.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    PRESS_NS = 100 * 1000 * 1000, /* of the board's time: longer than any debouncing */
    DRAW_MS = 50,
    TEXT_SIZE = 256,
};

enum { BUTTON_PORT = 0, BUTTON_PIN = 0, LED_PORT = 3 };

static const struct led {
    const char *name;
    unsigned pin;
    unsigned colour; /* SGR */
} leds[] = {{"green", 12, 32}, {"orange", 13, 33}, {"red", 14, 31}, {"blue", 15, 34}};

struct view {
    struct board *board;
    int fd;
    unsigned rows, columns; /* of the terminal as it was last set up; 0: not yet */
    bool colour, pressed;
    uint64_t release_at; /* board_ns() */
    uint64_t drawn_at;   /* ms of the PC */
    char shown[TEXT_SIZE];
};

/* ------------------------------------------------------------------------------------------------
 * The text */

struct text {
    char *at;
    size_t left;
    bool colour;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...) {
    va_list args;

    va_start(args, format);
    int n = vsnprintf(t->at, t->left, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->left)
        n = (int)t->left - 1;
    t->at += n;
    t->left -= (size_t)n;
}

static void add_led(struct text *t, const struct board *b, const struct led *led) {
    double duty = board_pwm(b, LED_PORT, led->pin);
    bool on = duty >= 0 ? duty > 0 : board_pin_level(b, LED_PORT, led->pin);

    if (t->colour && on)
        add(t, "\033[%u;7m", led->colour);
    if (duty >= 0)
        add(t, " %s %.0f%% ", led->name, duty * 100);
    else
        add(t, " %s%s ", led->name, on ? "*" : "-");
    if (t->colour && on)
        add(t, "\033[0m");
}

static void add_pwm(struct text *t, const struct board *b) {
    for (unsigned port = 0; port < BOARD_PORTS; port++)
        for (unsigned pin = 0; pin < 16; pin++) {
            double duty = board_pwm(b, port, pin);
            if (duty >= 0 && !(port == LED_PORT && pin >= 12))
                add(t, " P%c%u %.1f%%", 'A' + port, pin, duty * 100);
        }
}

static void add_all(struct text *t, const struct board *b, bool pressed) {
    for (size_t i = 0; i < sizeof(leds) / sizeof(leds[0]); i++)
        add_led(t, b, &leds[i]);
    add(t, " button %s ", pressed ? "down" : "up");
    add_pwm(t, b);
}

void view_text(const struct board *board, bool pressed, char *text, size_t size) {
    struct text t = {.at = text, .left = size};

    add_all(&t, board, pressed);
}

/* ------------------------------------------------------------------------------------------------
 * The terminal */

static void put(struct view *v, const char *text) {
    size_t length = strlen(text);

    while (length) {
        ssize_t n = write(v->fd, text, length);
        if (n <= 0)
            return; /* a line of the view is not worth waiting for */
        text += n;
        length -= (size_t)n;
    }
}

/* Makes room at the bottom when the terminal has got another size; false: it is too small. */
static bool fit(struct view *v) {
    struct winsize size;
    char text[64];

    if (ioctl(v->fd, TIOCGWINSZ, &size) != 0 || size.ws_row < 4 || size.ws_col < 20)
        return false;
    if (size.ws_row == v->rows && size.ws_col == v->columns)
        return true;
    /* A new line first, lest the console's last one lies under the view; the cursor stays where it was. */
    snprintf(text, sizeof(text), "\n\0337\033[1;%ur\0338\033[A", size.ws_row - 1u);
    put(v, text);
    v->rows = size.ws_row;
    v->columns = size.ws_col;
    v->shown[0] = '\0';
    return true;
}

/* Cuts plain text to the terminal's width: the line must not wrap. */
static void draw(struct view *v) {
    char plain[TEXT_SIZE], text[2 * TEXT_SIZE];

    if (!fit(v))
        return;
    view_text(v->board, v->pressed, plain, sizeof(plain));
    if (strcmp(plain, v->shown) == 0)
        return;
    strcpy(v->shown, plain);
    struct text t = {
        .at = text, .left = sizeof(text), .colour = v->colour && strlen(plain) < v->columns};
    add(&t, "\0337\033[%u;1H\033[K", v->rows);
    if (t.colour)
        add_all(&t, v->board, v->pressed);
    else
        add(&t, "%.*s", (int)v->columns - 1, plain);
    add(&t, "\033[0m\0338");
    put(v, text);
}

static uint64_t milliseconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct view *view_new(struct board *board, int fd, bool colour) {
    struct view *v = calloc(1, sizeof(*v));

    if (!v)
        abort();
    v->board = board;
    v->fd = fd;
    v->colour = colour;
    draw(v);
    return v;
}

void view_free(struct view *v) {
    char text[64];

    if (!v)
        return;
    if (v->rows) {
        snprintf(text, sizeof(text), "\0337\033[r\033[%u;1H\033[K\0338", v->rows);
        put(v, text);
    }
    free(v);
}

void view_button(struct board *board, bool down) {
    board_pin_drive(board, BUTTON_PORT, BUTTON_PIN, down);
}

void view_press(struct view *v) {
    view_button(v->board, true);
    v->pressed = true;
    v->release_at = board_ns(v->board) + PRESS_NS;
}

void view_update(struct view *v) {
    if (v->pressed && board_ns(v->board) >= v->release_at) {
        view_button(v->board, false);
        v->pressed = false;
    }
    uint64_t now = milliseconds();
    if (now - v->drawn_at < DRAW_MS)
        return;
    v->drawn_at = now;
    draw(v);
}
