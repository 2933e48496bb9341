/* SPDX-License-Identifier: MIT
 *
 * Integer expressions of the shell: 64 bits with sign, C's operators and precedences without && and ||.
 * A result that does not fit is an error and not something else.
 */
#ifndef SHELL_EXPRESSION_H
#define SHELL_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ERROR(name, text) */
#define EXPRESSION_ERRORS(ERROR)                                                                   \
    ERROR(VALUE_EXPECTED, "a number, a variable or ( is expected here")                            \
    ERROR(OPERATOR_EXPECTED, "an operator is expected here")                                       \
    ERROR(NO_VARIABLE, "there is no such variable (set NAME = VALUE makes one)")                   \
    ERROR(BAD_NUMBER, "this is no number: 42, 0x2a and 0b101010 are")                              \
    ERROR(LARGE_NUMBER, "this number does not fit in 64 bits")                                     \
    ERROR(OPEN, "the ) for this ( is missing")                                                     \
    ERROR(CLOSE, "there is no ( for this )")                                                       \
    ERROR(DEEP, "nested too deeply from here on")                                                  \
    ERROR(DIVISION, "division by zero")                                                            \
    ERROR(OVERFLOW, "the result does not fit in 64 bits")                                          \
    ERROR(SHIFT, "a shift is by 0 to 63 bits")

enum expression_error {
    EXPRESSION_OK,
#define EXPRESSION_ENUM(name, text) EXPRESSION_##name,
    EXPRESSION_ERRORS(EXPRESSION_ENUM)
#undef EXPRESSION_ENUM
};

enum {
    EXPRESSION_DEPTH = 24, /* operators and parentheses that wait for their right side */
    VARIABLES = 16,
    VARIABLE_NAME = 16, /* bytes, the 0 included */
};

/* expression.c; *where: the offset of what is wrong */
enum expression_error expression_value(const char *text, int64_t *value, size_t *where);
const char *expression_error_text(enum expression_error error);

/* variable.c */
enum variable_error { VARIABLE_OK, VARIABLE_BAD_NAME, VARIABLE_LONG_NAME, VARIABLE_NO_ROOM };
size_t variable_name_length(const char *text); /* of the name that text begins with; 0: none */
bool variable_get(const char *name, size_t length, int64_t *value);
enum variable_error variable_set(const char *name, size_t length, int64_t value);
bool variable_remove(const char *name, size_t length);
const char *variable_at(unsigned index, int64_t *value); /* NULL: there are no more */

#endif
