/* SPDX-License-Identifier: MIT */
/* The blobs of the drill, compiled from the .bpf.c files here. */
    .section .rodata.blobs, "a", %progbits

    .global drill_empty, drill_empty_end
    .balign 8
drill_empty:
    .incbin "empty.blob"
drill_empty_end:

    .global drill_line, drill_line_end
    .balign 8
drill_line:
    .incbin "line.blob"
drill_line_end:

    .global drill_missing, drill_missing_end
    .balign 8
drill_missing:
    .incbin "missing.blob"
drill_missing_end:

    .global drill_port, drill_port_end
    .balign 8
drill_port:
    .incbin "port.blob"
drill_port_end:

    .global drill_timers, drill_timers_end
    .balign 8
drill_timers:
    .incbin "timers.blob"
drill_timers_end:

    .global drill_wild, drill_wild_end
    .balign 8
drill_wild:
    .incbin "wild.blob"
drill_wild_end:
