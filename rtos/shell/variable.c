/* SPDX-License-Identifier: MIT */
#include "expression.h"
#include "line.h"

/* In the order in which they were made. */
static struct {
    char name[VARIABLE_NAME];
    int64_t value;
} variables[VARIABLES];
static unsigned count;

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t variable_name_length(const char *text) {
    size_t length = 0;
    while (is_letter(text[length]) || (length && text[length] >= '0' && text[length] <= '9'))
        length++;
    return length;
}

/* count: there is none. */
static unsigned find(const char *name, size_t length) {
    for (unsigned i = 0; i < count; i++)
        if (strlen(variables[i].name) == length && text_begins(variables[i].name, name, length))
            return i;
    return count;
}

bool variable_get(const char *name, size_t length, int64_t *value) {
    unsigned i = find(name, length);
    if (i == count)
        return false;
    *value = variables[i].value;
    return true;
}

enum variable_error variable_set(const char *name, size_t length, int64_t value) {
    if (length == 0)
        return VARIABLE_BAD_NAME;
    if (length >= VARIABLE_NAME)
        return VARIABLE_LONG_NAME;
    unsigned i = find(name, length);
    if (i == VARIABLES)
        return VARIABLE_NO_ROOM;
    if (i == count) {
        for (size_t k = 0; k < length; k++)
            variables[i].name[k] = name[k];
        variables[i].name[length] = 0;
        count++;
    }
    variables[i].value = value;
    return VARIABLE_OK;
}

bool variable_remove(const char *name, size_t length) {
    unsigned i = find(name, length);
    if (i == count)
        return false;
    for (count--; i < count; i++)
        variables[i] = variables[i + 1];
    return true;
}

const char *variable_at(unsigned index, int64_t *value) {
    if (index >= count)
        return NULL;
    *value = variables[index].value;
    return variables[index].name;
}
