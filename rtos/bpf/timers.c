/* SPDX-License-Identifier: MIT
 *
 * Timers in maps (docs/helpers.md): a table of rows for each domain whose blob uses them, in the domain's block. A row
 * is known by the place of the timer that it is for; nothing that the program can write is in it but the code pointer
 * of the callback, which is looked up in the blob's tables before anything is called.
 *
 * A row that has run out is due, and wakes one entry that stands for all of them in the domain's order of events. When its
 * turn comes the row that has waited longest runs, in the domain's task and budget like any program, and its cycles count
 * for the program that has made the timer. An element that was deleted or given to another key since stops its timer.
 */
#include "domain.h"

#include "bpf/helper.h"
#include "bpf/map.h"
#include "bpf/timer.h"

enum { ENOMEM = 12, EBUSY = 16, EINVAL = BPF_EINVAL, E2BIG = BPF_E2BIG };
enum {
    ROWS = 8,
    KEY_MAX = 64, /* bytes that are hashed within a supervisor call, once for each row at most */
    CLOCK_MONOTONIC = 1,
    NS_A_TICK = 1000000000 / KERNEL_TICK_HZ,
    TICKS_MAX = 1 << 30,
};

struct domain_timer {
    struct timeout timeout; /* in the list: it has been started */
    struct domain *domain;
    struct domain_entry *entry; /* of the program that has made it */
    struct bpf_timer_place place;
    uint32_t tag;      /* of the element's key when it was made */
    uint32_t callback; /* code pointer, as the program gave it; 0: none yet */
    bool used, due;
};

struct domain_timers {
    struct domain_timer rows[ROWS];
};

uint32_t timers_size(const struct blob *blob) {
    for (uint32_t i = 0; i < blob->header->helpers.count; i++)
        if (blob->helpers[i] == BPF_FUNC_TIMER_INIT)
            return sizeof(struct domain_timers);
    return 0;
}

/* The entry of all timers has its events, and its turn is as good as a context. */
static uint32_t turn(struct domain_entry *entry, void *context, uint32_t lost) {
    (void)entry, (void)context, (void)lost;
    return 0;
}
static const struct hook_kind timers_kind = {.context = turn};

static struct domain_entry *event_of(const struct domain *domain) {
    return &domain->entries[domain->blob->programs.count];
}

/* Locked, in the tick. */
static void expire(struct timeout *timeout) {
    struct domain_timer *row =
        (struct domain_timer *)((char *)timeout - offsetof(struct domain_timer, timeout));
    row->due = true;
    if (!event_of(row->domain)->pending)
        domain_wake(event_of(row->domain));
}

void timers_make(struct domain *domain, void *memory) {
    domain->timers = memory;
    *domain->timers = (struct domain_timers){0};
    for (unsigned i = 0; i < ROWS; i++) {
        domain->timers->rows[i].domain = domain;
        domain->timers->rows[i].timeout.expire = expire;
    }
    *event_of(domain) = (struct domain_entry){.domain = domain, .kind = &timers_kind};
}

/* Started, or due and not run yet: not any more. */
static bool row_stop(struct domain_timer *row) {
    uint32_t key = kernel_lock();
    bool active = row->timeout.next || row->due;
    timeout_remove(&row->timeout);
    row->due = false;
    kernel_unlock(key);
    return active;
}

void timers_forget(struct domain *domain) {
    if (!domain->timers)
        return;
    for (struct domain_timer *row = domain->timers->rows; row < domain->timers->rows + ROWS;
         row++) {
        row_stop(row);
        row->used = false;
    }
}

/* Its element is in use, and has the key that it had. */
static bool is_alive(const struct domain_timer *row, struct bpf_timer_element *element) {
    const struct domain *domain = row->domain;
    const struct blob blob = domain_blob(domain);
    return bpf_timer_element(&blob, (const uint8_t *)domain->head, &row->place, element) &&
           element->tag == row->tag;
}

/* ----- helpers ---------------------------------------------------------------------------------------------- */

static struct domain_timer *find(struct domain *domain, const struct bpf_timer_place *place) {
    for (struct domain_timer *row = domain->timers->rows; row < domain->timers->rows + ROWS; row++)
        if (row->used && row->place.map == place->map && row->place.element == place->element &&
            row->place.offset == place->offset)
            return row;
    return NULL;
}

/* The row of the timer at an address, whose element is alive; NULL: it has not been made. */
static struct domain_timer *made(struct domain *domain, uint32_t timer) {
    struct bpf_timer_place place;
    struct bpf_timer_element element;
    const struct blob blob = domain_blob(domain);
    if (!domain->timers || !bpf_timer_find(&blob, timer - (uint32_t)domain->head, &place))
        return NULL;
    struct domain_timer *row = find(domain, &place);
    return row && is_alive(row, &element) ? row : NULL;
}

/* A row that nobody uses, or whose element is gone. */
static struct domain_timer *free_row(struct domain *domain) {
    struct bpf_timer_element element;
    for (struct domain_timer *row = domain->timers->rows; row < domain->timers->rows + ROWS; row++)
        if (!row->used)
            return row;
    for (struct domain_timer *row = domain->timers->rows; row < domain->timers->rows + ROWS; row++)
        if (!is_alive(row, &element))
            return row;
    return NULL;
}

