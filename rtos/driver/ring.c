/* SPDX-License-Identifier: MIT */
#include "rtos/driver.h"

#include <string.h>

bool ring_put(struct ring *ring, uint8_t byte) {
    if (ring->head - ring->tail >= ring->size)
        return false;
    ring->bytes[ring->head % ring->size] = byte;
    ring->head++;
    return true;
}

bool ring_write(struct ring *ring, const void *bytes, uint32_t size) {
    if (size > ring->size - (ring->head - ring->tail))
        return false;
    uint32_t at = ring->head % ring->size, first = ring->size - at < size ? ring->size - at : size;
    memcpy(ring->bytes + at, bytes, first);
    memcpy(ring->bytes, (const uint8_t *)bytes + first, size - first);
    __atomic_signal_fence(__ATOMIC_RELEASE); /* the reader may be an interrupt */
    ring->head += size;
    return true;
}

/* DMA does not stop at what has not been read: the reader finds itself more than a buffer behind. */
int ring_get(struct ring *ring, uint32_t *lost) {
    uint32_t used = ring->head - ring->tail;
    if (used > ring->size) {
        *lost += used - ring->size;
        ring->tail += used - ring->size;
    }
    if (used == 0)
        return -1;
    int byte = ring->bytes[ring->tail % ring->size];
    ring->tail++;
    return byte;
}

/* DMA's position alone leaves open whether it went round. A wrap that the positions do not show means
 * at least one round more. More rounds than that look like one: the interrupts at half and end make
 * sure of it, unless something stalls the core for longer than a whole buffer. */
uint32_t ring_advance(struct ring *ring, uint32_t position, bool wrapped) {
    uint32_t last = ring->head % ring->size;
    uint32_t fresh = (position - last) % ring->size;
    if (wrapped && position >= last)
        fresh += ring->size;
    ring->head += fresh;
    return fresh;
}
