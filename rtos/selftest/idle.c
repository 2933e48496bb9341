/* SPDX-License-Identifier: MIT
 *
 * Ticks that nobody waits for do not wake the core, and time goes on as if they had.
 */
#include "hal/board.h"
#include "selftest.h"

static uint32_t counts_per_tick;
static volatile uint32_t alarms, unseen;

static uint32_t counts_asleep(uint32_t ticks) {
    task_sleep(1);
    uint32_t from = board_counter();
    task_sleep(ticks);
    return board_counter() - from;
}

static uint32_t apart(uint32_t a, uint32_t b) {
    return a > b ? a - b : b - a;
}

static void count_alarm(void) {
    alarms++;
}

/* Ticks of which each wakes the core are what long periods are compared with. They are slept through, too,
 * because QEMU's time does not run at the same rate asleep and awake. */
static void begin(void) {
    board_flush();
    board_counter_start();
    board_alarm_handler = count_alarm;
    task_sleep(1);
    uint32_t from = board_counter();
    for (int i = 0; i < 40; i++)
        task_sleep(1);
    counts_per_tick = (board_counter() - from) / 40;
}

/* Does this board have the alarm? */
static bool alarm_comes(void) {
    alarms = 0;
    board_alarm(counts_per_tick / 2);
    task_sleep(2);
    board_alarm(0);
    return alarms > 0;
}

static const char *wake_ups(void) {
    board_flush(); /* the transmitter's interrupts would wake the core */
    task_sleep(1);
    uint32_t wakeups = kernel_wakeups(), start = kernel_ticks();
    task_sleep(50);
    CHECK(kernel_ticks() - start == 50);
    CHECK(kernel_wakeups() - wakeups <= 2);
    wakeups = kernel_wakeups();
    for (int i = 0; i < 10; i++)
        task_sleep(1);
    CHECK(kernel_wakeups() - wakeups >= 10);
    return NULL;
}

/* Longer than the counter of the processor can count at once. */
static const char *long_sleep(void) {
    board_flush();
    task_sleep(1);
    uint64_t uptime = kernel_uptime();
    uint32_t wakeups = kernel_wakeups();
    task_sleep(1000);
    CHECK(kernel_uptime() - uptime == 1000);
    CHECK(kernel_wakeups() - wakeups <= 12);
    return NULL;
}

/* Against a clock that knows nothing of it: a long period is as long as its ticks, within 0.1 ticks. */
static const char *time(void) {
    begin();
    CHECK(counts_per_tick > 0);
    static const uint32_t lengths[] = {2, 3, 7, 20, 95};
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        CHECK(apart(counts_asleep(lengths[i]), lengths[i] * counts_per_tick) <
              counts_per_tick / 10);
    return NULL;
}

uint32_t arch_sleep(uint32_t ticks); /* as the idle task calls it, inside kernel_lock() */

/* Ticks that a sleep has let pass unseen are not in kernel_ticks(), which only the idle task moves on: whoever
 * does not count them waits for ever where the loop keeps in step with the tick and each falls into a sleep. */
static uint32_t counts_awake(unsigned ticks, bool sleep) {
    uint32_t start = kernel_ticks();
    while (kernel_ticks() == start)
        ;
    uint32_t from = board_counter();
    while (kernel_ticks() + unseen - start <= ticks) {
        if (!sleep)
            continue;
        for (unsigned i = alarms % 31; i; i--) /* not in step */
            __asm volatile("");
        uint32_t key = kernel_lock();
        board_spare_pend(BOARD_SPARE_KERNEL);
        unseen += arch_sleep(50);
        kernel_unlock(key);
    }
    return board_counter() - from;
}

/* A sleep that is over at once, at all distances from the next tick, does not move it. Each may lose or win
 * a ten thousandth of a tick, and the loop sees the last tick late. */
static const char *over_at_once(void) {
    begin();
    board_spare_handler[BOARD_SPARE_KERNEL] = count_alarm;
    unseen = alarms = 0;
    uint32_t counts = counts_awake(20, false);
    uint32_t with_sleep = counts_awake(20, true);
    CHECK(alarms > 500 && unseen <= 20);
    CHECK(apart(counts, with_sleep) < counts / 200 + alarms * (counts / 20 / 10000));
    return NULL;
}

/* The core is woken in the middle of long periods, at all distances from the next tick: none is lost,
 * none is counted twice, and they are not moved. */
static const char *interrupted(void) {
    begin();
    if (!alarm_comes())
        return SKIP "no alarm";
    alarms = 0;
    board_alarm(counts_per_tick * 17 / 7);
    uint32_t counts = counts_asleep(95);
    board_alarm(0);
    CHECK(alarms >= 35 && alarms <= 41);
    CHECK(apart(counts, 95 * counts_per_tick) < counts_per_tick / 10);
    /* often within a tick */
    board_alarm(counts_per_tick / 50);
    counts = counts_asleep(20);
    board_alarm(0);
    CHECK(alarms >= 900);
    CHECK(apart(counts, 20 * counts_per_tick) < counts_per_tick / 5);
    return NULL;
}

/* A wait for an interrupt ends with the interrupt. */
static struct semaphore woken;

static void give(void) {
    semaphore_give_isr(&woken);
}

static const char *waits_for_interrupt(void) {
    begin();
    if (!alarm_comes())
        return SKIP "no alarm";
    semaphore_init(&woken, 0, 1);
    board_alarm_handler = give;
    task_sleep(1);
    uint32_t start = kernel_ticks(), from = board_counter();
    board_alarm(counts_per_tick * 11 / 2);
    enum kernel_status status = semaphore_take(&woken, 90);
    uint32_t counts = board_counter() - from, ticks = kernel_ticks() - start;
    board_alarm(0);
    CHECK(status == KERNEL_OK);
    CHECK(ticks == 5);
    CHECK(apart(counts, counts_per_tick * 11 / 2) < counts_per_tick / 10);
    return NULL;
}

const struct test tests_idle[] = {
    {"idle", "wake_ups", wake_ups},
    {"idle", "long_sleep", long_sleep},
    {"idle", "time", time},
    {"idle", "over_at_once", over_at_once},
    {"idle", "interrupted", interrupted},
    {"idle", "waits_for_interrupt", waits_for_interrupt},
};
SUITE_END(idle);
