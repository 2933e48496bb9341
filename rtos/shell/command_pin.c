/* SPDX-License-Identifier: MIT
 *
 * Commands for pins.
 */
#include "hal/gpio.h"
#include "line.h"
#include "rtos/shell.h"

static const struct {
    const char *name;
    enum gpio_mode mode;
} modes[] = {
    {"input", GPIO_INPUT},   {"pull-up", GPIO_INPUT_PULL_UP},
    {"output", GPIO_OUTPUT}, {"pull-down", GPIO_INPUT_PULL_DOWN},
    {"analog", GPIO_ANALOG}, {"open-drain", GPIO_OUTPUT_OPEN_DRAIN},
};
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static const char *const actions[] = {"read", "write", "toggle", "mode"};
static const char *const led_actions[] = {"on", "off", "toggle"};

/* PD12, or a name that the board gives. */
static bool find_pin(struct shell *shell, const char *text, unsigned *pin) {
    for (unsigned i = 0; i < gpio_name_count; i++)
        if (text_equal(gpio_names[i].name, text)) {
            *pin = gpio_names[i].pin;
            return true;
        }
    unsigned number = 0;
    size_t at = 2;
    if (text_begins(text, "P", 1) && text[1] >= 'A' && text[1] <= 'I')
        for (; text[at] >= '0' && text[at] <= '9' && number < 16; at++)
            number = number * 10 + (unsigned)(text[at] - '0');
    if (at == 2 || text[at] || number > 15) {
        shell_print(shell, "%s: no such pin; PD12 is one, and `gpio` lists those with a use\n",
                    text);
        return false;
    }
    *pin = GPIO_PIN(text[1], number);
    return true;
}

static int list(struct shell *shell) {
    for (unsigned i = 0; i < gpio_name_count; i++) {
        bool high = false;
        unsigned pin = gpio_names[i].pin;
        enum kernel_status status = gpio_read(pin, &high);
        shell_print(shell, "%-12s P%c%-3u %s  %s\n", gpio_names[i].name, (int)('A' + pin / 16),
                    pin % 16,
                    status ? "?"
                    : high ? "1"
                           : "0",
                    gpio_names[i].use);
    }
    if (gpio_name_count == 0)
        return KERNEL_NOT_THERE;
    return SHELL_DONE;
}

static int toggle(unsigned pin) {
    bool high;
    enum kernel_status status = gpio_read(pin, &high);
    return status ? status : gpio_write(pin, !high);
}

static int write_level(struct shell *shell, unsigned pin, const char *text) {
    int64_t level;
    if (!shell_value(shell, text, &level))
        return SHELL_FAILED;
    return gpio_write(pin, level != 0);
}

static int set_mode(unsigned pin, const char *text) {
    for (unsigned i = 0; i < MODES; i++)
        if (text_equal(modes[i].name, text))
            return gpio_configure(pin, modes[i].mode);
    return SHELL_USAGE;
}

static int gpio(struct shell *shell, int argc, char **argv) {
    if (argc == 1)
        return list(shell);
    unsigned pin;
    if (argc == 2)
        return SHELL_USAGE;
    if (!find_pin(shell, argv[2], &pin))
        return SHELL_FAILED;
    if (text_equal(argv[1], "read") && argc == 3) {
        bool high;
        enum kernel_status status = gpio_read(pin, &high);
        if (!status)
            shell_print(shell, "%d\n", high);
        return status;
    }
    if (text_equal(argv[1], "toggle") && argc == 3)
        return toggle(pin);
    if (text_equal(argv[1], "write") && argc == 4)
        return write_level(shell, pin, argv[3]);
    if (text_equal(argv[1], "mode") && argc == 4)
        return set_mode(pin, argv[3]);
    return SHELL_USAGE;
}

static const char *gpio_word(unsigned position, unsigned index) {
    switch (position) {
    case 1: return index < 4 ? actions[index] : NULL;
    case 2: return index < gpio_name_count ? gpio_names[index].name : NULL;
    case 3: return index < MODES ? modes[index].name : NULL;
    default: return NULL;
    }
}

static int led(struct shell *shell, int argc, char **argv) {
    (void)shell, (void)argc;
    for (unsigned i = 0; i < gpio_led_count; i++) {
        if (!text_equal(argv[1], gpio_leds[i].name))
            continue;
        if (text_equal(argv[2], "toggle"))
            return toggle(gpio_leds[i].pin);
        bool on = text_equal(argv[2], "on");
        if (!on && !text_equal(argv[2], "off"))
            return SHELL_USAGE;
        enum kernel_status status = gpio_configure(gpio_leds[i].pin, GPIO_OUTPUT);
        return status ? status : gpio_write(gpio_leds[i].pin, on);
    }
    return SHELL_USAGE;
}

static const char *led_word(unsigned position, unsigned index) {
    if (position == 1)
        return index < gpio_led_count ? gpio_leds[index].name : NULL;
    return position == 2 && index < 3 ? led_actions[index] : NULL;
}

SHELL_COMMAND(gpio, .usage = "[read PIN | write PIN LEVEL | toggle PIN | mode PIN MODE]",
              .help = "a pin, such as PD12; lists those with a use", .most = 3, .run = gpio,
              .word = gpio_word);
SHELL_COMMAND(led, .usage = "COLOUR on|off|toggle", .help = "switches an LED", .least = 2,
              .most = 2, .run = led, .word = led_word);
