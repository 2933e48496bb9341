/* SPDX-License-Identifier: MIT */
/*
 * The board's server, packet by packet: a table of questions and answers as text for each group, what is larger than
 * a packet, and uploads that are interrupted. The answer lies in memory of exactly the size of a packet.
 */
#include "bpf/blob.h"
#include "bpf/library.h"
#include "bpf/smp.h"
#include "rtos/console.h"
#include "rtos/smp.h"
#include "shell/mock.h"
#include "smp/programs_mock.h"
#include "wire/notation.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct smp_service *const smp_services[] = {&smp_service_os, &smp_service_shell,
                                                  &smp_service_programs, NULL};

static jmp_buf ended;
static uint8_t *request, *answer; /* SMP_PACKET bytes each, exactly */
static size_t answer_size;

static void start(void) {
    mock_start(&ended);
    programs_mock_start();
    free(request);
    free(answer);
    request = malloc(SMP_PACKET);
    answer = malloc(SMP_PACKET);
}

TestSuite(smp_server, .init = start);

static void send(struct smp_header h, const void *body, size_t size) {
    uint8_t *packet = malloc(SMP_HEADER + size);
    h.length = (uint16_t)size;
    smp_header_write(&h, packet);
    memcpy(packet + SMP_HEADER, body, size);
    answer_size = smp_answer(packet, SMP_HEADER + size, answer, SMP_PACKET);
    cr_assert_leq(answer_size, (size_t)SMP_PACKET);
    free(packet);
}

static const char *answered(struct smp_header h) {
    struct smp_header got;
    cr_assert(smp_packet(answer, answer_size, &got));
    cr_assert(got.op == h.op + 1 && got.version == h.version && got.flags == 0);
    cr_assert(got.group == h.group && got.id == h.id && got.sequence == h.sequence);
    return notation_print((struct cbor){answer + SMP_HEADER, answer + answer_size});
}

static const char *ask(unsigned group, unsigned op, unsigned id, const char *text) {
    static uint8_t sequence;
    static uint8_t body[1 << 16];
    struct smp_header h = {SMP_V2, (uint8_t)op, 0, 0, (uint16_t)group, ++sequence, (uint8_t)id};
    send(h, body, notation_parse(text, body, sizeof(body)));
    return answered(h);
}

#define IS(text, ...)                                                                              \
    do {                                                                                           \
        const char *got = ask(__VA_ARGS__);                                                        \
        cr_assert_str_eq(got, text, "%s", got);                                                    \
    } while (0)

/* bpf_grant_default: 24 bytes that say something, 84 zeros */
#define SEVEN(x) x x x x x x x
#define GRANT_ZEROS SEVEN("000000000000000000000000")
#define GRANT "h'01000301e803000010270000002000001027000003080000" GRANT_ZEROS "'"

enum {
    R = SMP_READ,
    W = SMP_WRITE,
    OS = SMP_GROUP_OS,
    SH = SMP_GROUP_SHELL,
    P = SMP_GROUP_PROGRAMS
};

#define DIGITS(number) #number
#define NUMBER(constant) DIGITS(constant)

struct row {
    uint16_t group;
    uint8_t op, id;
    const char *request, *answer;
};

static void dialogue(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *got = ask(rows[i].group, rows[i].op, rows[i].id, rows[i].request);
        cr_assert_str_eq(got, rows[i].answer, "%u/%u %s: %s", rows[i].group, rows[i].id,
                         rows[i].request, got);
    }
}
#define DIALOGUE(rows) dialogue(rows, sizeof(rows) / sizeof(rows[0]))

