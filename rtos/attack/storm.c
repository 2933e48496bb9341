/* SPDX-License-Identifier: MIT
 *
 * Event storms: programs that cause events for themselves and others as fast as they can, with half of the processor granted
 * and above the neighbour. Meanwhile the neighbour's periods are all run or counted as missed, and a more urgent task, as
 * the console is one, wakes up in time; what the storm itself cannot handle is counted.
 */
#include "attack.h"

#include "bpf/map.h"
#include "hal/gpio.h"
#include "hal/uart.h"

#include <string.h>

/* clang-format off */
#define BLOBS(_) _(edges) _(faults) _(line) _(log) _(ring) _(steady) _(switches) _(ticks) _(timers)
/* clang-format on */
#define DECLARE(name) extern const uint8_t storm_##name[], storm_##name##_end[];
BLOBS(DECLARE)
#undef DECLARE

enum {
    STORM_TICKS = 200,
    CALM_TICKS = 50,
    AWAKE_NS = 100000,
    LOADED = 2,
    RING =
        24, /* words: what changes in rings of drivers is not the same each time, but all around it does */
};

static bool anywhere(void) {
    return true;
}

/* QEMU's pins have no interrupts, and no drivers. */
static bool has_pins(void) {
    return gpio_configure(GPIO_PIN('D', 0), GPIO_OUTPUT) == KERNEL_OK;
}

static bool has_line(void) {
    return has_pins() && uart_probe(3) == KERNEL_OK;
}

