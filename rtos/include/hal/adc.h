/* SPDX-License-Identifier: MIT
 *
 * Analog inputs, in blocks: at each tick of a timer all channels are converted, and DMA stores them.
 * While one half of the buffer fills, the other one is the reader's.
 */
#ifndef HAL_ADC_H
#define HAL_ADC_H

#include "rtos/kernel.h"

enum { ADC_TEMPERATURE = 16, ADC_REFERENCE = 17, ADC_CHANNELS_MAX = 16, ADC_CHANNEL_LAST = 18 };

struct adc_config {
    const uint8_t *channels; /* in the order of conversion */
    uint8_t channel_count;
    uint16_t scans;   /* of all channels in a block */
    uint32_t hz;      /* scans a second */
    uint16_t *buffer; /* two blocks of scans * channel_count samples; not in CCM */
    void (*done)(const uint16_t *block, void *argument); /* in the interrupt; may be NULL */
    void *argument;
};

struct adc_counters {
    uint32_t blocks;
    uint32_t lost;     /* filled again while the reader had it, or before it was taken */
    uint32_t overruns; /* DMA was too late; the conversion was started anew */
};

enum kernel_status adc_start(const struct adc_config *config);
enum kernel_status adc_stop(void);
/* The next block that is full. It is the reader's until adc_release(), or until the other is full. */
enum kernel_status adc_take(const uint16_t **block, uint32_t timeout);
enum kernel_status adc_release(void);
void adc_counters(struct adc_counters *out);

#endif
