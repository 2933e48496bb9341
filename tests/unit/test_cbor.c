/* SPDX-License-Identifier: MIT */
/*
 * CBOR: the examples of RFC 8949, appendices A and F, both ways where the writer has the kind, every prefix of
 * them, and random items that are written, changed and read. All bytes lie in memory of exactly their size.
 */
#include "bpf/cbor.h"
#include "wire/notation.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 4096 };

static size_t unhex(const char *text, uint8_t *out) {
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return size;
}

/* A copy that ends where its memory ends. */
static struct cbor exactly(const void *bytes, size_t size) {
    static uint8_t *copy;
    free(copy);
    copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    return (struct cbor){copy, copy + size};
}

/* RFC 8949, appendix A. */
static const struct {
    const char *bytes, *text;
} examples[] = {
    {"00", "0"},
    {"01", "1"},
    {"0a", "10"},
    {"17", "23"},
    {"1818", "24"},
    {"1819", "25"},
    {"1864", "100"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"c249010000000000000000", "h'010000000000000000'"},
    {"3bffffffffffffffff", "-1-18446744073709551615"},
    {"20", "-1"},
    {"29", "-10"},
    {"3863", "-100"},
    {"3903e7", "-1000"},
    {"f90000", "other"},
    {"fb3ff199999999999a", "other"},
    {"fa47c35000", "other"},
    {"f97c00", "other"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "other"},
    {"f0", "other"},
    {"f8ff", "other"},
    {"c074323031332d30332d32315432303a30343a30305a", "'2013-03-21T20:04:00Z'"},
    {"c11a514b67b0", "1363896240"},
    {"c1fb41d452d9ec200000", "other"},
    {"d74401020304", "h'01020304'"},
    {"d818456449455446", "h'6449455446'"},
    {"40", "h''"},
    {"4401020304", "h'01020304'"},
    {"60", "''"},
    {"6161", "'a'"},
    {"6449455446", "'IETF'"},
    {"62225c", "'\"\\'"},
    {"62c3bc", "'\xc3\xbc'"},
    {"80", "[]"},
    {"83010203", "[1, 2, 3]"},
    {"8301820203820405", "[1, [2, 3], [4, 5]]"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
     "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"},
    {"a0", "{}"},
    {"a201020304", "{1: 2, 3: 4}"},
    {"a26161016162820203", "{a: 1, b: [2, 3]}"},
    {"826161a161626163", "['a', {b: 'c'}]"},
    {"5f42010243030405ff", "h'0102030405'"},
    {"7f657374726561646d696e67ff", "'streaming'"},
    {"9fff", "[]"},
    {"9f018202039f0405ffff", "[1, [2, 3], [4, 5]]"},
    {"83018202039f0405ff", "[1, [2, 3], [4, 5]]"},
    {"83019f0203ff820405", "[1, [2, 3], [4, 5]]"},
    {"bf61610161629f0203ffff", "{a: 1, b: [2, 3]}"},
    {"826161bf61626163ff", "['a', {b: 'c'}]"},
    {"bf6346756ef563416d7421ff", "{Fun: true, Amt: -2}"},
};

Test(cbor, examples) {
    uint8_t bytes[MAX];
    for (unsigned i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        size_t size = unhex(examples[i].bytes, bytes);
        cr_assert_str_eq(notation_print(exactly(bytes, size)), examples[i].text, "%s",
                         examples[i].bytes);
        for (size_t part = 0; part < size; part++) {
            struct cbor in = exactly(bytes, part), before = in;
            cr_assert_not(cbor_well_formed(in), "%zu bytes of %s", part, examples[i].bytes);
            cr_assert_not(cbor_skip(&in));
            cr_assert(in.at == before.at && in.end == before.end);
        }
        bytes[size] = 0;
        cr_assert_not(cbor_well_formed(exactly(bytes, size + 1)), "a byte behind %s",
                      examples[i].bytes);
    }
}

