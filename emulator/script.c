/* SPDX-License-Identifier: MIT */
/* Reading scripts of events. */
#include "script.h"

#include "report.h"

#include "util/file.h"
#include "util/vec.h"

#include <stdlib.h>
#include <string.h>

#define US_MAX (UINT64_MAX / 1000)

/* `TIME HEX`; false: it is not that. */
static bool read_event(const char *line, struct arena *arena, struct script_event *event) {
    char *end;

    if (*line < '0' || *line > '9')
        return false;
    unsigned long long us = strtoull(line, &end, 10);
    if (us > US_MAX || (*end && *end != ' '))
        return false;
    uint8_t *bytes = arena_alloc(arena, strlen(end) / 2 + 1);
    *event = (struct script_event){.time = us * 1000, .bytes = bytes};
    return report_parse_hex(end, bytes, &event->size);
}

const struct script *script_read(const char *path, struct arena *arena, struct diag *diag) {
    struct script *script = arena_alloc(arena, sizeof(*script));
    VEC(struct script_event) events = {0};
    struct diag_loc loc = {.insn = -1, .file = path};
    uint8_t *bytes;
    size_t size;
    uint64_t last = 0;

    if (!file_read(path, FILE_SIZE_LIMIT, arena, &bytes, &size, diag))
        return NULL;
    char *text = arena_alloc(arena, size + 1), *rest = text, *line;
    memcpy(text, bytes, size);
    text[size] = '\0';
    while ((line = strsep(&rest, "\n"))) {
        struct script_event event;
        loc.line++;
        if (*line == '\0' || *line == '#')
            continue;
        if (!read_event(line, arena, &event) || event.time < last) {
            for (char *c = line; *c; c++) /* a file that is none may hold what a terminal obeys */
                *c = *c < ' ' || *c > '~' ? '?' : *c;
            diag_error(diag, DIAG_USAGE, &loc, "write a time in microseconds and bytes: 1000 02ff",
                       "no event, or one that comes before the last one: %.60s", line);
            return NULL;
        }
        last = event.time;
        vec_push(arena, &events, event);
    }
    if (events.count == 0) {
        diag_error(diag, DIAG_USAGE, NULL, NULL, "%s has no event", path);
        return NULL;
    }
    script->events = events.items;
    script->count = events.count;
    return script;
}
