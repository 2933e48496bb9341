/* SPDX-License-Identifier: MIT
 *
 * What runs without privilege in the tests of the sandbox. The section is one region (MPU_CODE), the
 * library behind it another. r0 is usually the address that is to be attacked; who is not stopped
 * returns, and so fails the test. attack.h has the prototypes.
 */
    .syntax unified
    .thumb
    .cpu cortex-m4
    .fpu fpv4-sp-d16

    .macro attack name
    .section .attack, "ax"
    .balign 4
    .global attack_\name
    .type attack_\name, %function
    .thumb_func
attack_\name:
    .endm

    attack read
    ldr     r0, [r0]
    bx      lr

    attack write
    movs    r1, #0x55
    str     r1, [r0]
    bx      lr

    attack jump
    bx      r0

    attack pop_pc
    push    {r0}
    pop     {pc}

    attack load_many
    ldmia   r0, {r1-r4}
    bx      lr

    attack store_many
    stmia   r0, {r1-r4}
    bx      lr

    attack load_two
    ldrd    r2, r3, [r0]
    bx      lr

    attack undefined
    udf     #0

    attack fpu
    vmov    s0, r0
    bx      lr

    attack breakpoint
    bkpt    #1

/* Everything that would mask something, move the main stack or give privilege; then the read. */
    attack special
    cpsid   i
    cpsid   f
    movs    r1, #0x10
    msr     primask, r1
    msr     faultmask, r1
    msr     basepri, r1
    msr     basepri_max, r1
    msr     msp, r0
    movs    r1, #0
    msr     control, r1
    isb
    ldr     r0, [r0]
    bx      lr

    attack special_loop
    cpsid   i
    cpsid   f
    movs    r1, #0x10
    msr     basepri, r1
1:  b       1b

    attack loop
    b       attack_loop

    attack wait
    wfi
    wfe
    sev
    bx      lr

    attack wait_loop
    wfi
    b       attack_wait_loop

    attack svc_next
    svc     #3
    bx      lr

    attack svc_128
    svc     #128
    bx      lr

    attack svc_enter
    svc     #255
    bx      lr

    attack sp_svc
    mov     sp, r0
    svc     #1
    b       .

    attack sp_loop
    mov     sp, r0
    b       .

    attack recurse
    push    {r0-r3}
    b       attack_recurse

/* ----- not attacks: what a sandbox is for ----------------------------------------------------------- */

/* r1:r0 = r3:r2 + r1:r0 */
    attack add
    adds    r0, r0, r2
    adc     r1, r1, r3
    bx      lr

/* All registers that no argument is in, but r9 and lr, by OR; r9 */
    attack registers
    orr     r0, r4, r5
    orrs    r0, r6
    orrs    r0, r7
    orr     r0, r8
    orr     r0, r10
    orr     r0, r11
    orr     r0, r12
    mov     r1, r9
    bx      lr

/* The library's function, then ours */
    attack library_call
    push    {r4, lr}
    bl      attack_library_double
    adds    r0, #1
    pop     {r4, pc}

/* svc #1 with four arguments in registers and one on the stack; r4-r7 must come back as they were */
    attack call
    push    {r4-r7, lr}
    movs    r4, #50
    movs    r5, #4
    movs    r6, #5
    movs    r7, #6
    push    {r4}
    svc     #1
    pop     {r2}
    add     r0, r4
    add     r0, r5
    add     r0, r6
    add     r0, r7
    pop     {r4-r7, pc}

/* svc #2 and then a mark at r9 + 4: a call that kills must not come back */
    attack call_killed
    svc     #2
    movs    r1, #1
    str     r1, [r9, #4]
    b       .

/* Adds 1 to the word at r9 until *r9[1] is not 0, with r4-r8, r10, r11 holding r0 + number */
    attack count
    .irp n, 4, 5, 6, 7, 8, 10, 11
    add     r\n, r0, #\n
    .endr
1:  ldr     r1, [r9]
    adds    r1, #1
    str     r1, [r9]
    .irp n, 4, 5, 6, 7, 8, 10, 11
    sub     r2, r\n, r0
    cmp     r2, #\n
    bne     2f
    .endr
    ldr     r1, [r9, #4]
    cmp     r1, #0
    beq     1b
    bx      lr
2:  udf     #1

    .section .attack_library, "ax"
    .global attack_leave, attack_library_double, attack_library_half
    .type attack_leave, %function
    .type attack_library_double, %function
    .thumb_func
attack_leave:
    svc     #0
    .thumb_func
attack_library_double:
    adds    r0, r0, r0
    bx      lr
    .balign 4
attack_library_half:
    .inst.w 0xf000de00              @ a BL, whose second half alone is a UDF
