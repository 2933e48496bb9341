/* SPDX-License-Identifier: MIT */
/* What is run: programs and their events (same.h). */
    .section .rodata.cases, "a", %progbits
    .global same_image
    .balign 8
same_image:
    .incbin "cases.bin"