int64_t timers_init(struct domain *domain, const uint32_t *words) {
    struct bpf_timer_place place;
    struct bpf_timer_element element;
    const struct blob blob = domain_blob(domain);
    uint32_t head = (uint32_t)domain->head;
    if (!domain->timers || !bpf_timer_find(&blob, words[0] - head, &place))
        return -EINVAL;
    const struct blob_map *map = &blob.maps[place.map];
    if (words[1] != head + map->off || words[2] != CLOCK_MONOTONIC || words[3])
        return -EINVAL;
    if (map->key_size > KEY_MAX)
        return -E2BIG;
    if (!bpf_timer_element(&blob, (const uint8_t *)domain->head, &place, &element))
        return -EINVAL;
    struct domain_timer *row = find(domain, &place);
    if (row && row->tag == element.tag)
        return -EBUSY;
    if (!row)
        row = free_row(domain);
    if (!row)
        return -ENOMEM;
    row_stop(row);
    row->entry = domain->current;
    row->place = place;
    row->tag = element.tag;
    row->callback = 0;
    row->used = true;
    return 0;
}

int64_t timers_set_callback(struct domain *domain, const uint32_t *words) {
    struct domain_timer *row = made(domain, words[0]);
    if (!row)
        return -EINVAL;
    row->callback = words[1];
    return 0;
}

/* In ticks, rounded up. */
int64_t timers_start(struct domain *domain, const uint32_t *words) {
    struct domain_timer *row = made(domain, words[0]);
    uint64_t ns = (uint64_t)words[3] << 32 | words[2];
    uint32_t flags[2];
    if (!row || !row->callback || !domain_stack_words(domain, words, flags) || flags[0] || flags[1])
        return -EINVAL;
    if (ns > (uint64_t)TICKS_MAX * NS_A_TICK)
        return -EINVAL;
    uint32_t ticks = (uint32_t)((ns + NS_A_TICK - 1) / NS_A_TICK);
    row_stop(row);
    uint32_t key = kernel_lock();
    timeout_add(&row->timeout, ticks ? ticks : 1);
    kernel_unlock(key);
    return 0;
}

int64_t timers_cancel(struct domain *domain, const uint32_t *words) {
    struct domain_timer *row = made(domain, words[0]);
    return row ? row_stop(row) : -EINVAL;
}

/* ----- the turn ------------------------------------------------------------------------------------------------ */

/* The row that has been due for longest is not due any more; NULL: none was. */
static struct domain_timer *take_due(struct domain *domain) {
    struct domain_timer *first = NULL;
    unsigned due = 0;
    uint32_t key = kernel_lock();
    for (struct domain_timer *row = domain->timers->rows; row < domain->timers->rows + ROWS; row++)
        if (row->due && due++ < ROWS &&
            (!first || (int32_t)(row->timeout.deadline - first->timeout.deadline) < 0))
            first = row;
    if (first)
        first->due = false;
    kernel_unlock(key);
    if (due > 1 && !event_of(domain)->pending)
        domain_wake(event_of(domain));
    return first;
}

/* By the canonical ABI: three pairs of words, of which the third lies on the stack, and two more that are 0. The
 * interpreter takes them as three words. */
static void fill(struct domain *domain, const struct domain_timer *row,
                 const struct bpf_timer_element *element, struct timer_call *call) {
    uint32_t head = (uint32_t)domain->head, *stack = (uint32_t *)call->stack_top,
             map = head + element->map, value = head + element->value;
    enum { VALUE = 0, KEY = 6, WORDS = 8 };
    _Static_assert(WORDS * sizeof(uint32_t) <= BPF_TIMER_STACK, "counted by the compiler");
    uint32_t key = element->key ? head + element->key : (uint32_t)&stack[KEY];
    for (unsigned i = 0; i < WORDS; i++)
        stack[i] = 0;
    stack[KEY] = row->place.element;
    stack[VALUE] = value;
    const uint32_t compiled[4] = {map, 0, key, 0},
                   interpreted[4] = {row->callback, map, key, value};
    for (unsigned i = 0; i < 4; i++)
        call->arguments[i] = (domain->engine == BPF_ENGINE_INTERP ? interpreted : compiled)[i];
}

bool timers_take(struct domain *domain, struct timer_call *call) {
    struct bpf_timer_element element;
    struct domain_timer *row = take_due(domain);
    if (!row)
        return false;
    if (!is_alive(row, &element)) {
        row->used = false;
        return false;
    }
    *call = (struct timer_call){.entry = row->entry,
                                .stack_top = (uint32_t)domain->head - BPF_TIMER_STACK};
    const struct blob blob = domain_blob(domain);
    uint32_t function =
                 bpf_timer_function(&blob, (uint32_t)domain->blob, domain->engine, row->callback),
             frames = 2 * SANDBOX_FRAME; /* of the run's beginning, and one more */
    if (function == BLOB_NONE ||
        !sandbox_reaches(&domain->box, call->stack_top - frames, BPF_TIMER_STACK + frames))
        return true;
    const struct library_header *library = domain_library();
    call->function = domain->engine == BPF_ENGINE_INTERP
                         ? library->callback
                         : (uint32_t)blob.code + blob.funcs[function].entry;
    fill(domain, row, &element, call);
    return true;
}
