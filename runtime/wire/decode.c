/* SPDX-License-Identifier: MIT */
/*
 * Bytes in, packets and text out. There is no clock in here: how long the parts of a line take to come does not
 * matter, and a line that lost its end goes on to the next one's: at worst one line of text is thrown away
 * with it, and the caller is told.
 */
#include "frame.h"

enum state {
    OUTSIDE, /* of a line: text */
    INSIDE,
    THROWN,   /* inside a line that was refused: up to its end */
    RETURNED, /* behind the \r of a line: a \n belongs to it */
};

const char *wire_refusal_text(enum wire_refusal refusal) {
    static const char *const texts[] = {
#define WIRE_REFUSAL_TEXT(NAME, text) text,
        WIRE_REFUSALS(WIRE_REFUSAL_TEXT)
#undef WIRE_REFUSAL_TEXT
    };
    return refusal < WIRE_REFUSED_REASONS ? texts[refusal] : "unknown";
}

void wire_decoder_init(struct wire_decoder *d, void *buffer, size_t size) {
    *d = (struct wire_decoder){.buffer = buffer, .size = size < 0xffff ? (uint16_t)size : 0xffff};
}

/* The packet goes with the line: nobody can say what it lacks. */
static enum wire_event refuse(struct wire_decoder *d, enum wire_refusal refusal) {
    d->state = THROWN;
    d->open = false;
    d->refusal = (uint8_t)refusal;
    d->refused[refusal]++;
    return WIRE_BROKEN;
}

/* ----- inside a line ------------------------------------------------------------------------------ */

static int base64_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static enum wire_event take_byte(struct wire_decoder *d, uint8_t byte) {
    if (d->length_bytes < FRAME_LENGTH) {
        d->total = (uint16_t)(d->total << 8 | byte);
        if (++d->length_bytes == FRAME_LENGTH && (d->total <= WIRE_CRC || d->total > d->size))
            return refuse(d, WIRE_LENGTH);
        return WIRE_NOTHING;
    }
    if (d->used == d->total)
        return refuse(d, WIRE_EXCESS);
    d->buffer[d->used++] = byte;
    return WIRE_NOTHING;
}

/* Four characters are there. The bits that the padding leaves over are 0 (RFC 4648, 3.5): noise may not hide
 * in them. */
static enum wire_event take_group(struct wire_decoder *d) {
    enum wire_event event = WIRE_NOTHING;
    unsigned bytes = 3u - d->padding;

    if (d->group & ((1u << 8 * d->padding) - 1))
        return refuse(d, WIRE_GROUP);
    for (unsigned i = 0; i < bytes && event == WIRE_NOTHING; i++)
        event = take_byte(d, (uint8_t)(d->group >> (16 - 8 * i)));
    d->in_group = 0;
    d->group = 0;
    return event;
}

static enum wire_event take_character(struct wire_decoder *d, uint8_t c) {
    int value = c == '=' ? 0 : base64_value(c);

    if (value < 0)
        return refuse(d, WIRE_CHARACTER);
    if (d->line++ == FRAME_CHARACTERS)
        return refuse(d, WIRE_LONG);
    /* Padding is the third and fourth character of a group, or the fourth; nothing comes behind it. */
    if (d->padding && c != '=')
        return refuse(d, WIRE_GROUP);
    if (c == '=') {
        if (d->in_group < 2)
            return refuse(d, WIRE_GROUP);
        d->padding++;
    }
    d->group = d->group << 6 | (uint32_t)value;
    return ++d->in_group == 4 ? take_group(d) : WIRE_NOTHING;
}

static enum wire_event end_line(struct wire_decoder *d) {
    if (d->in_group)
        return refuse(d, WIRE_GROUP);
    if (d->length_bytes < FRAME_LENGTH)
        return refuse(d, WIRE_LENGTH);
    if (d->used < d->total)
        return WIRE_NOTHING; /* to be continued */
    d->length = (uint16_t)(d->total - WIRE_CRC);
    uint16_t crc = (uint16_t)(d->buffer[d->length] << 8 | d->buffer[d->length + 1]);
    if (crc != wire_crc16(0, d->buffer, d->length))
        return refuse(d, WIRE_CHECKSUM);
    d->open = false;
    d->packets++;
    return WIRE_PACKET;
}

/* A marker has come. */
static enum wire_event begin_line(struct wire_decoder *d, bool first) {
    enum wire_event event = WIRE_NOTHING;

    d->state = INSIDE;
    d->line = d->in_group = d->padding = 0;
    d->group = 0;
    if (!first)
        return d->open ? WIRE_NOTHING : refuse(d, WIRE_ORPHAN);
    if (d->open) {
        event = refuse(d, WIRE_CUT);
        d->state = INSIDE;
    }
    d->open = true;
    d->total = d->used = d->length_bytes = 0;
    return event;
}

/* ----- everywhere --------------------------------------------------------------------------------- */

/* Remembers a byte that can be the first of a marker. True: with the one before, it is one, and *event is what comes
 * of it. */
static bool marker(struct wire_decoder *d, uint8_t byte, enum wire_event *event) {
    uint8_t first = d->first;
    bool begin = first == WIRE_BEGIN_1 && byte == WIRE_BEGIN_2;
    bool more = first == WIRE_MORE_1 && byte == WIRE_MORE_2;

    d->first = byte == WIRE_BEGIN_1 || byte == WIRE_MORE_1 ? byte : 0;
    if (!begin && !more)
        return false;
    d->held = false;
    *event = begin_line(d, begin);
    return true;
}

/* A byte that may begin a marker is held back; one that did not is text after all. */
static enum wire_event outside(struct wire_decoder *d, uint8_t byte, uint8_t before) {
    d->text_count = 0;
    if (d->held)
        d->text[d->text_count++] = before;
    d->held = d->first != 0;
    if (!d->held)
        d->text[d->text_count++] = byte;
    return d->text_count ? WIRE_TEXT : WIRE_NOTHING;
}

enum wire_event wire_feed(struct wire_decoder *d, uint8_t byte) {
    enum wire_event event = WIRE_NOTHING;
    uint8_t before = d->first;

    if (marker(d, byte, &event))
        return event;
    if (d->state == RETURNED) {
        d->state = OUTSIDE;
        if (byte == '\n')
            return WIRE_NOTHING;
    }
    if (d->state == OUTSIDE)
        return outside(d, byte, before);
    if (byte == '\n' || byte == '\r') {
        if (d->state == INSIDE)
            event = end_line(d);
        d->state = byte == '\r' ? RETURNED : OUTSIDE;
        return event;
    }
    return d->state == INSIDE ? take_character(d, byte) : WIRE_NOTHING;
}

int wire_idle(struct wire_decoder *d) {
    if (!d->held)
        return -1;
    d->held = false;
    return d->first;
}
