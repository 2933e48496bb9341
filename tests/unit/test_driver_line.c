/* SPDX-License-Identifier: MIT
 *
 * The programs' line: where frames end, with IDLE and without, what goes wrong on it, and sending with and without an
 * interrupt of the transmitter.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/parts.c"

#include "bsp/stm32f4/line.c"
#include <criterion/criterion.h>
#include <string.h>

enum { SR = USART3_BASE, DR = USART3_BASE + 4, CR1 = USART3_BASE + 0xC, FREE = 0x1FF };

static struct {
    char sent[2000], got[2000]; /* frames, with a | behind each */
    unsigned sent_count, got_count;
    bool busy;      /* the transmitter never gets free */
    unsigned taken; /* pins */
    bool pended;    /* by the tick */
    struct timeout *timeout;
    uint32_t deadline; /* of it */
} world;

void pin_alternate(unsigned pin, unsigned function, unsigned options) {
    cr_assert(pin == GPIO_PIN('D', 8) || pin == GPIO_PIN('D', 9));
    cr_assert_eq(function, 7);
    (void)options;
    world.taken++;
}

void pin_release(unsigned pin) {
    (void)pin;
    world.taken--;
}

uint32_t uart_rate(uint32_t apb1_hz) {
    return apb1_hz / 115200;
}

const struct clock *clock_now(void) {
    static const struct clock clock = {.apb1_hz = 42000000};
    return &clock;
}

void irq_pend(unsigned irq) {
    cr_assert_eq(irq, 39);
    world.pended = true;
}

void timeout_add(struct timeout *timeout, uint32_t ticks) {
    cr_assert_null(timeout->next, "it is in the list already");
    timeout->next = timeout->prev = timeout; /* timeout_remove() is content with itself */
    world.timeout = timeout;
    world.deadline = model_kernel.ticks + ticks;
}

static uint32_t read_register(uint32_t address, uint32_t stored) {
    if (address == SR)
        return world.busy ? stored & ~USART_SR_TXE : stored | USART_SR_TXE;
    return stored;
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address != DR)
        return;
    world.sent[world.sent_count++] = (char)value;
    model_set(DR, before);
}

static void frame_came(const uint8_t *bytes, uint32_t size, void *argument) {
    cr_assert_eq(argument, &world);
    cr_assert(size > 0 && size <= UART_FRAME);
    memcpy(world.got + world.got_count, bytes, size);
    world.got_count += size;
    world.got[world.got_count++] = '|';
}

static void start(void) {
    static const struct model_device device = {read_register, written};
    model_reset(&device);
    memset(&world, 0, sizeof(world));
    memset(&line, 0, sizeof(line));
    parts_there = 1u << PART_USART3;
    model_set(DR, FREE);
    cr_assert_eq(uart_start(3, frame_came, &world), KERNEL_OK);
}

static void interrupt(uint32_t flags, uint8_t byte) {
    model_set(SR, flags);
    if (flags & USART_SR_RXNE)
        model_set(DR, byte);
    USART3_Handler();
    model_set(SR, 0);
    model_set(DR, FREE);
}

static void say(const char *text) {
    while (*text)
        interrupt(USART_SR_RXNE, (uint8_t)*text++);
}

/* Ticks; what the tick pends is served. */
static void wait(unsigned ticks) {
    for (unsigned i = 0; i < ticks; i++) {
        model_kernel.ticks++;
        if (!line.quiet.next || world.deadline != model_kernel.ticks)
            continue;
        line.quiet.next = NULL;
        line.quiet.expire(&line.quiet);
        if (world.pended)
            interrupt(0, 0);
        world.pended = false;
    }
}

static void got(const char *text) {
    cr_assert_eq(world.got_count, strlen(text), "%s", world.got);
    cr_assert(!memcmp(world.got, text, world.got_count), "%s", world.got);
}

Test(line, delimiter) {
    start();
    say("one\ntwo\n\n");
    got("one\n|two\n|\n|");
    cr_assert_eq(line.counters.received, 9);
}

Test(line, idle) {
    start();
    say("ab");
    interrupt(USART_SR_IDLE, 0);
    interrupt(USART_SR_IDLE, 0);
    say("c");
    interrupt(USART_SR_IDLE | USART_SR_RXNE, 'd');
    got("ab|cd|");
}

Test(line, full) {
    start();
    for (unsigned i = 0; i < UART_FRAME + 3; i++)
        interrupt(USART_SR_RXNE, 'x');
    cr_assert_eq(world.got_count, UART_FRAME + 1);
    interrupt(USART_SR_IDLE, 0);
    cr_assert_eq(world.got_count, UART_FRAME + 3 + 2);
}