static const struct storm {
    const char *name;
    const uint8_t *blob, *end;
    const char *grant;   /* besides half of the processor */
    bool (*there)(void); /* the devices that it wants */
    unsigned domains;    /* with this blob */
    bool loses;          /* events, which have to be counted */
} storms[] = {
#define ROW(name, ...)                                                                             \
    { "storm_" #name, storm_##name, storm_##name##_end, __VA_ARGS__ }
    ROW(ticks, "", anywhere, 1, true),
    ROW(log, "", anywhere, 1, false),
    ROW(ring, "", anywhere, 1, true),
    ROW(timers, "", anywhere, 1, false),
    ROW(faults, "trace", anywhere, 1, false),
    ROW(switches, "trace", anywhere, 2, false),
    ROW(edges, "gpio:PD0=out gpio:PD0=in", has_pins, 1, true),
    ROW(line, "uart:3", has_line, 1, false),
#undef ROW
};
enum { STORMS = sizeof(storms) / sizeof(storms[0]) };

/* ----- domains --------------------------------------------------------------------------------------- */

static struct loaded {
    struct domain *domain;
    struct bpf_grant grant;
    uint32_t address, taken;
} loaded[LOADED], steady;

static void unload(struct loaded *l) {
    if (l->domain) {
        domain_end(l->domain);
        domain_free(l->domain);
    }
    if (l->taken)
        pool_free(l->address, l->taken);
    *l = (struct loaded){0};
}

static bool load(struct loaded *l, const char *name, const uint8_t *blob, const uint8_t *end,
                 const char *const grants[2]) {
    struct bpf_grant_error error;
    uint32_t where, size = (uint32_t)(end - blob);
    *l = (struct loaded){.grant = bpf_grant_default};
    for (unsigned i = 0; i < 2; i++)
        if (!bpf_grant_parse(grants[i], strlen(grants[i]), &l->grant, &error))
            return false;
    l->taken = pool_allocate(size, &l->address);
    if (!l->taken)
        return false;
    memcpy((void *)l->address, blob, size);
    return !domain_make(name, (void *)l->address, size, &l->grant, &l->domain, &where);
}

/* ----- what must hold meanwhile ------------------------------------------------------------------------ */

static void stop(struct domain *domain, void *nothing) {
    (void)nothing;
    domain_stop(domain);
}

struct counts {
    uint32_t runs, lost;
};

static void read_counts(struct domain *domain, void *argument) {
    struct counts *counts = argument;
    for (uint32_t key = 0; key < 2; key++) {
        const uint32_t *value = bpf_map_lookup(domain_map(domain, 0), &key);
        *(key ? &counts->lost : &counts->runs) = value ? *value : 0;
    }
}

/* Every period is one or the other, but for those that are still to come. */
static bool is_steady(uint64_t ticks) {
    struct counts counts = {0, 0};
    if (domain_do(steady.domain, read_counts, &counts, PROGRAMS_TIMEOUT))
        return false;
    uint32_t sum = counts.runs + counts.lost;
    return sum + 4 >= ticks && sum <= ticks + 1 && counts.runs >= ticks / 8;
}

/* For so many ticks; false: a task that is more urgent than all programs has not had its time. */
static bool sleep_through(uint32_t ticks) {
    bool good = true;
    for (uint32_t i = 0; i < ticks; i++) {
        uint64_t began = clock_ns();
        task_sleep(1);
        good &= clock_ns() - began < 1000000000 / KERNEL_TICK_HZ + AWAKE_NS;
    }
    return good;
}

static struct counts sum_of(const struct domain *domain) {
    struct counts sum = {0, 0};
    for (uint32_t i = 0; i < domain->blob->programs.count + (domain->timers != NULL); i++) {
        sum.runs += domain->entries[i].runs;
        sum.lost += domain->entries[i].overruns;
    }
    return sum;
}

static const char *weather(const struct storm *storm, uint32_t ticks) {
    uint64_t began = kernel_uptime();
    const char *wrong = sleep_through(ticks) ? NULL : "an urgent task had to wait";
    struct counts stormed = {0, 0};
    for (unsigned i = 0; i < storm->domains; i++) {
        domain_do(loaded[i].domain, stop, NULL, PROGRAMS_TIMEOUT);
        struct counts sum = sum_of(loaded[i].domain);
        stormed.runs += sum.runs;
        stormed.lost += sum.lost;
    }
    if (!wrong && !is_steady(kernel_uptime() - began))
        wrong = "the neighbour has lost periods that nobody counts";
    domain_do(steady.domain, stop, NULL, PROGRAMS_TIMEOUT);
    if (!wrong && stormed.runs < ticks / 16)
        wrong = "that was no storm";
    return !wrong && storm->loses && !stormed.lost ? "no event was lost" : wrong;
}

static bool load_all(const struct storm *storm, const char *budget) {
    static const char *const names[LOADED] = {"storm", "second"};
    bool good =
        load(&steady, "steady", storm_steady, storm_steady_end, (const char *const[2]){"", ""});
    for (unsigned i = 0; i < storm->domains; i++)
        good &= load(&loaded[i], names[i], storm->blob, storm->end,
                     (const char *const[2]){budget, storm->grant});
    return good;
}

static void allow_numbers(const struct storm *storm) {
    attack_allow_numbers(steady.domain);
    for (unsigned i = 0; i < storm->domains; i++)
        attack_allow_numbers(loaded[i].domain);
}

/* With the neighbour. The canary has to look before anything runs. */
static const char *blow(const struct storm *storm, const char *budget, uint32_t ticks, bool armed) {
    bool good = load_all(storm, budget);
    if (armed)
        canary_arm();
    else if (good)
        allow_numbers(storm);
    good = good && !domain_start(steady.domain);
    for (unsigned i = 0; i < storm->domains; i++)
        good = good && !domain_start(loaded[i].domain);
    const char *wrong = good ? weather(storm, ticks) : "it was not loaded";
    if (!wrong && armed)
        wrong = attack_hold(RING);
    for (unsigned i = 0; i < storm->domains; i++)
        unload(&loaded[i]);
    unload(&steady);
    return wrong;
}

/* ----- for attack.c ------------------------------------------------------------------------------------ */

void storms_learn(void) {
    for (unsigned i = 0; i < STORMS; i++)
        if (storms[i].there())
            blow(&storms[i], "budget=100us/10ms priority=9 policy=continue", CALM_TICKS, false);
}

void storms_run(void) {
    for (unsigned i = 0; i < STORMS; i++)
        attack_report(
            storms[i].name,
            storms[i].there()
                ? blow(&storms[i], "budget=1ms/2ms priority=9 policy=continue", STORM_TICKS, true)
                : ATTACK_SKIP);
}
