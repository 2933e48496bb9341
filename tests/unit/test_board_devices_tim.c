/* SPDX-License-Identifier: MIT */
/* Timers: counting, preload, interrupts, PWM on pins, break, encoder (RM0090 17 to 20). */
#include "devices/fake_board.h"

#include <criterion/criterion.h>
#include <math.h>

enum {
    TIM1 = 0x40010000,
    TIM2 = 0x40000000,
    TIM3 = 0x40000400,
    TIM4 = 0x40000800,
    TIM6 = 0x40001000,
    TIM10 = 0x40014400,
    CR1 = 0x00,
    CR2 = 0x04,
    SMCR = 0x08,
    DIER = 0x0C,
    SR = 0x10,
    EGR = 0x14,
    CCMR1 = 0x18,
    CCMR2 = 0x1C,
    CCER = 0x20,
    CNT = 0x24,
    PSC = 0x28,
    ARR = 0x2C,
    RCR = 0x30,
    CCR1 = 0x34,
    CCR2 = 0x38,
    BDTR = 0x44,
    CEN = 1,
    UDIS = 2,
    URS = 4,
    OPM = 8,
    DIR = 16,
    ARPE = 128,
    GPIOA = 0x40020000,
    GPIOD = 0x40020C00,
    GPIOE = 0x40021000,
    PORT_D = 3,
    PORT_E = 4,
};

static uint8_t flash[BOARD_FLASH_SIZE];
static struct board *b;

static void setup(void) {
    b = board_new(&(struct board_config){.flash = flash});
    board_reset(b, BOARD_RESET_POWER);
    fake_write(b, 0x40023830, 0x1FF);
    fake_write(b, 0x40023840, 0x1FF);
    fake_write(b, 0x40023844, 0x70003);
}

static void teardown(void) {
    board_free(b);
}

TestSuite(devices_tim, .init = setup, .fini = teardown);

static void timer(uint32_t base, uint32_t psc, uint32_t arr, uint32_t cr1) {
    fake_write(b, base + PSC, psc);
    fake_write(b, base + ARR, arr);
    fake_write(b, base + EGR, 1); /* the prescaler is always preloaded */
    fake_write(b, base + SR, 0);
    fake_write(b, base + CR1, cr1);
}

static uint32_t count(uint32_t base) {
    return fake_read(b, base + CNT);
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

Test(devices_tim, reserved_bits) {
    static const struct {
        uint32_t address, kept;
    } rows[] = {
        {TIM1 + CR2, 0x7FFD}, {TIM1 + BDTR, 0xFFFF},     {TIM2 + ARR, 0xFFFFFFFF},
        {TIM3 + ARR, 0xFFFF}, {TIM3 + CR2, 0xF8},        {TIM3 + BDTR, 0},
        {TIM6 + CCMR1, 0},    {TIM6 + DIER, 0x101},      {TIM10 + DIER, 3},
        {TIM10 + CCER, 0xB},  {TIM2 + CCR1, 0xFFFFFFFF}, {TIM10 + CCR2, 0},
        {TIM3 + RCR, 0},      {TIM1 + RCR, 0xFF},        {TIM2 + PSC, 0xFFFF},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_write(b, rows[i].address, UINT32_MAX);
        cr_assert_eq(fake_read(b, rows[i].address), rows[i].kept, "0x%08x", rows[i].address);
    }
}

/* ------------------------------------------------------------------------------------------------
 * Counting */

Test(devices_tim, up) {
    timer(TIM3, 15, 99, CEN); /* a count is 16 cycles: 1 us */
    fake_run(b, 15);
    cr_assert_eq(count(TIM3), 0);
    fake_run(b, 1);
    cr_assert_eq(count(TIM3), 1);
    fake_run_us(b, 98);
    cr_assert_eq(count(TIM3), 99);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 0);
    fake_run_us(b, 1);
    cr_assert_eq(count(TIM3), 0);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 1);
    fake_write(b, TIM3 + SR, ~1u);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 0);
    fake_run_us(b, 1000000); /* whole rounds */
    cr_assert_eq(count(TIM3), 0);
    fake_run_us(b, 42);
    cr_assert_eq(count(TIM3), 42);
}

