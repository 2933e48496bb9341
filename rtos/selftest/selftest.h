/* SPDX-License-Identifier: MIT
 *
 * What tests are written with. A test runs in the console's task at priority TEST_PRIORITY, starts
 * helpers, and returns NULL or what was wrong. Helpers write letters to a trace, which shows the order in
 * which things happened; all of them must have ended when the test returns.
 */
#ifndef SELFTEST_INTERNAL_H
#define SELFTEST_INTERNAL_H

#include <string.h>

#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/selftest.h"

enum { TEST_PRIORITY = 10, HELPERS = 4, HELPER_STACK = 896 };

struct test {
    const char *suite, *name;
    const char *(*run)(void);
};

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)
/* What is wrong: the condition stands at this line of the suite's file. Its text would be a third of the image. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return "line " TEXT(__LINE__);                                                         \
    } while (0)

/* Bits of CFSR that tests expect (ARMv7-M, B3.2.15). */
enum {
    IACCVIOL = 1 << 0,
    DACCVIOL = 1 << 1 | 1 << 7, /* with MMFAR */
    MSTKERR = 1 << 4,
    PRECISERR = 1 << 9 | 1 << 15, /* with BFAR */
    UNDEFINSTR = 1 << 16,
    INVSTATE = 1 << 17,
    INVPC = 1 << 18,
    NOCP = 1 << 19,
    UNALIGNED = 1 << 24,
    DIVBYZERO = 1 << 25,
};

/* What a test returns when the board lacks what it needs: SKIP "reason". */
#define SKIP "SKIP "

/* A debugger is attached (DHCSR.C_DEBUGEN, C1.6.2): BKPT halts the core for it and is no fault. */
static inline bool is_debugged(void) {
    return *(volatile uint32_t *)0xE000EDF0 & 1;
}
#define SKIP_DEBUGGED SKIP "a debugger is attached, for which BKPT halts the core"

extern struct task helpers[HELPERS];
extern uint32_t helper_stacks[HELPERS][HELPER_STACK / 4];

/* run.c. The number of a helper is its argument. */
void helper_start(unsigned number, unsigned priority, void (*entry)(void *));
void helper_start_options(unsigned number, unsigned priority, void (*entry)(void *),
                          unsigned options);
bool helpers_ended(void);
void trace(char letter);               /* from a task or an interrupt */
bool trace_is(const char *text);       /* and starts a new one */
uint32_t use_up_stack(uint32_t depth); /* at least 32 bytes for each */

static inline bool texts_equal(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static inline unsigned number_of(void *argument) {
    return (unsigned)(uintptr_t)argument;
}

/* console.c: whether the log that survives a reset has the text */
bool log_has(const char *text);

/* Suites, and their lengths. */
#define SUITES(SUITE)                                                                              \
    SUITE(sched)                                                                                   \
    SUITE(sem)                                                                                     \
    SUITE(mutex)                                                                                   \
    SUITE(queue)                                                                                   \
    SUITE(mailbox)                                                                                 \
    SUITE(event)                                                                                   \
    SUITE(timer)                                                                                   \
    SUITE(idle)                                                                                    \
    SUITE(isr)                                                                                     \
    SUITE(fpu)                                                                                     \
    SUITE(stack)                                                                                   \
    SUITE(drivers)                                                                                 \
    SUITE(fault)                                                                                   \
    SUITE(console)                                                                                 \
    SUITE(attack)                                                                                  \
    SUITE(sandbox)                                                                                 \
    SUITE(watchdog)
#define SUITE_EXTERN(suite)                                                                        \
    extern const struct test tests_##suite[];                                                      \
    extern const unsigned tests_##suite##_count;
SUITES(SUITE_EXTERN)
SUITE_EXTERN(late) /* runs last, just after a restart */
#undef SUITE_EXTERN

#define SUITE_END(suite)                                                                           \
    const unsigned tests_##suite##_count = sizeof(tests_##suite) / sizeof(tests_##suite[0])

/* crash.c: tests that end in a restart. */
struct crash_test {
    const char *name;
    void (*run)(void); /* must not return */
    const char *(*check)(const struct fault_record *crash);
};
extern const struct crash_test crash_tests[];
extern const unsigned crash_tests_count;

#endif
