/* SPDX-License-Identifier: MIT */
/* The budget of a domain: what a run uses comes back a period later, and the wait for it always ends. */
#include "rtos/bpf/budget.c"

#include <criterion/criterion.h>

static uint32_t ticks, a_look; /* what passes with each look at the clock */
static struct bpf_grant grant;
static struct domain domain;

uint32_t kernel_ticks(void) {
    uint32_t now = ticks;
    ticks += a_look;
    return now;
}

uint32_t board_core_hz(void) {
    return 1000000;
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
