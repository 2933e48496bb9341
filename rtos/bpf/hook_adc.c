/* SPDX-License-Identifier: MIT
 *
 * SEC("adc/<channel>[/<samples>[/<rate>]]"), and the newest sample for bpf_adc_read(): one sequence of conversions
 * serves all. Its channels are those of all grants, its rate and block those that the hooks name, on which
 * all hooks have to agree: a second rate is refused. Without hooks it runs at the default rate. A block takes a tick at
 * least: what the interrupt at its end does for each hook is nobody's budget, and grows with their number.
 *
 * A change of the set begins the sequence anew: the others miss the block that was being filled.
 */
#include "hook_text.h"

#include "hal/adc.h"

#include <string.h>

enum {
    CHANNELS = ADC_CHANNEL_LAST + 1,
    LISTENERS = 8,
    DATA = 128, /* samples of the context */
    SAMPLES = 64,
    HZ = 1000, /* where the name does not say it */
    HZ_MAX = 100000,
    BUFFER = 512, /* samples of a block of all channels */
};

struct adc_context {
    uint64_t time_ns;
    uint32_t channel, len;
    uint16_t data[DATA];
};
_Static_assert(sizeof(struct adc_context) == CTX_SIZE_ADC, "hook.def");
enum { HEAD = offsetof(struct adc_context, data) };

static uint16_t buffer[2 * BUFFER];
static struct {
    struct domain_entry *first; /* and its next ones */
    uint8_t users[CHANNELS];    /* grants that have the channel */
    uint8_t sequence[ADC_CHANNELS_MAX], count;
    uint16_t latest[CHANNELS];
    uint16_t samples;
    uint32_t hz;
    bool running;
} adc;

/* ----- the sequence --------------------------------------------------------------------------------------- */

/* In the interrupt. */
static void done(const uint16_t *block, void *argument) {
    struct adc_context context = {.time_ns = clock_ns(), .len = adc.samples};
    (void)argument;
    for (unsigned i = 0; i < adc.count; i++)
        adc.latest[adc.sequence[i]] = block[(adc.samples - 1u) * adc.count + i];
    for (struct domain_entry *entry = adc.first; entry; entry = entry->next) {
        unsigned place = entry->hook.adc.place;
        context.channel = entry->hook.adc.channel;
        for (unsigned i = 0; i < adc.samples; i++)
            context.data[i] = block[i * adc.count + place];
        domain_post(entry, &context, HEAD + adc.samples * sizeof(uint16_t), NULL, 0);
    }
}

static void make_sequence(void) {
    adc.count = 0;
    for (uint8_t channel = 0; channel < CHANNELS; channel++)
        if (adc.users[channel] && adc.count < ADC_CHANNELS_MAX)
            adc.sequence[adc.count++] = channel;
    for (struct domain_entry *entry = adc.first; entry; entry = entry->next)
        for (uint8_t i = 0; i < adc.count; i++)
            if (adc.sequence[i] == entry->hook.adc.channel)
                entry->hook.adc.place = i;
    adc.samples = adc.first ? adc.first->hook.adc.samples : SAMPLES;
    adc.hz = adc.first ? adc.first->hook.adc.hz : HZ;
    while (adc.samples * adc.count > BUFFER && !adc.first)
        adc.samples /= 2;
}

static enum bpf_status restart(void) {
    if (adc.running)
        adc_stop();
    adc.running = false;
    make_sequence();
    if (!adc.count)
        return BPF_OK;
    if (adc.samples * adc.count > BUFFER)
        return BPF_TOO_MANY;
    const struct adc_config config = {.channels = adc.sequence,
                                      .channel_count = adc.count,
                                      .scans = adc.samples,
                                      .hz = adc.hz,
                                      .buffer = buffer,
                                      .done = done};
    adc.running = adc_start(&config) == KERNEL_OK;
    return adc.running ? BPF_OK : BPF_BUSY;
}

enum bpf_status adc_claim(uint32_t channels) {
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        adc.users[channel] = (uint8_t)(adc.users[channel] + (channels >> channel & 1));
    return channels ? restart() : BPF_OK;
}

void adc_give_back(uint32_t channels) {
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        adc.users[channel] = (uint8_t)(adc.users[channel] - (channels >> channel & 1));
    if (channels)
        restart();
}

int32_t adc_latest(uint32_t channel) {
    return adc.latest[channel];
}

/* ----- the hook ---------------------------------------------------------------------------------------------- */

static bool read_rate(const char **pattern, uint32_t *hz) {
    if (!hook_number(pattern, HZ_MAX, hz))
        return false;
    if (hook_word(pattern, "kHz"))
        *hz *= 1000;
    else if (!hook_word(pattern, "Hz"))
        return false;
    return *hz > 0 && *hz <= HZ_MAX;
}

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    uint32_t channel, samples = SAMPLES, hz = HZ;
    bool good = hook_number(&pattern, ADC_CHANNEL_LAST, &channel);
    if (good && *pattern)
        good = hook_word(&pattern, "/") && hook_number(&pattern, DATA, &samples) && samples > 0;
    if (good && *pattern)
        good = hook_word(&pattern, "/") && read_rate(&pattern, &hz);
    if (!good || *pattern)
        return BPF_BLOB_SECTION;
    entry->hook.adc.channel = (uint8_t)channel;
    entry->hook.adc.samples = (uint16_t)samples;
    entry->hook.adc.hz = hz;
    if (samples * KERNEL_TICK_HZ < hz)
        return BPF_PERIOD;
    return grant->adc >> channel & 1 ? BPF_OK : BPF_NOT_GRANTED;
}

static unsigned listeners(void) {
    unsigned count = 0;
    for (const struct domain_entry *entry = adc.first; entry; entry = entry->next)
        count++;
    return count;
}

static enum bpf_status start(struct domain_entry *entry) {
    if (listeners() == LISTENERS)
        return BPF_TOO_MANY;
    if (adc.first && (adc.first->hook.adc.hz != entry->hook.adc.hz ||
                      adc.first->hook.adc.samples != entry->hook.adc.samples))
        return BPF_BUSY;
    if (adc.running)
        adc_stop();
    adc.running = false; /* nobody goes through the list now */
    entry->next = adc.first;
    adc.first = entry;
    return restart();
}

static void stop(struct domain_entry *entry) {
    uint32_t key = kernel_lock();
    bool found = domain_unlink(&adc.first, entry);
    kernel_unlock(key);
    if (found)
        restart();
}

const struct hook_kind hook_adc = {check, start, stop, NULL, 0};
