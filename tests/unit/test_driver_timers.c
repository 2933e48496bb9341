/* SPDX-License-Identifier: MIT
 *
 * PWM, encoder, ADC blocks, accelerometer: what goes into the registers, in which order, and what comes
 * of what the hardware does then.
 */
#include "driver/model.h"

#include "bsp/stm32f407/config.c"

#include "bsp/stm32f4/adc.c"
#include "bsp/stm32f4/parts.c"
#define check timers_check
#include "bsp/stm32f4/timers.c"
#undef check
#include "bsp/stm32f4/accel.c"
#include <criterion/criterion.h>

enum { AF_OF_NONE = 0xFF };

static struct clock clock_model;
static uint8_t functions[80]; /* of pins */
static bool outputs[80];
static enum kernel_status analog_status;
static bool break_active;

const struct clock *clock_now(void) {
    return &clock_model;
}

void pin_alternate(unsigned pin, unsigned function, unsigned options) {
    (void)options;
    functions[pin] = (uint8_t)function;
    /* The timer must hold the pin low already. */
    if (pin / 16 == 4 && pin >= 64 + 8)
        cr_assert(model_get(TIM1_BASE + 0x44) & TIM_BDTR_OSSI &&
                  !(model_get(TIM1_BASE + 0x44) & TIM_BDTR_MOE));
    if (pin / 16 == 3)
        cr_assert_eq(model_get(TIM4_BASE + 0x34 + 4 * (pin - 60)), 0);
}

void pin_release(unsigned pin) {
    functions[pin] = AF_OF_NONE;
}

void pin_output(unsigned pin, bool high) {
    outputs[pin] = high;
}

enum kernel_status gpio_configure(unsigned pin, enum gpio_mode mode) {
    cr_assert_eq(mode, GPIO_ANALOG);
    cr_assert_lt(pin, 48);
    return analog_status;
}

/* ----- the accelerometer's side of SPI: an address, then its register ------------------------------ */

static struct spi {
    uint8_t registers[128];
    uint8_t address, in;
    unsigned bytes; /* since chip select */
    bool selected, dead;
} spi;

void pin_set(unsigned pin, bool high) {
    cr_assert_eq(pin, GPIO_PIN('E', 3));
    cr_assert(!high || spi.bytes == 2 || spi.dead);
    spi.selected = !high;
    spi.bytes = 0;
}

static void spi_byte(uint8_t out) {
    cr_assert(spi.selected);
    if (spi.bytes++ == 0) {
        spi.address = out;
        spi.in = 0xFF;
    } else if (spi.address & 0x80) {
        spi.in = spi.registers[spi.address & 0x7F];
    } else {
        spi.registers[spi.address] = out;
    }
}

/* ----- registers ---------------------------------------------------------------------------------- */

static uint32_t model_read(uint32_t address, uint32_t stored) {
    if (address == SPI1_BASE + 0x08)
        return spi.dead ? 0 : SPI_SR_TXE | SPI_SR_RXNE;
    if (address == SPI1_BASE + 0x0C)
        return 0x100u | spi.in; /* more than a byte: each write is seen */
    return stored;
}

static void written(uint32_t address, uint32_t value, uint32_t before) {
    if (address == SPI1_BASE + 0x0C)
        spi_byte((uint8_t)value);
    if (address == TIM1_BASE + 0x14 && value & TIM_EGR_BG)
        model_set(TIM1_BASE + 0x44, model_get(TIM1_BASE + 0x44) & ~TIM_BDTR_MOE);
    if (address == TIM1_BASE + 0x44 && break_active)
        model_set(address, value & ~TIM_BDTR_MOE);
    if (address == DMA2_BASE + 0x08) {
        model_set(DMA2_BASE, model_get(DMA2_BASE) & ~value);
        model_set(address, 0);
    }
    (void)before;
}

static void setup(void) {
    static const struct model_device device = {model_read, written};
    model_reset(&device);
    clock_model = (struct clock){.source = CLOCK_HSE_PLL,
                                 .apb2_hz = 84000000,
                                 .timer1_hz = 84000000,
                                 .timer2_hz = 168000000};
    parts_there = UINT32_MAX;
    memset(running, 0, sizeof(running));
    memset(functions, AF_OF_NONE, sizeof(functions));
    memset(&adc, 0, sizeof(adc));
    memset(&spi, 0, sizeof(spi));
    analog_status = KERNEL_OK;
    break_active = false;
}

