/* SPDX-License-Identifier: MIT
 *
 * sandbox_enter(box, function, arguments, budget): the way of a privileged task into a sandbox and back. The supervisor call
 * goes to SVC_Handler (kernel/sandbox.c), which keeps the exception frame of this call as the way back:
 * whatever ends the sandbox returns to sandbox_entered.
 *
 * - r4-r11 are kept here, on the task's own stack, and are 0 when the sandbox begins, except r9, which is
 *   its static base.
 * - The FPU's registers that belong to our caller (s16-s31, FPSCR; AAPCS 6.1.2) are kept here, and
 *   CONTROL.FPCA is cleared: the call's frame has no FPU part, nothing is left to be stored lazily, and
 *   neither have the sandbox's own frames, as it may not use the FPU. Otherwise a task that preempts
 *   the sandbox and uses the FPU would leave its values to us.
 */
    .syntax unified
    .thumb
    .cpu cortex-m4
    .fpu fpv4-sp-d16

    .section .text.sandbox_enter, "ax"
    .global sandbox_enter, sandbox_entered
    .type sandbox_enter, %function
    .type sandbox_entered, %function
    .thumb_func
sandbox_enter:
    push    {r4-r11, lr}
    mrs     r4, control
    ands    r4, r4, #4              @ FPCA
    beq     1f
    vmrs    r5, fpscr
    vpush   {s16-s31}
    movs    r6, #2                  @ PSP, privileged, no FPU state
    msr     control, r6
1:  push    {r4-r6}                 @ with the nine above a multiple of 8
    ldr     r9, [r0, #48]           @ layout
    ldr     r9, [r9, #40]           @ static base
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
    movs    r7, #0
    mov     r8, r4
    mov     r10, r4
    mov     r11, r4
    svc     #255                    @ SANDBOX_SVC_ENTER; returns the status
    .thumb_func
sandbox_entered:
    pop     {r4-r6}
    cbz     r4, 2f
    vpop    {s16-s31}
    vmsr    fpscr, r5
2:  pop     {r4-r11, pc}
    .size sandbox_enter, . - sandbox_enter
