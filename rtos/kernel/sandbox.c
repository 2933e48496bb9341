/* SPDX-License-Identifier: MIT
 *
 * Unprivileged code, run by a task as if it were a call.
 *
 * The walls are the processor's: three regions of the MPU, and no background map for unprivileged code.
 * Behind them nothing here believes anything:
 *
 * - Its stack pointer may be anything at any time. The processor stacks with the sandbox's own rights, so
 *   that a bad one is a MemManage fault (MSTKERR), which is more urgent than SVCall and comes first. The
 *   switch stores its registers in struct sandbox (switch.S). Only SVC_Handler looks behind the pointer,
 *   after a range check, and only the frame that the processor has just written.
 * - The number of a call is looked up in a table, after a comparison. Arguments are read from the frame: a
 *   more urgent interrupt may have changed the registers before the handler's first instruction.
 * - FPU instructions are undefined to it (CPACR), masks and CONTROL cannot be written, the system
 *   registers are a BusFault.
 *
 * There is one way out. enter() keeps the frame of the caller's own supervisor call; leave() puts it
 * back, with privilege, and the exception returns to enter.S as if the call had taken a while. An exit, a
 * bad call and a fault do so in their own exception. A kill and the end of the budget are only noted
 * (sandbox.kill): PendSV finds the note when it is about to let the sandbox go on, so a sandbox is
 * never taken out of the middle of a call or of an interrupt.
 *
 * The budget is time in which the sandbox is the running code, counted from switch to switch by SysTick,
 * not by CYCCNT, which stops while it waits in WFI. It is compared at every tick: a sandbox that does not
 * end can have up to one tick more than its budget.
 */
#include "rtos/sandbox.h"
#include "kernel.h"
#include "rtos/core.h"

_Static_assert(offsetof(struct task, sandbox) == 4, "switch.S");
_Static_assert(offsetof(struct sandbox, sp) == 36, "switch.S");
_Static_assert(offsetof(struct sandbox, layout) == 48, "enter.S");
_Static_assert(MPU_DATA == MPU_CODE + 1 && MPU_LIBRARY == MPU_CODE + 2, "sandbox_init()");
_Static_assert(offsetof(struct sandbox_layout, static_base) == 40, "enter.S");

static struct sandbox *loaded; /* whose regions the MPU has */

static const uint32_t BUDGET_MAX = INT32_MAX; /* cycles cannot wrap before it is found */

/* ----- beginning and end; from exceptions that the kernel's band cannot interrupt ------------------- */

static inline void charge(struct sandbox *box, uint32_t now) {
    box->result.cycles += now - box->since;
    box->since = now;
}

static inline void load_regions(struct sandbox *box) {
    if (loaded == box)
        return;
    loaded = box;
    arch_regions(box->regions);
}

struct arguments {
    uint32_t r[4];
};

/* As if the sandbox had been interrupted before its first instruction. */
static inline void fill_frame(const struct sandbox_layout *layout, uint32_t function,
                              const uint32_t arguments[4]) {
    uint32_t *frame = (uint32_t *)(layout->stack_top - SANDBOX_FRAME);
    *(struct arguments *)frame = *(const struct arguments *)arguments; /* LDM, STM */
    frame[FRAME_R12] = 0;
    frame[FRAME_LR] = layout->leave;
    frame[FRAME_PC] = function & ~1u;
    frame[FRAME_PSR] = 1u << 24; /* Thumb */
    arch_set_unprivileged(true);
    arch_set_thread_sp(frame);
}

/* The frame has the arguments of sandbox_run(), and gets what it returns. */
KERNEL_SLOW static void enter(uint32_t *caller) {
    if (caller[FRAME_PC] != ((uint32_t)sandbox_entered & ~1u))
        fault_panic("SVC in privileged code");
    struct sandbox *box = (struct sandbox *)caller[FRAME_R0];
    if (box->task) {
        caller[FRAME_R0] = KERNEL_RUNNING;
        return;
    }
    box->caller = caller;
    box->task = kernel.current;
    box->task->sandbox = box;
    box->kill = 0;
    box->result.cycles = 0;
    box->budget = caller[FRAME_R3];
    load_regions(box);
    fill_frame(box->layout, caller[FRAME_R1], (const uint32_t *)caller[FRAME_R2]);
    caller[FRAME_R0] = KERNEL_OK;
    box->since = arch_time();
}

KERNEL_SLOW static void leave(struct sandbox *box, enum sandbox_end end) {
    charge(box, arch_time());
    box->result.end = end;
    box->task->sandbox = NULL;
    box->task = NULL;
    arch_set_unprivileged(false);
    arch_set_thread_sp(box->caller);
}

/* ----- the supervisor call -------------------------------------------------------------------------- */

bool sandbox_reaches(const struct sandbox *box, uint32_t address, uint32_t size) {
    uint32_t arena = box->frame_span + SANDBOX_FRAME;
    return size <= arena && address - box->frame_low <= arena - size;
}

/* What is no helper call. */
KERNEL_SLOW static void other_call(struct sandbox *box, const uint32_t *frame, uint32_t number) {
    if (number != SANDBOX_SVC_EXIT) {
        leave(box, SANDBOX_BAD_CALL);
        return;
    }
    box->result.value = (uint64_t)frame[FRAME_R1] << 32 | frame[FRAME_R0];
    leave(box, SANDBOX_EXIT);
}

