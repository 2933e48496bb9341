/* SPDX-License-Identifier: MIT */
#include "hal/board.h"
#include "rtos/print.h"
#include "selftest.h"

struct task helpers[HELPERS];
alignas(KERNEL_GUARD) uint32_t helper_stacks[HELPERS][HELPER_STACK / 4];
static const char *const helper_names[HELPERS] = {"helper0", "helper1", "helper2", "helper3"};

static char traced[64];
static unsigned trace_length;

/* What survives the restarts of the crash tests. */
static const uint32_t RUNNING = 0x53454C46, FINISHED = 0x444F4E45;
__attribute__((section(".keep"))) static struct {
    uint32_t magic;
    uint32_t crash_test; /* the one that is to have caused the restart */
    uint32_t passed, failed, skipped;
} keep;

void helper_start_options(unsigned number, unsigned priority, void (*entry)(void *),
                          unsigned options) {
    const struct task_config config = {.name = helper_names[number],
                                       .entry = entry,
                                       .argument = (void *)(uintptr_t)number,
                                       .priority = (uint8_t)priority,
                                       .options = (uint8_t)options,
                                       .stack = helper_stacks[number],
                                       .stack_size = HELPER_STACK};
    enum kernel_status status = task_create(&helpers[number], &config);
    if (status)
        fault_panic(kernel_status_text(status));
}

void helper_start(unsigned number, unsigned priority, void (*entry)(void *)) {
    helper_start_options(number, priority, entry, 0);
}

bool helpers_ended(void) {
    for (unsigned i = 0; i < HELPERS; i++)
        if (helpers[i].state == TASK_READY || helpers[i].state == TASK_WAITING)
            return false;
    return true;
}

void trace(char letter) {
    uint32_t key = kernel_lock();
    if (trace_length < sizeof(traced) - 1)
        traced[trace_length++] = letter;
    kernel_unlock(key);
}

bool trace_is(const char *text) {
    traced[trace_length] = 0;
    bool equal = texts_equal(traced, text);
    if (!equal)
        print("selftest: trace is \"%s\", expected \"%s\"\n", traced, text);
    trace_length = 0;
    return equal;
}

__attribute__((noinline)) uint32_t use_up_stack(uint32_t depth) {
    volatile uint32_t here[8] = {depth};
    return depth ? use_up_stack(here[0] - 1) + here[3] : 0;
}

static bool begins_with(const char *text, const char *start) {
    while (*start && *text == *start)
        text++, start++;
    return !*start;
}

static void report(const char *suite, const char *name, const char *wrong) {
    if (wrong && begins_with(wrong, SKIP)) {
        keep.skipped++;
        print("selftest: %s.%s: %s\n", suite, name, wrong);
    } else if (wrong) {
        keep.failed++;
        print("selftest: %s.%s: FAIL %s\n", suite, name, wrong);
    } else {
        keep.passed++;
        print("selftest: %s.%s: PASS\n", suite, name);
    }
}

/* Of faults that tests have made: their lines would come between those of the tests. */
static void wait_for_reports(void) {
    do
        task_sleep(1);
    while (fault_report_busy());
}

/* A helper that is left over would disturb all that follows: there is no going on. */
static void run_one(const struct test *test) {
    wait_for_reports();
    task_sleep(1); /* to the beginning of a tick: tests do not depend on what was before them */
    trace_length = 0;
    const char *wrong = test->run();
    if (!wrong && task_self()->priority != TEST_PRIORITY)
        wrong = "the test left another priority";
    if (!wrong && task_self()->held)
        wrong = "the test left a mutex locked";
    if (!wrong && !helpers_ended())
        wrong = "a helper has not ended";
    report(test->suite, test->name, wrong);
    if (!helpers_ended())
        fault_panic("selftest: a helper has not ended");
}

static void run_suite(const struct test *tests, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        run_one(&tests[i]);
}

static void finish(void) {
    wait_for_reports();
    print("selftest: %u passed, %u failed, %u skipped\n", (unsigned)keep.passed,
          (unsigned)keep.failed, (unsigned)keep.skipped);
    print("selftest: result: %s\n", keep.failed ? "FAIL" : "PASS");
    keep.magic = FINISHED;
}

static void crash_next(void) {
    if (keep.crash_test == crash_tests_count) {
        run_suite(tests_late, tests_late_count);
        finish();
        return;
    }
    crash_tests[keep.crash_test].run();
    report("crash", crash_tests[keep.crash_test].name, "it returned");
    finish();
}

/* By name; the last one restarts the board and goes on with the tests that want that. */
static const struct suite {
    const char *name;
    const struct test *tests;
    const unsigned *count;
} suites[] = {
#define SUITE_ROW(suite) {#suite, tests_##suite, &tests_##suite##_count},
    SUITES(SUITE_ROW)
#undef SUITE_ROW
        {"crash", NULL, NULL},
};
enum { SUITES_COUNT = sizeof(suites) / sizeof(suites[0]) };

const char *selftest_suite(unsigned index) {
    return index < SUITES_COUNT ? suites[index].name : NULL;
}

bool selftest_run(const char *only) {
    bool found = false;
    for (unsigned i = 0; i < SUITES_COUNT; i++) {
        if (only && !texts_equal(suites[i].name, only))
            continue;
        if (!found) {
            keep.magic = RUNNING;
            keep.crash_test = UINT32_MAX; /* a restart before the crash tests is a failure */
            keep.passed = keep.failed = keep.skipped = 0;
        }
        found = true;
        if (suites[i].tests) {
            run_suite(suites[i].tests, *suites[i].count);
        } else {
            keep.crash_test = 0;
            crash_next(); /* does not return */
        }
    }
    if (found)
        finish();
    return found;
}

void selftest_resume(const struct fault_record *crash) {
    if (keep.magic != RUNNING)
        return;
    if (keep.crash_test >= crash_tests_count) {
        report("run", "no_restart", "the board restarted in the middle of the tests");
        finish();
        return;
    }
    const struct crash_test *test = &crash_tests[keep.crash_test++];
    report("crash", test->name, crash ? test->check(crash) : "no crash record");
    crash_next();
}

bool selftest_failed(void) {
    return keep.magic == RUNNING || (keep.magic == FINISHED && keep.failed != 0);
}
