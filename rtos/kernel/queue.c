/* SPDX-License-Identifier: MIT
 *
 * Message queue: a ring of copies. A message that meets a waiting receiver is copied straight to it; a
 * receiver that makes room while a sender waits fetches that sender's message into the ring. So nobody
 * has to run first to make a wait come true, and messages keep their order.
 */
#include "kernel.h"

/* Locked, and bounded by KERNEL_MESSAGE_MAX: the kernel has no longer copy in a masked section. */
KERNEL_SLOW static void copy_long(void *to, const void *from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)t | (uintptr_t)f | size) & 3) == 0)
        for (; size; size -= 4, t += 4, f += 4)
            *(uint32_t *)t = *(const uint32_t *)f;
    while (size--)
        *t++ = *f++;
}

/* Most messages are a pointer or a number. */
static inline void copy(void *to, const void *from, size_t size) {
    if (size == 4 && (((uintptr_t)to | (uintptr_t)from) & 3) == 0)
        *(uint32_t *)to = *(const uint32_t *)from;
    else
        copy_long(to, from, size);
}

KERNEL_COLD enum kernel_status queue_init(struct queue *queue, void *buffer, size_t message_size,
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

/* Locked; unlocks, and returns KERNEL_OK, or KERNEL_WOULD_BLOCK where it is full and stays locked. */
static inline enum kernel_status put(struct queue *queue, const void *message, uint32_t key) {
    struct task *receiver = queue->receivers.head;
    if (receiver) {
        copy(receiver->wait.message, message, queue->message_size);
        return task_wake(receiver, KERNEL_OK, key);
    }
    if (queue->used == queue->capacity)
        return KERNEL_WOULD_BLOCK;
    append(queue, message);
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

/* The same, empty. */
static inline enum kernel_status get(struct queue *queue, void *message, uint32_t key) {
    if (queue->used == 0)
        return KERNEL_WOULD_BLOCK;
    copy(message, slot(queue, queue->first), queue->message_size);
    queue->first = (uint16_t)(queue->first + 1 == queue->capacity ? 0 : queue->first + 1);
    queue->used--;
    struct task *sender = queue->senders.head;
    if (sender) {
        append(queue, sender->wait.message);
        return task_wake(sender, KERNEL_OK, key);
    }
    arch_unlock_quiet(key);
    return KERNEL_OK;
}

KERNEL_SLOW static enum kernel_status send(struct queue *queue, const void *message,
                                           uint32_t timeout) {
    uint32_t key = arch_lock();
    if (put(queue, message, key) == KERNEL_OK)
        return KERNEL_OK;
    if (timeout != KERNEL_NO_WAIT) /* an interrupt must not touch what current waits for */
        kernel.current->wait.message = (void *)(uintptr_t)message; /* only read */
    return task_block(&queue->senders, timeout, key);
}

KERNEL_SLOW static enum kernel_status receive(struct queue *queue, void *message,
                                              uint32_t timeout) {
    uint32_t key = arch_lock();
    if (get(queue, message, key) == KERNEL_OK)
        return KERNEL_OK;
    if (timeout != KERNEL_NO_WAIT)
        kernel.current->wait.message = message;
    return task_block(&queue->receivers, timeout, key);
}

enum kernel_status queue_send(struct queue *queue, const void *message, uint32_t timeout) {
    return arch_exception() ? KERNEL_IN_INTERRUPT : send(queue, message, timeout);
}

enum kernel_status queue_receive(struct queue *queue, void *message, uint32_t timeout) {
    return arch_exception() ? KERNEL_IN_INTERRUPT : receive(queue, message, timeout);
}

enum kernel_status queue_send_isr(struct queue *queue, const void *message) {
    return arch_exception() ? send(queue, message, KERNEL_NO_WAIT) : KERNEL_NOT_IN_INTERRUPT;
}

enum kernel_status queue_receive_isr(struct queue *queue, void *message) {
    return arch_exception() ? receive(queue, message, KERNEL_NO_WAIT) : KERNEL_NOT_IN_INTERRUPT;
}
