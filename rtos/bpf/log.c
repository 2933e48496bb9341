/* SPDX-License-Identifier: MIT
 *
 * What programs print (bpf_printk()): the newest LOG_SIZE bytes of it, for whoever reads it later. A reader keeps a
 * cursor, the number of bytes that had been printed when it looked last, so that it knows what it has missed.
 */
#include "domain.h"

#include "bpf/helper.h"

#include <string.h>

enum { LOG_SIZE = 2048 }; /* a power of two */

static char text[LOG_SIZE];
static uint32_t written; /* bytes, since start */

/* From the kernel's band, or locked: lines do not mix. */
static void put(const char *bytes, uint32_t size) {
    while (size) {
        uint32_t at = written % LOG_SIZE, piece = LOG_SIZE - at < size ? LOG_SIZE - at : size;
        memcpy(text + at, bytes, piece);
        written += piece;
        bytes += piece;
        size -= piece;
    }
}

/* '?' for each of four bytes that is not printable ASCII. No sum carries into the next byte. */
static uint32_t printable(uint32_t bytes) {
    enum { EACH = 0x01010101 };
    uint32_t low = bytes & 0x7f * EACH;
    uint32_t bad =
        bytes | ~(low + (0x80 - ' ') * EACH) | (low + EACH); /* above 0x7f, below ' ', 0x7f */
    uint32_t mask = (bad >> 7 & EACH) * 0xff;
    return (bytes & ~mask) | ('?' * EACH & mask);
}

/* A line is one line, and nothing that a terminal obeys: its bytes may be anything. Four at a time, as it is the kernel's
 * time, and before the lock. */
void domain_log(const struct domain *domain, const char *line, uint32_t length) {
    uint32_t clean[(BPF_LOG_LINE + 3) / 4];
    if (length && line[length - 1] == '\n')
        length--;
    if (length > BPF_LOG_LINE)
        length = BPF_LOG_LINE;
    clean[length ? (length - 1) / 4 : 0] = 0;
    memcpy(clean, line, length);
    for (uint32_t i = 0; i < (length + 3) / 4; i++)
        clean[i] = printable(clean[i]);
    uint32_t key = kernel_lock();
    put(domain->name, (uint32_t)strlen(domain->name));
    put(": ", 2);
    put((const char *)clean, length);
    put("\n", 1);
    kernel_unlock(key);
}

/* A few bytes at a time: the kernel is locked while they are copied. */
uint32_t programs_log(uint32_t *cursor, uint32_t *lost, char *out, uint32_t size) {
    enum { PIECE = 16 };
    uint32_t copied = 0;
    *lost = 0;
    while (copied < size) {
        uint32_t key = kernel_lock();
        uint32_t ahead = written - *cursor;
        if (ahead > LOG_SIZE) {
            *lost += ahead - LOG_SIZE;
            *cursor = written - LOG_SIZE;
            ahead = LOG_SIZE;
        }
        uint32_t count = size - copied < PIECE ? size - copied : PIECE;
        if (count > ahead)
            count = ahead;
        for (uint32_t i = 0; i < count; i++)
            out[copied++] = text[(*cursor)++ % LOG_SIZE];
        kernel_unlock(key);
        if (!count)
            break;
    }
    return copied;
}