static const struct row system_rows[] = {
    {OS, R, 0, "{d: 'hello'}", "{r: 'hello'}"},
    {OS, W, 0, "{x: [1, {y: 2}], d: ''}", "{r: ''}"},
    {OS, R, 0, "{}", "{rc: 3}"},
    {OS, R, 0, "{d: 1}", "{rc: 3}"},
    {OS, R, 0, "[d, 'hello']", "{rc: 3}"},
    {OS, R, 1, "{}", "{rc: 8}"},
    {OS, R, 2, "{}",
     "{tasks: {console: {prio: 10, tid: 0, state: 1, stkuse: 40, stksiz: 64, runtime: 0}, "
     "idle: {prio: 0, tid: 1, state: 1, stkuse: 40, stksiz: 64, runtime: 0}}}"},
    {OS, R, 3, "{}", "{RAM: {blksiz: 1, nblks: 1000, nfree: 600, min: 600}}"},
    {OS, R, 4, "{}", "{rc: 8}"},
    {OS, R, 5, "{}", "{rc: 8}"},
    {OS, R, 6, "{}", "{buf_size: 1024, buf_count: 1}"},
    {OS, R, 7, "{}", "{output: 'bpf2thumb'}"},
    {OS, R, 7, "{format: 'im'}", "{output: 'arm mock board'}"},
    {OS, R, 7, "{format: 'sax'}", "{rc: 3}"},
    {OS, R, 7, "{format: ''}", "{rc: 3}"},
    {OS, R, 7, "{format: 3}", "{rc: 3}"},
    {OS, R, 8, "{}", "{rc: 8}"},
    {OS, R, 255, "{}", "{rc: 8}"},
    {1, R, 0, "{}", "{rc: 8}"},
    {SH, R, 0, "{argv: ['version']}", "{rc: 8}"},
    {SH, W, 0, "{argv: ['version']}", "{o: 'bpf2thumb 0.1.0 on mock board, 1 MHz\n', ret: 0}"},
    {SH, W, 0, "{argv: ['print', '6*7']}", "{o: '42 (0x2a)\n', ret: 0}"},
    {SH, W, 0, "{argv: ['print 6 * 7']}", "{o: '42 (0x2a)\n', ret: 0}"},
    {SH, W, 0, "{argv: ['nope']}", "{o: 'nope: no such command; `help` lists them\n', ret: -2}"},
    {SH, W, 0, "{argv: ['gpio', 'read', 'PH15']}",
     "{o: 'gpio: this board, or this model of it, has no such hardware (status 220)\n', ret: 220}"},
    {SH, W, 0, "{argv: []}", "{rc: 3}"},
    {SH, W, 0, "{argv: [1]}", "{rc: 3}"},
    {SH, W, 0, "{argv: 'version'}", "{rc: 3}"},
    {SH, W, 0,
     "{argv: "
     "['"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']}",
     "{rc: 3}"},
    {SH, W, 0, "{}", "{rc: 3}"},
    {SH, W, 1, "{}", "{rc: 8}"},
};

Test(smp_server, system_and_shell) {
    DIALOGUE(system_rows);
}