TestSuite(pwm, .init = setup);
TestSuite(adc, .init = setup);
TestSuite(accel, .init = setup);

/* ----- PWM ---------------------------------------------------------------------------------------- */

Test(pwm, leds) {
    cr_assert_eq(pwm_set(PWM_LEDS, 0, 1), KERNEL_NOT_STARTED);
    cr_assert_eq(pwm_start(PWM_LEDS, 10000), KERNEL_OK);
    cr_assert_eq(model_get(TIM4_BASE + 0x2C), 8399);
    cr_assert_eq(model_get(TIM4_BASE + 0x18), 0x6868);
    cr_assert_eq(model_get(TIM4_BASE + 0x1C), 0x6868);
    cr_assert_eq(model_get(TIM4_BASE + 0x20), 0x1111);
    cr_assert(model_get(TIM4_BASE) & TIM_CR1_CEN);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(functions[60 + i], 2);
        cr_assert_eq(pwm_set(PWM_LEDS, i, i * 2500), KERNEL_OK);
        cr_assert_eq(model_get(TIM4_BASE + 0x34 + 4 * i), i * 2100);
    }
    cr_assert_eq(pwm_set(PWM_LEDS, 4, 0), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_set(PWM_LEDS, 0, PWM_FULL + 1), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_break(PWM_LEDS), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_stop(PWM_LEDS), KERNEL_OK);
    cr_assert_eq(functions[60], AF_OF_NONE);
}

Test(pwm, refused) {
    cr_assert_eq(pwm_start(PWM_LEDS, 0), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_start(PWM_LEDS, 100001), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_start(PWM_UNITS, 100), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_start(PWM_LEDS, 1), KERNEL_OK);
    parts_there = ~(1u << PART_TIM1);
    cr_assert_eq(pwm_start(PWM_MOTOR, 100), KERNEL_NOT_THERE);
}

