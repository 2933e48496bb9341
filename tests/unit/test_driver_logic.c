/* SPDX-License-Identifier: MIT */
#include "rtos/driver.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ----- debounce ----------------------------------------------------------------------------------- */

Test(debounce, needs_enough_samples) {
    struct debounce d = {0};
    for (int i = 1; i < DEBOUNCE_SAMPLES; i++)
        cr_assert(!debounce_sample(&d, true) && !d.state && !debounce_settled(&d));
    cr_assert(debounce_sample(&d, true) && d.state && debounce_settled(&d));
    cr_assert(!debounce_sample(&d, true));
    for (int i = 1; i < DEBOUNCE_SAMPLES; i++)
        cr_assert(!debounce_sample(&d, false) && d.state);
    cr_assert(debounce_sample(&d, false) && !d.state);
}

/* A level that is seen no more often than the other never counts. */
Test(debounce, alternating_level_changes_nothing) {
    struct debounce d = {0};
    for (int i = 0; i < 100; i++)
        cr_assert(!debounce_sample(&d, i % 2));
    struct debounce high = {.weight = DEBOUNCE_SAMPLES, .state = true};
    for (int i = 0; i < 100; i++)
        cr_assert(!debounce_sample(&high, i % 2));
}

Test(debounce, bounce_then_rest) {
    struct debounce d = {0};
    int changes = 0;
    const char *samples = "0101101110111111111100000";
    for (const char *s = samples; *s; s++)
        changes += debounce_sample(&d, *s == '1');
    cr_assert_eq(changes, 2);
    cr_assert(!d.state && debounce_settled(&d));
}

/* ----- ring --------------------------------------------------------------------------------------- */

enum { SIZE = 16 };
static uint8_t bytes[SIZE];

Test(ring, full_and_empty) {
    struct ring ring = {.bytes = bytes, .size = SIZE};
    uint32_t lost = 0;
    cr_assert_eq(ring_get(&ring, &lost), -1);
    for (int i = 0; i < SIZE; i++)
        cr_assert(ring_put(&ring, (uint8_t)i));
    cr_assert(!ring_put(&ring, 99));
    for (int i = 0; i < SIZE; i++)
        cr_assert_eq(ring_get(&ring, &lost), i);
    cr_assert_eq(ring_get(&ring, &lost), -1);
    cr_assert_eq(lost, 0);
}

Test(ring, counts_wrap) {
    struct ring ring = {
        .bytes = bytes, .size = SIZE, .head = UINT32_MAX - 2, .tail = UINT32_MAX - 2};
    uint32_t lost = 0;
    for (int i = 0; i < 3 * SIZE; i++) {
        cr_assert(ring_put(&ring, (uint8_t)i));
        cr_assert_eq(ring_get(&ring, &lost), i);
    }
}

/* DMA writes byte n at n % SIZE, and says so with its position and a flag for each wrap. Whatever the
 * steps, at most a round and a bit each, all bytes are delivered in order or counted as lost. */
Test(ring, follows_dma) {
    struct ring ring = {.bytes = bytes, .size = SIZE};
    uint32_t written = 0, expected = 0, lost = 0, seen = 0;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        uint32_t step = (uint32_t)rand() % (round % 7 == 0 ? 2 * SIZE : SIZE / 2);
        bool wrapped = false;
        if (written % SIZE + step >= 2 * SIZE) /* two wraps look like one: see ring_advance() */
            step = 2 * SIZE - 1 - written % SIZE;
        for (uint32_t i = 0; i < step; i++) {
            bytes[written % SIZE] = (uint8_t)written;
            wrapped |= ++written % SIZE == 0;
        }
        uint32_t fresh = ring_advance(&ring, written % SIZE, wrapped);
        cr_assert_eq(fresh, step, "step %u, fresh %u", step, fresh);
        for (int reads = rand() % SIZE; reads > 0; reads--) {
            uint32_t lost_before = lost;
            int byte = ring_get(&ring, &lost);
            expected += lost - lost_before;
            if (byte < 0)
                break;
            cr_assert_eq(byte, (uint8_t)expected);
            expected++;
            seen++;
        }
    }
    cr_assert(lost > 0 && seen > 0);
    cr_assert_eq(seen + lost + (ring.head - ring.tail), written);
}

