/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: what somebody types, or a line that carries noise, into the firmware's shell on a mock of the
 * board. Whatever came before, the shell then answers a question rightly, and has written nothing but text.
 */
#include "libfuzzer/target.h"
#include "rtos/shell/expression.h"
#include "rtos/shell/session.h"
#include "shell/mock.h"

#include <stdlib.h>
#include <string.h>

static struct {
    char text[64]; /* the end of what was written */
    size_t length;
} tail;

static void collect(void *context, const char *text, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++) {
        if ((text[i] < ' ' || text[i] > '~') && !strchr("\n\a\b", text[i]))
            abort();
        if (tail.length == sizeof(tail.text))
            memmove(tail.text, tail.text + 1, --tail.length);
        tail.text[tail.length++] = text[i];
    }
}

static struct session session;

static void type(const uint8_t *bytes, size_t size) {
    const struct line *line = &session.line;
    for (size_t i = 0; i < size; i++) {
        session_feed(&session, bytes[i]);
        if (line->cursor > line->length || line->length > LINE_MAX ||
            strlen(line->text) != line->length || line->history_used > LINE_HISTORY)
            abort();
    }
}

static void evaluate(const uint8_t *bytes, size_t size) {
    char text[LINE_MAX + 1];
    int64_t value;
    size_t where;
    if (size > LINE_MAX)
        size = LINE_MAX;
    memcpy(text, bytes, size);
    text[size] = 0;
    expression_value(text, &value, &where);
    if (where > strlen(text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const char question[] = "\x03print 6*7\r", answer[] = "print 6*7\n42 (0x2a)\n> ";
    jmp_buf ended;
    mock_start(&ended);
    evaluate(bytes, size);
    session_init(&session, (struct shell){collect, NULL});
    if (setjmp(ended)) /* a restart: by reset, or crash now */
        session_init(&session, (struct shell){collect, NULL});
    else
        type(bytes, size);
    type((const uint8_t *)question, sizeof(question) - 1);
    size_t length = sizeof(answer) - 1;
    if (tail.length < length || memcmp(tail.text + tail.length - length, answer, length))
        abort();
    return 0;
}
