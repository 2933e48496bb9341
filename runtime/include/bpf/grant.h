/* SPDX-License-Identifier: MIT */
/*
 * A grant: what the installer of a program (one blob, one domain) permits it. It comes from the person who
 * installs, never from the blob; the blob only says what it would like (bpf_grant_request()). As bytes it
 * is the same in the store, on the wire and in memory: little-endian, naturally aligned.
 *
 * As text, items in any order, separated by commas or spaces; N, N-M and N+M+... are numbers:
 *
 *     gpio:PD12=out        output, safe level 0      gpio:PD12-15+PE0=out/safe=1
 *     gpio:PA0=in          may be read, and give events
 *     led:0-3   pwm:0-4    encoder:0   adc:1+16   uart:3   accel   trace
 *     budget=2ms/10ms      at most 2 ms of every 10 ms, and of one run
 *     priority=5           1 to 9; shell and protocol run above all of them
 *     ram=8K               of arena, stack and queue together
 *     queue=8              events that may wait
 *     policy=continue | stop | restart:3/10s   after a fault: go on; stop; start anew, stop at the 4th in 10 s
 */
#ifndef BPF_GRANT_H
#define BPF_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/blob.h"

enum {
    BPF_GRANT_VERSION = 1,
    BPF_GRANT_PORTS = 9, /* A to I, as in BPF_PIN(): port * 16 + number */
    BPF_GRANT_PRIORITY_MAX = 9,
    BPF_GRANT_QUEUE_MAX = 32,
    BPF_GRANT_RAM_MAX = 128 * 1024,
    BPF_GRANT_TEXT = 1152, /* bytes that are enough for bpf_grant_print(), whatever is granted */
};

#define BPF_GRANT_SECTION ".rodata.grant" /* of BPF_GRANT() in bpf_mcu.h */

enum bpf_policy { BPF_POLICY_CONTINUE, BPF_POLICY_RESTART, BPF_POLICY_STOP };

struct bpf_grant {
    uint16_t version;                    /* BPF_GRANT_VERSION */
    uint8_t priority;                    /* 1 to BPF_GRANT_PRIORITY_MAX */
    uint8_t policy;                      /* enum bpf_policy */
    uint32_t budget_us, period_us;       /* 1 <= budget <= period <= 60 s */
    uint32_t ram;                        /* bytes, 1 to BPF_GRANT_RAM_MAX */
    uint32_t window_ms;                  /* of RESTART: at most an hour; else 0 */
    uint8_t restarts;                    /* in a window, then it stops; at least 1; else 0 */
    uint8_t queue;                       /* events, 1 to BPF_GRANT_QUEUE_MAX */
    uint8_t accel, trace;                /* 0 or 1 */
    uint16_t gpio_in[BPF_GRANT_PORTS];   /* a bit per pin */
    uint16_t gpio_out[BPF_GRANT_PORTS];  /* a bit per pin */
    uint16_t gpio_safe[BPF_GRANT_PORTS]; /* levels when it is stopped; a subset of gpio_out */
    uint16_t leds;                       /* by number */
    uint16_t pwm;                        /* channels; their safe duty is 0 */
    uint16_t encoders;                   /* by number */
    uint16_t uart;                       /* ports, for writing and for frames */
    uint16_t reserved;                   /* 0 */
    uint32_t adc;                        /* channels */
    uint32_t zero[4];                    /* 0 */
};
_Static_assert(sizeof(struct bpf_grant) == 108, "stored and sent");

/* No device; 10 % of 10 ms, priority 3, 8 KiB, 8 events, restart:3/10s. */
extern const struct bpf_grant bpf_grant_default;

/* What is wrong with a text: where, and what was expected there. */
struct bpf_grant_error {
    size_t at;
    const char *expected; /* a sentence fragment: "a pin such as PD12" */
};

/* Adds the items of text (length bytes) to *grant, which the caller has initialised. False: *grant is
 * unchanged. */
bool bpf_grant_parse(const char *text, size_t length, struct bpf_grant *grant,
                     struct bpf_grant_error *error);
/*
 * Writes the text of a grant that bpf_grant_check() accepts, complete, so that parsing it over
 * bpf_grant_default gives *grant. Cut to size, NUL-terminated if size > 0. Returns its full length.
 */
size_t bpf_grant_print(const struct bpf_grant *grant, char *out, size_t size);
/* Bytes that came from outside: every field in its range. NULL: good; else what is wrong, for people. */
const char *bpf_grant_check(const void *bytes, size_t size);
/*
 * An output as a number, beside BPF_OUTPUT: a pin, or one of these plus the number of a LED or channel. Its name is
 * the grant's: "PD12", "led:1", "pwm:5".
 */
enum { BPF_OUTPUT_LED = 0x100, BPF_OUTPUT_PWM = 0x200, BPF_OUTPUT_NAME = 16 };
void bpf_output_name(uint32_t output, char name[BPF_OUTPUT_NAME]);
/* What the blob asks for: the text of BPF_GRANT() in its source, NULL without. */
const char *bpf_grant_request(const struct blob *blob);

#endif
