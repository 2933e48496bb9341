/* SPDX-License-Identifier: MIT
 *
 * Programs that no compiler would make and no scan would admit. Each is the code of a blob; r0 is its context, the
 * words that the test gives. What is not stopped returns, with a result that says so.
 */
    .syntax unified
    .thumb
    .cpu cortex-m4
    .fpu fpv4-sp-d16

    .macro hostile name
    .section .rodata.hostile_\name, "a"
    .balign 8
    .global hostile_\name
hostile_\name:
    .endm
    .macro end name
    .balign 8
    .global hostile_\name\()_end
hostile_\name\()_end:
    .endm

/* r0-r3, r12, and r5-r7 for the stack, from the words of the context. */
    .macro take_words
    push    {r4-r8, lr}
    mov     r4, r0
    ldm     r4, {r0-r3}
    ldr     r12, [r4, #16]
    ldr     r5, [r4, #20]
    ldr     r6, [r4, #24]
    ldr     r7, [r4, #28]
    .endm

/* Calls context[8] with r0-r3 from context[0..3], r12 from context[4], stack words from context[5..7]. */
    hostile call
    take_words
    ldr     r8, [r4, #32]
    push    {r5-r8}
    blx     r8
    add     sp, #16
    pop     {r4-r8, pc}
    end call

/* The supervisor call that helpers use, with the same words. */
    hostile svc
    take_words
    push    {r5-r8}
    svc     #1
    add     sp, #16
    pop     {r4-r8, pc}
    end svc

    hostile svc_2
    svc     #2
    bx      lr
    end svc_2
    hostile svc_255
    svc     #255
    bx      lr
    end svc_255

    hostile read
    ldr     r1, [r0]
    ldr     r0, [r1]
    bx      lr
    end read
    hostile write
    ldr     r1, [r0]
    movs    r2, #0x55
    str     r2, [r1]
    bx      lr
    end write
    hostile jump
    ldr     r1, [r0]
    bx      r1
    end jump
    hostile load_many
    ldr     r1, [r0]
    ldmia   r1, {r2-r5}
    bx      lr
    end load_many
    hostile store_many
    ldr     r1, [r0]
    stmia   r1, {r2-r5}
    bx      lr
    end store_many

/* Everything that would mask something, move the main stack or give privilege; then the read. */
    hostile special
    ldr     r1, [r0]
    cpsid   i
    cpsid   f
    movs    r2, #0
    msr     control, r2
    msr     primask, r2
    movs    r2, #0x10
    msr     basepri, r2
    msr     msp, r1
    msr     psp, r1
    isb
    ldr     r0, [r1]
    bx      lr
    end special

    hostile loop
1:  b       1b
    end loop
    hostile sleep
1:  wfi
    wfe
    sev
    b       1b
    end sleep
    hostile undefined
    udf     #0
    end undefined
    hostile breakpoint
    bkpt    #1
    end breakpoint
    hostile fpu
    vmov    s0, r0
    bx      lr
    end fpu

/* The stack pointer to what the context says, then a call, a loop, a push, a fault. */
    hostile stack_svc
    ldr     r1, [r0]
    mov     sp, r1
    movs    r0, #0
    mov     r12, r0
    svc     #1
    svc     #0
    end stack_svc
    hostile stack_loop
    ldr     r1, [r0]
    mov     sp, r1
1:  b       1b
    end stack_loop
    hostile stack_push
    ldr     r1, [r0]
    mov     sp, r1
    push    {r0-r7}
    b       .
    end stack_push
    hostile stack_fault
    ldr     r1, [r0]
    mov     sp, r1
    udf     #1
    end stack_fault
    hostile recurse
    push    {r0-r7, lr}
    bl      hostile_recurse
    pop     {r0-r7, pc}
    end recurse

/* Fills everything from context[0] up to the fault at the end with context[1]. */
    hostile fill
    ldrd    r1, r2, [r0]
1:  str     r2, [r1], #4
    b       1b
    end fill
/* Writes context[1] to context[0], then returns 7. */
    hostile poke
    ldrd    r1, r2, [r0]
    str     r2, [r1]
    movs    r0, #7
    movs    r1, #0
    bx      lr
    end poke
/* What a well-behaved program does: counts in its context's map, returns 42. */
    hostile good
    movs    r0, #42
    movs    r1, #0
    bx      lr
    end good
/* Returns through what it has written over its own blob. */
    hostile rewrite
    adr     r1, 1f
    ldr     r2, [r1]
    str     r2, [r1]
    .balign 4
1:  movs    r0, #1
    bx      lr
    end rewrite
