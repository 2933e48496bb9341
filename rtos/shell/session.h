/* SPDX-License-Identifier: MIT
 *
 * A shell with somebody at the other end: bytes in, edited lines, answers out.
 */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include "line.h"
#include "rtos/shell.h"

struct session {
    struct shell shell;
    struct line_user user;
    struct line line;
};

/* session.c */
void session_init(struct session *session, struct shell shell);
void session_feed(struct session *session, uint8_t byte);

/* The word that may stand at the end of text: what struct line_user wants. */
const char *session_complete(void *context, const char *text, unsigned index, size_t *start);

#endif
