/* SPDX-License-Identifier: MIT
 *
 * Who has changed the kernel's memory? A copy of all RAM below the pool, and a bit for each word of it that runs
 * without harm change as well: ticks, stacks, counters. A word without its bit that an attack changes is a breach.
 *
 * Stacks are left out as a whole. The copy lies in the pool, in a piece of its own.
 */
#include "attack.h"

#include <string.h>

extern uint32_t _ram_start[], _pool_start[], _main_stack_bottom[], _main_stack_top[];

static uint32_t copy, copy_size; /* words, then bits */
static uint32_t words(void) {
    return (uint32_t)(_pool_start - _ram_start);
}

static uint32_t *copied(void) {
    return (uint32_t *)copy;
}

static uint32_t *may_change(void) {
    return (uint32_t *)copy + words();
}

/* The main stack's guard cannot be read: everybody's. */
static bool is_guard(uint32_t word) {
    return word < KERNEL_GUARD / 4;
}

/* Not those of the guard of the running task's stack, which moves with the task. */
static bool is_own_guard(uint32_t word) {
    const uint32_t *at = _ram_start + word, *guard = task_self()->stack;
    return at >= guard && at < guard + KERNEL_GUARD / 4;
}

static uint32_t word_at(uint32_t word) {
    return is_guard(word) || is_own_guard(word) ? 0 : _ram_start[word];
}

/* Others come to rest before one looks. */
static void settle(void) {
    task_sleep(2);
}

void canary_arm(void) {
    settle();
    if (!copy)
        copy_size = pool_allocate(words() * 4 + words() / 8 + 4, &copy);
    for (uint32_t i = 0; i < words(); i++)
        copied()[i] = word_at(i);
}

/* Not before the ticks have wrapped for the first time (half a second after the start): their upper half changes then. */
void canary_begin(void) {
    enum { WRAPPED = 600 };
    while (kernel_uptime() < WRAPPED)
        task_sleep(1);
    canary_arm();
}

void canary_allow(const void *begin, const void *end) {
    const uint32_t *from = begin, *to = end;
    for (; from < to; from++)
        if (from >= _ram_start && from < _pool_start)
            may_change()[(from - _ram_start) / 32] |= 1u << (from - _ram_start) % 32;
}

/* What is left on stacks, where they end, and how much is left of a turn, depends on when an interrupt came. */
static void allow_stacks(void) {
    canary_allow(_main_stack_bottom, _main_stack_top);
    for (const struct task *task = task_iterate(NULL); task; task = task_iterate(task)) {
        canary_allow(task->stack, task->stack_top);
        canary_allow(&task->sp, &task->sp + 1);
        canary_allow(&task->slice, &task->slice + 1);
    }
}

void canary_learn(void) {
    settle();
    allow_stacks();
    for (uint32_t i = 0; i < words(); i++)
        if (copied()[i] != word_at(i))
            may_change()[i / 32] |= 1u << i % 32;
}

static bool may(uint32_t word, uint32_t reach) {
    for (uint32_t i = word < reach ? 0 : word - reach; i <= word + reach && i < words(); i++)
        if (may_change()[i / 32] >> i % 32 & 1)
            return true;
    return false;
}

uint32_t canary_broken(uint32_t reach) {
    settle();
    for (uint32_t i = 0; i < words(); i++)
        if (copied()[i] != word_at(i) && !may(i, reach))
            return (uint32_t)(_ram_start + i);
    return 0;
}
