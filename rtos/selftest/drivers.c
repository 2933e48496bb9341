/* SPDX-License-Identifier: MIT
 *
 * Drivers, through their contracts, with what the chip can see of itself: pins that are outputs are read
 * back, and their edges raise their own interrupts. Nothing has to be wired. The flash test uses the first
 * sector that belongs to nobody, and erases it.
 */
#include "hal/accel.h"
#include "hal/adc.h"
#include "hal/board.h"
#include "hal/chip.h"
#include "hal/flash.h"
#include "hal/gpio.h"
#include "hal/timers.h"
#include "hal/uart.h"
#include "rtos/driver.h"
#include "selftest.h"

#define LED (gpio_leds[0].pin)
#define FREE (board_free_pins[0])
#define SAME_LINE (board_free_pins[1])

#define NEEDS(call)                                                                                \
    do {                                                                                           \
        enum kernel_status needs_status = (call);                                                  \
        if (needs_status == KERNEL_NOT_THERE || needs_status == KERNEL_NO_CLOCK)                   \
            return SKIP #call ": no such hardware";                                                \
        CHECK(needs_status == KERNEL_OK);                                                          \
    } while (0)

static bool level_of(unsigned pin) {
    bool level = false;
    gpio_read(pin, &level);
    return level;
}

static const char *pins(void) {
    NEEDS(gpio_configure(FREE, GPIO_OUTPUT));
    for (int i = 0; i < 4; i++) {
        CHECK(gpio_write(FREE, i & 1) == KERNEL_OK);
        CHECK(level_of(FREE) == (i & 1));
    }
    CHECK(gpio_configure(FREE, GPIO_INPUT_PULL_UP) == KERNEL_OK);
    task_sleep(1);
    CHECK(level_of(FREE));
    CHECK(gpio_configure(FREE, GPIO_INPUT_PULL_DOWN) == KERNEL_OK);
    task_sleep(1);
    CHECK(!level_of(FREE));
    CHECK(gpio_configure(FREE, GPIO_INPUT) == KERNEL_OK);
    return NULL;
}

static const char *pins_refused(void) {
    bool level;
    CHECK(gpio_configure(1000, GPIO_OUTPUT) == KERNEL_BAD_ARGUMENT);
    CHECK(gpio_write(1000, true) == KERNEL_BAD_ARGUMENT);
    CHECK(gpio_read(1000, &level) == KERNEL_BAD_ARGUMENT);
    CHECK(gpio_configure(FREE, GPIO_MODES) == KERNEL_BAD_ARGUMENT);
    NEEDS(gpio_read(FREE, &level));
    for (unsigned i = 0; i < gpio_name_count; i++)
        if (texts_equal(gpio_names[i].name, "TX") || texts_equal(gpio_names[i].name, "SWDIO")) {
            CHECK(gpio_configure(gpio_names[i].pin, GPIO_OUTPUT) == KERNEL_PIN_TAKEN);
            CHECK(gpio_write(gpio_names[i].pin, false) == KERNEL_PIN_TAKEN);
        }
    return NULL;
}

static volatile unsigned edges;

static void count_edge(void *argument) {
    edges += number_of(argument);
}

