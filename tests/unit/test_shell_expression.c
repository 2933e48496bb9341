/* SPDX-License-Identifier: MIT */
/* Integer expressions of the shell: values and messages, and random ones against a second evaluator. */
#include "rtos/shell/expression.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    int64_t value;
} good[] = {
    {"0", 0},
    {" 42 ", 42},
    {"0x2a", 42},
    {"0xFFffFFffFFffFFff", -1},
    {"0b1010", 10},
    {"9223372036854775807", INT64_MAX},
    {"0x8000000000000000", INT64_MIN},
    {"-9223372036854775807-1", INT64_MIN},
    {"1+2*3", 7},
    {"(1+2)*3", 9},
    {"10-4-3", 3},
    {"100/10/5", 2},
    {"-7/2", -3},
    {"-7%2", -1},
    {"7%-2", 1},
    {"0x8000000000000000%-1", 0},
    {"2-3", -1},
    {"2--3", 5},
    {"- - -3", -3},
    {"+5", 5},
    {"~0", -1},
    {"!0+!7", 1},
    {"-1>>1", -1},
    {"1<<63", INT64_MIN},
    {"1<<2+1", 8},
    {"1<2", 1},
    {"2<=1", 0},
    {"3>2>1", 0},
    {"2>=2", 1},
    {"1==1!=0", 1},
    {"1|2^3&4==4", 3},
    {"6&3", 2},
    {"6^3", 5},
    {"~5&0xf", 10},
    {"-2*3", -6},
    {"-(2+3)*4", -20},
    {"((((((((((((((((((((((7))))))))))))))))))))))", 7},
    {"seven*6", 42},
    {"seven<<x_1", 28},
};

static const struct {
    const char *text;
    enum expression_error error;
    size_t where;
} bad[] = {
    {"", EXPRESSION_VALUE_EXPECTED, 0},
    {"   ", EXPRESSION_VALUE_EXPECTED, 3},
    {"1+", EXPRESSION_VALUE_EXPECTED, 2},
    {"1 + * 2", EXPRESSION_VALUE_EXPECTED, 4},
    {"()", EXPRESSION_VALUE_EXPECTED, 1},
    {"1 2", EXPRESSION_OPERATOR_EXPECTED, 2},
    {"1=2", EXPRESSION_OPERATOR_EXPECTED, 1},
    {"1 ! 2", EXPRESSION_OPERATOR_EXPECTED, 2},
    {"(1)(2)", EXPRESSION_OPERATOR_EXPECTED, 3},
    {"1 && 2", EXPRESSION_VALUE_EXPECTED, 3},
    {"$", EXPRESSION_VALUE_EXPECTED, 0},
    {"1+nobody", EXPRESSION_NO_VARIABLE, 2},
    {"sevens", EXPRESSION_NO_VARIABLE, 0},
    {"12ab", EXPRESSION_BAD_NUMBER, 0},
    {"12z", EXPRESSION_BAD_NUMBER, 0},
    {"0x", EXPRESSION_BAD_NUMBER, 0},
    {"0b12", EXPRESSION_BAD_NUMBER, 0},
    {"0xg", EXPRESSION_BAD_NUMBER, 0},
    {"9223372036854775808", EXPRESSION_LARGE_NUMBER, 0},
    {"0x10000000000000000", EXPRESSION_LARGE_NUMBER, 0},
    {"2*(3+4", EXPRESSION_OPEN, 2},
    {"2*3)", EXPRESSION_CLOSE, 3},
    {"1/0", EXPRESSION_DIVISION, 1},
    {"1+5%(2-2)", EXPRESSION_DIVISION, 3},
    {"9223372036854775807+1", EXPRESSION_OVERFLOW, 19},
    {"0x8000000000000000/-1", EXPRESSION_OVERFLOW, 18},
    {"-0x8000000000000000", EXPRESSION_OVERFLOW, 0},
    {"4294967296*4294967296", EXPRESSION_OVERFLOW, 10},
    {"0x8000000000000000-1", EXPRESSION_OVERFLOW, 18},
    {"1<<64", EXPRESSION_SHIFT, 1},
    {"1>>-1", EXPRESSION_SHIFT, 1},
    {"(((((((((((((((((((((((((1)))))))))))))))))))))))))", EXPRESSION_DEEP, 24},
    {"-------------------------1", EXPRESSION_DEEP, 24},
};

static void variables(void) {
    variable_set("seven", 5, 7);
    variable_set("x_1", 3, 2);
}

Test(shell_expression, values) {
    variables();
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t value = 0;
        size_t where;
        enum expression_error error = expression_value(good[i].text, &value, &where);
        cr_expect_eq(error, EXPRESSION_OK, "%s: %s", good[i].text, expression_error_text(error));
        cr_expect_eq(value, good[i].value, "%s = %ld, expected %ld", good[i].text, value,
                     good[i].value);
    }
}

Test(shell_expression, messages) {
    variables();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t value = 4711;
        size_t where;
        enum expression_error error = expression_value(bad[i].text, &value, &where);
        cr_expect_eq(error, bad[i].error, "%s: %s", bad[i].text, expression_error_text(error));
        cr_expect_eq(where, bad[i].where, "%s: at %zu, expected %zu", bad[i].text, where,
                     bad[i].where);
        cr_expect_eq(value, 4711, "an error gives no value");
    }
}