/* Without IDLE: silence of at least two ticks, and no sooner. */
Test(line, silence) {
    start();
    say("a");
    wait(2);
    say("b");
    wait(1);
    say("c");
    wait(2);
    got("");
    wait(6);
    got("abc|");
    wait(20);
    say("d");
    wait(7);
    got("abc|d|");
}

/* The tick has seen silence, and a byte came before the interrupt that it pended. */
Test(line, silence_that_is_over) {
    start();
    say("a");
    model_kernel.ticks += QUIET;
    line.quiet.next = NULL;
    line.quiet.expire(&line.quiet);
    cr_assert(world.pended);
    world.pended = false;
    say("b\nc");
    got("a|b\n|");
    wait(10);
    got("a|b\n|c|");
}

Test(line, errors) {
    struct uart_counters counters;
    start();
    interrupt(USART_SR_RXNE | USART_SR_ORE, 'a');
    interrupt(USART_SR_ORE, 0); /* nothing new is in DR */
    interrupt(USART_SR_RXNE | USART_SR_FE | USART_SR_NF, '\n');
    got("a\n|");
    cr_assert_eq(uart_line_counters(3, &counters), KERNEL_OK);
    cr_assert_eq(counters.overruns, 2);
    cr_assert_eq(counters.framing, 1);
    cr_assert_eq(counters.noise, 1);
    cr_assert_eq(counters.received, 2);
}

Test(line, sending_at_once) {
    start();
    cr_assert_eq(uart_send(3, "hello", 5), KERNEL_OK);
    cr_assert_eq(world.sent_count, 5);
    cr_assert(!memcmp(world.sent, "hello", 5));
    cr_assert(!(model_get(CR1) & USART_CR1_TXEIE)); /* nothing is left */
}

Test(line, sending_by_interrupt) {
    start();
    world.busy = true;
    cr_assert_eq(uart_send(3, "hello", 5), KERNEL_OK);
    cr_assert_eq(world.sent_count, 0);
    cr_assert(model_get(CR1) & USART_CR1_TXEIE);
    world.busy = false;
    for (int i = 0; i < 8; i++)
        interrupt(0, 0);
    cr_assert_eq(world.sent_count, 5);
    cr_assert(!memcmp(world.sent, "hello", 5));
    cr_assert(!(model_get(CR1) & USART_CR1_TXEIE));
}

Test(line, no_room) {
    static uint8_t many[UART_ROOM + 1];
    start();
    for (unsigned i = 0; i < sizeof(many); i++)
        many[i] = (uint8_t)(i % 251);
    world.busy = true;
    cr_assert_eq(uart_send(3, many, UART_ROOM + 1), KERNEL_LIMIT);
    cr_assert_eq(uart_send(3, many, 300), KERNEL_OK);
    cr_assert_eq(uart_send(3, many, UART_ROOM - 299), KERNEL_LIMIT);
    cr_assert_eq(uart_send(3, many + 300, UART_ROOM - 300), KERNEL_OK);
    cr_assert_eq(uart_send(3, many, 1), KERNEL_LIMIT);
    world.busy = false;
    interrupt(0, 0);
    cr_assert_eq(uart_send(3, many + UART_ROOM, 1), KERNEL_OK); /* round the ring's end */
    cr_assert_eq(world.sent_count, UART_ROOM + 1);
    cr_assert(!memcmp(world.sent, many, UART_ROOM + 1));
}

Test(line, ports) {
    start();
    for (unsigned port = 0; port < 20; port++) {
        enum kernel_status expected = port == 2   ? KERNEL_BUSY
                                      : port == 3 ? KERNEL_OK
                                                  : KERNEL_NOT_THERE;
        cr_assert_eq(uart_probe(port), expected);
        cr_assert_eq(uart_send(port, "", 0), expected);
    }
    cr_assert_eq(uart_start(2, frame_came, NULL), KERNEL_BUSY);
    cr_assert_eq(uart_start(3, frame_came, NULL), KERNEL_BUSY);
    parts_there = 0;
    cr_assert_eq(uart_probe(3), KERNEL_NOT_THERE);
}

Test(line, stop) {
    start();
    cr_assert_eq(world.taken, 2);
    world.busy = true;
    uart_send(3, "dropped", 7);
    say("half");
    uart_stop(3);
    world.busy = false;
    cr_assert_eq(world.taken, 0);
    cr_assert_null(line.quiet.next);
    cr_assert_eq(model_get(CR1), 0);
    interrupt(USART_SR_RXNE, '\n');
    wait(10);
    got("");
    cr_assert_eq(uart_send(3, "x", 1), KERNEL_NOT_STARTED);
    uart_stop(3);
    cr_assert_eq(uart_start(3, frame_came, &world), KERNEL_OK);
    say("new\n");
    got("new\n|");
    cr_assert_eq(world.sent_count, 0);
}
