/* SPDX-License-Identifier: MIT */
/*
 * Programs that try to make the host trust what they have written: forged maps, reservations and
 * prog_arrays, results over the map itself, an arena's head in ruins; and helpers where the eBPF stack
 * is used up to its last byte. Argument kinds and plain results are in test_helpers.c.
 */
#include "runtime/guest.h"

#include "bpf/helper.h"
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEM_SIZE 64

static struct guest *guest;

static void teardown(void) {
    guest_free(guest);
}

TestSuite(forged, .fini = teardown);

enum { HASH, ARRAY, PROGS, QUEUE, RING, LRU };
static const struct prog_map maps[] = {
    [HASH] = {.type = BPF_MAP_HASH, .key_size = 4, .value_size = 8, .max_entries = 3},
    [ARRAY] = {.type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 3},
    [PROGS] = {.type = BPF_MAP_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
    [QUEUE] = {.type = BPF_MAP_QUEUE, .value_size = 8, .max_entries = 2},
    [RING] = {.type = BPF_MAP_RINGBUF, .max_entries = 128},
    [LRU] = {.type = BPF_MAP_LRU_HASH, .key_size = 4, .value_size = 4, .max_entries = 2},
};
static const uint8_t texts[64] = "%d-%s-%x\0abc\0abd\0\0%";
static const uint8_t open_end[8] = "unended.";
static const struct prog_data datas[] = {
    {.name = ".rodata", .image = texts, .size = 64, .align = 8},
    {.name = ".data", .image = open_end, .size = 8, .align = 8, .writable = true},
};

static enum bpf_status run(const char *text, uint64_t *r0) {
    static const uint8_t memory[MEM_SIZE] = {1, 0, 0, 0, 2, 0, 0, 0, 3};
    guest_free(guest);
    guest = guest_new(&(struct guest_spec){.text = text,
                                           .maps = maps,
                                           .nmaps = 6,
                                           .datas = datas,
                                           .ndatas = 2,
                                           .mem_size = MEM_SIZE},
                      &(struct compile_options){.bytecode_only = true});
    cr_assert_eq(guest_start(guest), BPF_OK);
    bpf_host_set_budget(guest->host, 1000000);
    return bpf_host_run(guest->host, 0, memory, MEM_SIZE, r0);
}

static void expect(const char *text, int64_t expected) {
    uint64_t r0;
    enum bpf_status status = run(text, &r0);
    cr_expect_eq(status, BPF_OK, "%s: status %d at 0x%08x", text, status,
                 bpf_host_vm(guest->host)->fault_addr);
    cr_expect_eq((int64_t)r0, expected, "%s: %lld", text, (long long)r0);
}

static void fault(const char *text, enum bpf_status expected) {
    uint64_t r0;
    enum bpf_status status = run(text, &r0);
    cr_expect_eq(status, expected, "%s: status %d, r0 %lld", text, status, (long long)r0);
}

#define MAP(reg, number) "lddw %r" #reg ", map " #number "\n"
#define STACK(reg, offset) "mov %r" #reg ", %r10\n add %r" #reg ", " #offset "\n"
#define NUMBER(reg, number) "mov %r" #reg ", " #number "\n"
#define DATA(reg, place) "lddw %r" #reg ", data " #place "\n"
#define KEY "stdw [%r10-16], 0\n stdw [%r10-8], 42\n"
#define CALL(id) "call " #id "\n"
#define EXIT "exit"

/* ----------------------------------------------------------------------------------- arguments */

Test(forged, a_map_is_one_of_the_blob) {
    fault(KEY NUMBER(1, 0) STACK(2, -16) CALL(1) EXIT, BPF_FAULT_WRITE);
    fault(KEY STACK(1, -16) STACK(2, -16) CALL(1) EXIT, BPF_FAULT_WRITE);
    fault(KEY MAP(1, 1) "add %r1, 8\n" STACK(2, -16) CALL(1) EXIT, BPF_FAULT_WRITE);
    fault(KEY MAP(1, 1) "add %r1, 4\n" STACK(2, -16) CALL(1) EXIT, BPF_FAULT_WRITE);
    fault("lddw %r1, 0xffffffff\n" STACK(2, -16) CALL(1) EXIT, BPF_FAULT_WRITE);
    fault("lddw %r1, 0x080c0000\n" STACK(2, -16) CALL(1) EXIT, BPF_FAULT_WRITE);
    /* the high word of a pointer says nothing, as on the board */
    expect(KEY MAP(1, 1) "lddw %r3, 0x700000000\n or %r1, %r3\n" STACK(2, -16) CALL(1)
               MAP(1, 1) "sub %r0, %r1\n" EXIT,
           32);
}

Test(forged, keys_and_values_are_readable) {
    fault(MAP(1, 1) NUMBER(2, 0) CALL(1) EXIT, BPF_FAULT_READ);
    fault(KEY MAP(1, 0) STACK(2, -16) NUMBER(3, 0) NUMBER(4, 0) CALL(2) EXIT, BPF_FAULT_READ);
    fault(MAP(1, 0) "ldxdw %r0, [%r10-8]\n" NUMBER(2, -1) CALL(3) EXIT, BPF_FAULT_READ);
    fault(MAP(1, 3) NUMBER(2, 8) NUMBER(3, 0) CALL(87) EXIT, BPF_FAULT_READ);
    fault(MAP(1, 3) NUMBER(2, 8) CALL(88) EXIT, BPF_FAULT_WRITE);
    fault(MAP(1, 3) "lddw %r2, 0x080c0000\n" CALL(89) EXIT, BPF_FAULT_WRITE);
    /* the last bytes of the context are the last of the arena */
    expect(NUMBER(3, 0) "stxdw [%r10-8], %r3\n mov %r2, %r1\n add %r2, 56\n" MAP(1, 3) CALL(88)
               EXIT,
           -2);
    fault("mov %r2, %r1\n add %r2, 57\n" MAP(1, 3) CALL(88) EXIT, BPF_FAULT_WRITE);
    /* a value may come from the blob itself */
    expect(KEY MAP(1, 0) STACK(2, -16) "lddw %r3, 0x080c0000\n" NUMBER(4, 0) CALL(2) EXIT, 0);
}

/* ------------------------------------------------------------------------------------- results */

Test(forged, snprintf) {
    /* "%d-%s-%x" with -7, "abc", 255: "-7-abc-ff" is 9 characters; Linux counts the NUL */
#define ARGUMENTS                                                                                  \
    "stdw [%r10-24], -7\n" DATA(6, 0 + 9) "stxdw [%r10-16], %r6\n stdw [%r10-8], 255\n"
    expect(ARGUMENTS STACK(1, -64) NUMBER(2, 32) DATA(3, 0) STACK(4, -24) NUMBER(5, 24) CALL(165)
               EXIT,
           10);
    expect(ARGUMENTS STACK(1, -64) NUMBER(2, 32) DATA(3, 0) STACK(4, -24) NUMBER(5, 24)
               CALL(165) "ldxdw %r0, [%r10-64]\n" EXIT,
           0x662d6362612d372d); /* "-7-abc-f" */
    expect(ARGUMENTS NUMBER(1, 0) NUMBER(2, 0) DATA(3, 0) STACK(4, -24) NUMBER(5, 24) CALL(165)
               EXIT,
           10);
    expect("stdw [%r10-64], -1\n" ARGUMENTS STACK(1, -64) NUMBER(2, 3) DATA(3, 0) STACK(4, -24)
               NUMBER(5, 24) CALL(165) "ldxw %r0, [%r10-64]\n" EXIT,
           0xff00372d);
    expect(STACK(1, -64) NUMBER(2, 32) DATA(3, 0) STACK(4, -24) NUMBER(5, 16) CALL(165) EXIT, -22);
    expect(STACK(1, -64) NUMBER(2, 32) DATA(3, 0) STACK(4, -24) NUMBER(5, 7) CALL(165) EXIT, -22);
    expect(STACK(1, -64) NUMBER(2, 32) DATA(3, 0 + 18) NUMBER(4, 0) NUMBER(5, 0) CALL(165) EXIT,
           -22);
    /* arguments that are not aligned */
    expect(NUMBER(7, -7) "stxdw [%r10-23], %r7\n" DATA(6, 0 + 9) "stxdw [%r10-15], %r6\n"
                                                                 "stb [%r10-24], 99\n" STACK(1, -64)
                                                                     NUMBER(2, 32) DATA(3, 0)
                                                                         STACK(4, -23) NUMBER(5, 16)
                                                                             CALL(165) EXIT,
           -22);
    /* the output over its own format and arguments: it ends, with something */
    uint64_t r0;
    cr_expect_eq(
        run(DATA(6, 0) "ldxdw %r7, [%r6+0]\n stxdw [%r10-64], %r7\n stdw [%r10-56], 0\n" STACK(
                1, -63) NUMBER(2, 63) STACK(3, -64) STACK(4, -64) NUMBER(5, 64) CALL(165) EXIT,
            &r0),
        BPF_OK);
}

/* The callback sees every element; its key is in memory it can read. */
Test(forged, for_each) {
    expect(
        "stdw [%r10-8], 0\n" MAP(1, 1) "lddw %r2, func f\n" STACK(3, -8) NUMBER(4, 0) CALL(
            164) "ldxdw %r1, [%r10-8]\n lsh %r0, 8\n or %r0, %r1\n" EXIT
                 "\n f: ldxw %r1, [%r2+0]\n add %r1, 1\n lock add [%r4+0], %r1\n stw [%r3+0], 9\n"
                 "mov %r0, 0\n exit",
        3 << 8 | 6);
    expect("stdw [%r10-8], 0\n" MAP(1, 1) "lddw %r2, func f\n" STACK(3, -8) NUMBER(4, 0) CALL(164)
               EXIT "\n f: ldxw %r0, [%r2+0]\n exit",
           2); /* stopped at index 1 */
    expect(MAP(1, 1) "lddw %r2, func f\n" NUMBER(3, 0) NUMBER(4, 1) CALL(164) EXIT
           "\n f: mov %r0, 0\n exit",
           -22);
    expect(MAP(1, 3) "lddw %r2, func f\n" NUMBER(3, 0) NUMBER(4, 0) CALL(164) EXIT
           "\n f: mov %r0, 0\n exit",
           -22);
    /* nested, with a key of its own at each level */
    expect("stdw [%r10-8], 0\n" MAP(1, 1) "lddw %r2, func outer\n" STACK(3, -8) NUMBER(4, 0)
               CALL(164) "ldxdw %r0, [%r10-8]\n" EXIT "\n outer: mov %r6, %r2\n mov %r7, %r4\n" MAP(
                   1, 1) "lddw %r2, func inner\n mov %r3, %r7\n" NUMBER(4, 0)
                   CALL(164) "ldxw %r1, [%r6+0]\n mul %r1, 100\n lock add [%r7+0], %r1\n"
                             "mov %r0, 0\n exit\n"
                             "inner: ldxw %r1, [%r2+0]\n lock add [%r4+0], %r1\n mov %r0, 0\n exit",
           300 + 9);
}

/* ------------------------------------------------------------------------------------ ring buffer */

#define RESERVE(size) MAP(1, 4) NUMBER(2, size) NUMBER(3, 0) CALL(131)

Test(forged, ring_buffer) {
    expect(RESERVE(8) "jeq %r0, 0, bad\n stdw [%r0+0], 5\n mov %r1, %r0\n" NUMBER(2, 0) CALL(132)
               MAP(1, 4) NUMBER(2, 0) CALL(134) "exit\n bad: mov %r0, -1\n exit",
           16);
    uint32_t size;
    const uint64_t *record = bpf_ringbuf_read(guest_map(guest, RING), &size);
    cr_assert_not_null(record);
    cr_expect_eq(size, 8);
    cr_expect_eq(*record, 5);
    expect(RESERVE(121) "jne %r0, 0, bad\n exit\n bad: mov %r0, -1\n exit", 0);
    expect(RESERVE(120) "jeq %r0, 0, bad\n mov %r1, %r0\n" NUMBER(2, 0)
               CALL(133) "mov %r0, 5\n exit\n bad: mov %r0, -1\n exit",
           5);
}

Test(forged, what_is_no_reservation) {
    fault(NUMBER(1, 0) NUMBER(2, 0) CALL(132) EXIT, BPF_FAULT_WRITE);
    fault(KEY STACK(1, -8) NUMBER(2, 0) CALL(132) EXIT, BPF_FAULT_WRITE);
    fault(MAP(1, 4) "add %r1, 40\n" NUMBER(2, 0) CALL(133) EXIT, BPF_FAULT_WRITE);
    fault(MAP(1, 4) "add %r1, 52\n" NUMBER(2, 0) CALL(133) EXIT, BPF_FAULT_WRITE);
    fault(MAP(1, 4) "add %r1, 176\n" NUMBER(2, 0) CALL(133) EXIT, BPF_FAULT_WRITE);
    expect(MAP(1, 4) "add %r1, 168\n" NUMBER(2, 0) CALL(133) "mov %r0, 3\n" EXIT, 3);
    expect(MAP(1, 4) "add %r1, 48\n" NUMBER(2, 0) CALL(132) "mov %r0, 3\n" EXIT, 3);
}

/* -------------------------------------------------------------------------- what programs forge */

/* Each field of a map's header made larger: no helper believes it. */
Test(forged, forged_headers) {
    static const char *const calls[] = {
        KEY MAP(1, 0) STACK(2, -16) CALL(1) EXIT,
        KEY MAP(1, 0) STACK(2, -16) STACK(3, -8) NUMBER(4, 0) CALL(2) EXIT,
        KEY MAP(1, 0) STACK(2, -16) CALL(3) EXIT,
        KEY MAP(1, 3) STACK(2, -8) NUMBER(3, 0) CALL(87) EXIT,
        KEY MAP(1, 3) STACK(2, -8) CALL(88) EXIT,
        RESERVE(8) EXIT,
        KEY MAP(1, 4) STACK(2, -16) NUMBER(3, 8) NUMBER(4, 0) CALL(130) EXIT,
        MAP(1, 4) "add %r1, 48\n" NUMBER(2, 0) CALL(132) EXIT,
        MAP(1, 4) NUMBER(2, 0) CALL(134) EXIT,
        MAP(1, 0) "lddw %r2, func f\n" NUMBER(3, 0) NUMBER(4, 0) CALL(164) EXIT
        "\n f: mov %r0, 0\n exit",
    };
    static const int fields[] = {0, 4, 8, 12, 20};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (size_t k = 0; k < 5; k++) {
            const char *map = strstr(calls[i], "map ");
            char text[800];
            snprintf(text, sizeof(text), "lddw %%r1, map %c\n stw [%%r1+%d], 0x10001\n %s", map[4],
                     fields[k], calls[i]);
            fault(text, BPF_FAULT_WRITE);
        }
}

/* A prog_array that the program made itself, at the end of its memory; one in the blob. */
Test(forged, forged_prog_arrays) {
    fault("mov %r2, %r1\n add %r2, 32\n stw [%r2+0], 3\n stw [%r2+12], 0x40000000\n"
          "stw [%r2+20], 0x7fffffff\n" NUMBER(3, 0x10000000) CALL(12) EXIT,
          BPF_FAULT_READ);
    expect("mov %r2, %r1\n add %r2, 32\n stw [%r2+0], 3\n stw [%r2+12], 0x40000000\n"
           "stw [%r2+20], 32\n" NUMBER(3, 0) CALL(12) EXIT,
           -22);
    expect("mov %r2, %r1\n add %r2, 32\n stw [%r2+0], 3\n stw [%r2+12], 0x40000000\n"
           "stw [%r2+20], 0\n" NUMBER(3, 0) CALL(12) EXIT,
           -22);
    fault("mov %r2, %r1\n add %r2, 36\n" NUMBER(3, 0) CALL(12) EXIT, BPF_FAULT_READ);
    /* program 9 of 1 */
    expect(MAP(2, 2) "stw [%r2+32], 9\n" NUMBER(3, 0) CALL(12) EXIT, -22);
    expect(MAP(2, 2) "stw [%r2+32], -1\n" NUMBER(3, 0) CALL(12) EXIT, -22);
}

/* pop may write over the header of the very map it takes from. */
Test(forged, results_over_the_map_itself) {
    expect("stdw [%r10-8], -1\n" MAP(1, 3) STACK(2, -8) NUMBER(3, 0) CALL(87)
               MAP(1, 3) "mov %r2, %r1\n add %r2, 8\n" CALL(88) EXIT,
           0);
    fault("stdw [%r10-8], -1\n" MAP(1, 3) STACK(2, -8) NUMBER(3, 0) CALL(87)
              MAP(1, 3) "mov %r2, %r1\n add %r2, 8\n" CALL(88) MAP(1, 3) STACK(2, -8) NUMBER(3, 0)
                  CALL(87) EXIT,
          BPF_FAULT_WRITE);
    expect(KEY MAP(1, 0) MAP(2, 0) MAP(3, 0) NUMBER(4, 0) CALL(2) EXIT, 0);
}

/* The arena's head belongs to the program: what it writes there is its own trouble. */
Test(forged, scribbled_head) {
    uint64_t r0;
    static const char fill[] =
        MAP(1, 0) "mov %r2, 60\n again: sub %r1, 4\n stw [%r1+0], -3\n sub %r2, 4\n"
                  "jne %r2, 0, again\n" KEY MAP(1, 0) STACK(2, -16) STACK(3, -8) NUMBER(4, 0)
                      CALL(2) CALL(7) "mov %r0, 1\n" EXIT;
    run(fill, &r0);
    for (int i = 0; i < 3; i++) /* the next run begins on what this one left */
        bpf_host_run(guest->host, 0, "", 1, &r0);
}
