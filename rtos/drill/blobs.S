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

    .global drill_adc, drill_adc_end
    .balign 8
drill_adc:
    .incbin "adc.blob"
drill_adc_end:

    .global drill_often, drill_often_end
    .balign 8
drill_often:
    .incbin "often.blob"
drill_often_end:

    .global drill_faulty, drill_faulty_end
    .balign 8
drill_faulty:
    .incbin "faulty.blob"
drill_faulty_end:

    .global drill_spin, drill_spin_end
    .balign 8
drill_spin:
    .incbin "spin.blob"
drill_spin_end:

    .global drill_crowd, drill_crowd_end
    .balign 8
drill_crowd:
    .incbin "crowd.blob"
drill_crowd_end:

    .global drill_samples, drill_samples_end
    .balign 8
drill_samples:
    .incbin "samples.blob"
drill_samples_end:
