/* SPDX-License-Identifier: MIT
 *
 * sandbox_fpu(call, argument): fills s16-s31, the rounding mode and r4-r11, calls, and looks whether all are
 * the same; 0: they are.
 */
    .syntax unified
    .thumb
    .fpu fpv4-sp-d16
    .section .text.sandbox_fpu, "ax"
    .global sandbox_fpu
    .type sandbox_fpu, %function
    .thumb_func
sandbox_fpu:
    push    {r4-r11, r12, lr}
    vpush   {s16-s31}
    .irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    movw    r2, #0x4000 + \n
    vmov    s\n, r2
    .endr
    mov     r2, #0x00c00000
    vmsr    fpscr, r2
    .irp n, 4,5,6,7,8,9,10,11
    movw    r\n, #0x5000 + \n
    .endr
    mov     r3, r0
    mov     r0, r1
    blx     r3
    vmrs    r2, fpscr
    and     r0, r2, #0x00c00000
    eor     r0, r0, #0x00c00000
    .irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmov    r2, s\n
    movw    r3, #0x4000 + \n
    eor     r2, r3
    orr     r0, r2
    .endr
    .irp n, 4,5,6,7,8,9,10,11
    movw    r2, #0x5000 + \n
    eor     r2, r\n
    orr     r0, r2
    .endr
    movs    r2, #0
    vmsr    fpscr, r2
    vpop    {s16-s31}
    pop     {r4-r11, r12, pc}
