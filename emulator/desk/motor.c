/* SPDX-License-Identifier: MIT */
/*
 * A DC motor on the desk: the duty of TIM1's channel 1 (PE9) drives it, its shaft turns the encoder.
 *
 * Speed follows voltage with one time constant, that of a small geared motor; a steady load takes a part of it, so that a
 * motor without a controller is slower than its duty says. A break, or a stopped timer, is duty 0: it coasts.
 */
#include "desk/desk.h"

#include <math.h>

static const double STEPS_A_SECOND = 40000; /* of the encoder, at full duty and without load */
static const double TIME_CONSTANT = 0.04;   /* s */
static const double LOAD = 0.1;             /* of full speed */
enum { MOTOR_PORT = 'E' - 'A', MOTOR_PIN = 9, MOTOR_SLICE = 1600 /* cycles: 0.1 ms at 16 MHz */ };

void motor_update(struct motor *m, struct board *b) {
    uint64_t now = board_ns(b);
    double seconds = (double)(now - m->at) / 1e9, duty = board_pwm(b, MOTOR_PORT, MOTOR_PIN);

    if (now == m->at)
        return;
    m->at = now;
    double goal = (duty > LOAD ? duty - LOAD : 0) * STEPS_A_SECOND;
    m->speed = goal + (m->speed - goal) * exp(-seconds / TIME_CONSTANT);
    m->angle += m->speed * seconds;
    int32_t steps = (int32_t)m->angle;
    m->angle -= steps;
    if (steps)
        board_encoder_turn(b, steps);
}

uint64_t motor_cycles(uint64_t limit) {
    return limit < MOTOR_SLICE ? limit : MOTOR_SLICE;
}
