/* SPDX-License-Identifier: MIT
 *
 * Unprivileged code, run by a task as if it were a call.
 *
 * The walls are the processor's: three regions of the MPU, and no background map for unprivileged code.
 * Behind them nothing here believes anything:
 *
 * - Its stack pointer may be anything at any time. The processor stacks with the sandbox's own rights, so
 *   that a bad one is a MemManage fault (MSTKERR), which is more urgent than SVCall and comes first. The
 *   switch stores its registers in struct sandbox (switch.S). Only SVC_Handler (enter.S) looks behind the
 *   pointer, after a range check, and only the frame that the processor has just written.
 * - The number of a call is looked up in a table, after a comparison. Arguments are read from the frame: a
 *   more urgent interrupt may have changed the registers before the handler's first instruction.
 * - FPU instructions are undefined to it (CPACR), masks and CONTROL cannot be written, the system
 *   registers are a BusFault.
 *
 * There is one way out. The way in keeps the frame of the caller's own supervisor call; sandbox_leave() puts it
 * back, with privilege, and the exception returns to sandbox_run() as if the call had taken a while. An exit, a
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

_Static_assert(MPU_DATA == MPU_CODE + 1 && MPU_LIBRARY == MPU_CODE + 2, "sandbox_init()");

bool sandbox_reaches(const struct sandbox *box, uint32_t address, uint32_t size) {
    uint32_t arena = box->frame_span + SANDBOX_FRAME;
    return size <= arena && address - box->frame_low <= arena - size;
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
    box->result.cycles = arch_time_now() - box->since;
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

_Noreturn void sandbox_stray(void) {
    fault_panic("SVC in privileged code");
}

/* One for all sandboxes: what each keeps of its own is in its result. */
static struct fault_record last_fault;

const struct fault_record *sandbox_last_fault(void) {
    return &last_fault;
}

struct fault_record *sandbox_fault_record(void) {
    return &last_fault;
}

/* The faults are more urgent than the kernel's band, but this one interrupted no code of the kernel. */
void sandbox_fault_end(void) {
    arch_cancel_pending();
    kernel.inside->result.fault.cfsr = last_fault.cfsr;
    kernel.inside->result.fault.mmfar = last_fault.mmfar;
    sandbox_leave(kernel.inside, SANDBOX_FAULT);
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

KERNEL_COLD enum kernel_status sandbox_set_stack(struct sandbox *box, uint32_t stack_top) {
    uint32_t frames = 2 * SANDBOX_FRAME; /* the first; one more has to have room */
    if (stack_top % 8 || !sandbox_reaches(box, stack_top - frames, frames))
        return KERNEL_BAD_ARGUMENT;
    box->stack_top = stack_top;
    return KERNEL_OK;
}

KERNEL_COLD enum kernel_status sandbox_init(struct sandbox *box,
                                            const struct sandbox_layout *layout) {
    const struct mpu_area *areas[] = {&layout->code, &layout->arena, &layout->library};
    *box = (struct sandbox){.static_base = layout->static_base,
                            .leave = layout->leave,
                            .calls = layout->calls,
                            .call_count = layout->call_count};
    kernel.loaded = NULL;
    if (layout->call_count >= SANDBOX_SVC_ENTER || !find_arena(box, &layout->arena) ||
        sandbox_set_stack(box, layout->stack_top) || !sandbox_reaches(box, layout->static_base, 0))
        return KERNEL_BAD_ARGUMENT;
    for (unsigned i = 0; i < 3; i++)
        if (areas[i]->access != MPU_CODE + i || mpu_encode(&box->regions[i], i, areas[i]))
            return KERNEL_BAD_ARGUMENT;
    return KERNEL_OK;
}
