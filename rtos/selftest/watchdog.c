/* SPDX-License-Identifier: MIT
 *
 * Promises that are kept; crash.c has one that is not. The hardware, where there is any, runs from here to
 * the next restart.
 */
#include "rtos/watchdog.h"
#include "selftest.h"

static struct watchdog mine, its;
static volatile uint32_t stop;

static void check_in_often(void *argument) {
    (void)argument;
    watchdog_register(&its, 20);
    while (!stop) {
        task_sleep(15);
        watchdog_check_in(&its);
    }
    watchdog_unregister(&its);
}

/* Fed four times in its time, while two tasks check in just in time. */
static const char *fed(void) {
    stop = 0;
    CHECK(watchdog_start(2000) == KERNEL_OK);
    CHECK(watchdog_start(80) == KERNEL_OK);
    CHECK(watchdog_register(&mine, 50) == KERNEL_OK);
    helper_start(0, 20, check_in_often);
    uint32_t feeds = watchdog_feeds();
    for (int i = 0; i < 4; i++) {
        task_sleep(50);
        CHECK(watchdog_check_in(&mine) == KERNEL_OK);
    }
    feeds = watchdog_feeds() - feeds;
    CHECK(feeds >= 9 && feeds <= 11);
    stop = 1;
    task_sleep(20);
    CHECK(watchdog_unregister(&mine) == KERNEL_OK);
    CHECK(watchdog_start(2000) == KERNEL_OK);
    return NULL;
}

/* Who has taken back the promise need not keep it; who renews it has a new one. */
static const char *released(void) {
    CHECK(watchdog_start(40) == KERNEL_OK);
    CHECK(watchdog_register(&mine, 10) == KERNEL_OK);
    CHECK(watchdog_register(&its, 10) == KERNEL_OK);
    CHECK(watchdog_unregister(&mine) == KERNEL_OK);
    CHECK(watchdog_register(&its, 100) == KERNEL_OK);
    task_sleep(60);
    CHECK(watchdog_unregister(&its) == KERNEL_OK);
    task_sleep(60);
    CHECK(watchdog_start(2000) == KERNEL_OK);
    return NULL;
}

static const char *refused(void) {
    CHECK(watchdog_start(WATCHDOG_MS_MIN - 1) == KERNEL_BAD_TIMEOUT);
    CHECK(watchdog_start(WATCHDOG_MS_MAX + 1) == KERNEL_BAD_TIMEOUT);
    CHECK(watchdog_register(NULL, 10) == KERNEL_BAD_ARGUMENT);
    CHECK(watchdog_register(&mine, 0) == KERNEL_BAD_ARGUMENT);
    CHECK(watchdog_register(&mine, 1u << 31) == KERNEL_BAD_ARGUMENT);
    CHECK(watchdog_check_in(&mine) == KERNEL_BAD_ARGUMENT);
    CHECK(watchdog_unregister(&mine) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

const struct test tests_watchdog[] = {
    {"watchdog", "fed", fed},
    {"watchdog", "released", released},
    {"watchdog", "refused", refused},
};
SUITE_END(watchdog);