Test(devices_tim, down) {
    timer(TIM3, 0, 9, 0);
    fake_write(b, TIM3 + CR1, DIR);
    fake_write(b, TIM3 + EGR, 1);
    fake_write(b, TIM3 + SR, 0);
    fake_write(b, TIM3 + CR1, DIR | CEN);
    cr_assert_eq(count(TIM3), 9);
    fake_run(b, 9);
    cr_assert_eq(count(TIM3), 0);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 0);
    fake_run(b, 1);
    cr_assert_eq(count(TIM3), 9);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 1);
}

/* 18.3.2: 0 1 2 3 4 3 2 1 0 ..., updates at both ends. */
Test(devices_tim, centre_aligned) {
    static const uint32_t values[] = {1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4, 3};
    timer(TIM3, 0, 4, 3 << 5 | CEN);
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        fake_run(b, 1);
        cr_assert_eq(count(TIM3), values[i], "step %u", i);
        cr_assert_eq(fake_read(b, TIM3 + SR) & 1, values[i] % 4 == 0, "step %u", i);
        fake_write(b, TIM3 + SR, 0);
    }
    cr_assert(fake_read(b, TIM3 + CR1) & DIR);
    fake_run(b, 8 * 1000 + 3);
    cr_assert_eq(count(TIM3), 0);
}

/* Looked at once after a time or at every cycle: the same. */
Test(devices_tim, one_long_look_equals_many) {
    static const uint32_t modes[] = {0, DIR, 1 << 5, 2 << 5, 3 << 5};
    for (unsigned mode = 0; mode < 5; mode++)
        for (unsigned psc = 0; psc < 3; psc++)
            for (uint32_t cycles = 1; cycles < 150; cycles += 7) {
                uint32_t base[2] = {TIM3, TIM4};
                for (unsigned i = 0; i < 2; i++) {
                    fake_write(b, base[i] + CR1, 0);
                    fake_write(b, base[i] + CCMR1, 0);
                    fake_write(b, base[i] + CCR1, 3);
                    timer(base[i], psc, 6, modes[mode]);
                }
                fake_write(b, TIM3 + CR1, modes[mode] | CEN);
                fake_write(b, TIM4 + CR1, modes[mode] | CEN);
                for (uint32_t i = 0; i < cycles; i++) {
                    fake_run(b, 1);
                    fake_read(b, TIM4 + CNT);
                }
                cr_assert_eq(count(TIM3), count(TIM4), "mode %u, psc %u, %u cycles", mode, psc,
                             cycles);
                cr_assert_eq(fake_read(b, TIM3 + SR), fake_read(b, TIM4 + SR));
            }
}

/* A flag comes when the counter gets to the value; in centre-aligned modes as CMS says (18.4.1). */
Test(devices_tim, compare_flags_step_by_step) {
    static const uint32_t modes[] = {0, DIR, 1 << 5, 2 << 5, 3 << 5};
    for (unsigned mode = 0; mode < 5; mode++)
        for (uint32_t value = 0; value < (mode < 2 ? 9u : 7u); value++) {
            fake_write(b, TIM3 + CR1, 0);
            fake_write(b, TIM3 + CCR1, value);
            fake_write(b, TIM3 + CNT, 0);
            timer(TIM3, 0, 6, modes[mode]);
            fake_write(b, TIM3 + CNT, 3);
            fake_write(b, TIM3 + CR1, modes[mode] | CEN);
            for (unsigned i = 0; i < 30; i++) {
                uint32_t before = count(TIM3), now;
                fake_run(b, 1);
                now = count(TIM3);
                bool wrapped = mode == 0 ? now == 0 : mode == 1 && now == 6;
                bool expected = now == value || (value > 6 && wrapped);
                if (mode >= 2)
                    expected = now == value && (now > before ? mode != 2 : mode != 3);
                cr_assert_eq(fake_read(b, TIM3 + SR) >> 1 & 1, expected,
                             "mode %u, value %u, %u to %u", mode, value, before, now);
                fake_write(b, TIM3 + SR, 0);
            }
        }
}

Test(devices_tim, flags_add_up) {
    fake_write(b, TIM3 + CCR1, 2);
    fake_write(b, TIM3 + CCR2, 4);
    timer(TIM3, 0, 9, CEN);
    fake_run(b, 10);
    cr_assert_eq(fake_read(b, TIM3 + SR), 0x1F, "CCR3 and CCR4 are 0");
    fake_write(b, TIM3 + CR1, 0);
    fake_write(b, TIM3 + SR, ~0x10u);
    fake_write(b, TIM3 + EGR, 0x82);
    cr_assert_eq(fake_read(b, TIM3 + SR), 0xF, "a flag by software; there is no break");
}

