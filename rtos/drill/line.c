/* SPDX-License-Identifier: MIT
 *
 * The serial line: what a program sends comes back to it, so that each test sees both directions. Where nothing comes
 * back (QEMU) only sending is looked at.
 */
#include "drill.h"

#include "hal/uart.h"

#include <string.h>

enum { RECEIVED, SEND, FILL }; /* entries of line.bpf.c */
enum { PORT = 3, EPERM = 1, EAGAIN = 11, EBUSY = 16, EINVAL = 22, SETTLE_MS = 60 };

/* Of the map. */
struct newest {
    uint64_t time_ns;
    uint32_t frames, bytes, port, len;
    uint8_t data[256];
};

static struct drill a, b;
static struct newest seen;
static const char *wrong;

static const struct newest *newest(struct drill *drill) {
    memset(&seen, 0, sizeof(seen));
    drill_value(drill, 0, 0, &seen, sizeof(seen));
    return &seen;
}

static int send(struct drill *drill, unsigned port, const char *text) {
    uint8_t data[64] = {(uint8_t)port};
    uint32_t length = (uint32_t)strlen(text);
    memcpy(data + 1, text, length);
    return drill_call(drill, SEND, data, length + 1);
}

static int fill(struct drill *drill, unsigned count) {
    const uint8_t data[2] = {(uint8_t)count, (uint8_t)(count >> 8)};
    return drill_call(drill, FILL, data, sizeof(data));
}

static enum bpf_status load(struct drill *drill, enum bpf_engine engine, const char *grant) {
    return drill_load(drill, drill_line, drill_line_end, engine, grant);
}

static const char *finish(const char *result) {
    drill_unload(&a);
    drill_unload(&b);
    return result;
}

/* Whether the line leads back. */
static bool loops(void) {
    struct uart_counters before = {0}, after = {0};
    uart_line_counters(PORT, &before);
    send(&a, PORT, "?\n");
    task_sleep(5);
    uart_line_counters(PORT, &after);
    return after.received != before.received;
}

#define GRANT "uart:1-3+6 budget=5ms/5ms queue=4"
#define BEGIN                                                                                      \
    wrong = NULL;                                                                                  \
    EXPECT(!load(&a, engine, GRANT));                                                              \
    if (!loops())                                                                                  \
        return finish(DRILL_SKIP);                                                                 \
    drill_unload(&a);                                                                              \
    EXPECT(!load(&a, engine, GRANT));                                                              \
    EXPECT(!load(&b, engine, GRANT));

static const char *newline(enum bpf_engine engine) {
    BEGIN
    EXPECT(send(&a, PORT, "one\nlonger\n") == 11);
    task_sleep(SETTLE_MS);
    struct drill *const both[] = {&a, &b};
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(newest(both[i])->frames == 2 && seen.bytes == 11);
        EXPECT(seen.port == PORT && seen.len == 7 && !memcmp(seen.data, "longer\n", 7));
        EXPECT(seen.time_ns != 0);
    }
end:
    return finish(wrong);
}

static const char *gap(enum bpf_engine engine) {
    BEGIN
    EXPECT(send(&a, PORT, "abc") == 3);
    task_sleep(2);
    EXPECT(newest(&b)->frames == 1 && seen.len == 3 && !memcmp(seen.data, "abc", 3));
    EXPECT(send(&b, PORT, "\n") == 1);
    task_sleep(SETTLE_MS);
    EXPECT(newest(&a)->frames == 2 && seen.len == 1);
end:
    return finish(wrong);
}

/* More than a frame has room for, and more than a call may send. */
static const char *longest(enum bpf_engine engine) {
    BEGIN
    EXPECT(fill(&a, 300) == 256);
    EXPECT(fill(&a, 44) == 44);
    task_sleep(SETTLE_MS);
    EXPECT(newest(&b)->frames == 2 && seen.bytes == 300 && seen.len == 44);
end:
    return finish(wrong);
}

/* The ring takes all of a text or nothing of it. */
static const char *no_room(enum bpf_engine engine) {
    BEGIN
    EXPECT(fill(&a, 256) == 256);
    EXPECT(fill(&a, 250) == 250);
    EXPECT(fill(&a, 100) == -EAGAIN);
    task_sleep(SETTLE_MS);
    EXPECT(newest(&a)->bytes == 506);
    EXPECT(fill(&a, 100) == 100);
    task_sleep(SETTLE_MS);
    EXPECT(newest(&a)->bytes == 606);
end:
    return finish(wrong);
}

/* One domain has no time left: its frames are lost and counted, the other's are not. */
static const char *lost(enum bpf_engine engine) {
    BEGIN
    drill_unload(&b);
    EXPECT(!load(&b, engine, "uart:3 budget=5ms/2s queue=2"));
    for (unsigned i = 0; i < 20; i++) {
        EXPECT(fill(&b, 1) == 1);
        b.domain->budget.available = 0;
        EXPECT(send(&a, PORT, "1\n2\n3\n4\n5\n") == 10);
        task_sleep(5);
        if (b.domain->entries[RECEIVED].overruns)
            break;
    }
    task_sleep(SETTLE_MS);
    const struct domain_entry *slow = &b.domain->entries[RECEIVED],
                              *fast = &a.domain->entries[RECEIVED];
    EXPECT(slow->overruns > 0 && fast->overruns == 0);
    EXPECT(slow->runs + slow->overruns + b.domain->events.slots_used == fast->runs);
end:
    return finish(wrong);
}

/* What the grant does not give, and what the board does not. */
static const char *refused(enum bpf_engine engine) {
    wrong = NULL;
    EXPECT(load(&a, engine, "uart:1") == BPF_NOT_GRANTED);
    EXPECT(drill_load(&a, drill_port, drill_port_end, engine, GRANT) == BPF_BUSY);
    EXPECT(drill_load(&a, drill_missing, drill_missing_end, engine, GRANT) == BPF_NOT_THERE);
    EXPECT(!load(&a, engine, GRANT));
    EXPECT(send(&a, 2, "x") == -EBUSY);
    EXPECT(send(&a, 1, "x") == -EINVAL);
    EXPECT(send(&a, 6, "x") == -EINVAL);
    EXPECT(send(&a, 4, "x") == -EPERM);
    EXPECT(send(&a, 16, "x") == -EINVAL);
    EXPECT(send(&a, PORT, "x\n") == 2);
end:
    return finish(wrong);
}

/* The line stops with its last user, and starts anew. */
static const char *users(enum bpf_engine engine) {
    wrong = NULL;
    EXPECT(!load(&a, engine, GRANT) && !load(&b, engine, GRANT));
    drill_unload(&a);
    EXPECT(send(&b, PORT, "x\n") == 2);
    drill_unload(&b);
    EXPECT(uart_send(PORT, "x", 1) == KERNEL_NOT_STARTED);
    EXPECT(!load(&a, engine, GRANT));
    EXPECT(send(&a, PORT, "y\n") == 2);
end:
    return finish(wrong);
}

const struct drill_row drill_line_tests[] = {
    {"line_newline", newline}, {"line_gap", gap},   {"line_longest", longest},
    {"line_no_room", no_room}, {"line_lost", lost}, {"line_refused", refused},
    {"line_users", users},     {NULL, NULL},
};
