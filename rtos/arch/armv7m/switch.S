/* SPDX-License-Identifier: MIT
 *
 * The context switch, and the one entry of all faults.
 *
 * Every switch happens in PendSV, the least urgent exception. A call that makes another task the most
 * urgent one only sets PendSV pending. In a task the exception is then taken as soon as the kernel
 * opens its masked section; in an interrupt, after the last nested interrupt has returned, by
 * tail-chaining. So there is one place that saves and loads registers, it always interrupts thread
 * code, and what it has to save is always the same:
 *
 *      higher addresses
 *      | s0-s15, FPSCR  |  only if the task has used the FPU: room is made by the processor, the
 *      |                |  registers are written when somebody else touches the FPU (lazy stacking)
 *      | xPSR, pc, lr   |
 *      | r12, r3-r0     |  stacked by the processor on the task's stack (PSP)
 *      | s16-s31        |  only if EXC_RETURN bit 4 is 0: stored here
 *      | EXC_RETURN     |
 *      | r11-r4         |  stored here; task.sp points to the saved r4
 *      lower addresses
 *
 * EXC_RETURN is part of a task's context: its bit 4 says whether the frame has the FPU's part. A task
 * that has never used the FPU neither saves nor loads it. The store of s16-s31 makes the processor
 * first write s0-s15 to the place that it keeps in FPCAR, which lies on this task's stack; after it
 * nothing lazy is left, so the next task cannot inherit a pending store into a foreign stack.
 *
 * Between the old task's registers and the new one's the kernel's interrupts are masked: there the choice is
 * made, the time since the last switch is charged to the old task, and the MPU guard moves. The register
 * traffic runs unmasked, because no interrupt looks at a task's stack or at PSP. The choice is the head of
 * the queue that CLZ of the bitmap names, the guard's register value is kept in the task, and of the
 * 64-bit sum of cycles the upper half is touched when the lower one has a carry: exact at the cost of a
 * branch that is not taken. Loads stand side by side, and no address is computed right before its use,
 * which is what the processor is fast at (DDI0439D 3.3.3).
 *
 * BASEPRI is written without a barrier: a write that masks is seen by the next instruction (B5.2.3), and
 * behind the one that opens the exception's return is the barrier, also for the MPU (B3.5.1). The store that
 * sets PendSV pending has no DSB of its own: accesses to the system control space are strongly ordered.
 * Neither can be seen in an emulator, where every instruction is complete before the next one.
 *
 * A task that is inside a sandbox runs without privilege, on a stack whose pointer it may have set to
 * anything. Nothing is stored there: its registers go to struct sandbox, with SAVED_SANDBOX in the place of
 * EXC_RETURN, which has bit 4 clear so that other tasks do not pay for the question on the way back. The
 * processor has stacked the frame with the rights of the sandbox. Thread mode runs a sandbox exactly while
 * kernel.inside says so: SVC_Handler and the tick go by it, and between the two switches it is NULL. Its time
 * is charged with interrupts masked, as arch_time() wants it.
 *
 * The stores below can run into the guard of a stack that is nearly full. The MemManage handler then
 * ends the task and continues at arch_switch_pick: nothing that had been saved is wanted any more.
 *
 * The kernel starts by becoming the idle task: arch_start() puts idle's stack into PSP and calls its
 * function in thread mode. The first PendSV saves idle like any other task; there is no special case.
 */
#include "offsets.h"

    .syntax unified
    .thumb
    .cpu cortex-m4
    .fpu fpv4-sp-d16

    .section .text.PendSV_Handler, "ax"
    .global PendSV_Handler, arch_switch_pick
    .type PendSV_Handler, %function
    .type arch_switch_pick, %function
    .balign 4
    .thumb_func