static const struct row program_rows[] = {
    {P, R, 0, "{}",
     "{protocol: 1, firmware: '0.1.0', board: 'mock board', abi: " NUMBER(
         BLOB_ABI) ", library: " NUMBER(LIBRARY_VERSION) ", uid: "
                                                         "h'303132333435363738396162', hz: "
                                                         "1000000, programs: 8, ram: 32768, store: "
                                                         "0, room: "
                                                         "50000, compacted: "
                                                         "120000, replacements: 25}"},
    {P, R, 1, "{}",
     "{programs: [{name: 'blink', state: 'running', enabled: true, ram: false, seq: 1, size: 1744, "
     "engine: 'thumb', entries: 2, maps: 2, status: 0, where: 0, faults: 3, restarts: 1}]}"},
    {P, R, 1, "{from: 1}", "{programs: []}"},
    {P, R, 1, "{from: -1}", "{rc: 3}"},
    {P, R, 2, "{name: 'blink'}",
     "{name: 'blink', state: 'running', enabled: true, ram: false, seq: 1, size: 1744, engine: "
     "'thumb', entries: 2, maps: 2, status: 0, where: 0, faults: 3, restarts: 1, address: "
     "135004160, arena: 536936448, arena_size: 4096, head: 536937472, code: 135004416, id: "
     "h'1122334455667788', "
     "repaired: 0, good_runs: 100, can_roll_back: false, grant: " GRANT "}"},
    {P, R, 2, "{name: 'other'}", "{err: {group: 64, rc: 131}, text: 'there is no such thing'}"},
    {P, R, 2, "{}", "{rc: 3}"},
    {P, R, 2, "{name: ''}",
     "{err: {group: 64, rc: 130}, text: 'a name has 1 to 15 letters, digits, _ or -'}"},
    {P, R, 2, "{name: 'sixteen_letters_'}",
     "{err: {group: 64, rc: 130}, text: 'a name has 1 to 15 letters, digits, _ or -'}"},
    {P, W, 2, "{name: 'blink'}", "{rc: 8}"},
    {P, W, 7, "{name: 'blink'}", "{}"},
    {P, W, 7, "{name: 'blink', enable: 1}", "{rc: 3}"},
    {P, W, 8, "{name: 'nobody'}", "{err: {group: 64, rc: 131}, text: 'there is no such thing'}"},
    {P, W, 9, "{name: 'blink', grant: " GRANT "}", "{}"},
    {P, W, 9, "{name: 'blink', grant: h'0100'}",
     "{err: {group: 64, rc: 143}, text: 'the grant has a field out of its range'}"},
    {P, W, 9, "{name: 'blink'}", "{rc: 3}"},
    {P, W, 10, "{name: 'blink'}", "{}"},
    {P, W, 11, "{}", "{room: 50000}"},
    {P, R, 12, "{name: 'blink', entry: 1}",
     "{name: 'blink', section: 'timer/100ms', runs: 1000, faults: 2, overruns: 1, min: 50, max: "
     "900, sum: 60000, histogram: [0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4294967295]}"},
    {P, R, 12, "{name: 'blink', entry: 2}",
     "{err: {group: 64, rc: 131}, text: 'there is no such thing'}"},
    {P, W, 13, "{name: 'blink', entry: 1, data: h'010203'}",
     "{result: 18446744073709551361, cycles: 412}"},
    {P, W, 13, "{name: 'blink', data: h''}", "{result: 18446744073709551360, cycles: 412}"},
    {P, W, 13, "{name: 'blink', data: 'text'}", "{rc: 3}"},
    {P, R, 14, "{name: 'blink', map: 0}", "{name: 'counts', type: 1, key: 4, value: 8, max: 300}"},
    {P, R, 14, "{name: 'blink', map: 2}",
     "{err: {group: 64, rc: 131}, text: 'there is no such thing'}"},
    {P, R, 14, "{name: 'blink'}", "{rc: 3}"},
    {P, W, 16, "{name: 'blink', map: 0, key: h'01000000', value: h'1122334455667788'}", "{}"},
    {P, R, 15, "{name: 'blink', map: 0, key: h'01000000'}", "{value: h'1122334455667788'}"},
    {P, R, 15, "{name: 'blink', map: 0, key: h'02000000'}",
     "{err: {group: 64, rc: 131}, text: 'there is no such thing'}"},
    {P, R, 15, "{name: 'blink', map: 0, key: h'010000'}",
     "{err: {group: 64, rc: 136}, where: 4, text: 'a value that is not allowed'}"},
    {P, W, 16, "{name: 'blink', map: 0, key: h'01000000', value: h'112233445566778899'}",
     "{err: {group: 64, rc: 136}, where: 8, text: 'a value that is not allowed'}"},
    {P, W, 16, "{name: 'blink', map: 0, key: h'01000000'}", "{rc: 3}"},
    {P, R, 18, "{name: 'blink', map: 0}", "{items: [[h'01000000', h'1122334455667788']]}"},
    {P, R, 18, "{name: 'blink', map: 0, cursor: 1}", "{items: []}"},
    {P, W, 17, "{name: 'blink', map: 0, key: h'01000000'}", "{}"},
    {P, W, 17, "{name: 'blink', map: 0, key: h'01000000'}",
     "{err: {group: 64, rc: 131}, text: 'there is no such thing'}"},
    {P, W, 19, "{name: 'blink', map: 1}", "{records: [], more: false}"},
    {P, R, 20, "{}", "{text: '', cursor: 0, lost: 0}"},
    {P, R, 14, "{name: 'blink', map: 65536}", "{rc: 3}"},
    {P, R, 14, "{name: 'blink', map: 4294967296}", "{rc: 3}"},
    {P, W, 9,
     "{name: 'blink', grant: h'01000001e803000010270000002000001027000003080000" GRANT_ZEROS "'}",
     "{err: {group: 64, rc: 143}, text: 'the grant has a field out of its range'}"},
    {P, W, 21, "{format: true}", "{}"},
    {P, W, 21, "{}", "{rc: 3}"},
    {P, W, 22, "{}", "{rc: 8}"},
};