/* A task is inside a sandbox exactly while its thread mode has no privilege: enter(), leave(). */
void SVC_Handler(void) {
    uint32_t *frame = arch_thread_sp();
    struct sandbox *box = kernel.current->sandbox;
    if (!box) {
        enter(frame);
        return;
    }
    uint32_t number = SANDBOX_SVC_ENTER; /* is never in the table */
    if (LIKELY((uint32_t)frame - box->frame_low <= box->frame_span))
        number = *(const uint8_t *)(frame[FRAME_PC] - 2);
    if (number - 1 >= box->call_count) {
        other_call(box, frame, number);
        return;
    }
    uint64_t value = box->calls[number - 1](box, frame);
    frame[FRAME_R0] = (uint32_t)value;
    frame[FRAME_R1] = (uint32_t)(value >> 32);
}

/* ----- switches ------------------------------------------------------------------------------------- */

/* arch_time() wants interrupts to be masked; pause leaves them so, the switch masks them anyway. */
uint32_t *sandbox_pause(void) {
    struct sandbox *box = kernel.current->sandbox;
    arch_lock_first();
    charge(box, arch_time());
    arch_set_unprivileged(false);
    return box->context;
}

uint32_t *sandbox_resume(uint32_t *behind) {
    struct sandbox *box = (struct sandbox *)((char *)behind - offsetof(struct sandbox, sp));
    arch_lock_first();
    box->since = arch_time();
    if (box->kill) {
        leave(box, (enum sandbox_end)box->kill);
        arch_unlock_quiet(0);
        return box->caller;
    }
    load_regions(box);
    arch_unlock_quiet(0);
    arch_set_unprivileged(true);
    return box->sp;
}

/* ----- what ends one from outside ------------------------------------------------------------------- */

/* Locked. */
static void kill(struct sandbox *box, enum sandbox_end why) {
    if (!box->kill)
        box->kill = (uint8_t)why;
    if (box->task == kernel.current)
        arch_pend_switch();
}

KERNEL_COLD void sandbox_tick(struct sandbox *box) {
    charge(box, arch_time_now());
    if (box->result.cycles >= box->budget)
        kill(box, SANDBOX_BUDGET);
}

KERNEL_COLD enum kernel_status sandbox_kill(struct sandbox *box) {
    enum kernel_status status = KERNEL_NOT_RUNNING;
    uint32_t key = arch_lock();
    if (box->task) {
        kill(box, SANDBOX_KILLED);
        status = KERNEL_OK;
    }
    arch_unlock(key);
    return status;
}

struct fault_record *sandbox_fault_record(void) {
    return &kernel.current->sandbox->result.fault;
}

/* The faults are more urgent than the kernel's band, but this one interrupted no code of the kernel. */
void sandbox_fault_end(void) {
    arch_cancel_pending();
    leave(kernel.current->sandbox, SANDBOX_FAULT);
}

/* ----- for tasks ------------------------------------------------------------------------------------ */

/* What is on of the arena: one piece, or there is no base for which a comparison tells who is in it. */
static bool find_arena(struct sandbox *box, const struct mpu_area *area) {
    uint32_t eighth = area->size / 8, on = ~(uint32_t)area->off & 0xFF;
    uint32_t first = (uint32_t)__builtin_ctz(on | 1u << 8);
    on >>= first;
    uint32_t count = 32 - (uint32_t)__builtin_clz(on | 1);
    box->frame_low = area->base + first * eighth;
    box->frame_span = count * eighth - SANDBOX_FRAME;
    return on && !(on & (on + 1));
}

static bool fits(const struct sandbox *box, const struct sandbox_layout *layout) {
    uint32_t frame = layout->stack_top - SANDBOX_FRAME; /* the first; one more has to have room */
    return layout->stack_top % 8 == 0 &&
           sandbox_reaches(box, frame - SANDBOX_FRAME, 2 * SANDBOX_FRAME) &&
           sandbox_reaches(box, layout->static_base, 0);
}

KERNEL_COLD enum kernel_status sandbox_init(struct sandbox *box,
                                            const struct sandbox_layout *layout) {
    const struct mpu_area *areas[] = {&layout->code, &layout->arena, &layout->library};
    *box = (struct sandbox){
        .layout = layout, .calls = layout->calls, .call_count = layout->call_count};
    loaded = NULL;
    if (layout->call_count >= SANDBOX_SVC_ENTER || !find_arena(box, &layout->arena) ||
        !fits(box, layout))
        return KERNEL_BAD_ARGUMENT;
    for (unsigned i = 0; i < 3; i++)
        if (areas[i]->access != MPU_CODE + i || mpu_encode(&box->regions[i], i, areas[i]))
            return KERNEL_BAD_ARGUMENT;
    return KERNEL_OK;
}

enum kernel_status sandbox_run(struct sandbox *box, uint32_t function, const uint32_t arguments[4],
                               uint32_t budget) {
    enum kernel_status status = in_task();
    if (!status && (arch_masked() || !kernel.started))
        status = KERNEL_MASKED;
    if (!status && (budget == 0 || budget > BUDGET_MAX))
        status = KERNEL_BAD_ARGUMENT;
    return status ? status : sandbox_enter(box, function, arguments, budget);
}
