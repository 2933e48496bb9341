/* SPDX-License-Identifier: MIT */
/* DMA (RM0090 10) by itself and behind a serial line. */
#include "devices/fake_board.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum {
    DMA1 = 0x40026000,
    DMA2 = 0x40026400,
    LISR = 0x00,
    HISR = 0x04,
    LIFCR = 0x08,
    HIFCR = 0x0C,
    CR = 0x10, /* of stream 0 */
    NDTR = 0x14,
    PAR = 0x18,
    M0AR = 0x1C,
    M1AR = 0x20,
    FCR = 0x24,
    STREAM = 0x18,
    EN = 1,
    TEIE = 1 << 2,
    HTIE = 1 << 3,
    TCIE = 1 << 4,
    TO_PERIPHERAL = 1 << 6,
    MEMORY = 2 << 6,
    CIRC = 1 << 8,
    PINC = 1 << 9,
    MINC = 1 << 10,
    PSIZE16 = 1 << 11,
    PSIZE32 = 2 << 11,
    MSIZE16 = 1 << 13,
    MSIZE32 = 2 << 13,
    DBM = 1 << 18,
    CHANNEL4 = 4 << 25,
    TEIF = 8,
    HTIF = 16,
    TCIF = 32,
    USART2 = 0x40004400,
    SRAM = 0x20000000,
    FROM = SRAM + 0x1000,
    TO = SRAM + 0x2000,
    FRAME = 1390,
};
#define RX (DMA1 + 5 * STREAM) /* USART2_RX is stream 5, channel 4; USART2_TX stream 6 */
#define TX (DMA1 + 6 * STREAM)

static uint8_t flash[BOARD_FLASH_SIZE];
static char serial[256];
static struct board *b;

static void on_serial(void *user, unsigned usart, uint8_t byte) {
    char text[2] = {(char)byte, 0};
    (void)user, (void)usart;
    strncat(serial, text, sizeof(serial) - strlen(serial) - 1);
}

static void setup(void) {
    serial[0] = 0;
    b = board_new(&(struct board_config){.flash = flash, .listener = {.serial = on_serial}});
    board_reset(b, BOARD_RESET_POWER);
    fake_write(b, 0x40023830, 0x00700000); /* DMA1, DMA2, CCM */
    fake_write(b, 0x40023840, 1 << 17);
    for (unsigned i = 0; i < 64; i++)
        fake_write(b, FROM + 4 * i, 0x03020100 + 0x04040404 * i);
}

static void teardown(void) {
    board_free(b);
}

TestSuite(devices_dma, .init = setup, .fini = teardown);

static void text_is(uint32_t address, const char *text) {
    for (unsigned i = 0; i < strlen(text); i++) {
        uint32_t byte;
        board_bus_read(b, BUS_CORE, address + i, 1, &byte);
        cr_assert_eq(byte, (uint8_t)text[i], "byte %u is %c", i, byte);
    }
}

static void stream_start(uint32_t stream, uint32_t cr, uint32_t count, uint32_t peripheral,
                         uint32_t memory, uint32_t fcr) {
    fake_write(b, stream + NDTR, count);
    fake_write(b, stream + PAR, peripheral);
    fake_write(b, stream + M0AR, memory);
    fake_write(b, stream + FCR, fcr);
    fake_write(b, stream + CR, cr | EN);
}

static void usart2_on(uint32_t cr3) {
    fake_write(b, USART2 + 0x14, cr3);
    fake_write(b, USART2 + 0x08, 139);
    fake_write(b, USART2 + 0x0C, 1 << 13 | 1 << 3 | 1 << 2);
}

