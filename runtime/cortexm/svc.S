/* SPDX-License-Identifier: MIT */
/* What of the library cannot be said in C: the way out, a helper call from words, division. */
#include "bpf/library.h"

    .syntax unified
    .cpu cortex-m4
    .thumb
    .text

    .macro function name
    .section .text.\name, "ax", %progbits
    .align 2
    .global \name
    .type \name, %function
    .thumb_func
\name:
    .endm

/* Return address of programs. */
    function library_exit
    svc #LIBRARY_SVC_EXIT
    udf #0

/* uint64_t library_svc(uint32_t id, const uint32_t words[8]): any helper, from the interpreter. */
    function library_svc
    push {r4, lr}
    sub sp, #16
    mov r12, r0
    mov r4, r1
    ldr r0, [r4, #16]
    ldr r1, [r4, #20]
    ldr r2, [r4, #24]
    ldr r3, [r4, #28]
    str r0, [sp]
    str r1, [sp, #4]
    str r2, [sp, #8]
    str r3, [sp, #12]
    ldr r0, [r4]
    ldr r1, [r4, #4]
    ldr r2, [r4, #8]
    ldr r3, [r4, #12]
    svc #LIBRARY_SVC_HELPER
    add sp, #16
    pop {r4, pc}

/* What the compiler calls for uint64_t / and % (Run-time ABI for the Arm Architecture, 5.3.1): quotient
 * in r1:r0, remainder in r3:r2. The interpreter's expressions never divide by 0. */
    function __aeabi_uldivmod
    push {r4, lr}
    sub sp, #16
    add r4, sp, #8
    str r4, [sp]
    bl bpf_udivmod64
    ldr r2, [sp, #8]
    ldr r3, [sp, #12]
    add sp, #16
    pop {r4, pc}

    function __aeabi_ldivmod
    push {r4, r5, r6, r7, r8, lr}
    mov r4, r0
    mov r5, r1
    mov r6, r2
    mov r7, r3
    bl bpf_h_sdiv64
    /* the remainder is n - q * d */
    umull r2, r3, r0, r6
    mla r3, r0, r7, r3
    mla r3, r1, r6, r3
    subs r2, r4, r2
    sbc r3, r5, r3
    pop {r4, r5, r6, r7, r8, pc}
