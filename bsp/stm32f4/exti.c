/* SPDX-License-Identifier: MIT
 *
 * Interrupts of pins (RM0090 12.2.5), and the user button on top of them.
 *
 * The button's first edge starts samples every SAMPLE_MS in the timer task; they end when the level has
 * settled. Edges meanwhile only start what runs already.
 */
#include "bsp.h"
#include "hal/gpio.h"
#include "rtos/core.h"
#include "rtos/driver.h"
#include "rtos/priority.h"
#include "stm32f4.h"

enum { LINES = 16, SAMPLE_MS = 5 };

static struct {
    void (*handler)(void *argument); /* NULL: the line is free */
    void *argument;
    uint8_t port;
} lines[LINES];

static enum kernel_status check(unsigned pin) {
    if (pin >= 9 * 16)
        return KERNEL_BAD_ARGUMENT;
    return part_there(PART_EXTI) && part_there(PART_SYSCFG) ? KERNEL_OK : KERNEL_NOT_THERE;
}

static unsigned irq_of(unsigned line) {
    return line < 5 ? IRQ_EXTI0 + line : line < 10 ? IRQ_EXTI9_5 : IRQ_EXTI15_10;
}

static void set_bit(volatile uint32_t *reg, unsigned bit, bool on) {
    *reg = (*reg & ~(1u << bit)) | (uint32_t)on << bit;
}

static void line_start(unsigned pin, enum exti_edge edge) {
    unsigned line = pin % 16;
    volatile uint32_t *source = &SYSCFG_EXTICR(line);
    *source = (*source & ~(0xFu << line % 4 * 4)) | pin / 16 << line % 4 * 4;
    set_bit(&EXTI_RTSR, line, edge & EXTI_RISING);
    set_bit(&EXTI_FTSR, line, (edge & EXTI_FALLING) != 0);
    EXTI_PR = 1u << line; /* what another pin left there */
    set_bit(&EXTI_IMR, line, true);
}

enum kernel_status exti_start(unsigned pin, enum exti_edge edge, void (*handler)(void *argument),
                              void *argument) {
    enum kernel_status status = check(pin);
    if (status)
        return status;
    if (!handler || edge < EXTI_RISING || edge > EXTI_BOTH)
        return KERNEL_BAD_ARGUMENT;
    unsigned line = pin % 16;
    uint32_t key = kernel_lock();
    if (lines[line].handler && lines[line].port != pin / 16) {
        kernel_unlock(key);
        return KERNEL_BUSY;
    }
    lines[line].handler = handler;
    lines[line].argument = argument;
    lines[line].port = (uint8_t)(pin / 16);
    line_start(pin, edge);
    kernel_unlock(key);
    irq_enable(irq_of(line), PRIORITY_DEVICE);
    return KERNEL_OK;
}

bool exti_in_use(unsigned pin) {
    return lines[pin % 16].handler != NULL;
}

static enum kernel_status check_started(unsigned pin) {
    enum kernel_status status = check(pin);
    if (!status && (!lines[pin % 16].handler || lines[pin % 16].port != pin / 16))
        return KERNEL_NOT_STARTED;
    return status;
}

enum kernel_status exti_stop(unsigned pin) {
    enum kernel_status status = check_started(pin);
    if (status)
        return status;
    uint32_t key = kernel_lock();
    set_bit(&EXTI_IMR, pin % 16, false);
    lines[pin % 16].handler = NULL;
    kernel_unlock(key);
    return KERNEL_OK;
}

/* With the interrupt masked the pending bit can be seen; QEMU keeps SWIER and does nothing. */
enum kernel_status exti_trigger(unsigned pin) {
    enum kernel_status status = check_started(pin);
    if (status)
        return status;
    uint32_t bit = 1u << pin % 16, key = kernel_lock();
    EXTI_SWIER = bit;
    bool pending = wait_for(EXTI_PR_ADDRESS, bit, bit, 10);
    kernel_unlock(key);
    return pending ? KERNEL_OK : KERNEL_NOT_THERE;
}

/* One handler for all vectors: whichever comes first serves all lines that are pending. */
void EXTI_Handler(void) {
    uint32_t pending = EXTI_PR & EXTI_IMR;
    for (unsigned line = 0; line < LINES; line++) {
        if (!(pending >> line & 1))
            continue;
        EXTI_PR = 1u << line; /* before the handler: an edge that comes meanwhile counts */
        if (lines[line].handler)
            lines[line].handler(lines[line].argument);
    }
    BARRIER();
}

/* ----- the button --------------------------------------------------------------------------------- */

static struct {
    struct debounce debounce;
    struct timer timer;
    void (*changed)(bool pressed, void *argument);
    void *argument;
    bool started, sampling;
} button;

static bool is_down(void) {
    bool level = false;
    gpio_read(board_config.button.pin, &level);
    return level == board_config.button.pressed;
}

static void sample(void *argument) {
    (void)argument;
    bool down = is_down();
    bool changed = debounce_sample(&button.debounce, down);
    uint32_t key = kernel_lock();
    bool settled = debounce_settled(&button.debounce) && button.debounce.state == down;
    if (settled) {
        button.sampling = false;
        timer_stop(&button.timer);
    }
    kernel_unlock(key);
    if (changed && button.changed)
        button.changed(button.debounce.state, button.argument);
}

static void edge(void *argument) {
    (void)argument;
    if (!button.sampling)
        button.sampling = timer_start_isr(&button.timer, SAMPLE_MS, SAMPLE_MS) == KERNEL_OK;
}

/* The board has the resistor, so its level is there as soon as the pin is an input. */
bool button_held(void) {
    bool level;
    return gpio_configure(board_config.button.pin, GPIO_INPUT) == KERNEL_OK &&
           gpio_read(board_config.button.pin, &level) == KERNEL_OK &&
           level == board_config.button.pressed;
}

enum kernel_status button_start(void (*changed)(bool pressed, void *argument), void *argument) {
    if (button.started)
        return KERNEL_BUSY;
    unsigned pin = board_config.button.pin;
    enum kernel_status status = gpio_configure(pin, GPIO_INPUT);
    if (status)
        return status;
    button.changed = changed;
    button.argument = argument;
    timer_init(&button.timer, sample, NULL);
    status = exti_start(pin, EXTI_BOTH, edge, NULL);
    if (status)
        return status;
    button.started = true;
    return is_down() ? exti_trigger(pin) : KERNEL_OK; /* pressed already */
}

enum kernel_status button_pressed(bool *pressed) {
    if (!button.started)
        return part_there(part_of_pin(board_config.button.pin)) ? KERNEL_NOT_STARTED
                                                                : KERNEL_NOT_THERE;
    *pressed = button.debounce.state;
    return KERNEL_OK;
}
