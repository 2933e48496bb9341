/* SPDX-License-Identifier: MIT
 *
 * Exceptions that are watched: record, then go on as if nothing had been. The processor has stacked r0-r3 and r12, so
 * that they are free; lr (EXC_RETURN) and the stack are as the handler expects them.
 */
    .syntax unified
    .thumb
    .cpu cortex-m4

    .section .text.trace_vectors, "ax"
    .global trace_vector_switch, trace_vector_irq
    .type trace_vector_switch, %function
    .type trace_vector_irq, %function
    .thumb_func
trace_vector_switch:
    push    {r4, lr}
    bl      trace_switch
    b       1f
    .thumb_func
trace_vector_irq:
    push    {r4, lr}
    bl      trace_irq
1:  pop     {r4, lr}
    mrs     r0, ipsr
    ldr     r1, =trace_handlers
    ldr     r1, [r1]
    ldr     r0, [r1, r0, lsl #2]
    bx      r0
