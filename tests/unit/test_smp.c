/* SPDX-License-Identifier: MIT */
/*
 * SMP's packets: byte vectors from the specification's own tests and other implementations, read and written.
 * Sources: Zephyr, tests/subsys/mgmt/mcumgr/os_mgmt_echo (echo); smp, a Python implementation (README and
 * tests/binary_regressions); mcumgr-dart, test/msg.dart (image erase).
 */
#include "bpf/smp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { MAX = 512 };

static size_t unhex(const char *text, uint8_t *out) {
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return size;
}

/* ----- bodies, as the writer makes them ----------------------------------------------------------- */

#define ECHOED "short MCUMGR test application message..."

static void echo_request(struct cbor_writer *w) {
    cbor_begin_map(w);
    cbor_text(w, "d");
    cbor_text(w, ECHOED);
    cbor_end(w);
}

static void echo_answer(struct cbor_writer *w) {
    cbor_begin_map(w);
    cbor_text(w, "r");
    cbor_text(w, ECHOED);
    cbor_end(w);
}

static void hello_request(struct cbor_writer *w) {
    cbor_map(w, 1);
    cbor_text(w, "d");
    cbor_text(w, "Hello world!");
}

static void hi_answer(struct cbor_writer *w) {
    cbor_map(w, 1);
    cbor_text(w, "r");
    cbor_text(w, "Hi!");
}

static void empty(struct cbor_writer *w) {
    cbor_map(w, 0);
}

static void parameters(struct cbor_writer *w) {
    cbor_map(w, 2);
    cbor_text(w, "buf_size");
    cbor_uint(w, 1);
    cbor_text(w, "buf_count");
    cbor_uint(w, 2);
}

static void execute(struct cbor_writer *w) {
    cbor_map(w, 1);
    cbor_text(w, "argv");
    cbor_array(w, 2);
    cbor_text(w, "echo");
    cbor_text(w, "Hello");
}

static void executed(struct cbor_writer *w) {
    cbor_map(w, 2);
    cbor_text(w, "o");
    cbor_text(w, "Hello");
    cbor_text(w, "ret");
    cbor_uint(w, 0);
}

static void rc_0(struct cbor_writer *w) {
    cbor_begin_map(w);
    smp_put_error(w, SMP_V1, 1, 0);
    cbor_end(w);
}

static void task(struct cbor_writer *w, const char *name, const uint8_t values[9]) {
    static const char *const keys[] = {"tid",    "prio",    "state",        "cswcnt",      "stksiz",
                                       "stkuse", "runtime", "last_checkin", "next_checkin"};
    cbor_text(w, name);
    cbor_map(w, 9);
    for (unsigned i = 0; i < 9; i++) {
        cbor_text(w, keys[i]);
        cbor_uint(w, values[i]);
    }
}

static void tasks(struct cbor_writer *w) {
    cbor_map(w, 1);
    cbor_text(w, "tasks");
    cbor_map(w, 2);
    task(w, "task_1", (const uint8_t[9]){2, 1, 3, 6, 5, 4, 7, 0, 0});
    task(w, "task_2", (const uint8_t[9]){9, 8, 10, 13, 12, 11, 14, 0, 0});
}

static const struct {
    const char *name, *bytes;
    struct smp_header header;
    void (*body)(struct cbor_writer *w);
} vectors[] = {
    {"echo, version 1",
     "0200002e00000100bf61647828"
     "73686f7274204d43554d4752207465737420617070"
     "6c69636174696f6e206d6573736167652e2e2eff",
     {SMP_V1, SMP_WRITE, 0, 46, SMP_GROUP_OS, 1, 0},
     echo_request},
    {"echo's answer",
     "0300002e00000100bf61727828"
     "73686f7274204d43554d4752207465737420617070"
     "6c69636174696f6e206d6573736167652e2e2eff",
     {SMP_V1, SMP_WRITE_ANSWER, 0, 46, SMP_GROUP_OS, 1, 0},
     echo_answer},
    {"echo, version 2",
     "0a00001000000000a161646c48656c6c6f20776f726c6421",
     {SMP_V2, SMP_WRITE, 0, 16, SMP_GROUP_OS, 0, 0},
     hello_request},
    {"its answer",
     "0b00000700008c00a1617263486921",
     {SMP_V2, SMP_WRITE_ANSWER, 0, 7, SMP_GROUP_OS, 140, 0},
     hi_answer},
    {"reset", "0a00000100008d05a0", {SMP_V2, SMP_WRITE, 0, 1, SMP_GROUP_OS, 141, 5}, empty},
    {"parameters",
     "0900001600009806a2686275665f73697a6501696275665f636f756e7402",
     {SMP_V2, SMP_READ_ANSWER, 0, 22, SMP_GROUP_OS, 152, 6},
     parameters},
    {"execute",
     "0a00001200094200a1646172677682646563686f6548656c6c6f",
     {SMP_V2, SMP_WRITE, 0, 18, SMP_GROUP_SHELL, 66, 0},
     execute},
    {"executed",
     "0b00000e00094300a2616f6548656c6c6f6372657400",
     {SMP_V2, SMP_WRITE_ANSWER, 0, 14, SMP_GROUP_SHELL, 67, 0},
     executed},
    {"image erase", "0200000100010005a0", {SMP_V1, SMP_WRITE, 0, 1, 1, 0, 5}, empty},
    {"image erased",
     "0300000600010005bf62726300ff",
     {SMP_V1, SMP_WRITE_ANSWER, 0, 6, 1, 0, 5},
     rc_0},
    {"task statistics",
     "090000b600009002a1657461736b73a2667461736b5f31a96374696402647072696f016573746174650366637377"
     "636e74066673746b73697a056673746b757365046772756e74696d65076c6c6173745f636865636b696e006c6e65"
     "78745f636865636b696e00667461736b5f32a96374696409647072696f086573746174650a66637377636e740d66"
     "73746b73697a0c6673746b7573650b6772756e74696d650e6c6c6173745f636865636b696e006c6e6578745f6368"
     "65636b696e00",
     {SMP_V2, SMP_READ_ANSWER, 0, 182, SMP_GROUP_OS, 144, 2},
     tasks},
};