/* RFC 8949, appendix F, and what its section 3 forbids. */
static const char *const malformed[] = {
    /* reserved, with as many bytes behind it as it would have */
    "1c00000000000000000000000000000000",
    "1d0000000000000000000000000000000000000000000000000000000000000000",
    /* a chunk of chunks, whose 31 must not be taken for a length */
    "5f5f00000000000000000000000000000000000000000000000000000000000000ff",
    "7f7f00000000000000000000000000000000000000000000000000000000000000ff",
    "18",
    "19",
    "1a",
    "1b",
    "1901",
    "1a0102",
    "1b01020304050607",
    "38",
    "58",
    "78",
    "98",
    "9a01ff00",
    "b8",
    "d8",
    "f8",
    "f900",
    "fa0000",
    "fb000000",
    "41",
    "61",
    "5affffffff00",
    "5bffffffffffffffff010203",
    "7affffffff00",
    "7b7fffffffffffffff010203",
    "81",
    "818181818181818181",
    "8200",
    "a1",
    "a20102",
    "a100",
    "a2000000",
    "c0",
    "9f",
    "9f0102",
    "bf",
    "bf01020102",
    "819f",
    "9f8000",
    "9f9f9f9f9fffffffff",
    "9f819f819f9fffffff",
    "1c",
    "1d",
    "1e",
    "3c",
    "3d",
    "3e",
    "5c",
    "5d",
    "5e",
    "7c",
    "9c",
    "bc",
    "dc",
    "fc",
    "fd",
    "fe",
    "f800",
    "f801",
    "f818",
    "f81f",
    "5f00ff",
    "5f21ff",
    "5f6100ff",
    "5f80ff",
    "5fa0ff",
    "5fc000ff",
    "5fe0ff",
    "7f4100ff",
    "5f5f4100ffff",
    "7f7f6100ffff",
    "ff",
    "81ff",
    "8200ff",
    "a1ff",
    "a1ff00",
    "a100ff",
    "a20000ff",
    "9f81ff",
    "9f829f819f9fffffffff",
    "bf00ff",
    "bf000000ff",
    "1f",
    "3f",
    "df",
    "c0ff",
    "bb8000000000000000",
    "9b7fffffffffffffff00",
    "bb800000000000000000",
    "",
};

Test(cbor, malformed) {
    uint8_t bytes[MAX];
    for (unsigned i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct cbor in = exactly(bytes, unhex(malformed[i], bytes));
        struct cbor_item item;
        cr_assert_not(cbor_well_formed(in), "%s", malformed[i]);
        cbor_find(in, "a", &item);
    }
}

Test(cbor, nesting) {
    uint8_t bytes[64];
    for (int map = 0; map < 2; map++)
        for (unsigned depth = 1; depth <= CBOR_DEPTH + 1; depth++) {
            size_t size = 0;
            for (unsigned i = 0; i < depth; i++) {
                bytes[size++] = map ? 0xa1 : 0x81;
                if (map)
                    bytes[size++] = 0;
            }
            bytes[size++] = 0;
            cr_assert_eq(cbor_well_formed(exactly(bytes, size)), depth <= CBOR_DEPTH);
        }
}

Test(cbor, find) {
    uint8_t bytes[MAX];
    struct cbor_item item;
    /* {1: "off", "off": 7, "off": 8, "da" "ta" in chunks: h'0102' 03', "x": {"y": 1}} */
    struct cbor map = exactly(
        bytes, unhex("bf01636f6666636f666607636f6666087f626461627461ff5f4201024103ff6178a1617901ff",
                     bytes));
    cr_assert(cbor_well_formed(map));
    cr_assert(cbor_find(map, "off", &item) && item.kind == CBOR_UINT && item.value == 7);
    cr_assert(cbor_find(map, "data", &item) && item.kind == CBOR_BYTES && item.value == 3);
    uint8_t out[3];
    cr_assert(cbor_copy_string(&item, out, 3) && !memcmp(out, "\1\2\3", 3));
    cr_assert_null(cbor_whole(&item), "it is in two chunks");
    struct cbor in = item.body, chunk;
    cr_assert(cbor_chunk(&item, &in, &chunk) && chunk.end - chunk.at == 2);
    cr_assert(cbor_chunk(&item, &in, &chunk) && chunk.end - chunk.at == 1);
    cr_assert_not(cbor_chunk(&item, &in, &chunk));
    cr_assert(cbor_find(map, "x", &item) && item.kind == CBOR_MAP);
    cr_assert_not(cbor_copy_string(&item, out, 3));
    cr_assert_null(cbor_whole(&item));
    cr_assert_not(cbor_find(map, "y", &item), "it is inside of x");
    cr_assert_not(cbor_find(map, "of", &item));
    cr_assert_not(cbor_find(map, "offs", &item));
    cr_assert_not(cbor_find(map, "", &item));
    cr_assert_not(cbor_find(exactly("\x01", 1), "off", &item));
}