static const char *exti(void) {
    edges = 0;
    NEEDS(exti_start(FREE, EXTI_RISING, count_edge, (void *)1));
    CHECK(exti_start(SAME_LINE, EXTI_RISING, count_edge, (void *)1) == KERNEL_BUSY);
    enum kernel_status status = exti_trigger(FREE);
    if (status == KERNEL_OK)
        status = exti_trigger(FREE);
    CHECK(exti_stop(FREE) == KERNEL_OK);
    NEEDS(status);
    CHECK(edges == 2);
    CHECK(exti_trigger(FREE) == KERNEL_NOT_STARTED);
    CHECK(exti_stop(FREE) == KERNEL_NOT_STARTED);
    CHECK(exti_start(FREE, EXTI_BOTH, NULL, NULL) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

/* How many interrupts a pulse raises. */
static unsigned edges_of_pulse(enum exti_edge which) {
    edges = 0;
    exti_start(FREE, which, count_edge, (void *)1);
    gpio_write(FREE, true);
    gpio_write(FREE, false);
    exti_stop(FREE);
    return edges;
}

static const char *exti_edges(void) {
    NEEDS(gpio_configure(FREE, GPIO_OUTPUT));
    gpio_write(FREE, false);
    NEEDS(exti_start(FREE, EXTI_RISING, count_edge, (void *)1));
    CHECK(exti_stop(FREE) == KERNEL_OK);
    CHECK(edges_of_pulse(EXTI_RISING) == 1);
    CHECK(edges_of_pulse(EXTI_FALLING) == 1);
    CHECK(edges_of_pulse(EXTI_BOTH) == 2);
    CHECK(gpio_configure(FREE, GPIO_INPUT) == KERNEL_OK);
    return NULL;
}

static const char *uart(void) {
    struct uart_counters before, after;
    uart_counters(&before);
    task_sleep(20);
    uart_counters(&after);
    CHECK(after.overruns == before.overruns && after.framing == before.framing);
    CHECK(after.dropped == before.dropped && after.noise == before.noise);
    return NULL;
}

/* The rate is that of a clock that the kernel does not know: a tenth is tolerated. */
static const char *ticker(void) {
    CHECK(ticker_start(1, count_edge, NULL) == KERNEL_BAD_ARGUMENT);
    edges = 0;
    NEEDS(ticker_start(500, count_edge, (void *)1));
    task_sleep(50);
    CHECK(ticker_stop() == KERNEL_OK);
    unsigned counted = edges;
    CHECK(counted >= 90 && counted <= 110);
    task_sleep(5);
    CHECK(edges == counted);
    return NULL;
}

/* How often in `samples` looks the pin is high. */
static unsigned highs(unsigned pin, unsigned samples) {
    unsigned count = 0;
    for (unsigned i = 0; i < samples; i++)
        count += level_of(pin);
    return count;
}

static const char *pwm(void) {
    NEEDS(pwm_start(PWM_LEDS, 10000));
    CHECK(pwm_set(PWM_LEDS, gpio_led_count, 0) == KERNEL_BAD_ARGUMENT);
    CHECK(pwm_set(PWM_LEDS, 0, PWM_FULL + 1) == KERNEL_BAD_ARGUMENT);
    CHECK(gpio_configure(LED, GPIO_OUTPUT) == KERNEL_PIN_TAKEN);
    task_sleep(1);
    CHECK(highs(LED, 1000) == 0);
    CHECK(pwm_set(PWM_LEDS, 0, PWM_FULL) == KERNEL_OK);
    task_sleep(1);
    CHECK(highs(LED, 1000) == 1000);
    CHECK(pwm_set(PWM_LEDS, 0, PWM_FULL / 2) == KERNEL_OK);
    task_sleep(1);
    unsigned half = highs(LED, 1000);
    CHECK(half > 100 && half < 900);
    CHECK(pwm_stop(PWM_LEDS) == KERNEL_OK);
    CHECK(pwm_set(PWM_LEDS, 0, 0) == KERNEL_NOT_STARTED);
    CHECK(gpio_configure(LED, GPIO_OUTPUT) == KERNEL_OK);
    CHECK(gpio_write(LED, false) == KERNEL_OK);
    return NULL;
}

static unsigned pin_named(const char *name) {
    unsigned i = 0;
    while (i < gpio_name_count && !texts_equal(gpio_names[i].name, name))
        i++;
    return i < gpio_name_count ? gpio_names[i].pin : UINT32_MAX;
}

static bool both_high(unsigned plus, unsigned minus, unsigned looks) {
    while (looks--)
        if (level_of(plus) && level_of(minus) && level_of(plus))
            return true;
    return false;
}

static const char *motor(void) {
    bool broken = true;
    unsigned plus = pin_named("M+"), minus = pin_named("M-");
    NEEDS(pwm_start(PWM_MOTOR, 1000)); /* slow enough that two looks see the same */
    CHECK(pwm_set(PWM_MOTOR, 0, PWM_FULL / 2) == KERNEL_OK);
    task_sleep(3);
    CHECK(pwm_broken(PWM_MOTOR, &broken) == KERNEL_OK && !broken);
    CHECK(highs(plus, 4000) > 0);
    CHECK(highs(minus, 4000) > 0);
    CHECK(!both_high(plus, minus, 4000));
    CHECK(pwm_break(PWM_MOTOR) == KERNEL_OK);
    CHECK(pwm_broken(PWM_MOTOR, &broken) == KERNEL_OK && broken);
    CHECK(highs(plus, 4000) == 0 && highs(minus, 4000) == 0);
    CHECK(pwm_rearm(PWM_MOTOR) == KERNEL_OK);
    CHECK(pwm_broken(PWM_MOTOR, &broken) == KERNEL_OK && !broken);
    CHECK(pwm_break(PWM_LEDS) == KERNEL_BAD_ARGUMENT);
    CHECK(pwm_stop(PWM_MOTOR) == KERNEL_OK);
    CHECK(!level_of(plus) && !level_of(minus));
    return NULL;
}

static const char *encoder(void) {
    int32_t steps = 1;
    NEEDS(encoder_start());
    CHECK(encoder_read(&steps) == KERNEL_OK);
    CHECK(steps == 0); /* nothing turns */
    return NULL;
}

enum { SCANS = 8, CHANNELS = 2 };
static uint16_t samples[2 * SCANS * CHANNELS];
static volatile unsigned blocks_seen;

static void see_block(const uint16_t *block, void *argument) {
    (void)argument;
    if (block == samples || block == samples + SCANS * CHANNELS)
        blocks_seen++;
}

static const char *adc(void) {
    static const uint8_t channels[CHANNELS] = {ADC_REFERENCE, ADC_TEMPERATURE};
    struct adc_config config = {.channels = channels,
                                .channel_count = CHANNELS,
                                .scans = SCANS,
                                .hz = 1000,
                                .buffer = samples,
                                .done = see_block};
    const uint16_t *block = NULL, *last = NULL;
    struct adc_counters counters;
    blocks_seen = 0;
    NEEDS(adc_start(&config));
    CHECK(adc_start(&config) == KERNEL_BUSY);
    for (int i = 0; i < 4; i++) {
        CHECK(adc_take(&block, 50) == KERNEL_OK);
        CHECK(block != last);
        last = block;
        for (unsigned s = 0; s < SCANS * CHANNELS; s++)
            CHECK(block[s] < 4096);
        CHECK(adc_release() == KERNEL_OK);
    }
    CHECK(adc_stop() == KERNEL_OK);
    adc_counters(&counters);
    CHECK(counters.blocks >= 4 && blocks_seen == counters.blocks);
    CHECK(counters.lost == 0 && counters.overruns == 0);
    CHECK(adc_take(&block, 1) == KERNEL_NOT_STARTED);
    config.hz = 1000000;
    CHECK(adc_start(&config) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

static const char *accel(void) {
    enum accel_part part = ACCEL_NONE;
    int16_t mg[3] = {0};
    NEEDS(accel_start(&part));
    CHECK(part == ACCEL_LIS302DL || part == ACCEL_LIS3DSH);
    task_sleep(20); /* two samples */
    CHECK(accel_read(mg) == KERNEL_OK);
    for (int i = 0; i < 3; i++)
        CHECK(mg[i] >= -2400 && mg[i] <= 2400);
    return NULL;
}

/* The first sector that belongs to nobody: neither to the firmware nor to installed programs. False: there is none. */
static bool spare_sector(unsigned *number, struct flash_sector *sector) {
    for (*number = 0; flash_sector(*number, sector) == KERNEL_OK; ++*number)
        if (!sector->firmware && !sector->store)
            return true;
    return false;
}

static const char *flash_refused(void) {
    struct flash_sector sector;
    uint32_t word = 0;
    unsigned count = flash_sector_count();
    CHECK(count >= 3);
    CHECK(flash_sector(count, &sector) == KERNEL_BAD_ARGUMENT);
    CHECK(flash_erase(count) == KERNEL_BAD_ARGUMENT);
    CHECK(flash_sector(count - 1, &sector) == KERNEL_OK);
    CHECK(flash_write(sector.address + sector.size - 4, &word, 2) == KERNEL_PROTECTED);
    CHECK(flash_write(sector.address + 2, &word, 1) == KERNEL_BAD_ARGUMENT);
    CHECK(flash_write((uint32_t)(uintptr_t)&word, &word, 1) == KERNEL_PROTECTED);
    CHECK(flash_sector(0, &sector) == KERNEL_OK);
    CHECK(flash_write(sector.address - 4, &word, 1) == KERNEL_PROTECTED);
    CHECK(sector.firmware == !flash_is_ram());
    if (!sector.firmware)
        return NULL;
    CHECK(flash_erase(0) == KERNEL_PROTECTED);
    CHECK(flash_write(sector.address, &word, 1) == KERNEL_PROTECTED);
    return NULL;
}

static const char *flash(void) {
    struct flash_sector sector;
    unsigned number;
    if (!spare_sector(&number, &sector))
        return SKIP "no sector is free";
    const volatile uint32_t *words = (const volatile uint32_t *)(uintptr_t)sector.address;
    uint32_t two[2] = {0x12345678, 0xFFFF0000};
    CHECK(flash_erase(number) == KERNEL_OK);
    CHECK(words[0] == UINT32_MAX && words[sector.size / 4 - 1] == UINT32_MAX);
    CHECK(flash_write(sector.address, two, 2) == KERNEL_OK);
    CHECK(words[0] == two[0] && words[1] == two[1] && words[2] == UINT32_MAX);
    two[1] = 0x0FFF0000; /* ones may become zeros, zeros not ones */
    CHECK(flash_write(sector.address, two, 2) == KERNEL_OK);
    CHECK(words[1] == two[1]);
    two[1] = 0x1FFF0000;
    CHECK(flash_write(sector.address, two, 2) == KERNEL_NOT_ERASED);
    CHECK(words[1] == 0x0FFF0000);
    CHECK(flash_erase(number) == KERNEL_OK);
    CHECK(words[0] == UINT32_MAX && words[1] == UINT32_MAX);
    return NULL;
}

static const char *random_numbers(void) {
    uint32_t number, before, ones = 0, zeros = 0;
    NEEDS(random_read(&before));
    for (int i = 0; i < 64; i++) {
        CHECK(random_read(&number) == KERNEL_OK);
        CHECK(number != before);
        before = number;
        ones |= number;
        zeros |= ~number;
    }
    CHECK(ones == UINT32_MAX && zeros == UINT32_MAX);
    return NULL;
}

static const char *crc(void) {
    static const uint32_t words[2] = {0x31323334, 0x35363738}; /* "12345678" */
    uint8_t bytes[40];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    CHECK(crc_zlib("123456789", 9) == 0xCBF43926);
    CHECK(crc_words(words, 2) == crc_update_words(UINT32_MAX, words, 2));
    for (unsigned offset = 0; offset < 4; offset++)
        for (unsigned length = 0; length + offset < sizeof(bytes); length++)
            CHECK(crc_zlib(bytes + offset, length) == crc_update_zlib(0, bytes + offset, length));
    return NULL;
}

static const char *identity(void) {
    struct chip_identity chip = {0};
    NEEDS(chip_identity(&chip));
    CHECK(chip.flash_kib >= 512 && chip.flash_kib <= 1024);
    CHECK((chip.unique[0] | chip.unique[1] | chip.unique[2]) != 0);
    CHECK((chip.unique[0] & chip.unique[1] & chip.unique[2]) != UINT32_MAX);
    return NULL;
}

const struct test tests_drivers[] = {
    {"drivers", "pins", pins},       {"drivers", "pins_refused", pins_refused},
    {"drivers", "exti", exti},       {"drivers", "exti_edges", exti_edges},
    {"drivers", "uart", uart},       {"drivers", "ticker", ticker},
    {"drivers", "pwm", pwm},         {"drivers", "motor", motor},
    {"drivers", "encoder", encoder}, {"drivers", "adc", adc},
    {"drivers", "accel", accel},     {"drivers", "flash_refused", flash_refused},
    {"drivers", "flash", flash},     {"drivers", "random", random_numbers},
    {"drivers", "crc", crc},         {"drivers", "identity", identity},
};
SUITE_END(drivers);
