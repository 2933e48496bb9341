/* SPDX-License-Identifier: MIT */
#include "selftest.h"

static struct event event;
static volatile enum kernel_status status_of[HELPERS];
static volatile uint32_t got_by[HELPERS];
static struct {
    uint32_t bits;
    unsigned mode;
} wish[HELPERS];

static void wait(void *argument) {
    unsigned number = number_of(argument);
    uint32_t got = 0;
    status_of[number] = event_wait(&event, wish[number].bits, wish[number].mode, &got, 5);
    got_by[number] = got;
    trace((char)('a' + number));
}

static void wait_start(unsigned number, uint32_t bits, unsigned mode) {
    wish[number].bits = bits;
    wish[number].mode = mode;
    helper_start(number, 20 + number, wait);
}

static const char *without_wait(void) {
    uint32_t got = 0;
    CHECK(event_init(&event) == KERNEL_OK);
    CHECK(event_wait(&event, 1, EVENT_ANY, &got, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    event_set(&event, 0x5);
    CHECK(event_wait(&event, 0x3, EVENT_ALL, &got, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    CHECK(event_wait(&event, 0x3, EVENT_ANY, &got, KERNEL_NO_WAIT) == KERNEL_OK && got == 1);
    CHECK(event.flags == 0x5);
    CHECK(event_wait(&event, 0x5, EVENT_ALL | EVENT_CLEAR, &got, 1) == KERNEL_OK && got == 5);
    CHECK(event.flags == 0);
    event_set(&event, 0x6);
    CHECK(event_clear(&event, 0x2) == KERNEL_OK);
    CHECK(event_wait(&event, 0x6, EVENT_ANY, NULL, 1) == KERNEL_OK);
    CHECK(event_wait(&event, 0, EVENT_ANY, NULL, 1) == KERNEL_BAD_ARGUMENT);
    CHECK(event_wait(&event, 1, 4, NULL, 1) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

static const char *any_and_all(void) {
    event_init(&event);
    wait_start(0, 0x3, EVENT_ANY);
    wait_start(1, 0x6, EVENT_ALL);
    event_set(&event, 0x8);
    CHECK(trace_is(""));
    event_set(&event, 0x2);
    CHECK(trace_is("a"));
    CHECK(got_by[0] == 0x2);
    event_set(&event, 0x4);
    CHECK(trace_is("b"));
    CHECK(got_by[1] == 0x6 && event.flags == 0xE);
    return NULL;
}

/* All whose wish comes true with one set are woken, although the first of them clears. */
static const char *broadcast(void) {
    event_init(&event);
    wait_start(0, 0x1, EVENT_ANY | EVENT_CLEAR);
    wait_start(1, 0x3, EVENT_ANY);
    wait_start(2, 0x4, EVENT_ANY);
    wait_start(3, 0x1, EVENT_ALL | EVENT_CLEAR);
    uint32_t key = kernel_lock();
    event_set(&event, 0x9);
    kernel_unlock(key);
    CHECK(trace_is("dba"));
    CHECK(event.flags == 0x8);
    event_set(&event, 0x4);
    CHECK(trace_is("c"));
    return NULL;
}

static const char *timeout(void) {
    event_init(&event);
    wait_start(0, 0x1, EVENT_ANY);
    task_sleep(7);
    CHECK(trace_is("a"));
    CHECK(status_of[0] == KERNEL_TIMEOUT);
    task_sleep(1);
    uint32_t start = kernel_ticks();
    CHECK(event_wait(&event, 1, EVENT_ALL, NULL, 3) == KERNEL_TIMEOUT);
    CHECK(kernel_ticks() - start == 3);
    return NULL;
}

const struct test tests_event[] = {
    {"event", "without_wait", without_wait},
    {"event", "any_and_all", any_and_all},
    {"event", "broadcast", broadcast},
    {"event", "timeout", timeout},
};
SUITE_END(event);
