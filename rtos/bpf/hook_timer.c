/* SPDX-License-Identifier: MIT
 *
 * SEC("timer/<period>"): a run every so many ticks. The next deadline is counted from the last one, so that
 * periods do not drift; while a run is still to come its successors are counted as lost.
 */
#include "hook_text.h"

enum { US_A_TICK = 1000000 / KERNEL_TICK_HZ, PERIOD_MAX_US = 3600u * 1000000u };

struct timer_context {
    uint64_t time_ns;
    uint32_t period_us, overruns;
};
_Static_assert(sizeof(struct timer_context) == CTX_SIZE_TIMER, "hook.def");

static struct domain_entry *entry_of(struct timeout *timeout) {
    return (struct domain_entry *)((char *)timeout -
                                   offsetof(struct domain_entry, hook.timer.timeout));
}

/* Locked, in the tick. */
static void expire(struct timeout *timeout) {
    struct domain_entry *entry = entry_of(timeout);
    uint32_t late = kernel_ticks() - timeout->deadline;
    uint32_t period = entry->hook.timer.period;
    timeout_add(timeout, late < period ? period - late : 1);
    domain_wake(entry);
}

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    uint64_t us;
    (void)grant;
    if (!hook_duration_us(&pattern, &us) || *pattern)
        return BPF_BLOB_SECTION;
    if (us < US_A_TICK || us % US_A_TICK || us > PERIOD_MAX_US)
        return BPF_PERIOD;
    entry->hook.timer.period = (uint32_t)us / US_A_TICK;
    return BPF_OK;
}

static enum bpf_status start(struct domain_entry *entry) {
    entry->hook.timer.timeout.expire = expire;
    uint32_t key = kernel_lock();
    timeout_add(&entry->hook.timer.timeout, entry->hook.timer.period);
    kernel_unlock(key);
    return BPF_OK;
}

static void stop(struct domain_entry *entry) {
    uint32_t key = kernel_lock();
    timeout_remove(&entry->hook.timer.timeout);
    kernel_unlock(key);
}

static uint32_t context(struct domain_entry *entry, void *out, uint32_t lost) {
    struct timer_context *context = out;
    *context = (struct timer_context){
        .time_ns = clock_ns(),
        .period_us = entry->hook.timer.period * US_A_TICK,
        .overruns = lost,
    };
    return sizeof(*context);
}

const struct hook_kind hook_timer = {check, start, stop, context, 0};
