/* SPDX-License-Identifier: MIT
 *
 * Tasks that bring their stack pointer to a bad place and wait there for an interrupt.
 */
    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

/* stack_edge(sp) */
    .section .text.stack_edge, "ax"
    .global stack_edge, stack_edge_fpu, stack_edge_call
    .type stack_edge, %function
    .type stack_edge_call, %function
    .type stack_edge_fpu, %function
    .thumb_func
stack_edge:
    mov     sp, r0
1:  b       1b

/* stack_edge_call(sp): a supervisor call there */
    .thumb_func
stack_edge_call:
    mov     sp, r0
    svc     #255
    b       .

/* stack_edge_fpu(sp): the same with a frame that has the FPU's part */
    .thumb_func
stack_edge_fpu:
    vmov    s0, r0
    mov     sp, r0
1:  b       1b

/* stack_edge_wait(sp, object, wait): waits there, wait(object, KERNEL_FOREVER) */
    .global stack_edge_wait
    .type stack_edge_wait, %function
    .thumb_func
stack_edge_wait:
    mov     sp, r0
    mov     r0, r1
    mvn     r1, #0
    blx     r2
    b       task_exit