Test(smp, vectors_both_ways) {
    for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t wanted[MAX], bytes[MAX];
        size_t size = unhex(vectors[i].bytes, wanted);
        struct smp_header h;
        cr_assert(smp_packet(wanted, size, &h), "%s", vectors[i].name);
        smp_header_write(&h, bytes);
        cr_assert_arr_eq(bytes, wanted, SMP_HEADER, "%s", vectors[i].name);
        cr_assert(cbor_well_formed((struct cbor){wanted + SMP_HEADER, wanted + size}));
        struct cbor_writer w = {.bytes = bytes + SMP_HEADER, .size = MAX - SMP_HEADER};
        vectors[i].body(&w);
        struct smp_header header = vectors[i].header;
        header.length = (uint16_t)w.used;
        smp_header_write(&header, bytes);
        cr_assert_eq(SMP_HEADER + w.used, size, "%s", vectors[i].name);
        cr_assert_arr_eq(bytes, wanted, size, "%s", vectors[i].name);
    }
}

Test(smp, vectors_are_understood) {
    uint8_t bytes[MAX];
    struct cbor_item item, inner;
    size_t size = unhex(vectors[10].bytes, bytes);
    struct cbor map = {bytes + SMP_HEADER, bytes + size};
    cr_assert(cbor_find(map, "tasks", &item) && item.kind == CBOR_MAP && item.value == 2);
    struct cbor in = item.body;
    uint64_t left = 4;
    cr_assert(cbor_element(&item, &in, &left, &inner) && cbor_is_text(&inner, "task_1"));
    struct cbor first = in;
    cr_assert(cbor_find(first, "stkuse", &inner) && inner.value == 4);
    cr_assert(cbor_element(&item, &in, &left, &inner) && inner.kind == CBOR_MAP);
    cr_assert(cbor_element(&item, &in, &left, &inner) && cbor_is_text(&inner, "task_2"));
    cr_assert(cbor_find(in, "next_checkin", &inner) && inner.value == 0);
}

Test(smp, every_header) {
    uint8_t bytes[SMP_HEADER], again[SMP_HEADER];
    uint32_t state = 1;
    for (unsigned round = 0; round < 10000; round++) {
        for (unsigned i = 0; i < SMP_HEADER; i++)
            bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
        struct smp_header h;
        smp_header_read(bytes, &h);
        smp_header_write(&h, again);
        bytes[0] &= 0x1f; /* the reserved bits are 0 */
        cr_assert_arr_eq(again, bytes, SMP_HEADER);
    }
}

Test(smp, the_length_has_to_be_right) {
    uint8_t bytes[MAX];
    struct smp_header h;
    size_t size = unhex(vectors[0].bytes, bytes);
    for (size_t i = 0; i < size; i++)
        cr_assert_not(smp_packet(bytes, i, &h), "%zu", i);
    cr_assert_not(smp_packet(bytes, size + 1, &h));
}

Test(smp, errors) {
    uint8_t bytes[MAX], wanted[MAX];
    struct cbor_writer w = {.bytes = bytes, .size = MAX};
    cbor_begin_map(&w);
    smp_put_error(&w, SMP_V2, 64, 103);
    cbor_end(&w);
    /* {"err": {"group": 64, "rc": 103}}, as the specification lays it out */
    size_t size = unhex("bf63657272a26567726f757018406272631867ff", wanted);
    cr_assert_eq(w.used, size);
    cr_assert_arr_eq(bytes, wanted, size);
    cr_assert_str_eq(smp_error_text(SMP_NOT_SUPPORTED), "no such group, command or operation");
    cr_assert_str_eq(smp_error_text(14), "unknown error");
}
