/* SPDX-License-Identifier: MIT
 *
 * ADC1 in blocks (RM0090 13.8): TIM2's update starts a scan, DMA2 (stream 0, channel 0, table 43) stores
 * it in two buffers in turn, and its interrupt hands over the one that is full.
 */
#include "hal/adc.h"
#include "bsp.h"
#include "hal/gpio.h"
#include "rtos/core.h"
#include "rtos/driver.h"
#include "rtos/priority.h"
#include "stm32f4.h"

enum {
    STREAM = 0,
    OFF_TRIES = 100000,
    CLOCK_DIVISOR = 4,  /* 84 / 4 = 21 MHz; 36 are allowed (data sheet, table 67) */
    CYCLES_PIN = 96,    /* 84 of sampling, 12 of conversion */
    CYCLES_INNER = 492, /* 480 and 12: the sensor wants 10 us (data sheet, table 70) */
    SMP_PIN = 4,
    SMP_INNER = 7,
};

static struct {
    struct adc_config config; /* buffer NULL: stopped */
    uint8_t channels[ADC_CHANNELS_MAX];
    struct blocks blocks;
    struct semaphore ready;
    uint32_t overruns;
} adc;

static uint32_t block_samples(void) {
    return (uint32_t)adc.config.scans * adc.config.channel_count;
}

/* ----- what may be asked for ---------------------------------------------------------------------- */

/* Table 6 of the data sheet: channels 0 to 15 are PA0-7, PB0-1, PC0-5. */
static unsigned pin_of(unsigned channel) {
    if (channel < 8)
        return GPIO_PIN('A', 0) + channel;
    return channel < 10 ? GPIO_PIN('B', 0) + channel - 8 : GPIO_PIN('C', 0) + channel - 10;
}

static bool is_right(const struct adc_config *c) {
    uint32_t cycles = 0;
    if (!c->buffer || !c->channels || c->channel_count == 0 || c->channel_count > ADC_CHANNELS_MAX)
        return false;
    for (unsigned i = 0; i < c->channel_count; i++) {
        if (c->channels[i] > ADC_CHANNEL_LAST)
            return false;
        cycles += c->channels[i] < 16 ? CYCLES_PIN : CYCLES_INNER;
    }
    uint32_t adc_hz = clock_now()->apb2_hz / CLOCK_DIVISOR;
    return c->scans > 0 && (uint32_t)c->scans * c->channel_count <= 0xFFFF && c->hz > 0 &&
           c->hz <= adc_hz / cycles;
}

static enum kernel_status pins_connect(void) {
    for (unsigned i = 0; i < adc.config.channel_count; i++) {
        if (adc.channels[i] >= 16)
            continue;
        enum kernel_status status = gpio_configure(pin_of(adc.channels[i]), GPIO_ANALOG);
        if (status)
            return status;
    }
    return KERNEL_OK;
}

/* ----- registers ---------------------------------------------------------------------------------- */

static void sequence_set(void) {
    ADC1_SQR(0) = ADC1_SQR(6) = 0;
    ADC1_SQR1 = (uint32_t)(adc.config.channel_count - 1) << 20;
    for (unsigned i = 0; i < adc.config.channel_count; i++) {
        unsigned channel = adc.channels[i], shift = channel % 10 * 3;
        ADC1_SQR(i) |= channel << i % 6 * 5;
        uint32_t time = channel < 16 ? SMP_PIN : SMP_INNER;
        ADC1_SMPR(channel) = (ADC1_SMPR(channel) & ~(7u << shift)) | time << shift;
    }
}

static bool halt(void) {
    TIM_CR1(TIM2_BASE) = 0;
    ADC1_CR2 = 0;
    DMA_CR(DMA2_BASE, STREAM) = 0;
    bool off = wait_for(DMA_STREAM(DMA2_BASE, STREAM), DMA_CR_EN, 0, OFF_TRIES);
    DMA_IFCR(DMA2_BASE, STREAM) = DMA_FLAGS(STREAM, DMA_ALL_FLAGS);
    return off;
}

/* The timer last: from its first update on everything runs. Also the way out of an overrun (13.8.2). */
static bool run(void) {
    if (!halt())
        return false;
    DMA_PAR(DMA2_BASE, STREAM) = ADC1_DR_ADDRESS;
    DMA_M0AR(DMA2_BASE, STREAM) = (uint32_t)(uintptr_t)adc.config.buffer;
    DMA_M1AR(DMA2_BASE, STREAM) = (uint32_t)(uintptr_t)(adc.config.buffer + block_samples());
    DMA_NDTR(DMA2_BASE, STREAM) = block_samples();
    DMA_CR(DMA2_BASE, STREAM) = DMA_CR_CHANNEL(0) | DMA_CR_PRIORITY_HIGH | DMA_CR_PSIZE_16 |
                                DMA_CR_MSIZE_16 | DMA_CR_MINC | DMA_CR_CIRC | DMA_CR_DBM |
                                DMA_CR_TCIE | DMA_CR_TEIE | DMA_CR_EN;
    ADC1_SR = 0;
    ADC1_CR1 = ADC_CR1_SCAN | ADC_CR1_OVRIE;
    ADC1_CR2 =
        ADC_CR2_ADON | ADC_CR2_DMA | ADC_CR2_DDS | ADC_CR2_EXTSEL_TIM2_TRGO | ADC_CR2_EXTEN_RISING;
    TIM_PSC(TIM2_BASE) = 0;
    TIM_ARR(TIM2_BASE) = clock_now()->timer1_hz / adc.config.hz - 1; /* 32 bits */
    TIM_CNT(TIM2_BASE) = 0;
    TIM_CR2(TIM2_BASE) = TIM_CR2_MMS_UPDATE;
    TIM_CR1(TIM2_BASE) = TIM_CR1_CEN;
    return true;
}

