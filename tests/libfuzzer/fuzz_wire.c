/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: bytes on a serial line. A decoder stays inside its buffer, gives away no byte that did not come, and
 * takes the next good packet whatever came before. What is encoded is decoded.
 */
#include "bpf/wire.h"
#include "libfuzzer/target.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 1024 };

static struct wire_decoder decoder;
static unsigned packets;

static void feed(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        enum wire_event event = wire_feed(&decoder, bytes[i]);
        if (event == WIRE_TEXT &&
            (decoder.text_count == 0 || decoder.text_count > 2 ||
             (decoder.text[decoder.text_count - 1] != bytes[i] && !decoder.held)))
            abort();
        if (event == WIRE_PACKET && (decoder.length == 0 || decoder.length > SIZE))
            abort();
        if (event == WIRE_BROKEN && decoder.refusal >= WIRE_REFUSED_REASONS)
            abort();
        packets += event == WIRE_PACKET;
        if (decoder.used > decoder.total || decoder.total > 0xffff)
            abort();
        if (bytes[i] & 1 && i % 7 == 0)
            wire_idle(&decoder);
    }
}

static void feed_line(void *context, const char *line, size_t length) {
    (void)context;
    feed((const uint8_t *)line, length);
}

static void round_trip(const uint8_t *bytes, size_t size) {
    unsigned before = packets;
    if (size == 0 || size > SIZE)
        return;
    wire_encode(bytes, size, feed_line, NULL);
    if (packets != before + 1 || decoder.length != size || memcmp(decoder.buffer, bytes, size))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    uint8_t *buffer = malloc(SIZE + WIRE_CRC);
    wire_decoder_init(&decoder, buffer, SIZE + WIRE_CRC);
    feed(bytes, size);
    feed((const uint8_t *)"\n", 1);
    round_trip((const uint8_t *)"next", 4);
    round_trip(bytes, size);
    free(buffer);
    return 0;
}
