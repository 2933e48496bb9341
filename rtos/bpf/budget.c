/* SPDX-License-Identifier: MIT
 *
 * The budget of a domain, as a sporadic server has it (Sprunt, Sha, Lehoczky 1989): what a run uses comes back a
 * period after the run began. A run begins while anything is left and may use a whole budget, or it is killed. What it
 * takes too much, or what a kill costs, is owed: it comes back later, by a period for each budget of debt. Otherwise
 * runs of a tick (no end is sooner) would go with any budget, however small. In the long run a domain has
 * budget/period of the processor, and a burst at most twice the budget.
 */
#include "domain.h"

#include "hal/board.h"

void budget_init(struct domain *domain) {
    uint32_t us = domain->grant->budget_us, mhz = board_core_hz() / 1000000;
    uint32_t most = INT32_MAX / 2 / mhz;
    struct domain_budget *budget = &domain->budget;
    *budget = (struct domain_budget){
        .cycles = (us < most ? us : most) * mhz,
        .period = (uint16_t)((domain->grant->period_us + 999) / 1000),
    };
    budget->available = (int32_t)budget->cycles;
}

static void budget_refill(struct domain_budget *budget, uint32_t now) {
    while (budget->used && (int32_t)(now - budget->refill[budget->first].at) >= 0) {
        budget->available =
            (int32_t)((uint32_t)budget->available + budget->refill[budget->first].cycles);
        budget->first = (uint8_t)((budget->first + 1) % DOMAIN_REFILLS);
        budget->used--;
    }
}

/* Ticks by which debt comes back later. */
static uint32_t delay_of(const struct domain_budget *budget) {
    if (budget->available >= 0)
        return 0;
    uint64_t debt = (uint64_t) - (int64_t)budget->available * budget->period;
    uint64_t ticks = (debt + budget->cycles - 1) / budget->cycles;
    return ticks < INT32_MAX / 2 ? (uint32_t)ticks : INT32_MAX / 2;
}

/* What comes back is gathered at multiples of half a period, later rather than sooner: without debt it lies at
 * no more than three different times, once what was due when the run began has come back. */
void budget_use(struct domain_budget *budget, uint32_t began, uint32_t cycles) {
    budget_refill(budget, began);
    budget->available -= (int32_t)cycles;
    uint32_t half = (budget->period + 1u) / 2;
    uint32_t at = began + budget->period + delay_of(budget) + half - 1;
    at -= at % half;
    unsigned last = (budget->first + budget->used - 1u) % DOMAIN_REFILLS;
    if (budget->used && (int32_t)(at - budget->refill[last].at) < 0)
        at = budget->refill[last].at; /* in order */
    if (!budget->used || (budget->refill[last].at != at && budget->used < DOMAIN_REFILLS)) {
        last = (budget->first + budget->used++) % DOMAIN_REFILLS;
        budget->refill[last].cycles = 0;
    }
    budget->refill[last].at = at;
    budget->refill[last].cycles += cycles;
}

/* Ticks until a run may begin; 0: now, although something may be due. By one look at the clock: what is left then is
 * ahead, and a wait never becomes one for ever because a more urgent task has run between two looks. */
uint32_t budget_wait(struct domain_budget *budget) {
    if (budget->available > 0 || !budget->used)
        return 0;
    uint32_t now = kernel_ticks();
    budget_refill(budget, now);
    if (budget->available > 0 || !budget->used)
        return 0;
    return budget->refill[budget->first].at - now;
}
