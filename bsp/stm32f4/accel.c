/* SPDX-License-Identifier: MIT
 *
 * The accelerometer, on SPI1 in mode 3 (RM0090 28.3): LIS302DL on old boards (8 bits, data sheet 7),
 * LIS3DSH on newer ones (16 bits, data sheet 8). Each register is a transfer of its own, which both do.
 */
#include "hal/accel.h"
#include "bsp.h"
#include "hal/gpio.h"
#include "stm32f4.h"

enum {
    AF_SPI1 = 5,
    READ = 0x80,
    WHO_AM_I = 0x0F,
    SPI_TRIES = 10000, /* a byte takes 1.5 us at 84 / 16 MHz */
};

/* control, value: 100 samples a second, all axes on, full scale 2 g; LIS3DSH: block data update.
 * An axis is `bytes` registers from out + axis * 2 on; numerator / denominator: mg a digit. */
static const struct part_table {
    uint8_t who, control, value, out, bytes;
    int16_t numerator, denominator;
} tables[] = {
    [ACCEL_LIS302DL] = {0x3B, 0x20, 0x47, 0x29, 1, 18, 1},
    [ACCEL_LIS3DSH] = {0x3F, 0x20, 0x6F, 0x28, 2, 6, 100},
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static struct mutex lock;
static enum accel_part found;

static bool exchange(uint8_t out, uint8_t *in) {
    if (!wait_for(SPI1_SR_ADDRESS, SPI_SR_TXE, SPI_SR_TXE, SPI_TRIES))
        return false;
    SPI1_DR = out;
    if (!wait_for(SPI1_SR_ADDRESS, SPI_SR_RXNE, SPI_SR_RXNE, SPI_TRIES))
        return false;
    *in = (uint8_t)SPI1_DR;
    return true;
}

static bool transfer(uint8_t address, uint8_t out, uint8_t *in) {
    pin_set(board_config.accel_select, false);
    bool done = exchange(address, in) && exchange(out, in) &&
                wait_for(SPI1_SR_ADDRESS, SPI_SR_BSY, 0, SPI_TRIES);
    pin_set(board_config.accel_select, true);
    return done;
}

static bool read_register(uint8_t address, uint8_t *in) {
    return transfer(address | READ, 0, in);
}

static void connect(void) {
    pin_output(board_config.accel_select, true);
    for (unsigned pin = GPIO_PIN('A', 5); pin <= GPIO_PIN('A', 7); pin++)
        pin_alternate(pin, AF_SPI1, PIN_FAST);
    SPI1_CR1 =
        SPI_CR1_MSTR | SPI_CR1_SSM | SPI_CR1_SSI | SPI_CR1_BR_DIV16 | SPI_CR1_CPOL | SPI_CR1_CPHA;
    SPI1_CR1 |= SPI_CR1_SPE;
}

static enum kernel_status identify(void) {
    uint8_t who, ignored;
    found = ACCEL_NONE;
    if (!read_register(WHO_AM_I, &who))
        return KERNEL_NOT_READY;
    for (unsigned i = 0; i < TABLES; i++)
        if (tables[i].who && tables[i].who == who)
            found = (enum accel_part)i;
    if (!found)
        return KERNEL_NOT_THERE;
    return transfer(tables[found].control, tables[found].value, &ignored) ? KERNEL_OK
                                                                          : KERNEL_NOT_READY;
}

enum kernel_status accel_start(enum accel_part *part) {
    if (!part_there(PART_SPI1) || !part_there(PART_GPIOA) ||
        !part_there(part_of_pin(board_config.accel_select)))
        return KERNEL_NOT_THERE;
    enum kernel_status status = driver_lock(&lock);
    if (status)
        return status;
    connect();
    status = identify();
    *part = found;
    driver_unlock(&lock);
    return status;
}

static bool read_axis(const struct part_table *table, unsigned axis, int16_t *mg) {
    uint8_t bytes[2] = {0, 0}; /* low, high; an 8-bit value is the high one */
    for (unsigned i = 0; i < table->bytes; i++)
        if (!read_register((uint8_t)(table->out + axis * 2 + i), &bytes[2 - table->bytes + i]))
            return false;
    int16_t raw = (int16_t)(bytes[1] << 8 | bytes[0]);
    int32_t digits = table->bytes == 1 ? raw / 256 : raw;
    *mg = (int16_t)(digits * table->numerator / table->denominator);
    return true;
}

enum kernel_status accel_read(int16_t mg[3]) {
    enum kernel_status status = driver_lock(&lock);
    if (status)
        return status;
    if (!found) /* or not any more: another task may have started it anew */
        status = part_there(PART_GPIOA) ? KERNEL_NOT_STARTED : KERNEL_NOT_THERE;
    for (unsigned axis = 0; axis < 3 && !status; axis++)
        if (!read_axis(&tables[found], axis, &mg[axis]))
            status = KERNEL_NOT_READY;
    driver_unlock(&lock);
    return status;
}