Test(smp_server, programs) {
    programs_mock_add("blink", 1744);
    DIALOGUE(program_rows);
    cr_assert_eq(programs_mock.payload_size, 0u);
    cr_assert_eq(programs_mock.held, 0);
}

/* As a client asks them, and in no other way. */
Test(smp_server, commands_of_the_table) {
    static const uint8_t commands[][2] = {
#define BOARD_COMMAND(NAME, id, op, repeat, more) {id, op},
#include "bpf/command.def"
#undef BOARD_COMMAND
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        uint8_t id = commands[i][0], op = commands[i][1];
        cr_assert_str_neq(ask(P, op, id, "{}"), "{rc: 8}", "%u", id);
        cr_assert_str_eq(ask(P, op == R ? W : R, id, "{}"), "{rc: 8}", "%u", id);
    }
}

Test(smp_server, arguments_arrive) {
    programs_mock_add("blink", 1744);
    ask(P, W, 7, "{name: 'blink', enable: false}");
    cr_assert_str_eq(programs_mock.last, "disable blink");
    ask(P, W, 13, "{name: 'blink', data: h'010203'}");
    cr_assert(programs_mock.payload_size == 3 && !memcmp(programs_mock.payload, "\1\2\3", 3));
    ask(P, W, 10, "{name: 'blink'}");
    cr_assert_str_eq(programs_mock.last, "rollback blink");
    programs_mock.next = BPF_BUSY;
    IS("{err: {group: 64, rc: 133}, text: 'it is in use'}", P, W, 11, "{}");
}

/* ----- the packet itself -------------------------------------------------------------------------- */

Test(smp_server, versions) {
    struct smp_header h = {SMP_V1, R, 0, 0, P, 9, 2};
    uint8_t body[64];
    size_t size = notation_parse("{name: 'x'}", body, sizeof(body));
    send(h, body, size);
    cr_assert_str_eq(answered(h), "{rc: 131, text: 'there is no such thing'}");
    h.version = 2;
    send(h, body, size);
    h.version = SMP_V2;
    cr_assert_str_eq(answered(h), "{rc: 13}");
}

Test(smp_server, without_a_body) {
    struct smp_header h = {SMP_V2, R, 0, 0, OS, 9, 6};
    send(h, "", 0);
    cr_assert_str_eq(answered(h), "{buf_size: 1024, buf_count: 1}");
}

/* {header} and rc, or NULL: no answer. */
static const char *raw(const void *bytes, size_t size) {
    memcpy(request, bytes, size);
    answer_size = smp_answer(request, size, answer, SMP_PACKET);
    return answer_size ? notation_print((struct cbor){answer + SMP_HEADER, answer + answer_size})
                       : NULL;
}

Test(smp_server, malformed_packets) {
    uint8_t good[] = {8, 0, 0, 4, 0, 0, 1, 0, 0xa1, 0x61, 'd', 0x60};
    cr_assert_str_eq(raw(good, 12), "{r: ''}");
    for (size_t size = 0; size < 8; size++)
        cr_assert_null(raw(good, size));
    for (size_t size = 8; size < 12; size++)
        cr_assert_str_eq(raw(good, size), "{rc: 3}", "a cut packet");
    for (unsigned op = 0; op < 8; op++) {
        good[0] = (uint8_t)(8 | op);
        cr_assert_eq(raw(good, 12) == NULL, op != 0 && op != 2, "operation %u", op);
    }
    good[0] = 8;
    good[11] = 0x61; /* the text is longer than the packet */
    cr_assert_str_eq(raw(good, 12), "{rc: 3}");
    good[8] = 0xa2;
    cr_assert_str_eq(raw(good, 12), "{rc: 3}");
    for (size_t room = 0; room < 200; room++) { /* whatever the room for the answer */
        static const uint8_t tasks[] = {8, 0, 0, 0, 0, 0, 1, 2};
        uint8_t *bytes = malloc(room ? room : 1);
        size_t size = smp_answer(tasks, sizeof(tasks), bytes, room);
        cr_assert(size <= room && (size == 0) == (room < 128));
        free(bytes);
    }
}

