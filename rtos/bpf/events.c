/* SPDX-License-Identifier: MIT
 *
 * The events of a domain: who posts them, and how the domain's task takes them out, in order of arrival.
 *
 * Whoever posts takes a slot with the kernel locked, fills it unlocked, and then says that it is ready: what is
 * locked does not grow with the context. All senders are more urgent than the domain's task, so it never sees one at
 * work; a slot that is not ready belongs to a sender that another sender has interrupted.
 */
#include "domain.h"

#include <string.h>

enum { EVENT_HAS_SLOT = 0x80, ENTRIES_MAX = 0x7f };

static struct event_slot *slot_at(const struct domain_events *events, unsigned slot) {
    return (struct event_slot *)(void *)(events->slots + (uint32_t)events->slot_size * slot);
}

/* Locked. */
static void order_push(struct domain_events *events, uint8_t item) {
    unsigned last = events->first + events->used;
    events->order[last < events->capacity ? last : last - events->capacity] = item;
    events->used++;
}

static void wake_task(struct domain *domain) {
    if (semaphore_give_isr(&domain->wanted) == KERNEL_NOT_IN_INTERRUPT)
        semaphore_give(&domain->wanted); /* full: it has not looked yet */
}

void domain_lose(struct domain_entry *entry) {
    entry->lost++;
    entry->overruns++;
}

bool domain_unlink(struct domain_entry **first, const struct domain_entry *entry) {
    while (*first && *first != entry)
        first = &(*first)->next;
    if (!*first)
        return false;
    *first = entry->next;
    return true;
}

/* Locked. NULL: they are all in use. */
static struct event_slot *slot_take(struct domain_entry *entry) {
    struct domain_events *events = &entry->domain->events;
    if (events->slots_used == events->slot_count) {
        domain_lose(entry);
        return NULL;
    }
    unsigned last = events->slot_first + events->slots_used++;
    struct event_slot *slot =
        slot_at(events, last < events->slot_count ? last : last - events->slot_count);
    slot->ready = false;
    order_push(events, (uint8_t)(entry - entry->domain->entries) | EVENT_HAS_SLOT);
    return slot;
}

void domain_post(struct domain_entry *entry, const void *head, uint32_t head_size, const void *data,
                 uint32_t size) {
    struct domain *domain = entry->domain;
    uint32_t most = entry->program->ctx_size;
    uint32_t key = kernel_lock();
    struct event_slot *slot = slot_take(entry);
    kernel_unlock(key);
    if (!slot)
        return;
    if (head_size > most)
        head_size = most;
    if (size > most - head_size)
        size = most - head_size;
    memcpy(slot->context, head, head_size);
    memcpy(slot->context + head_size, data, size);
    slot->size = (uint16_t)(head_size + size);
    __atomic_store_n(&slot->ready, true, __ATOMIC_RELEASE);
    wake_task(domain);
}

void domain_wake(struct domain_entry *entry) {
    uint32_t key = kernel_lock();
    bool lost = entry->pending;
    if (lost) {
        domain_lose(entry);
    } else {
        entry->pending = true;
        order_push(&entry->domain->events, (uint8_t)(entry - entry->domain->entries));
    }
    kernel_unlock(key);
    if (!lost)
        wake_task(entry->domain);
}

/* Locked. Everything that waits. A slot that an interrupted sender is still filling stays the sender's: there is none,
 * senders run in interrupts or above every domain. */
void events_forget(struct domain *domain) {
    struct domain_events *events = &domain->events;
    events->used = events->slots_used = 0;
    for (uint32_t i = 0; i < domain->blob->programs.count + (domain->timers != NULL); i++)
        domain->entries[i].pending = false;
}

static struct domain_entry *next(struct domain *domain, uint32_t *size) {
    struct domain_events *events = &domain->events;
    uint32_t key = kernel_lock();
    uint8_t item = events->used ? events->order[events->first] : 0;
    struct event_slot *slot = item & EVENT_HAS_SLOT ? slot_at(events, events->slot_first) : NULL;
    bool any = events->used && (!slot || slot->ready);
    struct domain_entry *entry = &domain->entries[item & ENTRIES_MAX];
    uint32_t lost = entry->lost;
    if (any) {
        entry->lost = 0;
        entry->pending &= slot != NULL;
        events->first = (uint8_t)(events->first + 1u < events->capacity ? events->first + 1 : 0);
        events->used--;
    }
    kernel_unlock(key);
    if (!any)
        return NULL;
    if (!slot) {
        *size = entry->kind->context(entry, domain_context(domain), lost);
        return entry;
    }
    *size = slot->size;
    memcpy(domain_context(domain), slot->context, slot->size);
    if (entry->kind->lost_at)
        memcpy(domain_context(domain) + entry->kind->lost_at, &lost, sizeof(lost));
    key = kernel_lock();
    events->slot_first =
        (uint8_t)(events->slot_first + 1u < events->slot_count ? events->slot_first + 1 : 0);
    events->slots_used--;
    kernel_unlock(key);
    return entry;
}

struct domain_entry *events_next(struct domain *domain, uint32_t *size) {
    struct domain_entry *entry;
    do
        entry = next(domain, size);
    while (entry && *size == (uint32_t)DOMAIN_NO_RUN);
    return entry;
}
