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
 * kernel_switch() (sched.c) takes the old stack pointer, chooses, moves the MPU guard and returns the
 * new stack pointer. It masks the kernel's interrupts itself; the register traffic here runs unmasked,
 * because no interrupt looks at a task's stack or at PSP.
 *
 * A task that is inside a sandbox runs without privilege, on a stack whose pointer it may have set to
 * anything. Nothing is stored there: its registers go to struct sandbox, with SAVED_SANDBOX in the place of
 * EXC_RETURN, which has bit 4 clear so that other tasks do not pay for the question on the way back. The
 * processor has stacked the frame with the rights of the sandbox.
 *
 * The stores below can run into the guard of a stack that is nearly full. The MemManage handler then
 * ends the task and continues at arch_switch_pick: nothing that had been saved is wanted any more.
 *
 * The kernel starts by becoming the idle task: arch_start() puts idle's stack into PSP and calls its
 * function in thread mode. The first PendSV saves idle like any other task; there is no special case.
 */
    .syntax unified
    .thumb
    .cpu cortex-m4
    .fpu fpv4-sp-d16

    .section .text.PendSV_Handler, "ax"
    .global PendSV_Handler, arch_switch_pick
    .type PendSV_Handler, %function
    .type arch_switch_pick, %function
    .thumb_func
PendSV_Handler:
    mrs     r0, psp
    mrs     r3, control
    lsls    r3, r3, #31             @ nPRIV
    bmi     4f
    tst     lr, #0x10
    it      eq
    vstmdbeq r0!, {s16-s31}
    stmdb   r0!, {r4-r11, lr}
    .thumb_func
arch_switch_pick:
    bl      kernel_switch
    ldmia   r0!, {r4-r11, lr}
    tst     lr, #0x10
    beq     2f
1:  msr     psp, r0
    bx      lr
2:  lsls    r1, lr, #30             @ bit 1
    bmi     3f
    vldmia  r0!, {s16-s31}
    b       1b
3:  bl      sandbox_resume          @ returns psp
    mvn     lr, #2                  @ EXC_RETURN_TASK
    b       1b
4:  ldr     r1, =kernel
    ldr     r1, [r1]                @ current
    ldr     r1, [r1, #4]            @ its sandbox
    mvn     r2, #0x10               @ SAVED_SANDBOX
    stmia   r1!, {r4-r11}
    strd    r2, r0, [r1]            @ context[8], sp
    bl      sandbox_pause           @ returns context
    b       arch_switch_pick
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
