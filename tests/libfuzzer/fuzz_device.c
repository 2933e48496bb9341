/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: what a board, or whatever is at the other end, answers to the client. The line's bytes as they
 * are; and, because few of those are frames, the same bytes as the map of an answer that is framed rightly.
 */
#include "device/message.h"
#include "device/smp_client.h"
#include "libfuzzer/target.h"
#include "tests/device/fake_line.h"
#include "util/arena.h"

#include <stdlib.h>
#include <string.h>

static struct fake_line wire;
static struct smp_client client;

/* All that the commands read of an answer, whatever it is. */
static void read_all(const uint8_t *bytes, size_t size) {
    static const char *const keys[] = {"a", "name", "err", "items", "off", "data", "text"};
    struct cbor_item_t *m = message_parse(bytes, size);
    struct arena *arena = arena_new();
    uint64_t number;
    int64_t integer;
    size_t length;
    bool flag;

    for (size_t i = 0; m && i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *key = keys[i];
        message_uint(m, key, &number);
        message_int(m, key, &integer);
        message_bool(m, key, &flag);
        message_uint(message_map(m, key), "rc", &number);
        const char *text = message_text(m, key, arena);
        for (; text && *text; text++)
            if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t')
                abort();
        message_bytes(m, key, arena, &length);
        for (size_t k = 0; k < message_count(m, key); k++)
            message_item_bytes(message_item_at(message_item(m, key, k), 1), arena, &length);
    }
    arena_free(arena);
    message_free(m);
}

static void ask(void) {
    const struct smp_question question = {
        .op = SMP_READ, .group = SMP_GROUP_PROGRAMS, .id = 1, .timeout = 30, .repeat = true};
    struct smp_answer answer;

    if (smp_ask(&client, &question, &answer) != SMP_ANSWERED)
        return;
    if (answer.size > SMP_BODY_MAX)
        abort();
    read_all(answer.body, answer.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size > 8192)
        return 0;
    memset(&wire, 0, sizeof(wire));
    smp_client_init(&client, fake_line(&wire), 0);
    wire.piece = size ? bytes[0] : 0;
    fake_line_put(&wire, bytes, size);
    ask();
    fake_line_answer(&wire, SMP_READ_ANSWER, SMP_GROUP_PROGRAMS, 1, client.sequence + 1u, bytes,
                     size);
    ask();
    return 0;
}
