/* SPDX-License-Identifier: MIT */
/*
 * Firmware gone mad: random accesses of all widths to the registers of all devices, pins, bytes and
 * motion from outside, resets, and time. Nothing is expected but that it ends, without undefined
 * behaviour, and in the same way when it is done again.
 */
#include "devices/fake_board.h"

#include <criterion/criterion.h>
#include <string.h>

enum { STEPS = 20000, ROUNDS = 6 };

static uint8_t flash[BOARD_FLASH_SIZE];
static uint64_t sum; /* of all that was seen */
static uint64_t seed;

static uint32_t next(void) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(seed >> 32);
}

static const struct device_type *const types[] = {
#define DEVICE(name) &device_##name,
#include "board/devices/devices.def"
#undef DEVICE
};
enum { DEVICES = sizeof(types) / sizeof(types[0]) };

static void on_serial(void *user, unsigned usart, uint8_t byte) {
    (void)user;
    sum = sum * 31 + usart * 256 + byte;
}

static void on_pin(void *user, unsigned port, unsigned pin, bool level) {
    (void)user;
    sum = sum * 31 + port * 32 + pin * 2 + level;
}

/* Values that mean something more often than chance: few bits, small numbers, addresses. */
static uint32_t value(void) {
    switch (next() % 6) {
    case 0: return 1u << next() % 32;
    case 1: return next() % 64;
    case 2: return 0x20000000 + next() % 0x1000;
    case 3: return next() & next();
    case 4: return next() | next();
    default: return next();
    }
}

static void access_register(struct board *b) {
    const struct device_type *type = types[next() % DEVICES];
    unsigned size = 1u << next() % 3;
    uint32_t address = type->base + (next() % 0x60 & ~(size - 1)), got = 0;
    if (type == &device_flash && next() % 8) /* long operations, now and then */
        return;
    if (next() % 3)
        board_bus_write(b, BUS_CORE, address, size, value());
    else
        board_bus_read(b, BUS_CORE, address, size, &got);
    sum = sum * 31 + got;
}

static void outside(struct board *b) {
    unsigned port = next() % BOARD_PORTS, pin = next() % 16;
    switch (next() % 6) {
    case 0: board_pin_drive(b, port, pin, next() & 1); break;
    case 1: board_pin_release(b, port, pin); break;
    case 2: board_serial_send(b, 1 + next() % BOARD_USARTS, (uint8_t)next()); break;
    case 3: board_encoder_turn(b, (int32_t)(next() % 100) - 50); break;
    case 4: board_accel(b, (int16_t[3]){(int16_t)next(), (int16_t)next(), (int16_t)next()}); break;
    default: sum += board_pwm(b, port, pin) > 0.5; break;
    }
}

static void clocks_on(struct board *b) {
    static const uint32_t enables[] = {0x40023830, 0x40023834, 0x40023840, 0x40023844};
    for (unsigned i = 0; i < 4; i++)
        fake_write(b, enables[i], UINT32_MAX);
}

static uint64_t play(uint64_t start) {
    struct board *b = board_new(
        &(struct board_config){.flash = flash, .listener = {.serial = on_serial, .pin = on_pin}});
    seed = start;
    sum = 0;
    memset(flash, 0xFF, sizeof(flash));
    board_reset(b, BOARD_RESET_POWER);
    for (unsigned i = 0; i < STEPS; i++) {
        if (i % 64 == 0)
            clocks_on(b);
        access_register(b);
        if (next() % 8 == 0)
            outside(b);
        if (next() % 4 == 0)
            fake_run(b, next() % 8 ? next() % 64 : next() % 10000);
        if (next() % 2048 == 0)
            board_reset(b, next() % 5);
    }
    for (unsigned irq = 0; irq < 96; irq++)
        sum = sum * 31 + fake_irq(b, irq);
    board_free(b);
    return sum;
}

Test(devices_noise, ends_and_can_be_repeated) {
    for (uint64_t round = 0; round < ROUNDS; round++)
        cr_assert_eq(play(round), play(round), "seed %u", (unsigned)round);
}
