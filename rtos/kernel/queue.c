/* SPDX-License-Identifier: MIT
 *
 * Message queue: a ring of copies. A message that meets a waiting receiver is copied straight to it; a
 * receiver that makes room while a sender waits fetches that sender's message into the ring. So nobody
 * has to run first to make a wait come true, and messages keep their order.
 */
#include "kernel.h"

/* Locked, and bounded by KERNEL_MESSAGE_MAX: the kernel has no longer copy in a masked section. */
static void copy(void *to, const void *from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)t | (uintptr_t)f | size) & 3) == 0)
        for (; size; size -= 4, t += 4, f += 4)
            *(uint32_t *)t = *(const uint32_t *)f;
    while (size--)
        *t++ = *f++;
}

enum kernel_status queue_init(struct queue *queue, void *buffer, size_t message_size,
                              size_t capacity) {
    if (!queue || !buffer || message_size == 0 || message_size > KERNEL_MESSAGE_MAX ||
        capacity == 0 || capacity > INT16_MAX)
        return KERNEL_BAD_ARGUMENT;
    *queue = (struct queue){
        .buffer = buffer, .message_size = (uint16_t)message_size, .capacity = (uint16_t)capacity};
    return KERNEL_OK;
}

static uint8_t *slot(const struct queue *queue, unsigned index) {
    if (index >= queue->capacity)
        index -= queue->capacity;
    return queue->buffer + index * queue->message_size;
}

static void append(struct queue *queue, const void *message) {
    copy(slot(queue, queue->first + queue->used), message, queue->message_size);
    queue->used++;
}

/* Locked. False: full. */
static bool put(struct queue *queue, const void *message) {
    struct task *receiver = queue->receivers.head;
    if (receiver) {
        copy(receiver->wait.message, message, queue->message_size);
        task_wake(receiver, KERNEL_OK);
        return true;
    }
    if (queue->used == queue->capacity)
        return false;
    append(queue, message);
    return true;
}

/* Locked. False: empty. */
static bool get(struct queue *queue, void *message) {
    if (queue->used == 0)
        return false;
    copy(message, slot(queue, queue->first), queue->message_size);
    queue->first = (uint16_t)(queue->first + 1 == queue->capacity ? 0 : queue->first + 1);
    queue->used--;
    struct task *sender = queue->senders.head;
    if (sender) {
        append(queue, sender->wait.message);
        task_wake(sender, KERNEL_OK);
    }
    return true;
}

enum kernel_status queue_send(struct queue *queue, const void *message, uint32_t timeout) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (!put(queue, message)) {
        status = task_may_wait(timeout, key);
        if (!status) {
            kernel.current->wait.message = (void *)(uintptr_t)message; /* only read */
            return task_wait(&queue->senders, timeout, key);
        }
    }
    arch_unlock(key);
    return status;
}

enum kernel_status queue_receive(struct queue *queue, void *message, uint32_t timeout) {
    enum kernel_status status = in_task();
    if (status)
        return status;
    uint32_t key = arch_lock();
    if (!get(queue, message)) {
        status = task_may_wait(timeout, key);
        if (!status) {
            kernel.current->wait.message = message;
            return task_wait(&queue->receivers, timeout, key);
        }
    }
    arch_unlock(key);
    return status;
}

enum kernel_status queue_send_isr(struct queue *queue, const void *message) {
    enum kernel_status status = in_isr();
    if (status)
        return status;
    uint32_t key = arch_lock();
    bool done = put(queue, message);
    arch_unlock(key);
    return done ? KERNEL_OK : KERNEL_WOULD_BLOCK;
}

enum kernel_status queue_receive_isr(struct queue *queue, void *message) {
    enum kernel_status status = in_isr();
    if (status)
        return status;
    uint32_t key = arch_lock();
    bool done = get(queue, message);
    arch_unlock(key);
    return done ? KERNEL_OK : KERNEL_WOULD_BLOCK;
}