Test(pwm, motor_is_safe) {
    bool broken = false;
    cr_assert_eq(pwm_start(PWM_MOTOR, 20000), KERNEL_OK);
    uint32_t bdtr = model_get(TIM1_BASE + 0x44);
    cr_assert(bdtr & TIM_BDTR_MOE && bdtr & TIM_BDTR_BKE && bdtr & TIM_BDTR_OSSR);
    cr_assert(!(bdtr & 1u << 14));                /* AOE: nothing turns it on by itself */
    cr_assert_eq(bdtr & 0xFF, 84);                /* 500 ns */
    cr_assert_eq(model_get(TIM1_BASE + 0x20), 5); /* CC1E, CC1NE */
    cr_assert_eq(model_get(TIM1_BASE + 4), 0);    /* OIS1 = OIS1N = 0 */
    cr_assert_eq(model_get(TIM1_BASE + 0x34), 0);
    cr_assert_eq(pwm_set(PWM_MOTOR, 0, 5000), KERNEL_OK);
    cr_assert_eq(model_get(TIM1_BASE + 0x34), 4200);
    cr_assert_eq(pwm_set(PWM_MOTOR, 1, 0), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(pwm_break(PWM_MOTOR), KERNEL_OK);
    cr_assert_eq(pwm_broken(PWM_MOTOR, &broken), KERNEL_OK);
    cr_assert(broken);
    break_active = true;
    cr_assert_eq(pwm_rearm(PWM_MOTOR), KERNEL_FAILED);
    break_active = false;
    cr_assert_eq(pwm_rearm(PWM_MOTOR), KERNEL_OK);
    cr_assert_eq(pwm_stop(PWM_MOTOR), KERNEL_OK);
    cr_assert(!(model_get(TIM1_BASE + 0x44) & TIM_BDTR_MOE));
    cr_assert_eq(functions[GPIO_PIN('E', 9)], 1); /* the timer goes on holding it low */
}

static unsigned ticks;

static void tick(void *argument) {
    (void)argument;
    ticks++;
}

Test(pwm, ticker) {
    cr_assert_eq(ticker_start(9, tick, NULL), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(ticker_start(100, NULL, NULL), KERNEL_BAD_ARGUMENT);
    cr_assert_eq(ticker_start(5000000, tick, NULL), KERNEL_OK);
    cr_assert_eq(model_get(TIM5_BASE + 0x28), 83);
    cr_assert_eq(model_get(TIM5_BASE + 0x2C), 4999999);
    TIM5_Handler();
    cr_assert_eq(ticker_stop(), KERNEL_OK);
    TIM5_Handler(); /* one that was pending */
    cr_assert_eq(ticks, 1);
}

/* The counter of 16 bits goes round in both directions. */
Test(pwm, encoder) {
    int32_t steps, expected = 0;
    encoder.running = false;
    cr_assert_eq(encoder_read(&steps), KERNEL_NOT_STARTED);
    cr_assert_eq(encoder_start(), KERNEL_OK);
    cr_assert_eq(model_get(TIM3_BASE + 8), 3);
    cr_assert_eq(model_get(TIM3_BASE + 0x18), 0xF1F1);
    static const int32_t moves[] = {5, -10, -32767, 32767, 30000, 30000, 30000, -32768};
    for (unsigned i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        expected += moves[i];
        model_set(TIM3_BASE + 0x24, (uint32_t)expected & 0xFFFF);
        cr_assert_eq(encoder_read(&steps), KERNEL_OK);
        cr_assert_eq(steps, expected);
    }
}

/* ----- ADC ---------------------------------------------------------------------------------------- */

static const uint8_t channels[] = {1, 11, ADC_REFERENCE};
static uint16_t samples[2 * 4 * 3];
static struct adc_config config = {
    .channels = channels, .channel_count = 3, .scans = 4, .hz = 1000, .buffer = samples};

/* DMA has filled a half and goes on with the other. */
static void fill_half(unsigned half) {
    uint32_t cr = model_get(DMA2_BASE + 0x10);
    model_set(DMA2_BASE + 0x10, half ? cr & ~DMA_CR_CT : cr | DMA_CR_CT);
    model_set(DMA2_BASE, DMA_FLAGS(0, DMA_TCIF));
    DMA2_Stream0_Handler();
    cr_assert_eq(model_get(DMA2_BASE), 0);
}

Test(adc, registers) {
    cr_assert_eq(adc_start(&config), KERNEL_OK);
    cr_assert_eq(model_get(ADC1_BASE + 0x2C), 2u << 20);
    cr_assert_eq(model_get(ADC1_BASE + 0x34), 1u | 11u << 5 | 17u << 10);
    cr_assert_eq(model_get(ADC1_BASE + 0x10), 4u << 3);            /* SMPR2: channel 1 */
    cr_assert_eq(model_get(ADC1_BASE + 0x0C), 4u << 3 | 7u << 21); /* SMPR1: 11 and 17 */
    cr_assert_eq(model_get(TIM2_BASE + 0x2C), 83999);
    cr_assert_eq(model_get(DMA2_BASE + 0x14), 12);
    cr_assert_eq(model_get(DMA2_BASE + 0x20) - model_get(DMA2_BASE + 0x1C), 24);
    cr_assert(model_get(TIM2_BASE) & TIM_CR1_CEN);
    cr_assert_eq(adc_start(&config), KERNEL_BUSY);
}

Test(adc, blocks) {
    const uint16_t *block;
    struct adc_counters c;
    cr_assert_eq(adc_take(&block, 1), KERNEL_NOT_STARTED);
    cr_assert_eq(adc_start(&config), KERNEL_OK);
    cr_assert_eq(adc_take(&block, 5), KERNEL_TIMEOUT);
    for (unsigned i = 0; i < 6; i++) {
        fill_half(i % 2);
        cr_assert_eq(adc_take(&block, KERNEL_NO_WAIT), KERNEL_OK);
        cr_assert_eq(block, samples + i % 2 * 12);
        cr_assert_eq(adc_release(), KERNEL_OK);
    }
    fill_half(0);
    cr_assert_eq(adc_take(&block, 0), KERNEL_OK);
    fill_half(1);
    cr_assert_eq(adc_release(), KERNEL_FAILED);
    fill_half(0);
    adc_counters(&c);
    cr_assert_eq(c.blocks, 9);
    cr_assert_eq(c.lost, 2);
    cr_assert_eq(adc_stop(), KERNEL_OK);
    cr_assert(!(model_get(ADC1_BASE + 8) & ADC_CR2_ADON || model_get(TIM2_BASE) & TIM_CR1_CEN));
    fill_half(1); /* one that was pending */
}

/* An overrun stops the ADC's requests for good; everything begins anew (13.8.2). */
static void stop_adc(void) {
    model_waiting = NULL;
    cr_assert_eq(adc_stop(), KERNEL_OK);
}

/* Who waits for a block that will never come is told so, and not with the time-out. */
Test(adc, stopped_while_waited_for) {
    const uint16_t *block;
    cr_assert_eq(adc_start(&config), KERNEL_OK);
    model_waiting = stop_adc;
    cr_assert_eq(adc_take(&block, KERNEL_FOREVER), KERNEL_NOT_STARTED);
}

Test(adc, overrun) {
    struct adc_counters c;
    adc_start(&config);
    model_set(ADC1_BASE, ADC_SR_OVR);
    model_set(DMA2_BASE + 0x14, 7);
    ADC_Handler();
    cr_assert_eq(model_get(ADC1_BASE), 0);
    cr_assert_eq(model_get(DMA2_BASE + 0x14), 12);
    adc_counters(&c);
    cr_assert_eq(c.overruns, 1);
}

Test(adc, refused) {
    struct adc_config c = config;
    c.hz = 31000; /* 96 + 96 + 492 cycles of 21 MHz are 30701 a second */
    cr_assert_eq(adc_start(&c), KERNEL_BAD_ARGUMENT);
    c.hz = 30000;
    analog_status = KERNEL_PIN_TAKEN;
    cr_assert_eq(adc_start(&c), KERNEL_PIN_TAKEN);
    analog_status = KERNEL_OK;
    cr_assert_eq(adc_start(&c), KERNEL_OK); /* the failed start left nothing behind */
    adc_stop();
    c.scans = 30000;
    cr_assert_eq(adc_start(&c), KERNEL_BAD_ARGUMENT);
    c.scans = 0;
    cr_assert_eq(adc_start(&c), KERNEL_BAD_ARGUMENT);
    parts_there = ~(1u << PART_DMA2);
    cr_assert_eq(adc_start(&config), KERNEL_NOT_THERE);
}

/* ----- accelerometer ------------------------------------------------------------------------------ */

Test(accel, lis3dsh) {
    enum accel_part part;
    int16_t mg[3];
    spi.registers[0x0F] = 0x3F;
    cr_assert_eq(accel_start(&part), KERNEL_OK);
    cr_assert_eq(part, ACCEL_LIS3DSH);
    cr_assert_eq(spi.registers[0x20], 0x6F);
    const int16_t raw[3] = {16667, -16667, -3}; /* 0.06 mg each */
    memcpy(spi.registers + 0x28, raw, 6);
    cr_assert_eq(accel_read(mg), KERNEL_OK);
    cr_assert(mg[0] == 1000 && mg[1] == -1000 && mg[2] == 0, "%d %d %d", mg[0], mg[1], mg[2]);
}

Test(accel, lis302dl) {
    enum accel_part part;
    int16_t mg[3];
    spi.registers[0x0F] = 0x3B;
    cr_assert_eq(accel_start(&part), KERNEL_OK);
    cr_assert_eq(part, ACCEL_LIS302DL);
    spi.registers[0x29] = 55;
    spi.registers[0x2B] = (uint8_t)-55;
    spi.registers[0x2D] = 0x80;
    cr_assert_eq(accel_read(mg), KERNEL_OK);
    cr_assert(mg[0] == 990 && mg[1] == -990 && mg[2] == -2304, "%d %d %d", mg[0], mg[1], mg[2]);
}

Test(accel, another_or_none) {
    enum accel_part part;
    int16_t mg[3];
    spi.registers[0x0F] = 0xFF;
    cr_assert_eq(accel_start(&part), KERNEL_NOT_THERE);
    cr_assert_eq(part, ACCEL_NONE);
    cr_assert_eq(accel_read(mg), KERNEL_NOT_STARTED);
    spi.dead = true;
    cr_assert_eq(accel_start(&part), KERNEL_NOT_READY);
    cr_assert(!lock.owner);
}
