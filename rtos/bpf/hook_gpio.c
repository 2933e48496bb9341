/* SPDX-License-Identifier: MIT
 *
 * SEC("gpio/<pin>/<edge>"): a run for each edge at an input that the grant gives. Several programs may listen to one
 * pin, also of different domains; pins of one number share an interrupt line, so a second port's is refused.
 *
 * Which edge it was is read from the level, if programs want different ones: after a bounce it may be
 * the later one. A pin that gives more edges than STORM in a tick is not listened to until the tick is over, so that a
 * broken wire costs a bounded share of the processor; one event is counted as lost for it.
 */
#include "hook_text.h"

#include "hal/gpio.h"

enum { LINES = 16, STORM = 8 };

struct gpio_context {
    uint64_t time_ns;
    uint32_t pin, level, lost, reserved;
};
_Static_assert(sizeof(struct gpio_context) == CTX_SIZE_GPIO, "hook.def");

static struct line {
    struct domain_entry *first; /* and its next ones */
    struct timeout quiet;       /* in the list: not listened to until then */
    uint32_t tick;
    uint8_t edges; /* in this tick */
} lines[LINES];

static enum exti_edge edges_of(const struct line *line) {
    unsigned edges = 0;
    for (const struct domain_entry *entry = line->first; entry; entry = entry->next)
        edges |= entry->hook.gpio.edge;
    return (enum exti_edge)edges;
}

static void storm(struct line *line) {
    uint32_t key = kernel_lock();
    exti_stop(line->first->hook.gpio.pin);
    timeout_add(&line->quiet, 1);
    kernel_unlock(key);
    for (struct domain_entry *entry = line->first; entry; entry = entry->next)
        domain_lose(entry);
}

/* In the interrupt. */
static void edge(void *argument) {
    struct line *line = argument;
    uint32_t now = kernel_ticks();
    if (line->tick != now)
        line->edges = 0;
    line->tick = now;
    if (!line->first)
        return;
    if (++line->edges > STORM) {
        storm(line);
        return;
    }
    bool level = false;
    gpio_read(line->first->hook.gpio.pin, &level);
    enum exti_edge wanted = edges_of(line);
    unsigned seen = wanted != EXTI_BOTH ? wanted : level ? EXTI_RISING : EXTI_FALLING;
    for (struct domain_entry *entry = line->first; entry; entry = entry->next) {
        const struct gpio_context context = {
            .time_ns = clock_ns(), .pin = entry->hook.gpio.pin, .level = seen == EXTI_RISING};
        if (entry->hook.gpio.edge & seen)
            domain_post(entry, &context, sizeof(context), NULL, 0);
    }
}

/* Locked. Listens as the entries of the line want it. */
static enum bpf_status listen(struct line *line) {
    if (!line->first)
        return BPF_OK;
    return exti_start(line->first->hook.gpio.pin, edges_of(line), edge, line) ? BPF_BUSY : BPF_OK;
}

/* Locked, in the tick. */
static void quiet_over(struct timeout *timeout) {
    listen((struct line *)((char *)timeout - offsetof(struct line, quiet)));
}

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    uint32_t pin;
    if (!hook_pin(&pattern, &pin) || !hook_word(&pattern, "/"))
        return BPF_BLOB_SECTION;
    entry->hook.gpio.pin = (uint8_t)pin;
    entry->hook.gpio.edge = hook_word(&pattern, "rising")    ? EXTI_RISING
                            : hook_word(&pattern, "falling") ? EXTI_FALLING
                            : hook_word(&pattern, "both")    ? EXTI_BOTH
                                                             : 0;
    if (!entry->hook.gpio.edge || *pattern)
        return BPF_BLOB_SECTION;
    return grant->gpio_in[pin / 16] >> pin % 16 & 1 ? BPF_OK : BPF_NOT_GRANTED;
}

/* Another port's pin, or somebody else's handler (the button's), has the line: refused. */
static enum bpf_status start(struct domain_entry *entry) {
    struct line *line = &lines[entry->hook.gpio.pin % LINES];
    enum bpf_status status = BPF_BUSY;
    uint32_t key = kernel_lock();
    bool free = line->first ? line->first->hook.gpio.pin == entry->hook.gpio.pin
                            : !exti_in_use(entry->hook.gpio.pin);
    if (free) {
        line->quiet.expire = quiet_over;
        entry->next = line->first;
        line->first = entry;
        status = line->quiet.next ? BPF_OK : listen(line);
        if (status)
            domain_unlink(&line->first, entry);
    }
    kernel_unlock(key);
    return status;
}

static void stop(struct domain_entry *entry) {
    struct line *line = &lines[entry->hook.gpio.pin % LINES];
    uint32_t key = kernel_lock();
    bool mine = line->first && line->first->hook.gpio.pin == entry->hook.gpio.pin;
    domain_unlink(&line->first, entry);
    if (mine && !line->first) {
        timeout_remove(&line->quiet);
        exti_stop(entry->hook.gpio.pin);
    } else if (mine && !line->quiet.next) {
        listen(line);
    }
    kernel_unlock(key);
}

const struct hook_kind hook_gpio = {check, start, stop, NULL, offsetof(struct gpio_context, lost)};
