/* SPDX-License-Identifier: MIT */
/* Native functions for tests of `bpf2thumb-emu native`: integer code as gcc -O2 makes it. */
#include <stdint.h>

static const uint8_t weights[4] = {1, 2, 3, 4};
uint32_t calls = 5;

uint64_t sum(uint8_t *memory, uint32_t length);
uint64_t sum(uint8_t *memory, uint32_t length) {
    uint32_t total = 0;

    for (uint32_t i = 0; i < length; i++)
        total += memory[i] * weights[i & 3];
    memory[0] ^= 0xff;
    return total;
}

uint64_t count(void);
uint64_t count(void) {
    return ++calls;
}

/* Division, wide multiplication and an indirect call. */
static uint64_t mix(uint64_t a, uint32_t b) {
    return a * b + a / 7 % b;
}

uint64_t (*volatile fn)(uint64_t, uint32_t) = mix;

uint64_t arithmetic(uint8_t *memory, uint32_t length);
uint64_t arithmetic(uint8_t *memory, uint32_t length) {
    return fn(0x123456789abull + memory[0], length + 3);
}

void crash(void);
void crash(void) {
    *(volatile uint32_t *)0x40020000 = 1;
}
