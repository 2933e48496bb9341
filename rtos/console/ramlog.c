/* SPDX-License-Identifier: MIT
 *
 * What was printed last, in RAM that start-up does not clear. After power-on it holds noise, after a reset
 * perhaps another firmware's data: the header says whether it is a log, and is looked at again at each write.
 */
#include <stdbool.h>

#include "rtos/console.h"
#include "sink.h"

/* Changes with the layout. */
static const uint32_t RAMLOG_MAGIC = 0x4C4F4732;

__attribute__((section(".keep"))) struct ramlog ramlog;
_Static_assert(2 * RAMLOG_SIZE <= 0x10000, "count has 16 bits for it");

static bool is_valid(void) {
    uint32_t count = ramlog.count & 0xFFFF;
    return ramlog.magic == RAMLOG_MAGIC && ramlog.count >> 16 == (count ^ 0xFFFF) &&
           count < 2 * RAMLOG_SIZE;
}

static void set_count(uint32_t count) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* what it counts has been stored */
    ramlog.count = count | (count ^ 0xFFFF) << 16;
}

void console_log_clear(void) {
    set_count(0);
    ramlog.magic = RAMLOG_MAGIC;
}

size_t ramlog_write(const char *text, size_t length) {
    if (!is_valid())
        console_log_clear();
    uint32_t count = ramlog.count & 0xFFFF;
    for (size_t i = 0; i < length; i++) {
        ramlog.bytes[count % RAMLOG_SIZE] = text[i];
        if (++count == 2 * RAMLOG_SIZE)
            count = RAMLOG_SIZE;
    }
    set_count(count);
    return 0;
}

size_t console_log_read(size_t offset, char *out, size_t size) {
    if (!is_valid())
        return 0;
    size_t count = ramlog.count & 0xFFFF;
    size_t length = count < RAMLOG_SIZE ? count : RAMLOG_SIZE;
    size_t first = count < RAMLOG_SIZE ? 0 : count;
    size_t i = 0;
    for (; i < size && offset + i < length; i++)
        out[i] = ramlog.bytes[(first + offset + i) % RAMLOG_SIZE];
    return i;
}