/* ----- timers ------------------------------------------------------------------------------------- */

static double rate(uint32_t clock_hz, const struct timer_divisor *d) {
    return (double)clock_hz / ((d->prescaler + 1.0) * (d->period + 1.0));
}

/* No other pair with this prescaler comes closer, and no smaller prescaler would do. */
Test(divide, is_exact_over_the_range) {
    const uint32_t clocks[] = {16000000, 84000000, 168000000};
    for (unsigned c = 0; c < 3; c++)
        for (uint32_t hz = 1; hz <= clocks[c] / 2; hz += 1 + hz / 97) {
            struct timer_divisor d;
            cr_assert(timer_divide(clocks[c], hz, &d), "%u of %u", hz, clocks[c]);
            cr_assert_lt(d.period, 0xFFFF);
            double ticks = (double)clocks[c] / hz;
            double off = (d.prescaler + 1.0) * (d.period + 1.0) - ticks;
            cr_assert(off <= (d.prescaler + 1.0) / 2 + 0.5 && off >= -(d.prescaler + 1.0) / 2 - 0.5,
                      "%u of %u: %f", hz, clocks[c], rate(clocks[c], &d));
            cr_assert(d.prescaler == 0 || ticks + 0.5 >= d.prescaler * 65535.0);
        }
}

Test(divide, whole_divisors_are_met) {
    struct timer_divisor d;
    for (uint32_t hz = 2; hz <= 1000000; hz *= 10) {
        cr_assert(timer_divide(84000000, hz / 2, &d));
        cr_assert_float_eq(rate(84000000, &d), hz / 2, hz / 2 * 2e-5);
    }
    cr_assert(timer_divide(84000000, 10000, &d));
    cr_assert_eq(d.prescaler, 0);
    cr_assert_eq(d.period, 8399);
    cr_assert(timer_divide(65536000, 1000, &d)); /* would just fit, but not its duty of 100 % */
    cr_assert_eq(d.prescaler, 1);
    cr_assert_eq(d.period, 32767);
}

Test(divide, refuses) {
    struct timer_divisor d;
    cr_assert(!timer_divide(84000000, 0, &d));
    cr_assert(!timer_divide(84000000, 42000001, &d));
    cr_assert(timer_divide(84000000, 42000000, &d));
    cr_assert_eq(d.period, 1);
    cr_assert(!timer_divide(16000000, UINT32_MAX, &d));
    cr_assert(timer_divide(UINT32_MAX, 2, &d)); /* no overflow */
    cr_assert(!timer_divide(UINT32_MAX, 0, &d));
}

Test(divide, duty_has_both_ends) {
    for (uint32_t period = 1; period < 0xFFFF; period = period * 3 + 1) {
        cr_assert_eq(timer_compare(period, 0, 10000), 0);
        cr_assert_eq(timer_compare(period, 10000, 10000), period + 1);
        cr_assert_leq(timer_compare(period, 10000, 10000), 0xFFFF);
        uint32_t before = 0;
        for (uint32_t duty = 0; duty <= 10000; duty += 7) {
            uint32_t compare = timer_compare(period, duty, 10000);
            cr_assert(compare >= before && compare <= period + 1);
            before = compare;
        }
    }
}

/* RM0090 17.4.18, DTG[7:0], read the other way round. */
static uint32_t dead_ticks(uint32_t dtg) {
    if (dtg < 0x80)
        return dtg;
    if (dtg < 0xC0)
        return (64 + (dtg & 0x3F)) * 2;
    return (32 + (dtg & 0x1F)) * (dtg < 0xE0 ? 8 : 16);
}

