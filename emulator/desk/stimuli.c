/* SPDX-License-Identifier: MIT */
/*
 * What happens to the board from outside, from a file: a line is a time, what, and its arguments.
 *
 *     # the button, 50 ms long
 *     100ms   pin PA0 1
 *     +50ms   pin PA0 0
 *     +0ms    pin PA0 open          # nobody drives it any more
 *     1.5s    serial "help\r"
 *     2s      accel 0 0 1000        # thousandths of g
 *     33600000cycles encoder -4     # steps of quadrature
 *
 * Each line takes effect between the first two instructions after its time, so that a run is the same each
 * time, however fast the PC is.
 */
#include "desk/desk.h"

#include "util/file.h"
#include "util/vec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const double TIME_MAX = 1e18; /* ns: 31 years; cycles */

struct kind;

struct stimulus {
    const struct kind *kind;
    uint64_t at;    /* ns, or cycles */
    bool in_cycles; /* since power came */
    unsigned port, pin;
    enum { PIN_LOW, PIN_HIGH, PIN_OPEN } level;
    int16_t mg[3];
    int32_t steps;
    uint8_t *text; /* to be sent to the board */
    size_t length;
};

struct stimuli {
    VEC(struct stimulus) list;
    size_t next; /* the first that has not happened */
    unsigned usart;
};

struct line {
    struct arena *arena;
    struct diag *diag;
    const char *file, *text; /* the whole line */
    unsigned number;
    const char *at; /* what is read next */
};

struct kind {
    const char *name, *syntax;
    bool (*parse)(struct line *l, struct stimulus *s);
    void (*apply)(const struct stimulus *s, struct board *b, unsigned usart);
};

/* ------------------------------------------------------------------------------------------------
 * Words of a line */

static void skip_blanks(struct line *l) {
    while (*l->at == ' ' || *l->at == '\t')
        l->at++;
}

static bool at_end(struct line *l) {
    skip_blanks(l);
    return *l->at == '\0' || *l->at == '#';
}

static bool refuse(struct line *l, const char *mend, const char *what) {
    struct diag_loc loc = {.insn = -1,
                           .file = l->file,
                           .line = l->number,
                           .column = (unsigned)(l->at - l->text) + 1,
                           .text = l->text};

    return diag_error(l->diag, DIAG_RUN, &loc, mend, "%s", what);
}

/* Whether `word` is next, as a whole word. */
static bool accept(struct line *l, const char *word) {
    size_t length = strlen(word);

    skip_blanks(l);
    if (strncmp(l->at, word, length) != 0 || isalnum((unsigned char)l->at[length]))
        return false;
    l->at += length;
    return true;
}

static bool number(struct line *l, long min, long max, long *value) {
    char *end;

    skip_blanks(l);
    *value = strtol(l->at, &end, 10);
    if (end == l->at || isalnum((unsigned char)*end) || *end == '.')
        return refuse(l, NULL, "a whole number is expected here");
    if (*value < min || *value > max)
        return refuse(l, arena_printf(l->arena, "use %ld to %ld", min, max),
                      "this number is out of range");
    l->at = end;
    return true;
}

/* ------------------------------------------------------------------------------------------------
 * Times */

static const struct unit {
    const char *name;
    double ns; /* 0: cycles */
} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"cycles", 0}};

static const struct unit *parse_unit(struct line *l) {
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (accept(l, units[i].name))
            return &units[i];
    return NULL;
}

