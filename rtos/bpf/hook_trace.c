/* SPDX-License-Identifier: MIT
 *
 * SEC("trace/<event>"): a run for each event of the kernel, some time after it: events wait in a ring that drops the
 * oldest (rtos/trace.h), and the program is woken when WATERMARK of its kind have gathered, or after WAIT ticks.
 *
 * What the tracing domain's own task causes is not recorded, or it would trace itself for ever: switches from and to it,
 * and its own faults.
 */
#include "hook_text.h"

#include "rtos/trace.h"

enum { WATERMARK = 16, WAIT = 10 };

struct trace_context {
    uint64_t time_ns;
    uint32_t event, arg0, arg1, lost;
};
_Static_assert(sizeof(struct trace_context) == CTX_SIZE_TRACE, "hook.def");

static struct domain_entry *first; /* and its next ones */

static bool is_wanted(const struct domain_entry *entry, const struct trace_event *event) {
    uint32_t own = trace_name(entry->domain->name);
    return event->kind == entry->hook.trace.event &&
           (event->kind == TRACE_SWITCH ? event->arg0 != own && event->arg1 != own
                                        : event->task != own);
}

/* Locked, in an exception. */
static void told(const struct trace_event *event) {
    for (struct domain_entry *entry = first; entry; entry = entry->next) {
        if (!is_wanted(entry, event))
            continue;
        if (++entry->hook.trace.waiting >= WATERMARK && !entry->pending)
            domain_wake(entry);
    }
}

static struct domain_entry *entry_of(struct timeout *timeout) {
    return (struct domain_entry *)((char *)timeout -
                                   offsetof(struct domain_entry, hook.trace.timeout));
}

/* Locked, in the tick. */
static void expire(struct timeout *timeout) {
    struct domain_entry *entry = entry_of(timeout);
    timeout_add(timeout, WAIT);
    if (entry->hook.trace.waiting && !entry->pending)
        domain_wake(entry);
}

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    entry->hook.trace.event = (uint8_t)(hook_word(&pattern, "sched_switch") ? TRACE_SWITCH
                                        : hook_word(&pattern, "irq")        ? TRACE_IRQ
                                        : hook_word(&pattern, "fault")      ? TRACE_FAULT
                                                                            : TRACE_KINDS);
    if (entry->hook.trace.event == TRACE_KINDS || *pattern)
        return BPF_BLOB_SECTION;
    return grant->trace ? BPF_OK : BPF_NOT_GRANTED;
}

static enum bpf_status start(struct domain_entry *entry) {
    entry->hook.trace.timeout.expire = expire;
    uint32_t key = kernel_lock();
    entry->hook.trace.cursor = trace_written();
    entry->hook.trace.waiting = 0;
    entry->next = first;
    first = entry;
    timeout_add(&entry->hook.trace.timeout, WAIT);
    kernel_unlock(key);
    trace_start(told);
    return BPF_OK;
}

static void stop(struct domain_entry *entry) {
    uint32_t key = kernel_lock();
    bool found = domain_unlink(&first, entry);
    timeout_remove(&entry->hook.trace.timeout);
    kernel_unlock(key);
    if (found)
        trace_stop();
}

/* The next event of its kind, and another turn if more of them wait, or may: the ring may have dropped them. Of which
 * kind those were is not known: all of them count as lost. */
static uint32_t context(struct domain_entry *entry, void *out, uint32_t lost) {
    struct trace_context *context = out;
    struct trace_event event = {.kind = TRACE_KINDS};
    uint32_t dropped = 0, more;
    bool found = false;
    while (!found && trace_read(&entry->hook.trace.cursor, &event, &more)) {
        dropped += more;
        found = is_wanted(entry, &event);
    }
    entry->overruns += dropped;
    uint32_t key = kernel_lock();
    if (!found)
        entry->hook.trace.waiting = 0;
    else if (entry->hook.trace.waiting)
        entry->hook.trace.waiting--;
    if (entry->hook.trace.waiting)
        domain_wake(entry);
    kernel_unlock(key);
    if (!found)
        return DOMAIN_NO_RUN;
    *context =
        (struct trace_context){event.time_ns, event.kind, event.arg0, event.arg1, lost + dropped};
    return sizeof(*context);
}

const struct hook_kind hook_trace = {check, start, stop, context, 0};
