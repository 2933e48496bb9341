/* SPDX-License-Identifier: MIT */
#include "frame.h"

/* A packet as it is on the line. */
struct packet {
    const uint8_t *body;
    size_t size;
    uint16_t crc;
};

static uint8_t packet_byte(const struct packet *p, size_t i) {
    size_t total = p->size + WIRE_CRC;

    if (i < FRAME_LENGTH)
        return (uint8_t)(i == 0 ? total >> 8 : total);
    i -= FRAME_LENGTH;
    if (i < p->size)
        return p->body[i];
    return (uint8_t)(i == p->size ? p->crc >> 8 : p->crc);
}

/* RFC 4648, 4. Returns the number of characters. */
static size_t base64(const struct packet *p, size_t from, size_t count, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = out;

    for (size_t i = 0; i < count; i += 3) {
        uint32_t group = (uint32_t)packet_byte(p, from + i) << 16;
        if (i + 1 < count)
            group |= (uint32_t)packet_byte(p, from + i + 1) << 8;
        if (i + 2 < count)
            group |= packet_byte(p, from + i + 2);
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = i + 1 < count ? digits[group >> 6 & 63] : '=';
        *to++ = i + 2 < count ? digits[group & 63] : '=';
    }
    return (size_t)(to - out);
}

/* All lines but the last are without padding, for receivers that decode the lines as one text; and the last one has
 * the whole CRC, as the specification's formats of frames want it. */
void wire_encode(const void *body, size_t size, wire_line *line, void *context) {
    struct packet packet = {body, size, wire_crc16(0, body, size)};
    size_t total = FRAME_LENGTH + size + WIRE_CRC;
    char text[WIRE_LINE_MAX];

    for (size_t at = 0, count; at < total; at += count) {
        count = total - at < FRAME_BYTES ? total - at : FRAME_BYTES;
        if (at + count == total - 1)
            count -= 3;
        text[0] = at ? WIRE_MORE_1 : WIRE_BEGIN_1;
        text[1] = at ? WIRE_MORE_2 : WIRE_BEGIN_2;
        size_t length = 2 + base64(&packet, at, count, text + 2);
        text[length++] = '\n';
        line(context, text, length);
    }
}