/* ----- writing ------------------------------------------------------------------------------------ */

static struct cbor_writer writer(size_t size) {
    static uint8_t *bytes;
    free(bytes);
    bytes = malloc(size ? size : 1);
    return (struct cbor_writer){.bytes = bytes, .size = size};
}

static const struct {
    int64_t value;
    const char *bytes;
} integers[] = {
    {0, "00"},
    {23, "17"},
    {24, "1818"},
    {255, "18ff"},
    {256, "190100"},
    {65535, "19ffff"},
    {65536, "1a00010000"},
    {0xffffffff, "1affffffff"},
    {0x100000000, "1b0000000100000000"},
    {-1, "20"},
    {-24, "37"},
    {-25, "3818"},
    {-1000, "3903e7"},
    {INT64_MIN, "3b7fffffffffffffff"},
};

Test(cbor, integers_are_short) {
    uint8_t bytes[16];
    for (unsigned i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        size_t size = unhex(integers[i].bytes, bytes);
        for (size_t room = 0; room < 16; room++) {
            struct cbor_writer w = writer(room);
            cbor_int(&w, integers[i].value);
            cr_assert_eq(w.overflow, room < size);
            cr_assert_eq(w.used, room < size ? 0 : size);
            cr_assert(w.overflow || !memcmp(w.bytes, bytes, size), "%s", integers[i].bytes);
        }
    }
}

/* One of everything. */
static void write_all(struct cbor_writer *w) {
    cbor_begin_map(w);
    cbor_text(w, "a");
    cbor_array(w, 3);
    cbor_bool(w, true);
    cbor_bool(w, false);
    cbor_null(w);
    cbor_text(w, "b");
    cbor_begin_array(w);
    cbor_uint(w, UINT64_MAX);
    cbor_bytes(w, "\0\1\2", 3);
    cbor_bytes(w, NULL, 0);
    cbor_end(w);
    cbor_text_of(w, "cut", 2);
    cbor_map(w, 1);
    cbor_int(w, -7);
    size_t begin = cbor_begin_text(w);
    cbor_add_text(w, begin, "he", 2);
    cbor_add_text(w, begin, "llo", 3);
    cbor_end_text(w, begin);
    cbor_end(w);
}

Test(cbor, one_of_everything_in_any_room) {
    struct cbor_writer w = writer(MAX);
    write_all(&w);
    cr_assert_not(w.overflow);
    size_t whole = w.used;
    uint8_t bytes[MAX];
    memcpy(bytes, w.bytes, whole);
    cr_assert_str_eq(notation_print(exactly(bytes, whole)),
                     "{a: [true, false, null], b: [18446744073709551615, h'000102', h''], "
                     "cu: {-7: 'hello'}}");
    for (size_t room = 0; room <= whole; room++) {
        w = writer(room);
        write_all(&w);
        cr_assert_eq(w.overflow, room < whole);
        cr_assert_leq(w.used, room);
        cr_assert(room < whole || !memcmp(w.bytes, bytes, whole));
    }
}

Test(cbor, texts_in_pieces_are_cut) {
    struct cbor_writer w = writer(10);
    size_t begin = cbor_begin_text(&w);
    cr_assert_eq(cbor_add_text(&w, begin, "hello", 5), 5u);
    cr_assert_eq(cbor_add_text(&w, begin, " world", 6), 2u);
    cr_assert_eq(cbor_add_text(&w, begin, "x", 1), 0u);
    cbor_end_text(&w, begin);
    cr_assert_not(w.overflow);
    cr_assert_str_eq(notation_print(exactly(w.bytes, w.used)), "'hello w'");
    cbor_null(&w);
    cr_assert(w.overflow);
    cbor_rewind(&w, 0);
    cr_assert_not(w.overflow);
    w = writer(2);
    begin = cbor_begin_text(&w);
    cr_assert(w.overflow);
    cr_assert_eq(cbor_add_text(&w, begin, "x", 1), 0u);
    cbor_end_text(&w, begin);
    w = writer(10);
    begin = cbor_begin_bytes(&w);
    memcpy(w.bytes + w.used, "\1\2\3", 3);
    cbor_end_bytes(&w, begin, 3);
    cr_assert_not(w.overflow);
    cr_assert_str_eq(notation_print(exactly(w.bytes, w.used)), "h'010203'");
    cbor_rewind(&w, 0);
    begin = cbor_begin_bytes(&w);
    cbor_end_bytes(&w, begin, 8);
    cr_assert(w.overflow, "7 fit");
    static char many[100000];
    w = writer(sizeof(many));
    begin = cbor_begin_text(&w);
    cr_assert_eq(cbor_add_text(&w, begin, many, sizeof(many)), 0xffffu, "two bytes of length");
}

