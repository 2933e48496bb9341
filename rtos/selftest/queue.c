/* SPDX-License-Identifier: MIT */
#include "selftest.h"

static struct queue queue;
static uint32_t buffer[3];
static volatile enum kernel_status status_of[HELPERS];
static volatile uint32_t received[HELPERS];

static void init_three(void) {
    queue_init(&queue, buffer, sizeof(uint32_t), 3);
}

static const char *fifo(void) {
    init_three();
    uint32_t next_in = 0, next_out = 0, message = 0;
    CHECK(queue_receive(&queue, &message, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    for (int round = 0; round < 7; round++) { /* the ring turns around */
        for (int i = 0; i < 3; i++, next_in++)
            CHECK(queue_send(&queue, &next_in, KERNEL_NO_WAIT) == KERNEL_OK);
        CHECK(queue_send(&queue, &next_in, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
        for (int i = 0; i < 2; i++, next_out++) {
            CHECK(queue_receive(&queue, &message, KERNEL_NO_WAIT) == KERNEL_OK);
            CHECK(message == next_out);
        }
        CHECK(queue_receive(&queue, &message, 1) == KERNEL_OK);
        CHECK(message == next_out++);
        CHECK(queue_send(&queue, &next_in, 1) == KERNEL_OK);
        next_in++;
        CHECK(queue_receive(&queue, &message, 1) == KERNEL_OK);
        CHECK(message == next_out++);
    }
    return NULL;
}

static const char *bad_arguments(void) {
    CHECK(queue_init(&queue, buffer, 0, 3) == KERNEL_BAD_ARGUMENT);
    CHECK(queue_init(&queue, buffer, KERNEL_MESSAGE_MAX + 1, 1) == KERNEL_BAD_ARGUMENT);
    CHECK(queue_init(&queue, buffer, 4, 0) == KERNEL_BAD_ARGUMENT);
    CHECK(queue_init(&queue, NULL, 4, 1) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

/* Sizes that are no multiple of a word, at odd addresses: exactly these bytes are copied. */
static const char *odd_sizes(void) {
    uint8_t ring[3 * 7 + 1], in[9], out[9];
    for (size_t size = 1; size <= 7; size++) {
        queue_init(&queue, ring + 1, size, 3);
        for (size_t i = 0; i < sizeof(in); i++)
            in[i] = (uint8_t)(size * 16 + i), out[i] = 0xEE;
        CHECK(queue_send(&queue, in + 1, KERNEL_NO_WAIT) == KERNEL_OK);
        CHECK(queue_receive(&queue, out + 1, KERNEL_NO_WAIT) == KERNEL_OK);
        CHECK(out[0] == 0xEE && out[size + 1] == 0xEE);
        for (size_t i = 1; i <= size; i++)
            CHECK(out[i] == in[i]);
    }
    return NULL;
}

static void receive(void *argument) {
    unsigned number = number_of(argument);
    uint32_t message = 0;
    status_of[number] = queue_receive(&queue, &message, 5);
    received[number] = message;
    trace((char)('a' + number));
}

static const char *receivers_wait(void) {
    init_three();
    helper_start(0, 20, receive);
    helper_start(1, 21, receive);
    helper_start(2, 19, receive);
    uint32_t message = 100;
    queue_send(&queue, &message, KERNEL_NO_WAIT);
    message++;
    queue_send(&queue, &message, KERNEL_NO_WAIT);
    CHECK(trace_is("ba"));
    CHECK(received[1] == 100 && received[0] == 101);
    CHECK(queue.used == 0);
    task_sleep(8);
    CHECK(trace_is("c"));
    CHECK(status_of[2] == KERNEL_TIMEOUT);
    queue_send(&queue, &message, KERNEL_NO_WAIT); /* not to the one that has left */
    CHECK(queue.used == 1);
    return NULL;
}

static void send(void *argument) {
    unsigned number = number_of(argument);
    uint32_t message = 10 + number;
    status_of[number] = queue_send(&queue, &message, 5);
    trace((char)('a' + number));
}

/* A sender that waits is served as soon as there is room, and messages keep their order. */
static const char *senders_wait(void) {
    init_three();
    for (uint32_t i = 0; i < 3; i++)
        queue_send(&queue, &i, KERNEL_NO_WAIT);
    helper_start(0, 20, send);
    helper_start(1, 21, send);
    helper_start(2, 19, send);
    static const uint32_t expected[] = {0, 1};
    uint32_t message;
    for (int i = 0; i < 2; i++) {
        CHECK(queue_receive(&queue, &message, KERNEL_NO_WAIT) == KERNEL_OK);
        CHECK(message == expected[i]);
    }
    CHECK(trace_is("ba"));
    task_sleep(8);
    CHECK(trace_is("c"));
    CHECK(status_of[2] == KERNEL_TIMEOUT && status_of[0] == KERNEL_OK);
    static const uint32_t rest[] = {2, 11, 10};
    for (int i = 0; i < 3; i++) {
        CHECK(queue_receive(&queue, &message, KERNEL_NO_WAIT) == KERNEL_OK);
        CHECK(message == rest[i]);
    }
    CHECK(queue_receive(&queue, &message, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    return NULL;
}

const struct test tests_queue[] = {
    {"queue", "fifo", fifo},
    {"queue", "bad_arguments", bad_arguments},
    {"queue", "odd_sizes", odd_sizes},
    {"queue", "receivers_wait", receivers_wait},
    {"queue", "senders_wait", senders_wait},
};
SUITE_END(queue);
