/* SPDX-License-Identifier: MIT
 *
 * Stacks that are too small: the guard must catch it, wherever it happens, end the right task and leave
 * its neighbours alone.
 */
#include "selftest.h"

/* stack_edge.S */
_Noreturn void stack_edge(uintptr_t sp);
_Noreturn void stack_edge_fpu(uintptr_t sp);
_Noreturn void stack_edge_call(uintptr_t sp);
_Noreturn void stack_edge_wait(uintptr_t sp, void *object, void *wait);

enum { GUARD = KERNEL_GUARD, FRAME = 32, FRAME_FPU = 104 };

static uintptr_t edge;

static void at_edge(void *argument) {
    (void)argument;
    stack_edge(edge);
}

static void at_edge_fpu(void *argument) {
    (void)argument;
    stack_edge_fpu(edge);
}

static void at_edge_call(void *argument) {
    (void)argument;
    stack_edge_call(edge);
}

static void too_deep(void *argument) {
    (void)argument;
    use_up_stack(UINT32_MAX);
}

static bool canary_is_intact(void) {
    const uint32_t *below = helper_stacks[0] + HELPER_STACK / 4 - 4;
    for (int i = 0; i < 4; i++)
        if (below[i] != 0x600D0000u + (unsigned)i)
            return false;
    return true;
}

/* Helper 1 overflows; what lies below its stack is the top of helper 0's. */
static const char *overflow_of(void (*entry)(void *), uint32_t exception) {
    uint32_t *below = helper_stacks[0] + HELPER_STACK / 4 - 4;
    for (int i = 0; i < 4; i++)
        below[i] = 0x600D0000u + (unsigned)i;
    uint32_t before = fault_last()->ticks; /* since start */
    task_sleep(1);
    helper_start_options(1, 5, entry, TASK_MAY_FAULT);
    task_sleep(4);
    const struct fault_record *fault = fault_last();
    CHECK(helpers[1].state == TASK_FAULTED);
    CHECK(fault->ticks != before);
    CHECK(fault->kind == FAULT_STACK_OVERFLOW);
    CHECK(texts_equal(fault->task, "helper1"));
    CHECK(fault->exception == exception);
    CHECK(canary_is_intact());
    return NULL;
}

static const char *overflow(void) {
    return overflow_of(too_deep, 0);
}

/* The processor itself runs into the guard, when it stacks for the tick. */
static const char *in_exception_entry(void) {
    edge = (uintptr_t)helper_stacks[1] + GUARD + 16;
    const char *wrong = overflow_of(at_edge, 0);
    return wrong ? wrong : fault_last()->frame_valid ? "a frame that was not written" : NULL;
}

/* The same for the call into a sandbox: the call, which then is still to come, must not come. */
static const char *in_supervisor_call(void) {
    edge = (uintptr_t)helper_stacks[1] + GUARD + 16;
    return overflow_of(at_edge_call, 0);
}

/* PendSV runs into it, when it stores r4-r11; and s16-s31. */
static const char *in_switch(void) {
    edge = (uintptr_t)helper_stacks[1] + GUARD + FRAME + 16;
    return overflow_of(at_edge, 14);
}

static const char *in_switch_fpu(void) {
    edge = (uintptr_t)helper_stacks[1] + GUARD + FRAME_FPU + 16;
    return overflow_of(at_edge_fpu, 14);
}

static const char *in_switch_fpu_core(void) {
    edge = (uintptr_t)helper_stacks[1] + GUARD + FRAME_FPU + 64 + 16;
    return overflow_of(at_edge_fpu, 14);
}

/* The stack has room for the call that waits, and none for the switch that follows: a task that is queued
 * already ends, and nobody may wake it any more. */
static struct semaphore edge_semaphore;

static void take_at_edge(void *argument) {
    (void)argument;
    stack_edge_wait(edge, &edge_semaphore, semaphore_take);
}

