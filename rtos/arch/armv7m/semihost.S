/* SPDX-License-Identifier: MIT
 *
 * core_semihost(operation, argument). Without a host the BKPT is a HardFault, and the fault handler
 * returns -1 from here (fault.c).
 */
    .syntax unified
    .thumb
    .section .text.core_semihost, "ax"
    .global core_semihost, core_semihost_call
    .type core_semihost, %function
    .thumb_func
core_semihost:
core_semihost_call:
    bkpt    #0xab
    bx      lr
    .size core_semihost, . - core_semihost
