// SPDX-License-Identifier: MIT
/*
 * The arithmetic of a PID controller, without a motor (pid_motor.bpf.c has one): Q16.16, products of 64 bits,
 * clamps; 64 steps of a first-order plant towards the goals in memory (16 bits each). r0 = the positions, added
 * up, which says at a glance whether two controllers are the same.
 *
 *     bpf2thumb run --mem 00100010 pid.bpf.c
 */
#include "bpf_mcu.h"

#define STEPS 64

struct pid {
    s32 kp, ki, kd; /* Q16.16 */
    s32 integral, last;
};

static s32 clamp(s64 x, s32 limit) {
    return x > limit ? limit : x < -limit ? -limit : (s32)x;
}

static s32 step(struct pid *c, s32 error) {
    c->integral = clamp((s64)c->integral + (((s64)c->ki * error) >> 16), 1000 << 16);
    s64 out = ((s64)c->kp * error) >> 16;
    out += c->integral;
    out += ((s64)c->kd * (error - c->last)) >> 16;
    c->last = error;
    return clamp(out, 2000 << 16);
}

SEC("raw")
u64 pid(const u16 *memory, u32 size) {
    struct pid c = {.kp = 5 << 15, .ki = 1 << 13, .kd = 1 << 12};
    s32 position = 0;
    u64 sum = 0;
    (void)size;
    for (u32 i = 0; i < STEPS; i++) {
        s32 goal = (s32)memory[i] << 8;
        s32 out = step(&c, goal - position);
        position += out / 16;
        sum += (u32)position;
    }
    return sum;
}
