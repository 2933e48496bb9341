/* SPDX-License-Identifier: MIT
 *
 * Every fault kind, as a task that ends by it.
 */
#include "selftest.h"

static const uintptr_t NO_MEMORY = 0x30000000; /* reserved in RM0090 2.3, table 1 */
extern uint32_t _main_stack_bottom[];

/* Runs in a more urgent helper, so it is over when this returns. */
static const char *fault_of(void (*entry)(void *), enum fault_kind kind, uint32_t cfsr) {
    task_sleep(1);
    uint32_t before = (uint32_t)kernel_uptime();
    helper_start_options(2, 20, entry, TASK_MAY_FAULT);
    const struct fault_record *fault = fault_last();
    CHECK(helpers[2].state == TASK_FAULTED);
    CHECK(texts_equal(fault->task, "helper2"));
    CHECK(fault->ticks - before <= 1); /* now may be later: the report is printed first */
    CHECK(fault->kind == kind);
    CHECK(fault->cfsr == cfsr);
    CHECK(fault->frame_valid);
    return NULL;
}

__attribute__((noinline)) static void do_undefined(void *argument) {
    (void)argument;
    __asm volatile("mov r4, %0\n mov r0, %1\n udf #0" : : "r"(0x4444), "r"(0x1234) : "r0", "r4");
}

static const char *undefined(void) {
    const char *wrong = fault_of(do_undefined, FAULT_USAGE, UNDEFINSTR);
    if (wrong)
        return wrong;
    const struct fault_record *fault = fault_last();
    CHECK(fault->frame[FRAME_R0] == 0x1234 && fault->r4_r11[0] == 0x4444);
    CHECK(*(const uint16_t *)fault->frame[FRAME_PC] == 0xDE00); /* pc is at the UDF */
    CHECK(fault->exception == 0);
    return NULL;
}

static void do_divide(void *argument) {
    uint32_t quotient;
    __asm volatile("udiv %0, %1, %2" : "=r"(quotient) : "r"(7), "r"((uint32_t)argument * 0));
}

static const char *divide_by_zero(void) {
    return fault_of(do_divide, FAULT_USAGE, DIVBYZERO);
}

static void do_unaligned(void *argument) {
    (void)argument;
    static uint32_t words[4];
    __asm volatile("ldrd r2, r3, [%0]" : : "r"((uintptr_t)words + 2) : "r2", "r3", "memory");
}

static const char *unaligned(void) {
    return fault_of(do_unaligned, FAULT_USAGE, UNALIGNED);
}

static void do_even_jump(void *argument) {
    (void)argument;
    __asm volatile("blx %0" : : "r"((uintptr_t)do_unaligned & ~1u) : "lr", "memory");
}

static const char *not_thumb(void) {
    return fault_of(do_even_jump, FAULT_USAGE, INVSTATE);
}

static void do_coprocessor(void *argument) {
    (void)argument;
    uint32_t value;
    __asm volatile("mrc p5, 0, %0, c0, c0, 0" : "=r"(value));
}

static const char *no_coprocessor(void) {
    return fault_of(do_coprocessor, FAULT_USAGE, NOCP);
}

static void do_read_nothing(void *argument) {
    (void)argument;
    (void)*(volatile uint32_t *)NO_MEMORY;
}

static const char *bus(void) {
    const char *wrong = fault_of(do_read_nothing, FAULT_BUS, PRECISERR);
    if (wrong)
        return wrong;
    CHECK(fault_last()->bfar == NO_MEMORY);
    return NULL;
}

static void do_write_guard(void *argument) {
    (void)argument;
    *(volatile uint32_t *)(_main_stack_bottom + 2) = 1;
}

static const char *memory(void) {
    const char *wrong = fault_of(do_write_guard, FAULT_MEMORY, DACCVIOL);
    if (wrong)
        return wrong;
    CHECK(fault_last()->mmfar == (uint32_t)(_main_stack_bottom + 2));
    return NULL;
}

static void do_read_null(void *argument) {
    (void)*(volatile uint32_t *)((uintptr_t)argument * 2); /* helper 2 */
}

static void do_call_null(void *argument) {
    (void)argument;
    ((void (*)(void))1)();
}

/* The flash is at 0 a second time: without the MPU a null pointer would lead to an object. */
static const char *null(void) {
    const char *wrong = fault_of(do_read_null, FAULT_MEMORY, DACCVIOL);
    if (wrong)
        return wrong;
    CHECK(fault_last()->mmfar == 4);
    return fault_of(do_call_null, FAULT_MEMORY, IACCVIOL);
}

static void do_execute_device(void *argument) {
    (void)argument;
    ((void (*)(void))0x40000001)(); /* peripherals: execute never in the default map */
}

static const char *execute(void) {
    return fault_of(do_execute_device, FAULT_MEMORY, IACCVIOL);
}

static void do_breakpoint(void *argument) {
    (void)argument;
    __asm volatile("bkpt #1");
}

static const char *breakpoint(void) {
    if (is_debugged())
        return SKIP_DEBUGGED;
    const char *wrong = fault_of(do_breakpoint, FAULT_HARD, 0);
    if (wrong)
        return wrong;
    /* DEBUGEVT on the chip; QEMU says FORCED. */
    CHECK(fault_last()->hfsr == 1u << 31 || fault_last()->hfsr == 1u << 30);
    return NULL;
}

__attribute__((noinline)) static void inner(void) {
    do_undefined(NULL);
    __asm volatile("");
}

__attribute__((noinline)) static void outer(void *argument) {
    (void)argument;
    inner();
    __asm volatile("");
}

/* The list has the address behind outer's call of inner. */
static const char *return_addresses(void) {
    const char *wrong = fault_of(outer, FAULT_USAGE, UNDEFINSTR);
    if (wrong)
        return wrong;
    uint32_t from = (uint32_t)outer & ~1u;
    for (int i = 0; i < FAULT_RETURNS; i++)
        if (fault_last()->returns[i] - from < 16)
            return NULL;
    return "the caller is not among the possible return addresses";
}

static struct mutex mutex;

static void fault_in_mutex(void *argument) {
    mutex_lock(&mutex, KERNEL_FOREVER);
    task_sleep(2);
    do_undefined(argument);
}

/* What a task holds when it faults goes on to who waits for it, and says so. */
static const char *in_mutex(void) {
    mutex_init(&mutex);
    helper_start_options(0, 20, fault_in_mutex, TASK_MAY_FAULT);
    CHECK(mutex_lock(&mutex, KERNEL_FOREVER) == KERNEL_OWNER_DIED);
    CHECK(helpers[0].state == TASK_FAULTED);
    CHECK(mutex_unlock(&mutex) == KERNEL_OK);
    return NULL;
}

const struct test tests_fault[] = {
    {"fault", "undefined", undefined},
    {"fault", "divide_by_zero", divide_by_zero},
    {"fault", "unaligned", unaligned},
    {"fault", "not_thumb", not_thumb},
    {"fault", "no_coprocessor", no_coprocessor},
    {"fault", "bus", bus},
    {"fault", "memory", memory},
    {"fault", "null", null},
    {"fault", "execute", execute},
    {"fault", "breakpoint", breakpoint},
    {"fault", "return_addresses", return_addresses},
    {"fault", "in_mutex", in_mutex},
};
SUITE_END(fault);
