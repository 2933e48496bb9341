/* SPDX-License-Identifier: MIT
 *
 * Operator precedence with two stacks (Dijkstra's shunting yard): no recursion, so a line cannot use up the
 * task's stack. An operator waits on one stack until one that binds no tighter follows; then it takes its
 * operands from the other one.
 */
#include "expression.h"
#include "line.h"

enum operator{
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_ADD,
    OP_SUBTRACT,
    OP_LEFT,
    OP_RIGHT,
    OP_LESS_EQUAL,
    OP_GREATER_EQUAL,
    OP_LESS,
    OP_GREATER,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_AND,
    OP_XOR,
    OP_OR,
    OP_NEGATE, /* from here on: before their one operand */
    OP_PLUS,
    OP_COMPLEMENT,
    OP_NOT,
    OP_OPEN, /* a parenthesis that waits for its partner */
    OPS
};

/* Of two texts the longer one comes first. Precedences are C's (C11 6.5); a parenthesis ends all waiting. */
static const struct {
    char text[3];
    uint8_t precedence;
} operators[OPS] = {
    [OP_MULTIPLY] = {"*", 10},   [OP_DIVIDE] = {"/", 10},     [OP_REMAINDER] = {"%", 10},
    [OP_ADD] = {"+", 9},         [OP_SUBTRACT] = {"-", 9},    [OP_LEFT] = {"<<", 8},
    [OP_RIGHT] = {">>", 8},      [OP_LESS_EQUAL] = {"<=", 7}, [OP_GREATER_EQUAL] = {">=", 7},
    [OP_LESS] = {"<", 7},        [OP_GREATER] = {">", 7},     [OP_EQUAL] = {"==", 6},
    [OP_NOT_EQUAL] = {"!=", 6},  [OP_AND] = {"&", 5},         [OP_XOR] = {"^", 4},
    [OP_OR] = {"|", 3},          [OP_NEGATE] = {"-", 11},     [OP_PLUS] = {"+", 11},
    [OP_COMPLEMENT] = {"~", 11}, [OP_NOT] = {"!", 11},        [OP_OPEN] = {"(", 0},
};

struct machine {
    const char *text;
    size_t at; /* next byte of text */
    unsigned values_used, waiting_used;
    int64_t values[EXPRESSION_DEPTH + 1];
    struct {
        uint8_t op;
        size_t at;
    } waiting[EXPRESSION_DEPTH];
};

/* ----- operators ---------------------------------------------------------------------------------- */

static enum expression_error apply_unary(enum operator op, int64_t *a) {
    switch (op) {
    case OP_NEGATE: return __builtin_sub_overflow(0, *a, a) ? EXPRESSION_OVERFLOW : EXPRESSION_OK;
    case OP_COMPLEMENT: *a = ~*a; break;
    case OP_NOT: *a = !*a; break;
    default: break; /* OP_PLUS */
    }
    return EXPRESSION_OK;
}

static enum expression_error divide(enum operator op, int64_t *a, int64_t b) {
    if (b == 0)
        return EXPRESSION_DIVISION;
    if (b == -1) { /* the one quotient that does not fit; its remainder does */
        int64_t minus;
        bool wide = __builtin_sub_overflow(0, *a, &minus);
        if (wide && op == OP_DIVIDE)
            return EXPRESSION_OVERFLOW;
        *a = op == OP_DIVIDE ? minus : 0;
        return EXPRESSION_OK;
    }
    *a = op == OP_DIVIDE ? *a / b : *a % b;
    return EXPRESSION_OK;
}

static enum expression_error shift(enum operator op, int64_t *a, int64_t b) {
    if (b < 0 || b > 63)
        return EXPRESSION_SHIFT;
    *a = op == OP_LEFT ? (int64_t)((uint64_t)*a << b) : *a >> b;
    return EXPRESSION_OK;
}

static enum expression_error apply_binary(enum operator op, int64_t *a, int64_t b) {
    bool wide = false;
    switch (op) {
    case OP_MULTIPLY: wide = __builtin_mul_overflow(*a, b, a); break;
    case OP_ADD: wide = __builtin_add_overflow(*a, b, a); break;
    case OP_SUBTRACT: wide = __builtin_sub_overflow(*a, b, a); break;
    case OP_DIVIDE:
    case OP_REMAINDER: return divide(op, a, b);
    case OP_LEFT:
    case OP_RIGHT: return shift(op, a, b);
    case OP_LESS_EQUAL: *a = *a <= b; break;
    case OP_GREATER_EQUAL: *a = *a >= b; break;
    case OP_LESS: *a = *a < b; break;
    case OP_GREATER: *a = *a > b; break;
    case OP_EQUAL: *a = *a == b; break;
    case OP_NOT_EQUAL: *a = *a != b; break;
    case OP_AND: *a &= b; break;
    case OP_XOR: *a ^= b; break;
    default: *a |= b; break; /* OP_OR */
    }
    return wide ? EXPRESSION_OVERFLOW : EXPRESSION_OK;
}

/* ----- the two stacks ----------------------------------------------------------------------------- */