Test(shell_expression, variables) {
    int64_t value;
    char name[VARIABLE_NAME + 2];
    for (int i = 0; i < VARIABLES; i++) {
        snprintf(name, sizeof(name), "v%d", i);
        cr_assert_eq(variable_set(name, strlen(name), i), VARIABLE_OK);
    }
    cr_assert_eq(variable_set("more", 4, 1), VARIABLE_NO_ROOM);
    cr_assert_eq(variable_set("v3", 2, 33), VARIABLE_OK);
    cr_assert(variable_get("v3", 2, &value) && value == 33);
    cr_assert_not(variable_get("v", 1, &value));
    cr_assert(variable_remove("v3", 2) && !variable_remove("v3", 2));
    cr_assert_not(variable_get("v3", 2, &value));
    cr_assert(variable_get("v15", 3, &value) && value == 15);
    cr_assert_str_eq(variable_at(3, &value), "v4");
    cr_assert_null(variable_at(15, &value));
    cr_assert_eq(variable_set("fifteen_letters", 15, 1), VARIABLE_OK);
    cr_assert_eq(variable_set("sixteen_letters_", 16, 1), VARIABLE_LONG_NAME);
    cr_assert_eq(variable_set("", 0, 1), VARIABLE_BAD_NAME);
    cr_assert_eq(variable_name_length("_a9 b"), 3u);
    cr_assert_eq(variable_name_length("9a"), 0u);
}

/* ----- random expressions: the evaluator below goes by the grammar, one function call a level ------- */

static const char *at;
static bool wrong;

static const char *const levels[][5] = {
    {"|"},        {"^"},      {"&"},           {"==", "!="}, {"<=", ">=", "<", ">"},
    {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
};
enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

static int64_t fit(__int128 value) {
    if (value < INT64_MIN || value > INT64_MAX)
        wrong = true;
    return (int64_t)value;
}

static int64_t apply(const char *op, int64_t a, int64_t b) {
    bool divides = op[0] == '/' || op[0] == '%', shifts = !strcmp(op, "<<") || !strcmp(op, ">>");
    if ((divides && b == 0) || (shifts && (b < 0 || b > 63))) {
        wrong = true;
        return 0;
    }
    switch (op[0]) {
    case '|': return a | b;
    case '^': return a ^ b;
    case '&': return a & b;
    case '=': return a == b;
    case '!': return a != b;
    case '+': return fit((__int128)a + b);
    case '-': return fit((__int128)a - b);
    case '*': return fit((__int128)a * b);
    case '/': return fit((__int128)a / b);
    case '%': return fit((__int128)a % b);
    case '<': return op[1] == '<' ? (int64_t)((uint64_t)a << b) : op[1] ? a <= b : a < b;
    default: return op[1] == '>' ? a >> b : op[1] ? a >= b : a > b;
    }
}

static int64_t level(unsigned number);

static int64_t operand(void) {
    int64_t value;
    char *end;
    switch (*at++) {
    case '-': return fit(-(__int128)operand());
    case '+': return operand();
    case '~': return ~operand();
    case '!': return !operand();
    case '(':
        value = level(0);
        at++;
        return value;
    default:
        value = (int64_t)strtoull(at - 1, &end, 0);
        at = end;
        return value;
    }
}

static const char *operator_here(unsigned number) {
    for (unsigned n = LEVELS; n-- > 0;) /* << is not < */
        for (const char *const *op = levels[n]; op < levels[n] + 5 && *op; op++)
            if (!strncmp(at, *op, strlen(*op)))
                return n == number ? *op : NULL;
    return NULL;
}

static int64_t level(unsigned number) {
    if (number == LEVELS)
        return operand();
    int64_t value = level(number + 1);
    for (const char *op; (op = operator_here(number));) {
        at += strlen(op);
        value = apply(op, value, level(number + 1));
    }
    return value;
}

static uint64_t state = 88172645463325252u;

static unsigned pick(unsigned count) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % count;
}

static char *generate(char *to, unsigned depth) {
    static const char *const numbers[] = {"0",
                                          "1",
                                          "2",
                                          "3",
                                          "63",
                                          "64",
                                          "0xffffffffffffffff",
                                          "4294967296",
                                          "9223372036854775807",
                                          "0x8000000000000000"};
    for (unsigned terms = 1 + pick(depth ? 4 : 1); terms > 0; terms--) {
        for (unsigned unary = pick(4) ? 0 : 1; unary > 0; unary--)
            *to++ = "-+~!"[pick(4)];
        if (depth && pick(3) == 0) {
            *to++ = '(';
            to = generate(to, depth - 1);
            *to++ = ')';
        } else {
            to = stpcpy(to, numbers[pick(sizeof(numbers) / sizeof(numbers[0]))]);
        }
        if (terms > 1) {
            const char *const *ops = levels[pick(LEVELS)];
            unsigned count = 0;
            while (count < 5 && ops[count])
                count++;
            to = stpcpy(to, ops[pick(count)]);
        }
    }
    *to = 0;
    return to;
}

Test(shell_expression, random_against_grammar) {
    static char text[100000];
    unsigned values = 0;
    for (int i = 0; i < 200000; i++) {
        int64_t value;
        size_t where;
        generate(text, 3);
        at = text;
        wrong = false;
        int64_t wanted = level(0);
        cr_assert_eq(*at, 0, "%s", text);
        enum expression_error error = expression_value(text, &value, &where);
        if (error == EXPRESSION_DEEP)
            continue;
        cr_assert_eq(error != EXPRESSION_OK, wrong, "%s: %s", text, expression_error_text(error));
        cr_assert(wrong || value == wanted, "%s: %ld, expected %ld", text, value, wanted);
        values += !wrong;
    }
    cr_assert_gt(values, 50000u, "only %u had a value", values);
}