Test(devices_tim, preload) {
    timer(TIM3, 0, 99, ARPE | CEN);
    fake_run(b, 50);
    fake_write(b, TIM3 + ARR, 9);
    fake_write(b, TIM3 + PSC, 1);
    fake_run(b, 49);
    cr_assert_eq(count(TIM3), 99, "ARR and PSC wait for the update");
    fake_run(b, 1);
    cr_assert_eq(count(TIM3), 0);
    fake_run(b, 20);
    cr_assert_eq(count(TIM3), 0);
    fake_write(b, TIM3 + CR1, CEN);
    fake_write(b, TIM3 + ARR, 4);
    fake_run(b, 10);
    cr_assert_eq(count(TIM3), 0, "without ARPE at once");
}

Test(devices_tim, update_event_off_and_of_software) {
    timer(TIM3, 0, 9, CEN | UDIS);
    fake_run(b, 25);
    cr_assert_eq(count(TIM3), 5);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 0);
    fake_write(b, TIM3 + CR1, URS);
    fake_write(b, TIM3 + EGR, 1);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 0);
    cr_assert_eq(count(TIM3), 0);
    fake_write(b, TIM3 + CR1, 0);
    fake_write(b, TIM3 + EGR, 1);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 1);
}

Test(devices_tim, one_pulse) {
    timer(TIM3, 0, 9, CEN | OPM);
    fake_run(b, 9);
    cr_assert(fake_read(b, TIM3 + CR1) & CEN);
    fake_run(b, 1000);
    cr_assert_not(fake_read(b, TIM3 + CR1) & CEN);
    cr_assert_eq(count(TIM3), 0);
    cr_assert_eq(fake_read(b, TIM3 + SR) & 1, 1);
}

Test(devices_tim, repetition) {
    fake_write(b, TIM1 + RCR, 2);
    timer(TIM1, 0, 9, CEN);
    fake_run(b, 29);
    cr_assert_eq(fake_read(b, TIM1 + SR) & 1, 0);
    fake_run(b, 1);
    cr_assert_eq(fake_read(b, TIM1 + SR) & 1, 1);
    fake_write(b, TIM1 + SR, 0);
    fake_run(b, 30 * 100 + 29);
    fake_write(b, TIM1 + SR, 0);
    fake_run(b, 1);
    cr_assert_eq(fake_read(b, TIM1 + SR) & 1, 1);
}

Test(devices_tim, wide_counter) {
    timer(TIM2, 0, UINT32_MAX, CEN);
    fake_run(b, 100000);
    cr_assert_eq(count(TIM2), 100000);
    fake_write(b, TIM2 + CNT, 0xFFFFFFF0);
    fake_run(b, 0x20);
    cr_assert_eq(count(TIM2), 0x10);
}

Test(devices_tim, counts_right_across_a_change_of_clock) {
    timer(TIM2, 15, UINT32_MAX, CEN);
    fake_run_us(b, 1000);
    fake_write(b, 0x40023808, 4 << 10); /* APB1 half, its timers as before */
    fake_run_us(b, 1000);
    cr_assert_eq(count(TIM2), 2000);
    fake_write(b, 0x40023808, 5 << 10); /* a quarter: timers half */
    fake_run_us(b, 1000);
    cr_assert_eq(count(TIM2), 2500);
    fake_write(b, 0x40023808, 8 << 4); /* core and all half */
    fake_run_us(b, 1000);
    cr_assert_eq(count(TIM2), 3000);
}

/* ------------------------------------------------------------------------------------------------
 * Interrupts */

Test(devices_tim, update_interrupt) {
    fake_write(b, TIM6 + DIER, 1);
    timer(TIM6, 0, 99, CEN);
    fake_run(b, 99);
    cr_assert_not(fake_irq(b, 54));
    fake_run(b, 1);
    cr_assert(fake_irq(b, 54));
    fake_write(b, TIM6 + SR, 0);
    cr_assert_not(fake_irq(b, 54));
    fake_run(b, 100);
    cr_assert(fake_irq(b, 54));
}