Test(devices_dma, memory_to_memory_in_all_sizes) {
    static const uint32_t sizes[][2] = {{0, 0},       {PSIZE16, MSIZE16}, {PSIZE32, MSIZE32},
                                        {0, MSIZE32}, {PSIZE32, 0},       {PSIZE16, MSIZE32}};
    for (unsigned i = 0; i < 6; i++) {
        unsigned width = 1u << (sizes[i][0] >> 11);
        memset(serial, 0, sizeof(serial));
        for (unsigned k = 0; k < 65; k++)
            fake_write(b, TO + 4 * k, 0xEEEEEEEE);
        stream_start(DMA2, MEMORY | PINC | MINC | TCIE | sizes[i][0] | sizes[i][1], 64 / width,
                     FROM, TO, 7);
        fake_run(b, 10000);
        cr_assert_eq(fake_read(b, DMA2 + CR) & EN, 0);
        cr_assert_eq(fake_read(b, DMA2 + NDTR), 0);
        cr_assert_eq(fake_read(b, DMA2 + LISR), TCIF | HTIF);
        cr_assert(fake_irq(b, 56));
        fake_write(b, DMA2 + LIFCR, 0x3D);
        cr_assert_not(fake_irq(b, 56));
        for (unsigned k = 0; k < 16; k++)
            cr_assert_eq(fake_read(b, TO + 4 * k), fake_read(b, FROM + 4 * k), "sizes %u word %u",
                         i, k);
        cr_assert_eq(fake_read(b, TO + 64), 0xEEEEEEEE);
    }
}

Test(devices_dma, refusals) {
    stream_start(DMA1, MEMORY | MINC, 4, FROM, TO, 7);
    cr_assert_not(fake_read(b, DMA1 + CR) & EN);
    cr_assert(fake_noted(b, "memory to memory is for DMA2"));
    stream_start(DMA2, 3 << 6, 4, FROM, TO, 0);
    cr_assert_not(fake_read(b, DMA2 + CR) & EN);
    stream_start(DMA2, MEMORY, 0, FROM, TO, 0);
    cr_assert_not(fake_read(b, DMA2 + CR) & EN, "nothing to do");
    stream_start(DMA2, MEMORY, 1, FROM, TO, 0);
    fake_run(b, 100);
    stream_start(DMA2, MEMORY, 1, FROM, TO, 0);
    cr_assert(fake_noted(b, "its flags are not cleared"));
}

Test(devices_dma, a_bus_error_stops_the_stream) {
    stream_start(DMA2 + STREAM, MEMORY | MINC | TEIE, 1, FROM, 0x60000000, 7);
    fake_run(b, 1000);
    cr_assert_eq(fake_read(b, DMA2 + LISR), TEIF << 6);
    cr_assert_not(fake_read(b, DMA2 + STREAM + CR) & EN);
    cr_assert(fake_irq(b, 57));
}

Test(devices_dma, serial_out) {
    const char text[] = "hello";
    for (unsigned i = 0; i < 5; i++)
        board_bus_write(b, BUS_CORE, FROM + i, 1, (uint8_t)text[i]);
    usart2_on(1 << 7);
    stream_start(TX, CHANNEL4 | TO_PERIPHERAL | MINC | TCIE | HTIE, 5, USART2 + 4, FROM, 0);
    fake_run(b, 2 * FRAME);
    cr_assert_str_eq(serial, "h");
    cr_assert_eq(fake_read(b, TX + NDTR), 2, "two sent or being sent, one waits in DR");
    fake_run(b, 4 * FRAME);
    cr_assert_str_eq(serial, "hello");
    cr_assert_eq(fake_read(b, DMA1 + HISR), (TCIF | HTIF) << 16);
    cr_assert(fake_irq(b, 17));
}

Test(devices_dma, serial_in_circular) {
    usart2_on(1 << 6);
    stream_start(RX, CHANNEL4 | MINC | CIRC | TCIE | HTIE, 8, USART2 + 4, TO, 0);
    for (const char *c = "abcd"; *c; c++)
        board_serial_send(b, 2, (uint8_t)*c);
    fake_run(b, 4 * FRAME + 100);
    text_is(TO, "abcd");
    cr_assert_eq(fake_read(b, RX + NDTR), 4);
    cr_assert_eq(fake_read(b, DMA1 + HISR), HTIF << 6);
    cr_assert(fake_irq(b, 16));
    fake_write(b, DMA1 + HIFCR, 0x3D << 6);
    for (const char *c = "efghij"; *c; c++)
        board_serial_send(b, 2, (uint8_t)*c);
    fake_run(b, 6 * FRAME + 100);
    text_is(TO, "ijcdefgh");
    cr_assert_eq(fake_read(b, RX + NDTR), 6);
    cr_assert_eq(fake_read(b, DMA1 + HISR), TCIF << 6);
    cr_assert(fake_read(b, RX + CR) & EN);
    cr_assert_eq(fake_read(b, USART2) & 0x28, 0, "neither RXNE nor ORE is left");
}

