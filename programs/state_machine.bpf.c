// SPDX-License-Identifier: MIT
/*
 * A scanner for a configuration file or a shell: names, numbers and quoted strings with escapes in 512
 * characters, as a state machine. r0: names, numbers and strings found (bits 48, 40, 32 up) and the sum of the numbers.
 *
 *     bpf2thumb run --text 'a = 12; b = "x\\"y"' state_machine.bpf.c
 */
#include "bpf_mcu.h"

#define TEXT 512

enum state { BETWEEN, NAME, NUMBER, STRING, ESCAPE };

static __always_inline bool is_letter(u8 c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static __always_inline bool is_digit(u8 c) {
    return c >= '0' && c <= '9';
}

static __always_inline enum state start(u8 c) {
    return is_letter(c) ? NAME : is_digit(c) ? NUMBER : c == '"' ? STRING : BETWEEN;
}

SEC("raw")
u64 state_machine(const u8 *text, u32 size) {
    u32 names = 0, numbers = 0, strings = 0, value = 0, total = 0;
    enum state state = BETWEEN;
    (void)size;
    for (u32 i = 0; i < TEXT; i++) {
        u8 c = text[i];
        switch (state) {
        case BETWEEN:
            state = start(c);
            value = c & 15;
            break;
        case NAME:
            if (!is_letter(c) && !is_digit(c)) {
                names++;
                state = start(c);
            }
            break;
        case NUMBER:
            if (is_digit(c)) {
                value = value * 10 + (c - '0');
            } else {
                numbers++;
                total += value;
                state = start(c);
            }
            break;
        case STRING:
            if (c == '\\') {
                state = ESCAPE;
            } else if (c == '"') {
                strings++;
                state = BETWEEN;
            }
            break;
        case ESCAPE: state = STRING; break;
        }
    }
    return (u64)(names << 16 | numbers << 8 | strings) << 32 | total;
}