Test(smp_server, bodies_that_are_no_map) {
    static const uint8_t behind[] = {8, 0, 0, 2, 0, 0, 1, 6, 0xa0, 0};
    static const uint8_t array[] = {8, 0, 0, 1, 0, 0, 1, 6, 0x80};
    cr_assert_str_eq(raw(behind, sizeof(behind)), "{rc: 3}");
    cr_assert_str_eq(raw(array, sizeof(array)), "{rc: 3}");
}

Test(smp_server, strings_in_chunks) {
    static const uint8_t echo[] = {8,    0,    0,    8,   0,    0,    1,   0,
                                   0xbf, 0x7f, 0x61, 'd', 0xff, 0x61, 'x', 0xff};
    static const uint8_t name[] = {8,   0,   0,   14,   0,    64,  1,    12,  0xa1, 0x64, 'n',
                                   'a', 'm', 'e', 0x7f, 0x61, 'a', 0x61, 'b', 0x61, 'c',  0xff};
    cr_assert_str_eq(raw(echo, sizeof(echo)), "{r: 'x'}");
    programs_mock_add("abc", 10);
    raw(name, sizeof(name));
    cr_assert_str_eq(programs_mock.last, "stats abc");
}

Test(smp_server, a_name_with_a_zero) {
    static const uint8_t name[] = {8,    0,   0,   10,  0,   64,   1,   12, 0xa1,
                                   0x64, 'n', 'a', 'm', 'e', 0x63, 'a', 0,  'b'};
    programs_mock_add("a", 10);
    cr_assert_str_eq(raw(name, sizeof(name)), "{err: {group: 64, rc: 130}, text: 'a name has 1 to "
                                              "15 letters, digits, _ or -'}");
}

Test(smp_server, a_reset_comes_after_its_answer) {
    IS("{}", OS, W, 5, "{}");
    cr_assert(smp_pending());
    if (setjmp(ended) == 0)
        smp_answered();
    cr_assert_eq(mock.resets, 1);
    cr_assert_str_eq(programs_mock.last, "leave ");
    cr_assert_not(smp_pending());
    smp_answered();
}

/* ----- larger than a packet ----------------------------------------------------------------------- */

Test(smp_server, echo_of_all_lengths) {
    char text[2048], wanted[2048];
    for (int length = 0; length < 1100; length++) {
        snprintf(text, sizeof(text), "{d: '%0*d'}", length, 0);
        snprintf(wanted, sizeof(wanted), "{r: '%0*d'}", length, 0);
        if (length == 0)
            strcpy(text, "{d: ''}"), strcpy(wanted, "{r: ''}");
        /* header 8, map 2, key 2, the text's head 3 */
        IS(length <= SMP_PACKET - 15 ? wanted : "{rc: 7}", OS, R, 0, text);
    }
}

Test(smp_server, output_is_cut) {
    char text[200];
    for (int i = 0; i < 40; i++)
        ask(SH, W, 0, "{argv: ['set', 'a_rather_long_1', '= 1']}");
    for (int i = 0; i < 16; i++) {
        snprintf(text, sizeof(text), "{argv: ['set a_rather_long%c = 1 << 62']}", 'a' + i);
        ask(SH, W, 0, text);
    }
    const char *got = ask(SH, W, 0, "{argv: ['help']}");
    cr_assert_eq(answer_size > 400, true);
    got = ask(SH, W, 0, "{argv: ['print']}");
    cr_assert(strstr(got, "ret: 0") != NULL, "%s", got);
    /* The log can hold anything, and more than a packet. */
    for (int i = 0; i < 300; i++)
        console_write(1 << CONSOLE_LOG, "\x80\xff line\n", 8);
    got = ask(SH, W, 0, "{argv: ['log']}");
    cr_assert(strstr(got, ".. line\n.. line\n") && strstr(got, "ret: 0, lost: "), "%s", got);
    cr_assert_gt(answer_size, 1000u);
}

