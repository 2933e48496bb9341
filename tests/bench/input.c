/* SPDX-License-Identifier: MIT */
/* What the programs work on: the same bytes in every run of the benchmark, on every machine. */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

const char input_button[] =
    "PA0=0,0,1,0,1,1,1,1,1,1,0,1,1,1,0,0,0,0,0,0,1,1,1,1,1,1,0,0,1,0,0,0,0,0,0";

const struct bench benches[] = {
#define BENCH(name, memory, input, runs) {#name, memory, input_##input, runs},
#include "bench/bench.def"
};
const size_t bench_count = sizeof(benches) / sizeof(benches[0]);

static uint32_t next(uint32_t *state) { /* xorshift32 */
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static uint8_t *bytes(struct context_input *input, uint32_t size, struct arena *arena) {
    uint8_t *b = arena_alloc(arena, size);
    input->bytes = b;
    input->size = size;
    return b;
}

void input_none(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    (void)run;
    bytes(input, size, arena);
}

/* Stimuli of pins are given to the devices, not in the context. */
void input_levels(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    input_none(input, size, run, arena);
}

void input_random(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    uint8_t *b = bytes(input, size, arena);
    uint32_t state = 2463534242u + run;

    for (uint32_t i = 0; i < size; i++)
        b[i] = (uint8_t)(next(&state) >> 11);
}

void input_sorted(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    uint8_t *b = bytes(input, size, arena);
    uint32_t state = 88675123u + run, value = 0;

    for (uint32_t i = 0; i + 4 <= size; i += 4) {
        value += next(&state) & 511;
        memcpy(b + i, &value, 4);
    }
}

void input_text(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    static const char text[] =
        "The board runs real_time code; each task has 3 states and \"one stack\" of 512 bytes. "
        "A real kernel (r2, rtos7) never waits 100 us: it reads x1, then \"re\\\"al\" data, ";
    uint8_t *b = bytes(input, size, arena);

    for (uint32_t i = 0; i < size; i++)
        b[i] = (uint8_t)text[(i + run) % (sizeof(text) - 1)];
}

static void put16(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* Ethernet frames of 64 bytes with IPv4 and UDP, most of them right. */
void input_packets(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    uint8_t *b = bytes(input, size, arena);
    uint32_t state = 521288629u + run;

    for (uint32_t at = 0; at + 64 <= size; at += 64) {
        uint8_t *ip = b + at + 14;
        uint32_t sum = 0, kind = next(&state) % 8;
        for (uint32_t i = 0; i < 64; i++)
            b[at + i] = (uint8_t)(next(&state) >> 7);
        put16(b + at + 12, kind == 1 ? 0x0806 : 0x0800);
        ip[0] = 0x45;
        put16(ip + 2, 50);
        ip[9] = kind == 2 ? 6 : 17;
        ip[16] = kind == 3 ? 192 : 10;
        put16(ip + 10, 0);
        for (uint32_t i = 0; i < 20; i += 2)
            sum += (uint32_t)ip[i] << 8 | ip[i + 1];
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        put16(ip + 10, (~sum & 0xffff) ^ (kind == 4));
    }
}

void input_samples(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    uint16_t *samples = arena_alloc_array(arena, 64, sizeof(*samples));
    uint32_t state = 362436069u + run;

    (void)size;
    for (uint32_t i = 0; i < 64; i++)
        samples[i] = next(&state) >> 20;
    input->samples = samples;
    input->sample_count = 64;
}

/* Frames of programs/uart_frame.bpf.c: LEDs, PWM, and a long one with a command that it refuses. */
void input_frame(struct context_input *input, uint32_t size, uint32_t run, struct arena *arena) {
    uint32_t kind = run % 3, payload = kind == 0 ? 1 : kind == 1 ? 3 : 60;
    uint8_t *b = bytes(input, payload + 4, arena), sum = 0;

    (void)size;
    b[0] = 0x7e;
    b[1] = (uint8_t)payload;
    b[2] = (uint8_t)(kind + 1);
    for (uint32_t i = 0; i < payload; i++)
        b[3 + i] = (uint8_t)(kind == 1 ? i : run + i);
    for (uint32_t i = 1; i < payload + 3; i++)
        sum += b[i];
    b[payload + 3] = (uint8_t)-sum;
}
