/* SPDX-License-Identifier: MIT
 *
 * The way into a sandbox and back, and its calls. In assembly because every instruction is on a path that is
 * counted in cycles: a compiler's handler saves registers that the processor has saved already.
 *
 * sandbox_run(box, function, arguments, budget) keeps r4-r11 on its task's stack and makes a supervisor call. The
 * handler keeps the frame of that call as the way back and writes another one at the top of the sandbox's
 * stack, as if the sandbox had been interrupted before its first instruction: arguments in r0-r3, static base
 * in r9, 0 in all others. So all that there is between "not inside" and "inside" happens in an exception that
 * nothing of the kernel can interrupt, PendSV least of all, and whatever ends the sandbox later returns behind
 * the supervisor call of sandbox_run().
 *
 * The handler takes its operands from r4-r7: a more urgent interrupt that came first may have changed
 * r0-r3, but kept these (AAPCS 6.1.1).
 *
 * The FPU's registers that belong to our caller (s16-s31, FPSCR; AAPCS 6.1.2) are kept, and CONTROL.FPCA is
 * cleared: the call's frame has no FPU part, nothing is left to be stored lazily, and neither have the
 * sandbox's own frames, as it may not use the FPU. Otherwise a task that preempts the sandbox and
 * uses the FPU would leave its values to us.
 */
#include "offsets.h"
#include "time.inc"

    .syntax unified
    .thumb
    .cpu cortex-m4
    .fpu fpv4-sp-d16

    .section .text.SVC_Handler, "ax"
    .global SVC_Handler, sandbox_run, sandbox_leave, sandbox_regions
    .type SVC_Handler, %function
    .type sandbox_run, %function
    .type sandbox_leave, %function
    .type sandbox_regions, %function
    .balign 4
    .thumb_func