Test(cbor, an_overflow_stays) {
    struct cbor_writer w = writer(4);
    cbor_uint(&w, 1);
    cbor_text(&w, "long");
    cbor_uint(&w, 2); /* would fit */
    cr_assert(w.overflow && w.used == 1);
    size_t mark = cbor_mark(&w);
    cbor_rewind(&w, mark);
    cr_assert(w.overflow, "it is from before the mark");
    cr_assert_eq(cbor_room(&w), 0u);
    cbor_rewind(&w, 1);
    cr_assert(!w.overflow && cbor_room(&w) == 3);
}

/* What has to come behind a list has its place, in any room; or there is an overflow. */
Test(cbor, lists_of_what_fits) {
    for (size_t room = 0; room < 40; room++) {
        struct cbor_writer w = writer(room);
        cbor_begin_map(&w);
        cbor_text(&w, "list");
        cbor_begin_array(&w);
        cbor_reserve(&w, 6); /* two ends, a key and a number */
        unsigned count = 0;
        for (; count < 10; count++) {
            size_t before = cbor_mark(&w);
            cbor_text(&w, "ab");
            if (w.overflow) {
                cbor_rewind(&w, before);
                break;
            }
        }
        cbor_release(&w, 6);
        cbor_end(&w);
        cbor_text(&w, "n");
        cbor_uint(&w, 24);
        cbor_end(&w);
        cr_assert_eq(w.overflow, room < 13, "%zu", room);
        cr_assert(w.overflow || count == (room - 13) / 3 || count == 10, "%zu: %u", room, count);
        cr_assert_leq(w.used, room);
        if (!w.overflow)
            notation_print(exactly(w.bytes, w.used));
    }
}

/* ----- random items ------------------------------------------------------------------------------- */

static unsigned next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33);
}

static void write_random(struct cbor_writer *w, uint64_t *seed, unsigned depth) {
    unsigned count = next_random(seed) % 4;
    static const uint8_t bytes[400];
    switch (next_random(seed) % (depth ? 9 : 6)) {
    case 0: cbor_uint(w, (uint64_t)next_random(seed) << next_random(seed) % 33); break;
    case 1: cbor_int(w, -(int64_t)next_random(seed)); break;
    case 2: cbor_bytes(w, bytes, next_random(seed) % sizeof(bytes)); break;
    case 3: cbor_text(w, "some text"); break;
    case 4: cbor_bool(w, count & 1); break;
    case 5: cbor_null(w); break;
    case 6:
        cbor_array(w, count);
        while (count--)
            write_random(w, seed, depth - 1);
        break;
    case 7:
        cbor_begin_array(w);
        while (count--)
            write_random(w, seed, depth - 1);
        cbor_end(w);
        break;
    default:
        cbor_begin_map(w);
        while (count--) {
            cbor_text(w, "key");
            write_random(w, seed, depth - 1);
        }
        cbor_end(w);
    }
}

/* What is written is well-formed; changed at random it may be anything, and is read within its bounds. */
Test(cbor, random_items) {
    uint64_t seed = 3;
    unsigned well_formed = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct cbor_writer w = writer(MAX);
        write_random(&w, &seed, CBOR_DEPTH - 1);
        if (w.overflow)
            continue;
        notation_print(exactly(w.bytes, w.used));
        for (unsigned i = next_random(&seed) % 3; i-- > 0;)
            w.bytes[next_random(&seed) % w.used] = (uint8_t)next_random(&seed);
        struct cbor in = exactly(w.bytes, w.used);
        struct cbor_item item;
        cbor_find(in, "key", &item);
        if (cbor_well_formed(in)) {
            well_formed++;
            notation_print(in);
        }
    }
    cr_assert_gt(well_formed, 5000u);
}