PendSV_Handler:
    mrs     r0, psp
    ldr     r3, =kernel
    tst     lr, #0x10
    beq     6f
    ldr     r2, [r3, #KERNEL_CURRENT]
    ldr     r1, [r3, #KERNEL_INSIDE]
    cbnz    r1, 7f
0:  stmdb   r0!, {r4-r11, lr}
1:  str     r0, [r2, #TASK_SP]

    @ r2: the old task. From here to the next write of BASEPRI interrupts do not see a half of it.
    movs    r4, #LOCKED
    msr     basepri, r4
    ldr     r5, [r3, #KERNEL_CLOCK]
    ldr     r4, [r3, #KERNEL_READY_BITS]
    ldr     r6, [r3, #KERNEL_SWITCHED_AT]
    ldr     r7, [r2, #TASK_CYCLES]
    add     r8, r3, #KERNEL_READY
    clz     r4, r4
    cbz     r5, 8f
    ldr     r5, [r5]                @ now
2:  ldr     r1, [r8, r4, lsl #2]    @ the new task: the choice
    ldr     r8, =0xE000ED9C         @ MPU_RBAR
    ldr     r0, [r1, #TASK_SP]
    ldr     r9, [r1, #TASK_GUARD]
    subs    r6, r5, r6
    adds    r7, r7, r6
    str     r5, [r3, #KERNEL_SWITCHED_AT]
    str     r7, [r2, #TASK_CYCLES]
    bcs     9f
3:  str     r1, [r3, #KERNEL_CURRENT]
    str     r9, [r8]
    movs    r4, #0                  @ PendSV cannot have begun with anything masked
    msr     basepri, r4
    ldmia   r0!, {r4-r11, lr}
    tst     lr, #0x10
    beq     4f
    msr     psp, r0
    bx      lr

8:  push    {r2, r3}                @ nothing counts cycles but SysTick
    bl      arch_time_now
    mov     r5, r0
    pop     {r2, r3}
    b       2b
9:  ldr     r6, [r2, #TASK_CYCLES + 4]
    adds    r6, r6, #1
    str     r6, [r2, #TASK_CYCLES + 4]
    b       3b

6:  vstmdb  r0!, {s16-s31}          @ no sandbox: it may not use the FPU
    ldr     r2, [r3, #KERNEL_CURRENT]
    b       0b

    @ r1: box
7:  stmia   r1!, {r4-r11}
    mvn     r4, #0x10               @ SAVED_SANDBOX
    strd    r4, r0, [r1]            @ context[8], sp
    subs    r0, r1, #32             @ context
    movs    r1, #LOCKED
    msr     basepri, r1
    time    r4, r5, r6, r7, pause
    ldr     r5, [r0, #BOX_SINCE]
    movs    r6, #0
    subs    r4, r4, r5
    str     r4, [r0, #BOX_CYCLES]
    str     r6, [r3, #KERNEL_INSIDE]
    msr     control, r6
    b       1b
4:  lsls    r1, lr, #30             @ bit 1
    bmi     5f
    vldmia  r0!, {s16-s31}
    msr     psp, r0
    bx      lr

    @ r0: box->sp
5:  movs    r1, #LOCKED
    msr     basepri, r1
    time    r1, r2, r3, r12, resume
    ldr     r2, [r0, #BOX_CYCLES - BOX_SP]
    ldr     r3, =kernel
    subs    r1, r1, r2
    str     r1, [r0, #BOX_SINCE - BOX_SP]
    ldrb    r1, [r0, #BOX_KILL - BOX_SP]
    cbnz    r1, 12f
    ldr     r1, [r3, #KERNEL_LOADED]
    sub     r2, r0, #BOX_SP
    str     r2, [r3, #KERNEL_INSIDE]
    cmp     r1, r2
    bne     10f
11:
    movs    r1, #0
    msr     basepri, r1
    movs    r1, #1
    msr     control, r1
    ldr     r0, [r0]
    mvn     lr, #2                  @ EXC_RETURN_TASK
    msr     psp, r0
    bx      lr
10:
    str     r2, [r3, #KERNEL_LOADED]
    adds    r0, #BOX_REGIONS - BOX_SP
    bl      sandbox_regions
    subs    r0, #BOX_REGIONS - BOX_SP + 12
    b       11b
12:
    subs    r0, #BOX_SP
    bl      sandbox_leave
    movs    r1, #0
    msr     basepri, r1
    mvn     lr, #2
    bx      lr

    .thumb_func
arch_switch_pick:
    ldr     r3, =kernel
    ldr     r2, [r3, #KERNEL_CURRENT]
    b       1b

    time_pending r1, r2, r3, r12, resume
    time_pending r4, r5, r6, r7, pause
    .size PendSV_Handler, . - PendSV_Handler

/* arch_start(idle_top, idle, main_top): r0 to PSP, MSP back to its top, thread mode on PSP. FPCA is
 * cleared with the same write: main() may have used the FPU, idle has not. */
    .section .text.arch_start, "ax"
    .global arch_start
    .type arch_start, %function
    .thumb_func
arch_start:
    msr     psp, r0
    movs    r3, #2
    msr     control, r3
    isb
    msr     msp, r2
    cpsie   i
    isb
    blx     r1
    .size arch_start, . - arch_start

/* fault_handle(r4-r11, psp, msp, EXC_RETURN). A HardFault may come from a main stack that has run over
 * its guard: the stack below it is not ours, so the handler moves to the top and does not come back. */
    .section .text.fault_entry, "ax"
    .global HardFault_Handler, MemManage_Handler, BusFault_Handler, UsageFault_Handler
    .type HardFault_Handler, %function
    .type MemManage_Handler, %function
    .type BusFault_Handler, %function
    .type UsageFault_Handler, %function
    .thumb_func
HardFault_Handler:
    mov     r2, sp
    ldr     r3, =_main_stack_bottom + 256
    cmp     r2, r3
    bhs     1f
    ldr     r3, =_main_stack_top
    mov     sp, r3
    b       1f
    .thumb_func
MemManage_Handler:
    .thumb_func
BusFault_Handler:
    .thumb_func
UsageFault_Handler:
    mov     r2, sp
1:  mrs     r1, psp
    push    {r4-r11}
    mov     r0, sp
    mov     r3, lr
    push    {r3, lr}
    bl      fault_handle
    pop     {r3, lr}
    add     sp, #32
    bx      lr
