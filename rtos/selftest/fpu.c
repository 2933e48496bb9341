/* SPDX-License-Identifier: MIT */
#include "selftest.h"

/* fpu_pattern.S */
uint32_t core_pattern(uint32_t seed, volatile uint32_t *stop);
uint32_t fpu_pattern(uint32_t seed, volatile uint32_t *stop);

static volatile uint32_t stop, wrong, bursts;

static uint32_t seed_of(void *argument) {
    return 0x3F000000u + number_of(argument) * 0x00410100u; /* differs in the rounding mode, too */
}

static void use_core(void *argument) {
    wrong += core_pattern(seed_of(argument), &stop);
}

static void use_fpu(void *argument) {
    wrong += fpu_pattern(seed_of(argument), &stop);
}

/* Urgent and short, once a tick: interrupts the others at ever other instructions. */
static void use_fpu_in_bursts(void *argument) {
    volatile uint32_t once = 1;
    while (!stop) {
        wrong += fpu_pattern(seed_of(argument), &once);
        bursts++;
        task_sleep(1);
    }
}

/* EXC_RETURN in the saved context: bit 4 clear if the frame has the FPU's part. */
static bool saved_with_fpu(const struct task *task) {
    return !(task->sp[8] & 0x10);
}

static void begin(void) {
    stop = wrong = bursts = 0;
}

static const char *core_registers(void) {
    begin();
    for (unsigned i = 0; i < 3; i++)
        helper_start(i, 5, use_core);
    task_sleep(40);
    bool fpu = saved_with_fpu(&helpers[0]) || saved_with_fpu(&helpers[1]);
    stop = 1;
    task_sleep(3);
    CHECK(wrong == 0);
    CHECK(!fpu);
    return NULL;
}

static const char *context(void) {
    begin();
    helper_start(0, 5, use_fpu);
    helper_start(1, 5, use_fpu);
    helper_start(2, 5, use_core);
    helper_start(3, 20, use_fpu_in_bursts);
    task_sleep(60);
    bool fpu = saved_with_fpu(&helpers[0]) && saved_with_fpu(&helpers[1]);
    bool core = !saved_with_fpu(&helpers[2]);
    stop = 1;
    task_sleep(3);
    CHECK(wrong == 0);
    CHECK(bursts > 50);
    CHECK(fpu && core);
    return NULL;
}

const struct test tests_fpu[] = {
    {"fpu", "core_registers", core_registers},
    {"fpu", "context", context},
};
SUITE_END(fpu);
