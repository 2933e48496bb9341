/* SPDX-License-Identifier: MIT */
/* The budget of a domain: what a run uses comes back a period later, and the wait for it always ends. */
#include "rtos/bpf/budget.c"

#include <criterion/criterion.h>

static uint32_t ticks, a_look; /* what passes with each look at the clock */
static uint32_t core_hz = 1000000;
static struct bpf_grant grant;
static struct domain domain;

uint32_t kernel_ticks(void) {
    uint32_t now = ticks;
    ticks += a_look;
    return now;
}

uint32_t board_core_hz(void) {
    return core_hz;
}

static void start(uint32_t budget_us, uint32_t period_ms, uint32_t now) {
    ticks = now;
    a_look = 0;
    grant = (struct bpf_grant){.budget_us = budget_us, .period_us = period_ms * 1000};
    domain = (struct domain){.grant = &grant};
    budget_init(&domain);
}

Test(budget, what_a_run_uses_comes_back) {
    for (uint32_t began = UINT32_MAX - 40; began != 40; began++) { /* over the wrap of ticks, too */
        start(1000, 10, began);
        budget_use(&domain.budget, began, 1000);
        uint32_t wait = budget_wait(&domain.budget);
        cr_assert(wait >= 10 && wait < 15, "%u", wait);
        ticks = began + wait - 1;
        cr_assert_eq(budget_wait(&domain.budget), 1);
        ticks++;
        cr_assert_eq(budget_wait(&domain.budget), 0);
        cr_assert_eq(domain.budget.available, 1000);
    }
}

Test(budget, nothing_of_it_is_lost_or_made) {
    start(1000, 10, 5);
    for (unsigned i = 0; i < 100; i++) {
        if (!budget_wait(&domain.budget))
            budget_use(&domain.budget, ticks, 300 + i % 7);
        int32_t sum = domain.budget.available;
        for (unsigned k = 0; k < domain.budget.used; k++)
            sum += domain.budget.refill[(domain.budget.first + k) % DOMAIN_REFILLS].cycles;
        cr_assert_eq(sum, 1000);
        ticks++;
    }
}

/* Runs that somebody asks for do not wait: what is due comes back all the same, in time. */
Test(budget, what_is_due_comes_back_without_a_wait) {
    start(1000, 10, 5);
    for (unsigned i = 0; i < 60; i++, ticks++)
        budget_use(&domain.budget, ticks, 10);
    cr_assert_eq(budget_wait(&domain.budget), 0);
    cr_expect_geq(domain.budget.available, 1000 - 16 * 10);
    ticks += 15;
    budget_use(&domain.budget, ticks, 1);
    cr_expect_eq(domain.budget.available, 1000 - 1);
}

/* A more urgent task runs for some ticks wherever the clock is looked at: the wait is never one for ever. */
Test(budget, a_wait_ends_however_long_a_look_takes) {
    for (uint32_t look = 0; look < 40; look++)
        for (uint32_t late = 0; late < 20; late++) {
            start(1000, 10, 100);
            budget_use(&domain.budget, 100, 1500);
            ticks = 100 + late;
            a_look = look;
            cr_assert_leq(budget_wait(&domain.budget), 15);
        }
}

/* Runs that begin whenever they may: long ones (a kill comes at a tick), short ones before them, and with what a fault
 * costs. After many periods it is the budget's share of the time, and what it began with. */
static uint64_t used_by(uint32_t budget_us, uint32_t period_ms, uint32_t first, uint32_t second) {
    uint64_t used = 0;
    start(budget_us, period_ms, 1000);
    for (uint32_t end = ticks + 2000 * period_ms, turn = 0; ticks < end; turn++) {
        uint32_t wait = budget_wait(&domain.budget), cycles = turn % 2 ? second : first;
        ticks += wait;
        budget_use(&domain.budget, ticks, cycles);
        used += cycles;
        ticks += cycles / 1000;
    }
    return used;
}

Test(budget, no_runs_take_more_than_the_share) {
    static const uint32_t cycles[] = {1, 50, 99, 100, 101, 150, 999, 1000, 1099, 5000, 30000};
    enum { KINDS = sizeof(cycles) / sizeof(cycles[0]), BUDGET = 100 };
    for (uint32_t period = 1; period <= 10; period += 3)
        for (unsigned i = 0; i < KINDS; i++)
            for (unsigned k = 0; k < KINDS; k++) {
                uint64_t used = used_by(BUDGET, period, cycles[i], cycles[k]);
                cr_expect_leq(used, 2000 * BUDGET + 2 * (BUDGET + 30000), "%u ms: %u, %u: %llu",
                              period, cycles[i], cycles[k], (unsigned long long)used);
            }
}

/* Up to the largest budget there is: what comes back has all its bits. */
Test(budget, the_largest_one_comes_back) {
    core_hz = 168000000;
    start(60000000, 60000, 5);
    uint32_t full = domain.budget.cycles;
    budget_use(&domain.budget, 5, full - 1);
    budget_use(&domain.budget, 5, full + 2000000);
    ticks = 5 + 5 * 60000;
    cr_assert_eq(budget_wait(&domain.budget), 0);
    cr_assert_eq(domain.budget.available, (int32_t)full);
}