Test(devices_tim, compare_interrupt) {
    fake_write(b, TIM3 + DIER, 1 << 2);
    fake_write(b, TIM3 + CCR2, 30);
    timer(TIM3, 0, 99, CEN);
    fake_run(b, 29);
    cr_assert_not(fake_irq(b, 29));
    fake_run(b, 1);
    cr_assert(fake_irq(b, 29));
    fake_write(b, TIM3 + SR, 0);
    fake_run(b, 99);
    cr_assert_not(fake_irq(b, 29));
    fake_run(b, 1);
    cr_assert(fake_irq(b, 29));
}

Test(devices_tim, interrupts_across_a_change_of_clock) {
    fake_write(b, TIM6 + DIER, 1);
    timer(TIM6, 15, 999, CEN);
    fake_run_us(b, 500);
    fake_write(b, 0x40023808, 8 << 4); /* half */
    fake_run_us(b, 998);
    cr_assert_not(fake_irq(b, 54));
    fake_run_us(b, 2);
    cr_assert(fake_irq(b, 54));
}

/* TIM1's update and TIM10 share a line. */
Test(devices_tim, shared_lines) {
    fake_write(b, TIM1 + DIER, 1);
    fake_write(b, TIM10 + DIER, 1);
    timer(TIM1, 0, 9, CEN);
    timer(TIM10, 0, 19, CEN);
    fake_run(b, 20);
    cr_assert(fake_irq(b, 25));
    fake_write(b, TIM1 + SR, 0);
    cr_assert(fake_irq(b, 25));
    fake_write(b, TIM10 + SR, 0);
    cr_assert_not(fake_irq(b, 25));
}

/* ------------------------------------------------------------------------------------------------
 * PWM */

static void pd12_is_tim4_ch1(void) {
    fake_write(b, GPIOD, 2 << 24);
    fake_write(b, GPIOD + 0x24, 2 << 16);
}

static double pwm(unsigned port, unsigned pin) {
    return board_pwm(b, port, pin);
}

static bool near(double a, double c) {
    return fabs(a - c) < 1e-9;
}

Test(devices_tim, pwm_on_an_led) {
    timer(TIM4, 0, 999, CEN);
    fake_write(b, TIM4 + CCMR1, 6 << 4 | 8);
    fake_write(b, TIM4 + CCER, 1);
    fake_write(b, TIM4 + CCR1, 250);
    cr_assert(near(pwm(PORT_D, 12), -1), "the pin is not the timer's");
    pd12_is_tim4_ch1();
    cr_assert(near(pwm(PORT_D, 12), 0), "the preloaded value waits for the update");
    fake_run(b, 1000);
    cr_assert(near(pwm(PORT_D, 12), 0.25));
    cr_assert(near(pwm(PORT_D, 13), -1));
    fake_write(b, TIM4 + CCER, 3);
    cr_assert(near(pwm(PORT_D, 12), 0.75), "polarity");
    fake_write(b, TIM4 + CCER, 1);
    fake_write(b, TIM4 + CCMR1, 7 << 4);
    cr_assert(near(pwm(PORT_D, 12), 0.75), "mode 2");
    fake_write(b, TIM4 + CCMR1, 5 << 4);
    cr_assert(near(pwm(PORT_D, 12), 1), "forced");
    fake_write(b, TIM4 + CCMR1, 6 << 4);
    fake_write(b, TIM4 + CCR1, 5000);
    cr_assert(near(pwm(PORT_D, 12), 1));
    fake_write(b, TIM4 + CR1, 1 << 5);
    fake_write(b, TIM4 + CCR1, 333);
    cr_assert(near(pwm(PORT_D, 12), 333.0 / 999), "centre-aligned: no 1 to add");
    fake_write(b, TIM4 + CCER, 0);
    cr_assert(near(pwm(PORT_D, 12), -1));
}

static void motor(uint32_t bdtr) {
    fake_write(b, GPIOE, 2 << 18 | 2 << 16 | 2u << 30); /* PE9 CH1, PE8 CH1N, PE15 BKIN */
    fake_write(b, GPIOE + 0x24, 0x10000011);
    timer(TIM1, 0, 99, CEN);
    fake_write(b, TIM1 + CCMR1, 6 << 4);
    fake_write(b, TIM1 + CCR1, 40);
    fake_write(b, TIM1 + CCER, 5);
    fake_write(b, TIM1 + BDTR, bdtr);
}