Test(smp_server, many_programs) {
    char name[32], text[32];
    unsigned from = 0, seen = 0, answers = 0;
    for (unsigned i = 0; i < MOCK_PROGRAMS; i++) {
        snprintf(name, sizeof(name), "fifteen_chars%02u", i);
        programs_mock_add(name, 100000);
    }
    for (;;) {
        snprintf(text, sizeof(text), "{from: %u}", from);
        const char *got = ask(P, R, 1, text);
        answers++;
        for (;; seen++) {
            snprintf(name, sizeof(name), "fifteen_chars%02u", seen);
            if (!strstr(got, name))
                break;
        }
        const char *next = strstr(got, "next: ");
        if (!next)
            break;
        from = (unsigned)atoi(next + 6);
        cr_assert_eq(from, seen);
    }
    cr_assert_eq(seen, (unsigned)MOCK_PROGRAMS);
    cr_assert(answers > 1 && answers < 6, "%u", answers);
}

Test(smp_server, many_elements) {
    char text[64];
    unsigned cursor = 0, seen = 0, answers = 0;
    programs_mock_add("blink", 1744);
    programs_mock.elements = MOCK_ELEMENTS;
    for (unsigned i = 0; i < MOCK_ELEMENTS; i++)
        memcpy(programs_mock.keys[i], &i, 4);
    for (;;) {
        snprintf(text, sizeof(text), "{name: 'blink', map: 0, cursor: %u}", cursor);
        const char *got = ask(P, R, 18, text), *at = got;
        answers++;
        char key[32];
        while (snprintf(key, sizeof(key), "[h'%02x%02x0000'", seen & 0xff, seen >> 8),
               (at = strstr(at, key)))
            seen++;
        const char *next = strstr(got, "cursor: ");
        if (!next)
            break;
        cursor = (unsigned)atoi(next + 8);
        cr_assert_eq(cursor, seen);
    }
    cr_assert_eq(seen, (unsigned)MOCK_ELEMENTS);
    cr_assert(answers > 3 && answers < 8, "%u", answers);
}

Test(smp_server, elements_larger_than_a_packet) {
    programs_mock_add("blink", 1744);
    programs_mock.map.value_size = 1024;
    programs_mock.elements = 1;
    IS("{rc: 7}", P, R, 18, "{name: 'blink', map: 0}");
    IS("{rc: 7}", P, R, 15, "{name: 'blink', map: 0, key: h'00000000'}");
    programs_mock.map.value_size = UINT32_MAX;
    IS("{rc: 7}", P, R, 15, "{name: 'blink', map: 0, key: h'00000000'}");
    programs_mock.map.value_size = 900;
    ask(P, R, 18, "{name: 'blink', map: 0}");
    cr_assert_gt(answer_size, 900u);
}

static void records(unsigned count, uint32_t size) {
    programs_mock.first_record = 0;
    programs_mock.record_count = count;
    for (unsigned i = 0; i < count; i++) {
        memset(programs_mock.records[i], (int)i + 1, size);
        programs_mock.record_size[i] = size;
    }
}

/* No record that could not be sent is taken out: one an answer, unless the ring is small. */
Test(smp_server, rings) {
    programs_mock_add("blink", 1744);
    records(3, 4);
    IS("{records: [h'01010101'], more: true}", P, W, 19, "{name: 'blink', map: 1}");
    IS("{records: [h'02020202'], more: true}", P, W, 19, "{name: 'blink', map: 1}");
    programs_mock.ring.max_entries = 256;
    records(3, 4);
    IS("{records: [h'01010101', h'02020202', h'03030303'], more: false}", P, W, 19,
       "{name: 'blink', map: 1}");
    records(8, 240);
    unsigned seen = 0;
    for (int i = 0; i < 8 && seen < 8; i++) {
        const char *got = ask(P, W, 19, "{name: 'blink', map: 1}");
        for (char head[16]; snprintf(head, sizeof(head), "h'%02x", seen + 1), strstr(got, head);)
            seen++;
        cr_assert_eq(seen, programs_mock.first_record, "what was taken was sent");
    }
    cr_assert_eq(seen, 8u);
    records(1, 2000);
    ask(P, W, 19, "{name: 'blink', map: 1}");
    cr_assert_gt(answer_size, 950u, "as much as there is room for");
    records(2, 4);
    programs_mock.next = BPF_BUSY;
    IS("{err: {group: 64, rc: 133}, text: 'it is in use'}", P, W, 19, "{name: 'blink', map: 1}");
}

