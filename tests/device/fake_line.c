/* SPDX-License-Identifier: MIT */
#include "tests/device/fake_line.h"

#include "bpf/smp.h"
#include "bpf/wire.h"

#include <string.h>

static int fake_read(void *context, void *bytes, size_t size, int timeout) {
    struct fake_line *line = context;
    size_t left = line->in_end - line->in_at;

    if (line->lost)
        return -1;
    if (!left) {
        line->now += timeout;
        return 0;
    }
    size = size < left ? size : left;
    size = line->piece && line->piece < size ? line->piece : size;
    memcpy(bytes, line->in + line->in_at, size);
    line->in_at += size;
    return (int)size;
}

static bool fake_write(void *context, const void *bytes, size_t size, int timeout) {
    struct fake_line *line = context;

    (void)timeout;
    if (line->stuck)
        return false;
    if (size <= sizeof(line->out) - line->out_end) {
        memcpy(line->out + line->out_end, bytes, size);
        line->out_end += size;
    }
    line->sent++;
    if (line->asked)
        line->asked(line);
    return true;
}

static int64_t fake_now(void *context) {
    return ((struct fake_line *)context)->now;
}

struct line fake_line(struct fake_line *line) {
    return (struct line){.context = line, .read = fake_read, .write = fake_write, .now = fake_now};
}

void fake_line_put(struct fake_line *line, const void *bytes, size_t size) {
    if (size > sizeof(line->in) - line->in_end)
        size = sizeof(line->in) - line->in_end;
    memcpy(line->in + line->in_end, bytes, size);
    line->in_end += size;
}

static void put_line(void *context, const char *text, size_t length) {
    fake_line_put(context, text, length);
}

void fake_line_answer(struct fake_line *line, unsigned op, unsigned group, unsigned id,
                      unsigned sequence, const void *body, size_t size) {
    uint8_t packet[SMP_HEADER + 16384];
    struct smp_header header = {.version = SMP_V2,
                                .op = (uint8_t)op,
                                .length = (uint16_t)size,
                                .group = (uint16_t)group,
                                .sequence = (uint8_t)sequence,
                                .id = (uint8_t)id};

    smp_header_write(&header, packet);
    if (size)
        memcpy(packet + SMP_HEADER, body, size);
    wire_encode(packet, SMP_HEADER + size, put_line, line);
}
