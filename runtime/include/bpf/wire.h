/* SPDX-License-Identifier: MIT */
/*
 * Packets on a line that also carries text: the console framing of mcumgr's SMP (Zephyr Project
 * documentation, "SMP Transport Specification", UART/serial and console; docs/protocol.md).
 *
 *     packet   length (2 bytes, big-endian: body and CRC) | body | CRC-16/XMODEM of the body (2 bytes)
 *     line     06 09 (the first) or 04 14 (the others) | base64 of up to 93 bytes of the packet | 0a
 *
 * What is in no line is text, and somebody else's.
 */
#ifndef BPF_WIRE_H
#define BPF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_LINE_MAX = 127, /* bytes of a line, marker and newline included */
    WIRE_CRC = 2,        /* what a decoder's buffer needs beside the largest body */
};

/* Why a line, and with it the packet that it belongs to, was refused. WIRE_REFUSAL(NAME, text) */
#define WIRE_REFUSALS(_)                                                                           \
    _(CHARACTER, "a character that is not base64")                                                 \
    _(GROUP, "base64 that does not come in whole groups")                                          \
    _(LONG, "a line of more than 127 bytes")                                                       \
    _(ORPHAN, "a continuation without a beginning")                                                \
    _(LENGTH, "a length that no packet here has")                                                  \
    _(EXCESS, "more bytes than announced")                                                         \
    _(CHECKSUM, "a wrong CRC")                                                                     \
    _(CUT, "a packet that was not finished when the next one began")
enum wire_refusal {
#define WIRE_REFUSAL_ENUM(NAME, text) WIRE_##NAME,
    WIRE_REFUSALS(WIRE_REFUSAL_ENUM)
#undef WIRE_REFUSAL_ENUM
        WIRE_REFUSED_REASONS
};
const char *wire_refusal_text(enum wire_refusal refusal);

enum wire_event {
    WIRE_NOTHING,
    WIRE_TEXT,   /* text[0..text_count) is not for us */
    WIRE_PACKET, /* buffer[0..length) is a body; it stays until the next call of wire_feed() */
    WIRE_BROKEN, /* a line, or what is left of one, was thrown away: `refusal` says why */
};

/* Between two calls all fields are for reading only. */
struct wire_decoder {
    uint8_t *buffer; /* of the caller */
    uint16_t size; /* its bytes: the largest body and WIRE_CRC; fixes what is the longest packet */
    uint16_t length; /* of the body, with WIRE_PACKET */
    uint8_t text[2]; /* with WIRE_TEXT */
    uint8_t text_count;
    uint8_t refusal;           /* enum wire_refusal, with WIRE_BROKEN */
    uint8_t state;             /* where in a line: decode.c */
    uint8_t first;             /* the last byte, if it can be the first of a marker; else 0 */
    bool held;                 /* `first` has not been given away as text */
    bool open;                 /* a packet has begun: total and used count */
    uint8_t line;              /* characters of this line behind the marker */
    uint8_t in_group, padding; /* of base64 */
    uint8_t length_bytes;      /* of the packet's first two */
    uint16_t total, used;      /* announced, and in the buffer: bytes of body and CRC */
    uint32_t group;            /* bits of up to four characters */
    uint32_t packets, refused[WIRE_REFUSED_REASONS]; /* counters, for people */
};

void wire_decoder_init(struct wire_decoder *d, void *buffer, size_t size);
enum wire_event wire_feed(struct wire_decoder *d, uint8_t byte);

/*
 * Nothing has come for a moment (some 50 ms): the byte that was held back because it might begin a
 * marker, or -1. These are Ctrl-F and Ctrl-D, which a user of a shell may type. If the marker's second
 * byte follows nevertheless, it is one: a line may be slow.
 */
int wire_idle(struct wire_decoder *d);

/* Writes a body of up to 65,533 bytes as lines, each with its newline. */
typedef void wire_line(void *context, const char *line, size_t length);
void wire_encode(const void *body, size_t size, wire_line *line, void *context);

/* CRC-16/XMODEM: polynomial 0x1021, not reflected; begins with 0. */
uint16_t wire_crc16(uint16_t crc, const void *data, size_t size);

#endif
