/* SPDX-License-Identifier: MIT */
#include "device/smp_client.h"

#include <assert.h>
#include <string.h>

void smp_client_init(struct smp_client *client, struct line line, uint8_t sequence) {
    memset(client, 0, sizeof(*client));
    client->line = line;
    client->sequence = sequence;
    wire_decoder_init(&client->decoder, client->buffer, sizeof(client->buffer));
}

uint32_t smp_client_broken(const struct smp_client *client) {
    uint32_t sum = 0;

    for (unsigned i = 0; i < WIRE_REFUSED_REASONS; i++)
        sum += client->decoder.refused[i];
    return sum;
}

/* ---- Sending ---- */

/* A whole packet is one write: a line's driver may send each write by itself. */
struct frames {
    char text[8192];
    size_t length;
};

static void add_line(void *context, const char *line, size_t length) {
    struct frames *frames = context;

    assert(length <= sizeof(frames->text) - frames->length);
    memcpy(frames->text + frames->length, line, length);
    frames->length += length;
}

static bool send_question(struct smp_client *client, const struct smp_question *q) {
    uint8_t packet[SMP_HEADER + SMP_BODY_MAX];
    struct smp_header header = {.version = SMP_V2,
                                .op = (uint8_t)q->op,
                                .length = (uint16_t)q->size,
                                .group = q->group,
                                .sequence = client->sequence,
                                .id = q->id};
    struct frames frames = {.length = 0};

    assert(q->size <= SMP_BODY_MAX);
    smp_header_write(&header, packet);
    if (q->size)
        memcpy(packet + SMP_HEADER, q->body, q->size);
    wire_encode(packet, SMP_HEADER + q->size, add_line, &frames);
    return client->line.write(client->line.context, frames.text, frames.length, q->timeout);
}

/* ---- Receiving ---- */

static bool is_answer(const struct smp_client *client, const struct smp_question *q,
                      const struct smp_header *header) {
    return header->op == q->op + 1 && header->group == q->group && header->id == q->id &&
           header->sequence == client->sequence;
}

/* Feeds what has come, up to the end of the answer. */
static bool take_input(struct smp_client *client, const struct smp_question *q,
                       struct smp_answer *out) {
    while (client->input_at < client->input_end) {
        struct smp_header header;
        enum wire_event event = wire_feed(&client->decoder, client->input[client->input_at++]);
        if (event == WIRE_TEXT)
            client->text += client->decoder.text_count;
        if (event != WIRE_PACKET)
            continue;
        if (smp_packet(client->buffer, client->decoder.length, &header) &&
            is_answer(client, q, &header)) {
            out->body = client->buffer + SMP_HEADER;
            out->size = header.length;
            return true;
        }
        client->late++;
    }
    return false;
}

/* Listens until the answer has come, or it is `until`. */
static enum smp_result listen(struct smp_client *client, const struct smp_question *q,
                              int64_t until, struct smp_answer *out) {
    for (;;) {
        if (take_input(client, q, out))
            return SMP_ANSWERED;
        int64_t left = until - client->line.now(client->line.context);
        if (left <= 0)
            return SMP_SILENT;
        int got = client->line.read(client->line.context, client->input, sizeof(client->input),
                                    (int)left);
        if (got < 0)
            return SMP_LINE_LOST;
        client->input_at = 0;
        client->input_end = (size_t)got;
    }
}

enum smp_result smp_ask(struct smp_client *client, const struct smp_question *q,
                        struct smp_answer *out) {
    int64_t start = client->line.now(client->line.context);
    int tries = q->repeat ? SMP_TRIES : 1;

    client->sequence++;
    for (int i = 1; i <= tries; i++) {
        out->tries = (unsigned)i;
        if (!send_question(client, q))
            return SMP_LINE_LOST;
        enum smp_result result = listen(client, q, start + (int64_t)q->timeout * i / tries, out);
        if (result != SMP_SILENT)
            return result;
    }
    return SMP_SILENT;
}
