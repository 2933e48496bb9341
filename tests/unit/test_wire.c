/* SPDX-License-Identifier: MIT */
/*
 * SMP's console frames: against Python's CRC and base64, with text between them, and with every kind of noise.
 * Whatever came before, what is in no line reaches the shell, and the next packet arrives.
 */
#include "bpf/wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 1024, MANY = 1 << 16 };

static const struct {
    const char *body, *lines;
} vectors[] = {
#include "wire_vectors.inc"
};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static size_t unhex(const char *text, uint8_t *out) {
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return size;
}

/* What comes out of a decoder. */
static struct {
    struct wire_decoder d;
    char text[MANY];
    size_t text_length;
    uint8_t packet[BODY]; /* the last one */
    size_t length;
    unsigned packets, broken;
} got;

static void start(void) {
    static uint8_t *buffer; /* of exactly its size, for the sanitizer */
    free(buffer);
    buffer = malloc(BODY + WIRE_CRC);
    memset(&got, 0, sizeof(got));
    wire_decoder_init(&got.d, buffer, BODY + WIRE_CRC);
}

static void feed(const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++)
        switch (wire_feed(&got.d, p[i])) {
        case WIRE_TEXT:
            memcpy(got.text + got.text_length, got.d.text, got.d.text_count);
            got.text_length += got.d.text_count;
            break;
        case WIRE_PACKET:
            got.packets++;
            got.length = got.d.length;
            memcpy(got.packet, got.d.buffer, got.length);
            break;
        case WIRE_BROKEN: got.broken++; break;
        case WIRE_NOTHING: break;
        }
}

static void feed_text(const char *text) {
    feed(text, strlen(text));
}

static bool text_is(const char *text) {
    return got.text_length == strlen(text) && memcmp(got.text, text, got.text_length) == 0;
}

struct lines {
    char text[4096];
    size_t length, longest;
};

static void add_line(void *context, const char *line, size_t length) {
    struct lines *lines = context;
    memcpy(lines->text + lines->length, line, length);
    lines->length += length;
    if (length > lines->longest)
        lines->longest = length;
}

static struct lines encode(const void *body, size_t size) {
    struct lines lines = {.length = 0};
    wire_encode(body, size, add_line, &lines);
    return lines;
}

TestSuite(wire, .init = start);

/* The check value of CRC-16/XMODEM, and in pieces. */
Test(wire, crc) {
    cr_assert_eq(wire_crc16(0, "123456789", 9), 0x31c3);
    cr_assert_eq(wire_crc16(wire_crc16(0, "1234", 4), "56789", 5), 0x31c3);
    cr_assert_eq(wire_crc16(0, "", 0), 0);
}

Test(wire, both_ways_as_python_does) {
    uint8_t body[BODY];
    for (unsigned i = 0; i < VECTORS; i++) {
        size_t size = unhex(vectors[i].body, body);
        struct lines lines = encode(body, size);
        cr_assert_eq(lines.length, strlen(vectors[i].lines), "%zu bytes", size);
        cr_assert_arr_eq(lines.text, vectors[i].lines, lines.length);
        cr_assert_leq(lines.longest, 127u);
        feed_text(vectors[i].lines);
        cr_assert_eq(got.packets, i + 1, "%zu bytes", size);
        cr_assert_eq(got.length, size);
        cr_assert_arr_eq(got.packet, body, size);
    }
    cr_assert_eq(got.text_length, 0u);
    cr_assert_eq(got.broken, 0u);
}

/* The documentation gives base64 line by line: padding inside of a packet is legal. */
Test(wire, lines_of_other_lengths) {
    feed_text("\6\11AAMx\n\4\24w1A=\n"); /* length 3: a body of one byte */
    cr_assert_eq(got.packets, 0u);
    start();
    feed_text("\6\11AAM=\n\4\24MQ==\r\n\4\24Jn==\n\n");
    cr_assert_eq(got.d.refused[WIRE_GROUP], 1u, "bits under the padding");
    start();
    feed_text("\6\11AAM=\n\4\24MQ==\r\n\4\24\r\4\24JnI=\r\n");
    cr_assert_eq(got.packets, 1u);
    cr_assert_eq(got.length, 1u);
    cr_assert_eq(got.packet[0], '1');
    cr_assert_eq(got.text_length, 0u, "a \\r ends a line, and the \\n behind it belongs to it");
}