Test(devices_tim, complementary_outputs_and_moe) {
    motor(0);
    cr_assert(near(pwm(PORT_E, 9), -1), "MOE is off");
    fake_write(b, TIM1 + BDTR, 1 << 15);
    cr_assert(near(pwm(PORT_E, 9), 0.4));
    cr_assert(near(pwm(PORT_E, 8), 0.6));
    fake_write(b, TIM1 + CCER, 4);
    cr_assert(near(pwm(PORT_E, 8), 0.4), "alone it follows OCREF");
    fake_write(b, TIM1 + CR2, 1 << 9);
    fake_write(b, TIM1 + BDTR, 1 << 10);
    cr_assert(near(pwm(PORT_E, 8), 1), "idle level OIS1N");
}

Test(devices_tim, break_input) {
    motor(1 << 15 | 1 << 13 | 1 << 12);
    fake_write(b, TIM1 + DIER, 1 << 7);
    cr_assert(near(pwm(PORT_E, 9), 0.4));
    board_pin_drive(b, PORT_E, 15, true);
    cr_assert(near(pwm(PORT_E, 9), -1));
    cr_assert(fake_irq(b, 24));
    fake_write(b, TIM1 + BDTR, 1 << 15 | 1 << 13 | 1 << 12);
    cr_assert(near(pwm(PORT_E, 9), -1), "as long as the input is active");
    board_pin_drive(b, PORT_E, 15, false);
    fake_write(b, TIM1 + SR, 0);
    cr_assert_not(fake_irq(b, 24));
    fake_set(b, TIM1 + BDTR, 1 << 15);
    cr_assert(near(pwm(PORT_E, 9), 0.4));
    fake_write(b, TIM1 + EGR, 1 << 7);
    cr_assert(near(pwm(PORT_E, 9), -1), "by software");
}

Test(devices_tim, automatic_output_enable) {
    motor(1 << 14 | 1 << 13 | 1 << 12);
    fake_run(b, 100);
    cr_assert(near(pwm(PORT_E, 9), 0.4));
}

Test(devices_tim, bdtr_is_locked_until_reset) {
    fake_write(b, TIM1 + BDTR, 1 << 8 | 0x20);
    fake_write(b, TIM1 + BDTR, 1 << 15 | 1 << 12 | 0xFF);
    cr_assert_eq(fake_read(b, TIM1 + BDTR), 1 << 15 | 1 << 8 | 0x20);
}

/* ------------------------------------------------------------------------------------------------
 * Encoder */

static void encoder(uint32_t sms, uint32_t ccer) {
    fake_write(b, TIM3 + CCMR1, 0x101);
    fake_write(b, TIM3 + CCER, ccer);
    fake_write(b, TIM3 + SMCR, sms);
    timer(TIM3, 0, 0xFFFF, CEN);
    fake_write(b, TIM3 + CNT, 0);
}

Test(devices_tim, encoder_counts_edges) {
    encoder(3, 0);
    board_encoder_turn(b, 10);
    cr_assert_eq(count(TIM3), 10);
    cr_assert_not(fake_read(b, TIM3 + CR1) & DIR);
    fake_run(b, 100000);
    cr_assert_eq(count(TIM3), 10, "no clock counts");
    board_encoder_turn(b, -15);
    cr_assert_eq(count(TIM3), 0xFFFB);
    cr_assert(fake_read(b, TIM3 + CR1) & DIR);
    cr_assert(fake_read(b, TIM3 + SR) & 1, "underflow");
}

Test(devices_tim, encoder_modes_and_direction) {
    for (uint32_t sms = 1; sms <= 2; sms++) {
        encoder(sms, 0);
        board_encoder_turn(b, 100);
        cr_assert_eq(count(TIM3), 50, "mode %u", sms);
        board_encoder_turn(b, -1);
        board_encoder_turn(b, 1);
        cr_assert_eq(count(TIM3), 50, "there and back again");
        board_encoder_turn(b, -100);
        cr_assert_eq(count(TIM3), 0);
    }
    encoder(3, 2);
    board_encoder_turn(b, 4);
    cr_assert_eq(count(TIM3), 0xFFFC, "polarity turns the direction");
}

Test(devices_tim, encoder_wraps_at_arr) {
    encoder(3, 0);
    fake_write(b, TIM3 + ARR, 9);
    board_encoder_turn(b, 23);
    cr_assert_eq(count(TIM3), 3);
    board_encoder_turn(b, -4);
    cr_assert_eq(count(TIM3), 9);
}