static bool parse_time(struct line *l, const struct stimulus *before, struct stimulus *s) {
    static const char mend[] =
        "write 20us, 100ms, 1.5s or 168000cycles; +20us is after the line before";
    const struct line start = *l;
    bool relative = *l->at == '+';
    char *end;

    l->at += relative;
    double value = isdigit((unsigned char)*l->at) ? strtod(l->at, &end) : -1;
    if (value < 0)
        return refuse(l, mend, "a time is expected here");
    l->at = end;
    const struct unit *unit = parse_unit(l);
    if (!unit)
        return refuse(l, mend, "this time has no unit");
    s->in_cycles = unit->ns == 0;
    value *= s->in_cycles ? 1 : unit->ns;
    if (value > TIME_MAX) {
        *l = start;
        return refuse(l, "a year has 31536000s", "this time is out of range");
    }
    s->at = (uint64_t)(value + 0.5);
    bool same = before && before->in_cycles == s->in_cycles;
    if (relative && before && !same) {
        *l = start;
        return refuse(l, "use the unit of the line before",
                      "cycles and seconds cannot be added: the clock may change");
    }
    if (relative && before)
        s->at += before->at; /* a sum that has wrapped is earlier */
    if (same && s->at < before->at) {
        *l = start;
        return refuse(l, "put the lines in order", "this is earlier than the line before");
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------
 * Kinds */

static bool parse_pin(struct line *l, struct stimulus *s) {
    skip_blanks(l);
    const struct line start = *l;
    long pin;

    if (l->at[0] != 'P' || l->at[1] < 'A' || l->at[1] >= 'A' + BOARD_PORTS)
        return refuse(l, "write PA0 to PI15", "a pin is expected here");
    s->port = (unsigned)(l->at[1] - 'A');
    l->at += 2;
    if (!isdigit((unsigned char)*l->at)) {
        *l = start;
        return refuse(l, "write PA0 to PI15", "a pin is expected here");
    }
    if (!number(l, 0, 15, &pin))
        return false;
    s->pin = (unsigned)pin;
    s->level = accept(l, "1") ? PIN_HIGH : accept(l, "0") ? PIN_LOW : PIN_OPEN;
    if (s->level == PIN_OPEN && !accept(l, "open"))
        return refuse(l, "write 0, 1 or open", "a level is expected here");
    return true;
}

static void apply_pin(const struct stimulus *s, struct board *b, unsigned usart) {
    (void)usart;
    if (s->level == PIN_OPEN)
        board_pin_release(b, s->port, s->pin);
    else
        board_pin_drive(b, s->port, s->pin, s->level == PIN_HIGH);
}

/* A character of a text, escapes resolved; -1 after an error. */
static int parse_character(struct line *l) {
    static const char escapes[] = "n\nr\rt\te\033\\\\\"\"";
    unsigned code;
    int digits = 0;

    if (*l->at != '\\')
        return (unsigned char)*l->at++;
    if (l->at[1] == 'x' && isxdigit((unsigned char)l->at[2]) && isxdigit((unsigned char)l->at[3]) &&
        sscanf(l->at + 2, "%2x%n", &code, &digits) == 1) {
        l->at += 2 + digits;
        return (int)code;
    }
    for (const char *e = escapes; *e; e += 2)
        if (l->at[1] == *e) {
            l->at += 2;
            return e[1];
        }
    refuse(l, "use \\n \\r \\t \\e \\\\ \\\" or \\x and two digits", "there is no such escape");
    return -1;
}

static bool parse_serial(struct line *l, struct stimulus *s) {
    skip_blanks(l);
    if (*l->at != '"')
        return refuse(l, NULL, "a text in quotes is expected here");
    l->at++;
    s->text = arena_alloc(l->arena, strlen(l->at) + 1);
    while (*l->at != '"') {
        if (*l->at == '\0')
            return refuse(l, "write a quote at its end", "this text has no end");
        int c = parse_character(l);
        if (c < 0)
            return false;
        s->text[s->length++] = (uint8_t)c;
    }
    l->at++;
    return true;
}

static void apply_serial(const struct stimulus *s, struct board *b, unsigned usart) {
    for (size_t i = 0; i < s->length; i++)
        board_serial_send(b, usart, s->text[i]);
}

static bool parse_accel(struct line *l, struct stimulus *s) {
    for (unsigned i = 0; i < 3; i++) {
        long mg;
        if (!number(l, INT16_MIN, INT16_MAX, &mg))
            return false;
        s->mg[i] = (int16_t)mg;
    }
    return true;
}

static void apply_accel(const struct stimulus *s, struct board *b, unsigned usart) {
    (void)usart;
    board_accel(b, s->mg);
}

static bool parse_encoder(struct line *l, struct stimulus *s) {
    long steps;

    if (!number(l, INT32_MIN, INT32_MAX, &steps))
        return false;
    s->steps = (int32_t)steps;
    return true;
}

static void apply_encoder(const struct stimulus *s, struct board *b, unsigned usart) {
    (void)usart;
    board_encoder_turn(b, s->steps);
}

static const struct kind kinds[] = {
    {"pin", "pin PA0 1", parse_pin, apply_pin},
    {"serial", "serial \"text\"", parse_serial, apply_serial},
    {"accel", "accel 0 0 1000", parse_accel, apply_accel},
    {"encoder", "encoder -4", parse_encoder, apply_encoder},
};

/* ------------------------------------------------------------------------------------------------
 * Lines */

static bool parse_kind(struct line *l, struct stimulus *s) {
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (accept(l, kinds[i].name)) {
            s->kind = &kinds[i];
            return kinds[i].parse(l, s);
        }
    return refuse(l, "write pin PA0 1, serial \"text\", accel 0 0 1000 or encoder -4",
                  "pin, serial, accel or encoder is expected here");
}

static bool parse_line(struct line *l, struct stimuli *all) {
    struct stimulus s = {0};

    if (at_end(l))
        return true;
    if (!parse_time(l, all->list.count ? &vec_last(&all->list) : NULL, &s) || !parse_kind(l, &s))
        return false;
    if (!at_end(l))
        return refuse(l, arena_printf(l->arena, "for example: %s", s.kind->syntax),
                      "this line should end here");
    vec_push(l->arena, &all->list, s);
    return true;
}

struct stimuli *stimuli_parse(const char *file, char *text, unsigned usart, struct arena *arena,
                              struct diag *diag) {
    struct stimuli *all = arena_alloc(arena, sizeof(*all));
    struct line l = {.arena = arena, .diag = diag, .file = file};
    bool ok = true;

    all->usart = usart;
    for (char *next = text; next;) {
        l.text = l.at = next;
        l.number++;
        next = strchr(next, '\n');
        if (next)
            *next++ = '\0';
        size_t length = strlen(l.text);
        if (length && l.text[length - 1] == '\r')
            ((char *)l.text)[length - 1] = '\0';
        ok &= parse_line(&l, all);
    }
    return ok ? all : NULL;
}

struct stimuli *stimuli_read(const char *file, unsigned usart, struct arena *arena,
                             struct diag *diag) {
    uint8_t *bytes;
    size_t size;

    if (!file_read(file, FILE_SIZE_LIMIT, arena, &bytes, &size, diag))
        return NULL;
    if (memchr(bytes, '\0', size)) {
        diag_error(diag, DIAG_RUN, NULL, NULL, "%s is no text: it has a byte 0", file);
        return NULL;
    }
    return stimuli_parse(file, (char *)bytes, usart, arena, diag);
}

/* ------------------------------------------------------------------------------------------------
 * Time passes */

static uint64_t left(const struct stimulus *s, const struct board *b) {
    uint64_t now = s->in_cycles ? board_cycles(b) : board_ns(b);

    return s->at > now ? s->at - now : 0;
}

void stimuli_apply(struct stimuli *s, struct board *b) {
    for (; s->next < s->list.count; s->next++) {
        const struct stimulus *it = &s->list.items[s->next];
        if (left(it, b) > 0)
            return;
        it->kind->apply(it, b, s->usart);
    }
}

/*
 * How many nanoseconds a cycle takes may change on the way, so this goes by a clock that is rather too slow
 * (16 MHz, that of reset) and comes nearer with each call.
 */
uint64_t stimuli_cycles(const struct stimuli *s, const struct board *b, uint64_t limit) {
    if (s->next == s->list.count)
        return limit;
    const struct stimulus *it = &s->list.items[s->next];
    uint64_t cycles = it->in_cycles ? left(it, b) : left(it, b) / 1000 * 16;
    if (cycles == 0)
        cycles = 1;
    return cycles < limit ? cycles : limit;
}