/* ----- interface ---------------------------------------------------------------------------------- */

enum kernel_status adc_start(const struct adc_config *config) {
    if (!part_there(PART_ADC1) || !part_there(PART_DMA2) || !part_there(PART_TIM2))
        return KERNEL_NOT_THERE;
    if (!is_right(config))
        return KERNEL_BAD_ARGUMENT;
    if (adc.config.buffer)
        return KERNEL_BUSY;
    adc.config = *config;
    for (unsigned i = 0; i < config->channel_count; i++)
        adc.channels[i] = config->channels[i];
    adc.blocks = (struct blocks){0};
    adc.overruns = 0;
    semaphore_init(&adc.ready, 0, 1);
    enum kernel_status status = pins_connect();
    ADC_CCR = ADC_CCR_ADCPRE_DIV4 | ADC_CCR_TSVREFE;
    sequence_set();
    if (!status && !run())
        status = KERNEL_NOT_READY;
    if (status) {
        adc.config.buffer = NULL;
        return status;
    }
    irq_enable(IRQ_DMA2_STREAM0, PRIORITY_DEVICE);
    irq_enable(IRQ_ADC, PRIORITY_DEVICE);
    return KERNEL_OK;
}

enum kernel_status adc_stop(void) {
    if (!adc.config.buffer)
        return part_there(PART_ADC1) ? KERNEL_NOT_STARTED : KERNEL_NOT_THERE;
    uint32_t key = kernel_lock();
    bool off = halt();
    adc.config.buffer = NULL;
    kernel_unlock(key);
    semaphore_give(&adc.ready); /* who waits for a block finds out */
    return off ? KERNEL_OK : KERNEL_NOT_READY;
}

static int take(void) {
    uint32_t key = kernel_lock();
    int half = blocks_take(&adc.blocks);
    kernel_unlock(key);
    return half;
}

enum kernel_status adc_take(const uint16_t **block, uint32_t timeout) {
    if (!adc.config.buffer)
        return part_there(PART_ADC1) ? KERNEL_NOT_STARTED : KERNEL_NOT_THERE;
    uint32_t start = kernel_ticks();
    int half;
    while ((half = take()) < 0) {
        enum kernel_status status = semaphore_take(&adc.ready, timeout_left(start, timeout));
        if (!status && !adc.config.buffer)
            status = KERNEL_NOT_STARTED;
        if (status)
            return status;
    }
    *block = adc.config.buffer + (uint32_t)half * block_samples();
    return KERNEL_OK;
}

enum kernel_status adc_release(void) {
    uint32_t key = kernel_lock();
    bool whole = blocks_release(&adc.blocks);
    kernel_unlock(key);
    return whole ? KERNEL_OK : KERNEL_FAILED;
}

void adc_counters(struct adc_counters *out) {
    uint32_t key = kernel_lock();
    *out = (struct adc_counters){adc.blocks.done, adc.blocks.lost, adc.overruns};
    kernel_unlock(key);
}

/* ----- interrupts --------------------------------------------------------------------------------- */

static void restart(void) {
    adc.overruns++;
    if (adc.config.buffer)
        run();
    else
        halt();
}

/* CT is the half that DMA fills now (10.3.9). */
static void block_full(void) {
    unsigned half = DMA_CR(DMA2_BASE, STREAM) & DMA_CR_CT ? 0 : 1;
    blocks_filled(&adc.blocks, half);
    semaphore_give_isr(&adc.ready);
    if (adc.config.done)
        adc.config.done(adc.config.buffer + half * block_samples(), adc.config.argument);
}

void DMA2_Stream0_Handler(void) {
    uint32_t flags = DMA_ISR(DMA2_BASE, STREAM);
    DMA_IFCR(DMA2_BASE, STREAM) = DMA_FLAGS(STREAM, DMA_ALL_FLAGS);
    if (adc.config.buffer && flags & DMA_FLAGS(STREAM, DMA_TCIF))
        block_full();
    if (flags & DMA_FLAGS(STREAM, DMA_TEIF))
        restart();
    BARRIER();
}

void ADC_Handler(void) {
    if (ADC1_SR & ADC_SR_OVR)
        restart();
    BARRIER();
}
