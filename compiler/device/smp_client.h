/* SPDX-License-Identifier: MIT */
/*
 * Questions and answers of SMP over a line that carries a console's text as well and that loses and damages
 * bytes. One question is open at a time. Its answer has its sequence number, group and command; everything
 * else that comes is text, damaged, or late: the answer to a question that has been given up.
 *
 * A question that may be asked twice without harm is repeated with the same number, so that an answer to the first
 * one that was only slow is as good; a second answer is dropped by the next question, whose number differs.
 */
#ifndef DEVICE_SMP_CLIENT_H
#define DEVICE_SMP_CLIENT_H

#include "bpf/smp.h"
#include "bpf/wire.h"
#include "device/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SMP_BODY_MAX = 4096, /* of an answer; a board's buffers are smaller */
    SMP_TRIES = 3,       /* of a question that may be repeated, within its time */
};

struct smp_client {
    struct line line;
    struct wire_decoder decoder;
    uint8_t sequence;    /* of the last question */
    uint32_t text, late; /* bytes that were in no frame; packets that were for nobody */
    uint8_t buffer[SMP_HEADER + SMP_BODY_MAX + WIRE_CRC];
    uint8_t input[256]; /* bytes that came behind an answer */
    size_t input_at, input_end;
};

struct smp_question {
    enum smp_op op; /* SMP_READ or SMP_WRITE */
    uint16_t group;
    uint8_t id;
    const void *body;
    size_t size;
    int timeout; /* ms, for all tries together */
    bool repeat; /* it may be asked twice */
};

struct smp_answer {
    const uint8_t *body; /* until the next question */
    size_t size;
    unsigned tries; /* questions that were sent */
};

enum smp_result {
    SMP_ANSWERED,
    SMP_SILENT,    /* no answer in time */
    SMP_LINE_LOST, /* the line is gone */
};

/* `sequence`: of the first question; one that differs from run to run keeps late answers apart. */
void smp_client_init(struct smp_client *client, struct line line, uint8_t sequence);
enum smp_result smp_ask(struct smp_client *client, const struct smp_question *question,
                        struct smp_answer *out);
/* Damaged packets and lines so far. */
uint32_t smp_client_broken(const struct smp_client *client);

#endif
