/* SPDX-License-Identifier: MIT */
/* The image of the library that programs call, a link unit of its own (runtime/rules.mk), where MEMMAP_LIBRARY says. */
    .section .library, "a", %progbits
    .incbin LIBRARY_IMAGE
