/* SPDX-License-Identifier: MIT
 *
 * The parts of drivers that know no registers: rtos/driver. They are tested on the host.
 */
#ifndef RTOS_DRIVER_H
#define RTOS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* debounce.c: a level counts when it has been seen DEBOUNCE_SAMPLES times more often than the other. */
enum { DEBOUNCE_SAMPLES = 4 };
struct debounce {
    uint8_t weight; /* 0: surely low, DEBOUNCE_SAMPLES: surely high */
    bool state;
};
bool debounce_sample(struct debounce *d, bool level); /* true: the state has changed */
bool debounce_settled(const struct debounce *d);      /* no sample is needed before the next edge */

/* ring.c: a buffer that DMA, or an interrupt, fills in a circle. One writer, one reader, which may
 * interrupt each other. Its size is a power of two. */
struct ring {
    uint8_t *bytes;
    uint32_t size;
    volatile uint32_t head, tail; /* bytes ever written and read; head - tail may exceed size */
};
bool ring_put(struct ring *ring, uint8_t byte); /* false: full */
/* All of it, or nothing and false: there is no room. */
bool ring_write(struct ring *ring, const void *bytes, uint32_t size);
int ring_get(struct ring *ring,
             uint32_t *lost); /* -1: empty; adds the bytes that were overwritten */
/* DMA stands at `position`; wrapped: it has passed the end since the last call. Returns how many bytes
 * are new. */
uint32_t ring_advance(struct ring *ring, uint32_t position, bool wrapped);

/* divide.c: prescaler and period of a 16-bit timer, each as the register wants it (one less). False:
 * out of range. The finest resolution that reaches down to hz; the period is at most 0xFFFE, so that a
 * compare value of period + 1 exists. */
struct timer_divisor {
    uint16_t prescaler, period;
};
bool timer_divide(uint32_t clock_hz, uint32_t hz, struct timer_divisor *out);
uint32_t timer_compare(uint32_t period, uint32_t duty,
                       uint32_t full);                    /* period as in the register */
uint32_t timer_dead_time(uint32_t clock_hz, uint32_t ns); /* BDTR_DTG, rounded up; 255 at most */

/* blocks.c: two halves of a buffer between DMA and a reader. */
struct blocks {
    bool ready; /* `last` is full and nobody has taken it */
    bool held;  /* the reader has `taken` */
    uint8_t last, taken;
    uint32_t done, lost;
};
void blocks_filled(struct blocks *b, unsigned half);
int blocks_take(struct blocks *b); /* 0 or 1: the reader's from now on; -1: none is ready */
bool blocks_release(struct blocks *b);

/* crc.c: state in, state out */
uint32_t crc_update_zlib(uint32_t crc, const void *data, size_t length);      /* begins with 0 */
uint32_t crc_update_words(uint32_t crc, const uint32_t *words, size_t count); /* with 0xFFFFFFFF */
uint32_t bits_reverse(uint32_t word);

#endif
