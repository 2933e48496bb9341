/* SPDX-License-Identifier: MIT
 *
 * A ring in RAM that a debugger reads while the core runs, and one that it writes: over the board's USB
 * cable, without a wire more. The layout is the one that OpenOCD looks for (its manual, 20.7, and
 * src/rtt/rtt.c): an id of 16 bytes, the numbers of rings, a descriptor for each. The side that fills a
 * ring moves `write`, the other one `read`; a ring is full one byte before they meet.
 *
 * The debugger searches memory for the id. It is put together at run time, so that the flash image does not
 * hold a second one that would be found first.
 */
#include <stdbool.h>

#include "sink.h"

struct rtt_control rtt_control;
_Static_assert(sizeof(void *) != 4 || sizeof(struct rtt_ring) == 24, "OpenOCD's RTT_CHANNEL_SIZE");
_Static_assert(offsetof(struct rtt_control, up) == 24, "OpenOCD's RTT_CB_SIZE");

static char up_buffer[RTT_UP], down_buffer[RTT_DOWN];

/* The other side must see the bytes before it sees that they are there. */
static void order(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void rtt_init(void) {
    static const volatile char backwards[] = "TTR REGGES";
    rtt_control.up = (struct rtt_ring){"console", up_buffer, RTT_UP, 0, 0, 0};
    rtt_control.down = (struct rtt_ring){"console", down_buffer, RTT_DOWN, 0, 0, 0};
    rtt_control.ups = rtt_control.downs = 1;
    order();
    for (size_t i = 0; i < sizeof(backwards) - 1; i++)
        rtt_control.id[i] = backwards[sizeof(backwards) - 2 - i];
}

/* The debugger's positions are not to be trusted: it may have stopped in the middle of something. */
static uint32_t position(uint32_t value, uint32_t size) {
    return value < size ? value : 0;
}

size_t rtt_room(void) {
    struct rtt_ring *up = &rtt_control.up;
    uint32_t write = position(up->write, RTT_UP), read = position(up->read, RTT_UP);
    return (read + RTT_UP - write - 1) % RTT_UP;
}

bool rtt_is_read(void) {
    return rtt_room() == RTT_UP - 1;
}

/* All or nothing: half a line is worth less than none. */
size_t rtt_write(const char *text, size_t length) {
    struct rtt_ring *up = &rtt_control.up;
    uint32_t write = position(up->write, RTT_UP);
    if (length > rtt_room())
        return length;
    for (size_t i = 0; i < length; i++) {
        up_buffer[write] = text[i];
        write = (write + 1) % RTT_UP;
    }
    order();
    up->write = write;
    return 0;
}

int rtt_read(void) {
    struct rtt_ring *down = &rtt_control.down;
    uint32_t write = position(down->write, RTT_DOWN), read = position(down->read, RTT_DOWN);
    if (read == write)
        return -1;
    order();
    int byte = (unsigned char)down_buffer[read];
    order(); /* the byte is taken before its place is free */
    down->read = (read + 1) % RTT_DOWN;
    return byte;
}