Test(smp_server, log) {
    static char log[3001], text[64];
    for (unsigned i = 0; i < 3000; i++)
        log[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 26);
    log[7] = '\x80';
    programs_mock.log = log;
    programs_mock.log_lost = 500;
    unsigned cursor = 0, seen = 0;
    for (unsigned lost = 500; seen < 3000; lost = 0) {
        snprintf(text, sizeof(text), "{cursor: %u}", cursor);
        const char *got = ask(P, R, 20, text) + strlen("{text: '");
        for (; *got != '\''; got++, seen++)
            cr_assert_eq(*got, seen == 7 ? '.' : log[seen], "%u", seen);
        snprintf(text, sizeof(text), "', cursor: %u, lost: %u}", 500 + seen, lost);
        cr_assert_str_eq(got, text);
        cursor = 500 + seen;
    }
}

/* ----- uploads ------------------------------------------------------------------------------------ */

enum { BLOB = 2000 };
static uint8_t blob[BLOB];

static const char *begin(const char *name, const char *more) {
    char text[600];
    for (unsigned i = 0; i < BLOB; i++)
        blob[i] = (uint8_t)(i * 7 + i / 256);
    snprintf(text, sizeof(text), "{name: '%s', size: %u, crc: %u%s, grant: " GRANT "}", name, BLOB,
             bpf_crc32(0, blob, BLOB), more);
    return ask(P, W, 3, text);
}

static const char *data(unsigned offset, unsigned size) {
    static char text[4 * BLOB];
    int length = snprintf(text, sizeof(text), "{off: %u, data: h'", offset);
    for (unsigned i = 0; i < size; i++)
        length += snprintf(text + length, 3, "%02x", blob[offset + i]);
    strcpy(text + length, "'}");
    return ask(P, W, 4, text);
}

Test(smp_server, an_upload) {
    cr_assert_str_eq(begin("new", ", ram: true"), "{off: 0, upload: 1}");
    for (unsigned at = 0; at < BLOB; at += 400) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "{off: %u}", at + 400);
        cr_assert_str_eq(data(at, 400), wanted);
    }
    programs_mock_add("older", 10);
    IS("{seq: 2}", P, W, 5, "{enable: true}");
    cr_assert(programs_mock.enabled && programs_mock.in_ram);
    cr_assert_arr_eq(programs_mock.blob, blob, BLOB);
    cr_assert_arr_eq(&programs_mock.grant, &bpf_grant_default, sizeof(struct bpf_grant));
    IS("{err: {group: 64, rc: 131}, text: 'there is no such thing'}", P, W, 5, "{}");
    cr_assert_str_eq(data(0, 10), "{err: {group: 64, rc: 131}, text: 'there is no such thing'}");
}

/* Data that comes twice, or too early, is answered with what is missing and not written. */
Test(smp_server, an_upload_over_a_bad_line) {
    begin("new", "");
    cr_assert_str_eq(data(0, 400), "{off: 400}");
    cr_assert_str_eq(data(0, 400), "{off: 400}");
    cr_assert_str_eq(data(800, 400), "{off: 400}");
    cr_assert_str_eq(begin("new", ""), "{off: 400, upload: 1}", "the same again goes on");
    cr_assert_str_eq(data(400, 800), "{off: 1200}");
    IS("{err: {group: 64, rc: 137}, where: 1200, text: 'a part of the upload is missing, or comes "
       "twice'}",
       P, W, 5, "{}");
    cr_assert_str_eq(data(1200, 800), "{off: 2000}");
    IS("{seq: 1}", P, W, 5, "{}");
    cr_assert_eq(programs_mock.begun, 1u);
    cr_assert_not(programs_mock.enabled);
    cr_assert_arr_eq(programs_mock.blob, blob, BLOB);
}

