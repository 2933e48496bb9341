/* SPDX-License-Identifier: MIT */
/*
 * LIS3DSH, or with board_config.lis302dl the LIS302DL of the boards before (their data sheets, "SPI bus
 * interface" and "Register description"): identity, settings of rate and range, status and outputs. A
 * sample is what the surroundings say at the moment of reading. State machines, FIFO, filters and
 * interrupt pins are not modelled.
 */
#include "accel.h"

#include <string.h>

enum {
    WHO_AM_I = 0x0F,
    CTRL_FIRST = 0x20,
    CTRL_REG5 = 0x24,
    CTRL_REG6 = 0x25,
    STATUS = 0x27,
    OUT = 0x28
};
enum { STATUS_DATA = 0x0F, ADD_INC = 0x10, LIS302DL_PD = 0x40, LIS302DL_FS = 0x20 };
#define NS_PER_S 1000000000ull

static bool is_old(const struct board *b) {
    return board_config(b)->lis302dl;
}

void accel_power_on(struct board *b, struct accel *a) {
    memset(a, 0, sizeof(*a));
    a->mg[2] = 1000; /* it lies on a table */
    a->r[WHO_AM_I] = is_old(b) ? 0x3B : 0x3F;
    a->r[CTRL_FIRST] = 0x07; /* all axes on, no power */
    if (!is_old(b))
        a->r[CTRL_REG6] = ADD_INC;
}

/* Samples a second, times 8; 0: powered down. */
static unsigned rate8(const struct board *b, const struct accel *a) {
    static const uint16_t rates[16] = {0, 25, 50, 100, 200, 400, 800, 3200, 6400, 12800};
    uint8_t ctrl = a->r[CTRL_FIRST];
    if (is_old(b))
        return !(ctrl & LIS302DL_PD) ? 0 : ctrl & 0x80 ? 3200 : 800;
    return rates[ctrl >> 4];
}

static uint64_t sample_number(const struct board *b, const struct accel *a) {
    return (uint64_t)((double)board_ns(b) * rate8(b, a) / 8 / NS_PER_S);
}

/* Micro-g per digit. */
static int sensitivity(const struct board *b, const struct accel *a) {
    static const int by_scale[8] = {60, 120, 180, 240, 730, 730, 730, 730};
    if (is_old(b))
        return a->r[CTRL_FIRST] & LIS302DL_FS ? 72000 : 18000;
    return by_scale[a->r[CTRL_REG5] >> 3 & 7];
}

static int output(const struct board *b, const struct accel *a, unsigned axis) {
    int limit = is_old(b) ? 127 : 32767, value = a->mg[axis] * 1000 / sensitivity(b, a);
    if (!rate8(b, a) || !(a->r[CTRL_FIRST] >> axis & 1))
        return 0;
    return value > limit ? limit : value < -limit - 1 ? -limit - 1 : value;
}

/* Six bytes, low before high; the LIS302DL has only the second of each pair. */
static uint8_t output_byte(const struct board *b, struct accel *a, unsigned offset) {
    int value = output(b, a, offset / 2);
    a->taken = sample_number(b, a);
    if (is_old(b))
        return offset % 2 ? (uint8_t)value : 0;
    return (uint8_t)(offset % 2 ? value >> 8 : value);
}

static uint8_t read(struct board *b, struct accel *a, uint8_t address) {
    if (address >= OUT && address < OUT + 6)
        return output_byte(b, a, address - OUT);
    if (address == STATUS)
        return rate8(b, a) && sample_number(b, a) != a->taken ? STATUS_DATA : 0;
    return a->r[address];
}

static void write(struct accel *a, uint8_t address, uint8_t value) {
    if (address >= CTRL_FIRST && address < STATUS)
        a->r[address] = value;
}

/* The LIS302DL has a bit for it in the address byte, the LIS3DSH in a register. */
static void address_byte(struct board *b, struct accel *a, uint8_t byte) {
    a->addressed = true;
    a->reading = byte & 0x80;
    a->address = byte & (is_old(b) ? 0x3F : 0x7F);
    a->increments = is_old(b) ? byte & 0x40 : a->r[CTRL_REG6] & ADD_INC;
}

void accel_select(struct accel *a) {
    a->addressed = false;
}

uint8_t accel_exchange(struct board *b, struct accel *a, uint8_t out) {
    uint8_t in = 0xFF;
    if (!a->addressed) {
        address_byte(b, a, out);
        return in;
    }
    if (a->reading)
        in = read(b, a, a->address);
    else
        write(a, a->address, out);
    if (a->increments)
        a->address = (a->address + 1) % ACCEL_REGS;
    return in;
}
