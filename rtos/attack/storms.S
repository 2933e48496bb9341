/* SPDX-License-Identifier: MIT */
/* The blobs of the storms, compiled from the .bpf.c files here. */
    .section .rodata.storms, "a", %progbits

    .macro storm name
    .global storm_\name, storm_\name\()_end
    .balign 8
storm_\name:
    .incbin "storm_\name\().blob"
storm_\name\()_end:
    .endm

    storm edges
    storm faults
    storm line
    storm log
    storm ring
    storm steady
    storm switches
    storm ticks
    storm timers
