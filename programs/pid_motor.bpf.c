// SPDX-License-Identifier: MIT
/*
 * Speed control of a DC motor: every millisecond the encoder is read, a PID controller in Q16.16 compares the
 * speed with the goal, and the duty of the PWM follows. Goal and gains lie in a map, so that a host can
 * tune them while the motor runs; the controller writes what it sees next to them.
 *
 *     bpf2thumb run --runs 5 --encoder 0=0,0,2,7,15,26 pid_motor.bpf.c
 *
 * With the motor standing, the first runs raise the duty step by step; as it gains speed the duty
 * settles. Products are 64 bits wide and clamped: a controller must not wrap around.
 */
#include "bpf_mcu.h"

BPF_GRANT("encoder:0 pwm:5 budget=100us/1ms priority=7 ram=2K policy=restart:3/1s");

#define ENCODER 0
#define PWM 5 /* the motor */
#define PERMILLE 1000

struct tuning {
    s32 goal;       /* encoder steps in a millisecond, Q16.16 */
    s32 kp, ki, kd; /* permille of duty for a step, Q16.16 */
};

struct seen {
    s32 speed; /* Q16.16 */
    u32 duty;  /* permille */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct tuning);
} tuning SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct seen);
} seen SEC(".maps");

static s32 position, integral, last_error;
static u32 started;

static s32 clamp(s64 x, s32 low, s32 high) {
    return x < low ? low : x > high ? high : (s32)x;
}

static s32 times(s32 a, s32 b) {
    return clamp(((s64)a * b) >> 16, -(PERMILLE << 16), PERMILLE << 16);
}

/* Duty in permille for a speed in Q16.16. */
static u32 control(const struct tuning *t, s32 speed) {
    s32 error = t->goal - speed;
    integral = clamp((s64)integral + times(t->ki, error), 0, PERMILLE << 16);
    s64 out = (s64)times(t->kp, error) + integral + times(t->kd, error - last_error);
    last_error = error;
    return (u32)clamp(out, 0, PERMILLE << 16) >> 16;
}

SEC("timer/1ms")
int pid_motor(struct bpf_ctx_timer *ctx) {
    u32 key = 0;
    struct tuning *t = bpf_map_lookup_elem(&tuning, &key);
    struct seen *s = bpf_map_lookup_elem(&seen, &key);
    (void)ctx;
    if (!t || !s)
        return 0;
    s32 now = bpf_encoder_read(ENCODER);
    if (!started) { /* values to begin with; the host may change them at any time */
        *t = (struct tuning){.goal = 10 << 16, .kp = 20 << 16, .ki = 2 << 16, .kd = 5 << 16};
        position = now;
        started = 1;
    }
    s->speed = (now - position) << 16;
    position = now;
    s->duty = control(t, s->speed);
    bpf_pwm_set(PWM, s->duty);
    return 0;
}
