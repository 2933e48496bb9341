/* SPDX-License-Identifier: MIT */
#include "attack.h"

extern const char _attack_code[], _attack_library[];

struct sandbox boxes[BOXES];
struct sandbox_layout box_layouts[BOXES];
/* The first arena ends with a page of QEMU's, 1 KiB: only there does it look at the second half of an unaligned
 * access by itself. */
alignas(2 * ARENA) struct arenas arenas;
_Static_assert(2 * ARENA == 1024, "see above");

/* Objects that nobody uses: a change is somebody's attack. */
static struct semaphore idle_semaphore;
static struct mutex idle_mutex;
static struct event idle_event;
static volatile uint32_t alive, stop;

static uint64_t call_sum(struct sandbox *box, const uint32_t *frame) {
    uint32_t sum = frame[FRAME_R0] + frame[FRAME_R1] + frame[FRAME_R2] + frame[FRAME_R3];
    uint32_t fifth = (uint32_t)(frame + FAULT_FRAME) + (frame[FRAME_PSR] >> 9 & 1) * 4;
    if (sandbox_reaches(box, fifth, 4))
        sum += *(const uint32_t *)fifth;
    return (uint64_t)0x1234 << 32 | sum;
}

static uint64_t call_kill(struct sandbox *box, const uint32_t *frame) {
    (void)frame;
    sandbox_kill(box);
    return 0;
}

static sandbox_call *const calls[] = {call_sum, call_kill};

void boxes_init(void) {
    for (unsigned i = 0; i < BOXES; i++) {
        uint32_t *arena = arenas.arena[i];
        box_layouts[i] = (struct sandbox_layout){
            .code = {(uint32_t)_attack_code, 1024, 0, MPU_CODE},
            .arena = {(uint32_t)arena, ARENA, 0, MPU_DATA},
            .library = {(uint32_t)_attack_library, 256, 0xF0, MPU_LIBRARY},
            .stack_top = (uint32_t)arena + ARENA / 2,
            .static_base = (uint32_t)arena,
            .leave = (uint32_t)attack_leave,
            .calls = calls,
            .call_count = sizeof(calls) / sizeof(calls[0]),
        };
        for (unsigned w = 0; w < ARENA_WORDS; w++)
            arena[w] = 0;
        if (sandbox_init(&boxes[i], &box_layouts[i]))
            fault_panic("selftest: sandbox_init");
    }
    for (unsigned w = 0; w < ARENA_WORDS; w++)
        arenas.below[w] = arenas.above[w] = 0x600D0000u + w;
}

uint32_t cycles_of_ticks(uint32_t ticks) {
    return ticks * ((*(volatile uint32_t *)0xE000E014 & 0xFFFFFF) + 1); /* SYST_RVR */
}

enum kernel_status box_run(unsigned number, void (*code)(void), const uint32_t arguments[4],
                           uint32_t budget) {
    static const uint32_t none[4];
    return sandbox_run(&boxes[number], (uint32_t)code, arguments ? arguments : none, budget);
}

static uint32_t add_words(uint32_t sum, const void *from, size_t bytes) {
    for (const uint32_t *word = from; bytes >= 4; bytes -= 4)
        sum = (sum << 5 | sum >> 27) ^ *word++;
    return sum;
}

static uint32_t add_task(uint32_t sum, const struct task *task) {
    const uint32_t fixed[] = {(uint32_t)task->name,
                              (uint32_t)task->stack,
                              (uint32_t)task->sandbox,
                              (uint32_t)task->stack_top,
                              task->base,
                              task->priority,
                              task->options,
                              task->suspended};
    return add_words(sum, fixed, sizeof(fixed));
}

/* Registers of the core that decide who may do what. */
static uint32_t add_core(uint32_t sum) {
    static const uint32_t registers[] = {
        0xE000E014,                         /* SysTick's reload */
        0xE000E100, 0xE000E104, 0xE000E108, /* interrupts that are enabled */
        0xE000ED08, 0xE000ED14, 0xE000ED18, 0xE000ED1C, 0xE000ED20, /* vectors, priorities */
        0xE000ED24,             /* exceptions that are pending or active */
        0xE000ED28, 0xE000ED2C, /* fault flags */
        0xE000ED88, 0xE000ED94, /* FPU access, MPU */
    };
    uint32_t special[5];
    __asm volatile(
        "mrs %0, primask\n mrs %1, basepri\n mrs %2, faultmask\n mrs %3, control\n mrs %4, msp"
        : "=r"(special[0]), "=r"(special[1]), "=r"(special[2]), "=r"(special[3]), "=r"(special[4]));
    special[3] &= 3; /* whether this task uses the FPU is no matter */
    sum = add_words(sum, special, sizeof(special));
    for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        uint32_t value = *(volatile uint32_t *)registers[i];
        sum = add_words(sum, &value, sizeof(value));
    }
    return sum;
}

uint32_t kernel_sum(void) {
    uint32_t sum = add_core(0);
    uint32_t key = kernel_lock();
    for (struct task *task = task_iterate(NULL); task; task = task_iterate(task))
        sum = add_task(sum, task);
    kernel_unlock(key);
    sum = add_words(sum, helpers, 3 * sizeof(helpers[0])); /* not in use */
    for (unsigned i = 0; i < 3; i++)
        sum = add_words(sum, helper_stacks[i] + KERNEL_GUARD / 4, HELPER_STACK - KERNEL_GUARD);
    sum = add_words(sum, &idle_semaphore, sizeof(idle_semaphore));
    sum = add_words(sum, &idle_mutex, sizeof(idle_mutex));
    sum = add_words(sum, &idle_event, sizeof(idle_event));
    sum = add_words(sum, arenas.below, sizeof(arenas.below));
    return add_words(sum, arenas.above, sizeof(arenas.above));
}

static void count_ticks(void *argument) {
    (void)argument;
    while (!stop) {
        alive++;
        task_sleep(1);
    }
}

const char *unharmed(uint32_t sum_before) {
    CHECK(kernel_sum() == sum_before);
    CHECK(!task_self()->sandbox && !boxes[0].task);
    stop = 0;
    alive = 0;
    helper_start(3, 5, count_ticks);
    task_sleep(1);
    uint32_t start = kernel_ticks();
    task_sleep(3);
    stop = 1;
    CHECK(kernel_ticks() - start == 3);
    CHECK(alive >= 2);
    task_sleep(2);
    return NULL;
}
