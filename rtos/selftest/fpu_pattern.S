/* SPDX-License-Identifier: MIT
 *
 * Registers that must survive a switch, against values that only this task has.
 */
    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

/* \first-\last of the core's registers hold seed + 64 + number */
    .macro fill_core numbers:vararg
    .irp n, \numbers
    add     r\n, r0, #64 + \n
    .endr
    .endm

    .macro check_core numbers:vararg
    .irp n, \numbers
    sub     r2, r\n, r0
    cmp     r2, #64 + \n
    bne     9f
    .endr
    .endm

/* core_pattern(seed, stop): fills r4-r12, checks them until *stop is not 0; 0: all were right */
    .section .text.core_pattern, "ax"
    .global core_pattern
    .type core_pattern, %function
    .thumb_func
core_pattern:
    push    {r4-r11, lr}
    fill_core 4, 5, 6, 7, 8, 9, 10, 11, 12
1:  check_core 4, 5, 6, 7, 8, 9, 10, 11, 12
    ldr     r3, [r1]
    cmp     r3, #0
    beq     1b
    movs    r0, #0
    pop     {r4-r11, pc}
9:  movs    r0, #1
    pop     {r4-r11, pc}

/* fpu_pattern(seed, stop): the same with s0-s31 and the rounding mode in FPSCR */
    .section .text.fpu_pattern, "ax"
    .global fpu_pattern
    .type fpu_pattern, %function
    .thumb_func
fpu_pattern:
    push    {r4-r11, lr}
    vpush   {s16-s31}
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    add     r2, r0, #\n
    vmov    s\n, r2
    .endr
    and     r2, r0, #0x00c00000
    vmsr    fpscr, r2
    fill_core 4, 5, 6, 7, 8, 9, 10, 11, 12
1:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmov    r2, s\n
    sub     r2, r0
    cmp     r2, #\n
    bne     9f
    .endr
    vmrs    r2, fpscr
    eor     r2, r0
    tst     r2, #0x00c00000
    bne     9f
    check_core 4, 5, 6, 7, 8, 9, 10, 11, 12
    ldr     r3, [r1]
    cmp     r3, #0
    beq     1b
    movs    r0, #0
8:  movs    r2, #0
    vmsr    fpscr, r2
    vpop    {s16-s31}
    pop     {r4-r11, pc}
9:  movs    r0, #1
    b       8b
