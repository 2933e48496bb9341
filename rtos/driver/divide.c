/* SPDX-License-Identifier: MIT
 *
 * A timer divides its clock by (PSC + 1) * (ARR + 1), both 16 bits (RM0090 18.3.1). The smallest
 * prescaler that still reaches the frequency leaves the most steps for a duty. A period of all 65536 ticks
 * is not used: its duty of 100 % would want a compare value of 17 bits.
 */
#include "rtos/driver.h"

enum { PERIOD_MAX = 0xFFFF };

bool timer_divide(uint32_t clock_hz, uint32_t hz, struct timer_divisor *out) {
    if (hz == 0 || hz > clock_hz / 2) /* a period of one tick is no timer */
        return false;
    uint32_t ticks = (uint32_t)(((uint64_t)clock_hz + hz / 2) / hz);
    uint32_t prescaler = (ticks + PERIOD_MAX - 1) / PERIOD_MAX;
    if (prescaler > 0x10000)
        return false;
    uint32_t period = (ticks + prescaler / 2) / prescaler;
    *out = (struct timer_divisor){(uint16_t)(prescaler - 1), (uint16_t)(period - 1)};
    return true;
}

/* In PWM mode 1 the output is high while CNT < CCR: 0 is never, ARR + 1 is always. */
uint32_t timer_compare(uint32_t period, uint32_t duty, uint32_t full) {
    return (uint32_t)(((uint64_t)(period + 1) * duty + full / 2) / full);
}

/* DTG has four ranges with steps of 1, 2, 8 and 16 ticks (17.4.18). */
uint32_t timer_dead_time(uint32_t clock_hz, uint32_t ns) {
    static const struct {
        uint16_t first, last, step; /* ticks */
        uint8_t code;               /* of the first */
    } ranges[] = {{0, 127, 1, 0}, {128, 254, 2, 0x80}, {256, 504, 8, 0xC0}, {512, 1008, 16, 0xE0}};
    uint32_t ticks = (uint32_t)(((uint64_t)clock_hz * ns + 999999999) / 1000000000);
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ticks > ranges[i].last)
            continue;
        uint32_t above = ticks > ranges[i].first ? ticks - ranges[i].first : 0;
        return ranges[i].code + (above + ranges[i].step - 1) / ranges[i].step;
    }
    return 0xFF;
}