static const struct {
    const char *name, *lines;
    enum wire_refusal refusal;
} refused[] = {
    {"blank", "\6\11AA M\n", WIRE_CHARACTER},
    {"escape", "\6\11\033[A\n", WIRE_CHARACTER},
    {"high bit", "\6\11AAM\377\n", WIRE_CHARACTER},
    {"marker inside of a line", "\6\11AA\6x\n", WIRE_CHARACTER},
    {"half a group", "\6\11AAMxJ\n", WIRE_GROUP},
    {"padding first", "\6\11=AAA\n", WIRE_GROUP},
    {"padding second", "\6\11A=AA\n", WIRE_GROUP},
    {"padding in the middle", "\6\11AA=A\n", WIRE_GROUP},
    {"behind padding", "\6\11AAM=AAAA\n", WIRE_GROUP},
    {"a group of padding", "\6\11AAM=====\n", WIRE_GROUP},
    {"bits under the padding", "\6\11AAN=\n", WIRE_GROUP},
    {"orphan", "\4\24AAAA\n", WIRE_ORPHAN},
    {"no length", "\6\11\n", WIRE_LENGTH},
    {"half a length", "\6\11AA==\n", WIRE_LENGTH},
    {"length 0", "\6\11AAAA\n", WIRE_LENGTH},
    {"no body", "\6\11AAIAAA==\n", WIRE_LENGTH},
    {"length 65535", "\6\11//8x\n", WIRE_LENGTH},
    {"one byte too large", "\6\11BAMx\n", WIRE_LENGTH},
    {"excess", "\6\11AAMxJnIA\n", WIRE_EXCESS},
    {"excess in the next line", "\6\11AAMxJnI=\n\6\11AAMx\n\4\24JnIA\n", WIRE_EXCESS},
    {"crc", "\6\11AAMxJnM=\n", WIRE_CHECKSUM},
    {"not finished", "\6\11AAMx\n\6\11", WIRE_CUT},
};

Test(wire, refusals) {
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        start();
        feed_text(refused[i].lines);
        cr_assert_eq(got.broken, 1u, "%s: %u", refused[i].name, got.broken);
        cr_assert_eq(got.d.refusal, refused[i].refusal, "%s: %s", refused[i].name,
                     wire_refusal_text(got.d.refusal));
        cr_assert_eq(got.d.refused[refused[i].refusal], 1u, "%s", refused[i].name);
        unsigned before = got.packets;
        feed_text("\n\6\11AAMxJnI=\nshell\r");
        cr_assert_eq(got.packets, before + 1, "%s", refused[i].name);
        cr_assert(got.text_length >= 6 && !memcmp(got.text + got.text_length - 6, "shell\r", 6));
    }
    cr_assert_str_eq(wire_refusal_text(WIRE_REFUSED_REASONS), "unknown");
    cr_assert_str_eq(wire_refusal_text(WIRE_CHECKSUM), "a wrong CRC");
}

Test(wire, the_longest_line_and_the_largest_packet) {
    uint8_t body[BODY + 1] = {0};
    feed_text("\6\11");
    for (int i = 0; i < 124; i++)
        feed_text(i == 1 ? "Q" : "A"); /* a length of 0x0100, more lines follow */
    cr_assert_eq(got.broken, 0u);
    feed_text("A");
    cr_assert_eq(got.d.refused[WIRE_LONG], 1u);
    start();
    struct lines lines = encode(body, BODY);
    feed(lines.text, lines.length);
    cr_assert_eq(got.packets, 1u);
    cr_assert_eq(got.length, (size_t)BODY);
    lines = encode(body, BODY + 1);
    feed(lines.text, lines.length);
    cr_assert_eq(got.packets, 1u);
    cr_assert_eq(got.d.refused[WIRE_LENGTH], 1u);
}

/* ----- text --------------------------------------------------------------------------------------- */

Test(wire, text_is_kept_apart) {
    feed_text("ver\6\11AAMx\nsi\4\24JnI=\non\r\6\11AAMxJnI=\r\nx\4y\6\6\11AAMxJnI=\n\6z");
    cr_assert_eq(got.packets, 3u);
    cr_assert(text_is("version\rx\4y\6\6z"), "%.*s", (int)got.text_length, got.text);
}

/* Ctrl-F and Ctrl-D go to the shell when no marker comes of them, at the latest after a moment. */
Test(wire, a_held_byte_is_text_after_a_moment) {
    cr_assert_eq(wire_idle(&got.d), -1);
    feed_text("a\6");
    cr_assert(text_is("a"));
    cr_assert_eq(wire_idle(&got.d), 6);
    cr_assert_eq(wire_idle(&got.d), -1);
    feed_text("b\4");
    cr_assert(text_is("ab"));
    cr_assert_eq(wire_idle(&got.d), 4);
    feed_text("\24AAAA\n"); /* slow, but a marker: of a continuation */
    cr_assert_eq(got.d.refused[WIRE_ORPHAN], 1u);
    feed_text("\6");
    cr_assert_eq(wire_idle(&got.d), 6);
    feed_text("\11AAMxJnI=\n");
    cr_assert_eq(got.packets, 1u);
    feed_text("\6\11AAM\6"); /* inside of a line it is no text, whatever it becomes */
    cr_assert_eq(wire_idle(&got.d), -1);
    feed_text("\nc");
    cr_assert(text_is("abc"));
}