/* Never shorter than wanted, and never a step longer than it must be. */
Test(divide, dead_time) {
    for (uint32_t ticks = 0; ticks <= 1008; ticks++) {
        uint32_t dtg = timer_dead_time(1000000000, ticks);
        cr_assert_geq(dead_ticks(dtg), ticks);
        cr_assert(dtg == 0 || dead_ticks(dtg - 1) < ticks, "%u", ticks);
    }
    cr_assert_eq(timer_dead_time(1000000000, 5000), 0xFF);
    cr_assert_eq(dead_ticks(timer_dead_time(168000000, 500)), 84);
}

/* ----- blocks ------------------------------------------------------------------------------------- */

Test(blocks, handed_over_in_turn) {
    struct blocks b = {0};
    cr_assert_eq(blocks_take(&b), -1);
    for (unsigned i = 0; i < 10; i++) {
        blocks_filled(&b, i % 2);
        cr_assert_eq(blocks_take(&b), (int)i % 2);
        cr_assert_eq(blocks_take(&b), -1);
        cr_assert(blocks_release(&b));
    }
    cr_assert_eq(b.done, 10);
    cr_assert_eq(b.lost, 0);
}

Test(blocks, nobody_takes) {
    struct blocks b = {0};
    for (unsigned i = 0; i < 5; i++)
        blocks_filled(&b, i % 2);
    cr_assert_eq(b.lost, 4);
    cr_assert_eq(blocks_take(&b), 0);
}

Test(blocks, slow_reader_is_told) {
    struct blocks b = {0};
    blocks_filled(&b, 0);
    cr_assert_eq(blocks_take(&b), 0);
    blocks_filled(&b, 1); /* DMA goes on with half 0, which the reader still has */
    cr_assert_eq(b.lost, 1);
    cr_assert(!blocks_release(&b));
    cr_assert_eq(blocks_take(&b), 1);
    cr_assert(blocks_release(&b));
    cr_assert(!blocks_release(&b));
}

/* Against a plain account of what is where: done = taken + lost untaken + ready. */
Test(blocks, adds_up) {
    struct blocks b = {0};
    unsigned taken = 0, spoilt = 0, half = 0;
    bool holding = false;
    srand(2);
    for (int i = 0; i < 10000; i++) {
        if (rand() % 2) {
            blocks_filled(&b, half);
            half ^= 1;
        } else if (!holding) {
            holding = blocks_take(&b) >= 0;
            taken += holding;
        } else {
            spoilt += !blocks_release(&b);
            holding = false;
        }
    }
    cr_assert_eq(b.done + spoilt + (holding && !b.held), taken + b.lost + b.ready);
}

/* ----- CRC ---------------------------------------------------------------------------------------- */

/* Bit by bit, as RM0090 4.3 has it. */
static uint32_t crc_bitwise(uint32_t crc, uint32_t word) {
    crc ^= word;
    for (int i = 0; i < 32; i++)
        crc = crc & 0x80000000 ? crc << 1 ^ 0x04C11DB7 : crc << 1;
    return crc;
}

Test(crc, words) {
    uint32_t words[50], crc = UINT32_MAX;
    srand(3);
    for (unsigned i = 0; i < 50; i++) {
        words[i] = (uint32_t)rand() * 2654435761u;
        crc = crc_bitwise(crc, words[i]);
        cr_assert_eq(crc_update_words(UINT32_MAX, words, i + 1), crc);
    }
    cr_assert_eq(crc_update_words(crc_update_words(UINT32_MAX, words, 20), words + 20, 30), crc);
}

Test(crc, zlib) {
    cr_assert_eq(crc_update_zlib(0, "123456789", 9), 0xCBF43926);
    cr_assert_eq(crc_update_zlib(0, "", 0), 0);
    cr_assert_eq(crc_update_zlib(crc_update_zlib(0, "1234", 4), "56789", 5), 0xCBF43926);
}

Test(crc, mirror) {
    cr_assert_eq(bits_reverse(1), 0x80000000);
    cr_assert_eq(bits_reverse(0x12345678), 0x1E6A2C48);
}