Test(smp_server, another_upload_ends_the_first) {
    begin("new", "");
    data(0, 400);
    cr_assert_str_eq(begin("new", ", ram: true"), "{off: 0, upload: 2}",
                     "a volatile copy is another thing");
    cr_assert_eq(programs_mock.aborted, 1u);
    data(0, 400);
    cr_assert_str_eq(begin("other", ", ram: true"), "{off: 0, upload: 3}");
    data(0, 400);
    cr_assert_eq(programs_mock.begun, 3u);
    begin("other",
          ", ram: true, grant: h'01000301e803000010270000002000001027000003090000" GRANT_ZEROS "'");
    cr_assert_eq(programs_mock.begun, 4u, "with another grant it is another one");
    cr_assert_eq(programs_mock.grant.queue, 9u);
    IS("{}", P, W, 6, "{}");
    cr_assert_not(programs_mock.open);
    IS("{err: {group: 64, rc: 131}, text: 'there is no such thing'}", P, W, 5, "{}");
}

/* Two clients, on two lines: what the first one sends does not get into the upload of the second. */
Test(smp_server, an_upload_that_another_one_has_ended) {
    static const char gone[] = "{err: {group: 64, rc: 131}, text: 'there is no such thing'}";
    begin("one", "");
    data(0, 400);
    cr_assert_str_eq(begin("two", ""), "{off: 0, upload: 2}");
    IS(gone, P, W, 4, "{upload: 1, off: 0, data: h'0001'}");
    IS(gone, P, W, 5, "{upload: 1}");
    IS("{}", P, W, 6, "{upload: 1}");
    IS("{rc: 3}", P, W, 4, "{upload: 'x', off: 0, data: h'0001'}");
    cr_assert(programs_mock.open && programs_mock.have == 0);
    IS("{off: 2}", P, W, 4, "{upload: 2, off: 0, data: h'0001'}");
    IS("{}", P, W, 6, "{upload: 2}");
    cr_assert_not(programs_mock.open);
}

/* The manager does so when nobody goes on with it. */
Test(smp_server, an_upload_that_was_given_up) {
    begin("new", "");
    data(0, 400);
    programs_mock.open = false;
    cr_assert_str_eq(data(400, 400), "{err: {group: 64, rc: 131}, text: 'there is no such thing'}");
    cr_assert_str_eq(begin("new", ""), "{off: 0, upload: 2}");
    programs_mock.open = false;
    cr_assert_str_eq(begin("new", ""), "{off: 0, upload: 3}", "the same, but of nothing any more");
    cr_assert_eq(programs_mock.begun, 3u);
}

Test(smp_server, uploads_that_fail) {
    programs_mock.next = BPF_NO_ROOM;
    cr_assert_str_eq(begin("new", ""), "{err: {group: 64, rc: 201}, text: 'the store is full'}");
    cr_assert_str_eq(begin("", ""),
                     "{err: {group: 64, rc: 130}, text: 'a name has 1 to 15 letters, "
                     "digits, _ or -'}");
    begin("new", "");
    programs_mock.next = BPF_FLASH;
    cr_assert_str_eq(data(0, 10), "{err: {group: 64, rc: 204}, text: 'the flash does not take what "
                                  "is written'}");
    cr_assert_str_eq(begin("new", ""), "{off: 0, upload: 2}", "begins anew");
    cr_assert_eq(programs_mock.begun, 2u);
    data(0, 1000);
    data(1000, 800);
    ask(P, W, 4,
        "{off: 1800, data: h'"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"
        "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233"
        "445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccdd"
        "eeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677"
        "8899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677'}");
    cr_assert_eq(programs_mock.have, 2000u);
    IS("{err: {group: 64, rc: 103}, text: 'the blob is damaged (CRC-32 differs)'}", P, W, 5, "{}");
    cr_assert_eq(programs_mock.commits, 0u, "what is not what was announced is not even looked at");
    begin("new", "");
    data(0, 2000);
    programs_mock.next = BPF_BLOB_HELPER;
    programs_mock.where = 36;
    IS("{err: {group: 64, rc: 109}, where: 36, text: 'the blob needs a helper that this firmware "
       "does not have'}",
       P, W, 5, "{}");
    cr_assert_not(programs_mock.open);
    IS("{rc: 3}", P, W, 3, "{name: 'new', size: 10}");
    IS("{rc: 3}", P, W, 4, "{off: 0}");
    begin("new", "");
    data(0, 1990);
    ask(P, W, 4, "{off: 1990, data: h'0011223344556677889900'}");
    cr_assert_eq(programs_mock.have, 1990u, "more than announced");
}