Test(devices_dma, the_fifo_holds_back_and_is_flushed) {
    usart2_on(1 << 6);
    for (unsigned i = 0; i < 4; i++)
        fake_write(b, TO + 4 * i, 0);
    stream_start(RX, CHANNEL4 | MINC | MSIZE32, 16, USART2 + 4, TO, 4 | 1); /* half full */
    for (const char *c = "abcdefghij"; *c; c++)
        board_serial_send(b, 2, (uint8_t)*c);
    fake_run(b, 7 * FRAME + 100);
    cr_assert_eq(fake_read(b, TO), 0);
    cr_assert_eq(fake_read(b, RX + FCR), (4 | 1) | 1 << 3);
    fake_run(b, 3 * FRAME + 100);
    text_is(TO, "abcdefgh");
    cr_assert_eq(fake_read(b, TO + 8), 0);
    fake_write(b, RX + CR, 0);
    text_is(TO, "abcdefghij");
    cr_assert_eq(fake_read(b, DMA1 + HISR) & TCIF << 6, TCIF << 6);
}

Test(devices_dma, double_buffer) {
    usart2_on(1 << 6);
    fake_write(b, RX + M1AR, TO + 0x100);
    stream_start(RX, CHANNEL4 | MINC | DBM, 2, USART2 + 4, TO, 0);
    for (const char *c = "abcdef"; *c; c++)
        board_serial_send(b, 2, (uint8_t)*c);
    fake_run(b, 2 * FRAME + 100);
    cr_assert_eq(fake_read(b, RX + CR) >> 19 & 1, 1);
    fake_write(b, RX + M0AR, TO + 0x200); /* not in use now */
    fake_write(b, RX + M1AR, TO + 0x300); /* in use */
    fake_run(b, 4 * FRAME);
    text_is(TO, "ab");
    text_is(TO + 0x100, "cd");
    text_is(TO + 0x200, "ef");
    cr_assert(fake_noted(b, "is changed while it runs"));
}

Test(devices_dma, a_running_stream_keeps_its_settings) {
    usart2_on(1 << 6);
    stream_start(RX, CHANNEL4 | MINC, 8, USART2 + 4, TO, 0);
    fake_write(b, RX + NDTR, 1);
    fake_write(b, RX + PAR, 0);
    fake_write(b, RX + CR, TCIE | EN);
    cr_assert_eq(fake_read(b, RX + NDTR), 8);
    cr_assert_eq(fake_read(b, RX + PAR), USART2 + 4);
    cr_assert_eq(fake_read(b, RX + CR), CHANNEL4 | MINC | TCIE | EN);
}

Test(devices_dma, the_channel_must_match) {
    usart2_on(1 << 6);
    stream_start(RX, MINC, 8, USART2 + 4, TO, 0);
    board_serial_send(b, 2, 'a');
    fake_run(b, 2 * FRAME);
    cr_assert_eq(fake_read(b, RX + NDTR), 8);
    cr_assert(fake_read(b, USART2) & 0x20);
}

Test(devices_dma, priorities) {
    stream_start(DMA2, MEMORY | PINC | MINC, 8, FROM, TO, 7);
    stream_start(DMA2 + STREAM, MEMORY | PINC | MINC | 3 << 16, 8, FROM, TO + 0x100, 7);
    fake_run(b, 8 * 6);
    cr_assert_eq(fake_read(b, DMA2 + STREAM + NDTR), 0);
    cr_assert_eq(fake_read(b, DMA2 + NDTR), 8);
    fake_run(b, 8 * 6);
    cr_assert_eq(fake_read(b, DMA2 + NDTR), 0);
}