/* Bytes of stack that the wait and the switch take together. */
static uintptr_t depth_of(void (*entry)(void *)) {
    edge = (uintptr_t)helper_stacks[1] + HELPER_STACK / 2;
    helper_start_options(1, TEST_PRIORITY + 1, entry, TASK_MAY_FAULT);
    return edge - (uintptr_t)helper_stacks[1] - GUARD - task_stack_unused(&helpers[1]);
}

/* Not by more: an interrupt above the kernel's band may come in the masked section, and its frame has to fit. */
static uintptr_t too_little_by_a_word(uintptr_t depth) {
    return (uintptr_t)helper_stacks[1] + GUARD + ((depth - 1) & ~(uintptr_t)7);
}

static const char *while_waiting(void) {
    semaphore_init(&edge_semaphore, 0, 1);
    uintptr_t depth = depth_of(take_at_edge);
    CHECK(helpers[1].state == TASK_WAITING);
    semaphore_give(&edge_semaphore);
    CHECK(helpers[1].state == TASK_ENDED);
    edge = too_little_by_a_word(depth);
    helper_start_options(1, TEST_PRIORITY + 1, take_at_edge, TASK_MAY_FAULT);
    CHECK(helpers[1].state == TASK_FAULTED);
    CHECK(semaphore_take(&edge_semaphore, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    CHECK(semaphore_give(&edge_semaphore) == KERNEL_OK);
    CHECK(helpers[1].state == TASK_FAULTED);
    CHECK(semaphore_take(&edge_semaphore, KERNEL_NO_WAIT) == KERNEL_OK);
    return NULL;
}

/* A stack that is just large enough for all of it. */
static const char *fits(void) {
    edge = (uintptr_t)helper_stacks[1] + GUARD + FRAME_FPU + 64 + 40;
    helper_start_options(1, 5, at_edge_fpu, TASK_MAY_FAULT);
    task_sleep(4);
    bool alive = helpers[1].state == TASK_READY;
    size_t unused = task_stack_unused(&helpers[1]);
    /* it cannot end by itself: let it run into the guard */
    task_set_priority(&helpers[1], 4);
    helpers[1].sp[8 + 16 + 1 + 6] = (uint32_t)too_deep & ~1u; /* pc in its frame */
    task_sleep(4);
    CHECK(alive);
    CHECK(unused < 40);
    CHECK(helpers[1].state == TASK_FAULTED);
    return NULL;
}

static const char *wild_pointer(void) {
    edge = 0x30000000; /* reserved: no memory */
    helper_start_options(1, 5, at_edge, TASK_MAY_FAULT);
    task_sleep(4);
    CHECK(helpers[1].state == TASK_FAULTED);
    CHECK(fault_last()->kind == FAULT_BUS && !fault_last()->frame_valid);
    CHECK(texts_equal(fault_last()->task, "helper1"));
    return NULL;
}

__attribute__((noinline)) static void use_200(void *argument) {
    (void)argument;
    volatile uint32_t words[50];
    for (int i = 0; i < 50; i++)
        words[i] = 0;
    (void)words[0];
}

static const char *watermark(void) {
    helper_start(0, 5, use_200);
    size_t before = task_stack_unused(&helpers[0]);
    CHECK(before >= HELPER_STACK - GUARD - 72 && before <= HELPER_STACK - GUARD - 60);
    task_sleep(2); /* one whole tick at least */
    size_t after = task_stack_unused(&helpers[0]);
    CHECK(after <= HELPER_STACK - GUARD - 200 && after >= HELPER_STACK - GUARD - 400);
    return NULL;
}

const struct test tests_stack[] = {
    {"stack", "overflow", overflow},
    {"stack", "in_exception_entry", in_exception_entry},
    {"stack", "in_supervisor_call", in_supervisor_call},
    {"stack", "in_switch", in_switch},
    {"stack", "in_switch_fpu", in_switch_fpu},
    {"stack", "in_switch_fpu_core", in_switch_fpu_core},
    {"stack", "while_waiting", while_waiting},
    {"stack", "fits", fits},
    {"stack", "wild_pointer", wild_pointer},
    {"stack", "watermark", watermark},
};
SUITE_END(stack);