SVC_Handler:
    ldr     r3, =kernel
    mrs     r1, psp
    ldr     r0, [r3, #KERNEL_INSIDE]
    cbz     r0, 4f
    ldr     r2, [r0, #BOX_FRAME_LOW]
    ldr     r3, [r0, #BOX_FRAME_SPAN]
    ldr     r12, [r0, #BOX_CALL_COUNT]
    subs    r2, r1, r2
    cmp     r2, r3
    bhi     3f
    ldr     r2, [r1, #24]           @ pc
    ldr     r3, [r0, #BOX_CALLS]
    ldrb    r2, [r2, #-2]           @ number
    subs    r2, #1
    cmp     r2, r12
    bhs     1f
    ldr     r3, [r3, r2, lsl #2]
    blx     r3                      @ (box, frame)
    mrs     r2, psp
    mvn     lr, #2                  @ EXC_RETURN_TASK
    str     r0, [r2]
    str     r1, [r2, #4]
    bx      lr

1:  adds    r2, #1                  @ svc #0 is the end
    bne     3f
    ldrd    r2, r3, [r1]
    strd    r2, r3, [r0, #BOX_VALUE]
    movs    r1, #END_EXIT
    b       sandbox_leave
3:  movs    r1, #END_BAD_CALL
    b       sandbox_leave

    @ In: r4 box, r5 budget, r6 arguments, r7 function; r1 the frame that leads back.
4:  ldr     r2, [r1, #24]
    adr.w   r0, 9f
    cmp     r2, r0
    bne     sandbox_stray
    ldr     r2, [r4, #BOX_TASK]
    cbnz    r2, 7f
    ldr     r2, [r3, #KERNEL_CURRENT]
    ldr     r0, [r3, #KERNEL_LOADED]
    str     r1, [r4, #BOX_CALLER]
    str     r2, [r4, #BOX_TASK]
    str     r4, [r2, #TASK_SANDBOX]
    str     r4, [r3, #KERNEL_INSIDE]
    str     r5, [r4, #BOX_BUDGET]
    movs    r5, #0
    strb    r5, [r4, #BOX_KILL]
    cmp     r0, r4
    bne     6f
5:  time    r0, r1, r2, r3, enter
    str     r0, [r4, #BOX_SINCE]
    ldrd    r10, r9, [r4, #BOX_STACK_TOP] @ and the static base
    ldmia   r6, {r0-r3}
    ldr     r6, [r4, #BOX_LEAVE]
    bic     r7, #1
    mov     r8, #0x01000000         @ xPSR: Thumb
    stmdb   r10!, {r0-r3, r5-r8}    @ r12 is 0, lr leave, pc function
    movs    r4, #1
    msr     psp, r10
    msr     control, r4             @ no privilege, from the exception's return on
    movs    r4, #0
    movs    r6, #0
    movs    r7, #0
    mov     r8, r5
    mov     r10, r5
    mov     r11, r5
    bx      lr
6:  str     r4, [r3, #KERNEL_LOADED]
    add     r0, r4, #BOX_REGIONS
    bl      sandbox_regions
    mvn     lr, #2
    b       5b
7:  movs    r2, #STATUS_RUNNING
    str     r2, [r1]
    bx      lr
    time_pending r0, r1, r2, r3, enter

/* sandbox_leave(box, end): from SVCall, PendSV (masked) and faults, which return to whom sandbox_run() was
 * called by. PSP is then his. */
    .thumb_func
sandbox_leave:
    strb    r1, [r0, #BOX_END]
    time    r2, r3, r1, r12, leave
    ldr     r1, [r0, #BOX_SINCE]
    ldr     r3, [r0, #BOX_TASK]
    subs    r2, r1
    movs    r1, #0
    str     r2, [r0, #BOX_CYCLES]
    str     r1, [r3, #TASK_SANDBOX]
    ldr     r3, =kernel
    ldr     r2, [r0, #BOX_CALLER]
    str     r1, [r0, #BOX_TASK]
    str     r1, [r3, #KERNEL_INSIDE]
    msr     control, r1
    msr     psp, r2
    bx      lr
    time_pending r2, r3, r1, r12, leave

/* r0: the three regions of a sandbox, for the MPU, which has its registers in a row and twice more as aliases. An
 * exception's return must follow (B3.5.1). r0 moves on by 12; r1-r3 and r12 are lost. */
    .thumb_func
sandbox_regions:
    ldr     r12, =0xE000ED9C        @ MPU_RBAR
    ldmia   r0!, {r1-r3}
    stmia   r12!, {r1-r3}
    ldmia   r0, {r1-r3}
    stmia   r12, {r1-r3}
    dsb
    bx      lr

    .thumb_func
sandbox_run:
    mrs     r12, control
    cmp     r12, #2                 @ a task, privileged, whose FPU is not in use
    bne     8f
    cmp     r3, #0                  @ above 2^31 is negative
    ble     6f
    push    {r4-r11, lr}
    mrs     r4, basepri
    mrs     r5, primask
    orrs    r4, r5
    bne     5f
    mov     r7, r1
    mov     r6, r2
    mov     r5, r3
    mov     r4, r0
    movs    r0, #0                  @ KERNEL_OK
    svc     #255                    @ SANDBOX_SVC_ENTER
9:  pop     {r4-r11, pc}
5:  movs    r0, #STATUS_MASKED
    pop     {r4-r11, pc}
6:  movs    r0, #STATUS_BAD_ARGUMENT
    bx      lr
7:  mrs     r0, ipsr                @ on the main stack
    cmp     r0, #0
    ite     eq
    moveq   r0, #STATUS_MASKED
    movne   r0, #STATUS_IN_INTERRUPT
    bx      lr
8:  lsls    r12, r12, #30           @ bit 1
    bpl     7b
    push    {r4, lr}
    vmrs    r4, fpscr
    vpush   {s16-s31}
    mov     r12, #2
    msr     control, r12
    bl      sandbox_run
    vpop    {s16-s31}
    vmsr    fpscr, r4
    pop     {r4, pc}
    .size SVC_Handler, . - SVC_Handler