static unsigned next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33);
}

/* Lines of packets, with text between any two of them, and any bytes but markers for text. */
Test(wire, random_text_between_lines) {
    static char wanted[MANY];
    size_t length = 0;
    uint64_t seed = 7;
    uint8_t body[BODY];
    unsigned packets = 0;
    while (length < MANY - 200) {
        unsigned size = 1 + next_random(&seed) % (next_random(&seed) % 4 ? 60 : 800);
        for (unsigned i = 0; i < size; i++)
            body[i] = (uint8_t)next_random(&seed);
        struct lines lines = encode(body, size);
        for (size_t at = 0; at < lines.length;) {
            uint8_t text[40];
            unsigned count = next_random(&seed) % sizeof(text);
            for (unsigned i = 0; i < count; i++) {
                text[i] = (uint8_t)next_random(&seed);
                if (text[i] == 6 || text[i] == 4) /* what follows might make it a marker */
                    text[i] = 7;
            }
            feed(text, count);
            memcpy(wanted + length, text, count);
            length += count;
            char *end = memchr(lines.text + at, '\n', lines.length - at);
            size_t line = (size_t)(end + 1 - (lines.text + at));
            feed(lines.text + at, line);
            at += line;
        }
        cr_assert_eq(got.packets, ++packets);
        cr_assert_eq(got.length, size);
        cr_assert_arr_eq(got.packet, body, size);
    }
    cr_assert_eq(got.broken, 0u);
    cr_assert_eq(got.text_length, length);
    cr_assert_arr_eq(got.text, wanted, length);
}

/* ----- noise -------------------------------------------------------------------------------------- */

static void next_is_good(const char *what, size_t where) {
    unsigned before = got.packets;
    got.text_length = 0;
    feed_text("\n\6\11AAMxJnI=\nreset\r");
    cr_assert(got.packets > before && got.length == 1 && got.packet[0] == '1', "behind %s at %zu",
              what, where);
    cr_assert(got.text_length >= 6 && !memcmp(got.text + got.text_length - 6, "reset\r", 6),
              "behind %s at %zu", what, where);
}

/* Every byte of two lines becomes every other byte: the packet, or none (a \n may become a \r). */
Test(wire, one_wrong_byte) {
    uint8_t body[150];
    for (unsigned i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 37);
    struct lines good = encode(body, sizeof(body));
    for (size_t at = 0; at < good.length; at++)
        for (unsigned value = 0; value < 256; value++) {
            struct lines bad = good;
            bad.text[at] = (char)value;
            start();
            feed(bad.text, bad.length);
            if (got.packets) {
                cr_assert(value == (uint8_t)good.text[at] ||
                              (good.text[at] == '\n' && value == '\r'),
                          "byte %zu as %u", at, value);
                cr_assert_arr_eq(got.packet, body, sizeof(body));
            }
            next_is_good("a wrong byte", at);
        }
}

/* A byte lost, a byte added, an end cut off. */
Test(wire, bytes_lost_and_added) {
    uint8_t body[150] = {1, 2, 3};
    struct lines good = encode(body, sizeof(body));
    for (size_t at = 0; at < good.length; at++) {
        start();
        feed(good.text, at);
        feed(good.text + at + 1, good.length - at - 1);
        cr_assert_eq(got.packets, 0u + (at == good.length), "without %zu", at);
        next_is_good("a lost byte", at);
        start();
        feed(good.text, at);
        feed_text("Q");
        feed(good.text + at, good.length - at);
        next_is_good("an added byte", at);
        start();
        feed(good.text, at);
        feed_text("version\r");
        next_is_good("a cut", at);
    }
}

Test(wire, random_noise) {
    uint64_t seed = 99;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t noise[64];
        unsigned size = next_random(&seed) % sizeof(noise);
        for (unsigned i = 0; i < size; i++) {
            static const uint8_t likely[] = {6, 9, 4, 20, '\n', '\r', '=', 'A', 'B', '/'};
            noise[i] = next_random(&seed) % 3 ? likely[next_random(&seed) % sizeof(likely)]
                                              : (uint8_t)next_random(&seed);
        }
        feed(noise, size);
        next_is_good("noise", round);
    }
}