static enum expression_error push_operator(struct machine *m, enum operator op) {
    if (m->waiting_used == EXPRESSION_DEPTH)
        return EXPRESSION_DEEP;
    m->waiting[m->waiting_used].op = (uint8_t)op;
    m->waiting[m->waiting_used++].at = m->at;
    m->at += strlen(operators[op].text);
    return EXPRESSION_OK;
}

/* Carries out what waits and binds at least as tightly. On an error `at` is the operator's. */
static enum expression_error reduce(struct machine *m, unsigned precedence) {
    while (m->waiting_used &&
           operators[m->waiting[m->waiting_used - 1].op].precedence >= precedence) {
        enum operator op = m->waiting[--m->waiting_used].op;
        enum expression_error error;
        if (op >= OP_NEGATE) {
            error = apply_unary(op, &m->values[m->values_used - 1]);
        } else {
            m->values_used--;
            error = apply_binary(op, &m->values[m->values_used - 1], m->values[m->values_used]);
        }
        if (error) {
            m->at = m->waiting[m->waiting_used].at;
            return error;
        }
    }
    return EXPRESSION_OK;
}

/* ----- values ------------------------------------------------------------------------------------- */

static unsigned digit(char c) {
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

/* Hexadecimal and binary numbers may use all 64 bits, decimal ones 63. */
static enum expression_error number(const char *text, size_t *length, int64_t *value) {
    unsigned base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'b'))
        base = text[1] == 'x' ? 16 : 2;
    uint64_t limit = base == 10 ? INT64_MAX : UINT64_MAX, sum = 0;
    size_t first = base == 10 ? 0 : 2, i = first;
    for (; digit(text[i]) < base; i++) {
        if (sum > (limit - digit(text[i])) / base)
            return EXPRESSION_LARGE_NUMBER;
        sum = sum * base + digit(text[i]);
    }
    if (i == first || variable_name_length(text + i) || digit(text[i]) < 16)
        return EXPRESSION_BAD_NUMBER;
    *length = i;
    *value = (int64_t)sum;
    return EXPRESSION_OK;
}

/* A value, or what may stand before one. *done: a value was there, an operator comes next. */
static enum expression_error read_value(struct machine *m, bool *done) {
    const char *text = m->text + m->at;
    for (enum operator op = OP_NEGATE; op < OPS; op++)
        if (text[0] == operators[op].text[0])
            return push_operator(m, op);
    int64_t value;
    size_t length = variable_name_length(text);
    if (length) {
        if (!variable_get(text, length, &value))
            return EXPRESSION_NO_VARIABLE;
    } else if (digit(text[0]) < 10) {
        enum expression_error error = number(text, &length, &value);
        if (error)
            return error;
    } else {
        return EXPRESSION_VALUE_EXPECTED;
    }
    m->values[m->values_used++] = value; /* at most one more than binary operators wait */
    m->at += length;
    *done = true;
    return EXPRESSION_OK;
}

static enum expression_error close_parenthesis(struct machine *m) {
    size_t at = m->at;
    enum expression_error error = reduce(m, 1);
    if (error)
        return error;
    if (m->waiting_used == 0)
        return EXPRESSION_CLOSE;
    m->waiting_used--;
    m->at = at + 1;
    return EXPRESSION_OK;
}

/* *value_next: a binary operator was there. */
static enum expression_error read_operator(struct machine *m, bool *value_next) {
    const char *text = m->text + m->at;
    if (text[0] == ')')
        return close_parenthesis(m);
    for (enum operator op = 0; op < OP_NEGATE; op++) {
        if (!text_begins(text, operators[op].text, strlen(operators[op].text)))
            continue;
        *value_next = true;
        enum expression_error error = reduce(m, operators[op].precedence);
        return error ? error : push_operator(m, op);
    }
    return EXPRESSION_OPERATOR_EXPECTED;
}

static enum expression_error end(struct machine *m) {
    enum expression_error error = reduce(m, 1);
    if (error || m->waiting_used == 0)
        return error;
    m->at = m->waiting[m->waiting_used - 1].at;
    return EXPRESSION_OPEN;
}

static enum expression_error run(struct machine *m) {
    bool value_next = true;
    for (;;) {
        while (m->text[m->at] == ' ')
            m->at++;
        if (!value_next && !m->text[m->at])
            return end(m);
        bool done = false;
        enum expression_error error = value_next ? read_value(m, &done) : read_operator(m, &done);
        if (error)
            return error;
        if (done)
            value_next = !value_next;
    }
}

enum expression_error expression_value(const char *text, int64_t *value, size_t *where) {
    struct machine machine = {.text = text};
    enum expression_error error = run(&machine);
    *where = machine.at;
    if (!error)
        *value = machine.values[0];
    return error;
}

const char *expression_error_text(enum expression_error error) {
    static const char *const texts[] = {[EXPRESSION_OK] = "done",
#define EXPRESSION_TEXT(name, text) [EXPRESSION_##name] = text,
                                        EXPRESSION_ERRORS(EXPRESSION_TEXT)
#undef EXPRESSION_TEXT
    };
    return texts[error];
}
