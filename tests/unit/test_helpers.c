/* SPDX-License-Identifier: MIT */
/*
 * Helpers as the interpreter calls them: arguments by kind, every pointer checked for the bytes that its
 * kind implies, results extended by kind, callbacks. At the end random calls, which must not leave the
 * guest's memory whatever they are given.
 */
#include "runtime/sample.h"

#include "bpf/helper.h"
#include "bpf/host.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *bytes;
static struct bpf_host *host;
static struct bpf_vm *vm;
static uint32_t map[SAMPLE_MAPS], bss, rodata, visit, end; /* guest addresses */

static void setup(void) {
    enum bpf_status status;
    uint32_t size;
    uint64_t r0;
    bytes = sample_blob(&size);
    host = bpf_host_new(bytes, size, &status);
    cr_assert_not_null(host);
    vm = (struct bpf_vm *)(uintptr_t)bpf_host_vm(host);
    cr_assert_eq(bpf_host_run(host, 0, "", 0, &r0), BPF_OK);
    cr_assert_eq(r0, 41);
    const struct blob *blob = vm->blob;
    for (int i = 0; i < SAMPLE_MAPS; i++)
        map[i] = vm->r9 + blob->maps[i].off;
    bss = vm->r9 + blob->datas[SAMPLE_BSS].off;
    rodata = vm->blob_addr + blob->datas[SAMPLE_RODATA].off;
    visit = vm->blob_addr + blob->header->bytecode.off + 8 * blob->funcs[SAMPLE_VISIT].start;
    end = vm->region_addr + vm->region_size;
    vm->stack = vm->region_addr + 512; /* as inside a program */
    vm->depth = 1;
}

static void teardown(void) {
    bpf_host_free(host);
    free(bytes);
}

TestSuite(helpers, .init = setup, .fini = teardown);

static void *guest(uint32_t addr) {
    return vm->region + (addr - vm->region_addr);
}

static struct bpf_map *map_at(enum sample_map index) {
    return guest(map[index]);
}

static void put(uint32_t addr, uint64_t value) {
    memcpy(guest(addr), &value, 8);
}

static uint64_t get(uint32_t addr) {
    uint64_t value;
    memcpy(&value, guest(addr), 8);
    return value;
}

/* Calls with high words that nobody may look at, where the kind is not U64. */
#define FAULTED UINT64_C(0xfa017ed000000000)
static uint64_t call_raw(uint32_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
    const uint64_t args[5] = {a, b, c, d, e};
    uint64_t result = 0x5555555555555555;
    vm->status = BPF_OK;
    if (bpf_helper_call(vm, id, args, &result)) {
        cr_assert_eq(vm->status, BPF_OK);
        return result;
    }
    cr_assert_neq(vm->status, BPF_OK);
    return FAULTED + vm->status;
}
#define CALL5(NAME, a, b, c, d, e, ...) call_raw(BPF_FUNC_##NAME, a, b, c, d, e)
#define CALL(NAME, ...) CALL5(NAME, __VA_ARGS__, 0, 0, 0, 0, 0)
#define NEGATIVE(errno) ((uint64_t) - (int64_t)(errno))

Test(helpers, maps) {
    put(bss, 7), put(bss + 8, 0x0123456789abcdef);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, map[SAMPLE_HASH], bss), 0);
    cr_expect_eq(CALL(MAP_DELETE_ELEM, map[SAMPLE_HASH], bss), NEGATIVE(BPF_ENOENT),
                 "sign-extended");
    cr_expect_eq(CALL(MAP_UPDATE_ELEM, map[SAMPLE_HASH], bss, bss + 8, 0x100000000),
                 NEGATIVE(BPF_EINVAL), "all 64 bits of the flags count");
    cr_expect_eq(CALL(MAP_UPDATE_ELEM, map[SAMPLE_HASH] | 7ull << 32, bss | 1ull << 63, bss + 8, 0),
                 0);
    uint64_t value = CALL(MAP_LOOKUP_ELEM, map[SAMPLE_HASH], bss);
    cr_assert(value > map[SAMPLE_HASH] && value < map[SAMPLE_HASH + 1], "%lx", value);
    cr_expect_eq(get((uint32_t)value), 0x0123456789abcdef);
    put(bss, 3);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, map[SAMPLE_ARRAY], bss), map[SAMPLE_ARRAY] + 32 + 3 * 16);
    put(bss, 4);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, map[SAMPLE_ARRAY], bss), 0);
    cr_expect_eq(CALL(MAP_PUSH_ELEM, map[SAMPLE_QUEUE], bss + 8, 0), 0);
    cr_expect_eq(CALL(MAP_PEEK_ELEM, map[SAMPLE_QUEUE], bss + 32), 0);
    cr_expect_eq(get(bss + 32), 0x89abcdef);
    cr_expect_eq(CALL(MAP_POP_ELEM, map[SAMPLE_QUEUE], bss + 40), 0);
    cr_expect_eq(CALL(MAP_POP_ELEM, map[SAMPLE_QUEUE], bss + 40), NEGATIVE(BPF_ENOENT));
}

/* The last place where it fits, and one byte further. */
Test(helpers, pointers_are_checked_for_their_sizes) {
    uint32_t lowest = vm->region_addr, hash = map[SAMPLE_HASH], queue = map[SAMPLE_QUEUE];
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, end - 4), 0);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, end - 3), FAULTED + BPF_FAULT_READ);
    cr_expect_eq(vm->fault_addr, end - 3);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, lowest), 0);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, lowest - 1), FAULTED + BPF_FAULT_READ);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, 0), FAULTED + BPF_FAULT_READ);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, rodata), 0, "the blob can be read");
    cr_expect_eq(CALL(MAP_UPDATE_ELEM, hash, bss, end - 8, 0), 0);
    cr_expect_eq(CALL(MAP_UPDATE_ELEM, hash, bss, end - 7, 0), FAULTED + BPF_FAULT_READ);
    cr_expect_eq(CALL(MAP_POP_ELEM, queue, end - 4), NEGATIVE(BPF_ENOENT));
    cr_expect_eq(CALL(MAP_POP_ELEM, queue, end - 3), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(MAP_POP_ELEM, queue, rodata), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(RINGBUF_OUTPUT, map[SAMPLE_RINGBUF], end - 16, 16, 0), 0);
    cr_expect_eq(CALL(RINGBUF_OUTPUT, map[SAMPLE_RINGBUF], end - 16, 17, 0),
                 FAULTED + BPF_FAULT_READ);
    cr_expect_eq(CALL(RINGBUF_OUTPUT, map[SAMPLE_RINGBUF], bss, 0xffffffff, 0),
                 FAULTED + BPF_FAULT_READ);
}

Test(helpers, a_map_must_be_one) {
    uint32_t hash = map[SAMPLE_HASH];
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, 0, bss), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, bss, bss), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash + 8, bss), FAULTED + BPF_FAULT_WRITE);
    for (uint32_t field = 0; field < 24; field += field == 12 ? 8 : 4) { /* all but map_flags */
        uint64_t old = get(hash + field);
        put(hash + field, old + 1);
        cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, bss), FAULTED + BPF_FAULT_WRITE, "field %u",
                     field);
        put(hash + field, old);
    }
    cr_expect_eq(CALL(MAP_LOOKUP_ELEM, hash, bss), 0);
}

Test(helpers, ring_buffer) {
    uint32_t ring = map[SAMPLE_RINGBUF];
    uint64_t a = CALL(RINGBUF_RESERVE, ring, 12, 0), b = CALL(RINGBUF_RESERVE, ring, 8, 0);
    cr_assert_eq(a, ring + 32 + 8 + 8);
    cr_assert_eq(b, a + 24);
    cr_expect_eq(CALL(RINGBUF_RESERVE, ring, 100, 0), 0);
    put((uint32_t)a, 0xaaaa), put((uint32_t)b, 0xbbbb);
    cr_expect_eq(CALL(RINGBUF_SUBMIT, b, 0), 0);
    cr_expect_eq(CALL(RINGBUF_DISCARD, a, 0), 0);
    cr_expect_eq(CALL(RINGBUF_QUERY, ring, 3), 24 + 16);
    struct bpf_map *m = map_at(SAMPLE_RINGBUF);
    uint32_t size;
    const uint64_t *record = bpf_ringbuf_read(m, &size);
    cr_assert_not_null(record);
    cr_expect_eq(*record, 0xbbbb);
    cr_expect_eq(size, 8);
    /* not in the ring: before its first record, beyond its last one, between words */
    cr_expect_eq(CALL(RINGBUF_SUBMIT, ring + 40, 0), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(RINGBUF_SUBMIT, ring + 40 + 128, 0), 0, "an empty record can end there");
    cr_expect_eq(CALL(RINGBUF_SUBMIT, ring + 40 + 136, 0), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(RINGBUF_SUBMIT, a + 4, 0), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(RINGBUF_SUBMIT, 0, 0), FAULTED + BPF_FAULT_WRITE);
    put(ring + 12, 64); /* its max_entries */
    cr_expect_eq(CALL(RINGBUF_DISCARD, a, 0), FAULTED + BPF_FAULT_WRITE);
}

Test(helpers, loop) {
    cr_expect_eq(CALL(LOOP, 0, visit, 0, 0), 0);
    put(bss + 24, UINT64_MAX);
    cr_expect_eq(CALL(LOOP, 10, visit, 0, 0), 10);
    cr_expect_eq(get(bss + 8), 10);
    cr_expect_eq(get(bss + 16), 45, "indices 0 to 9");
    put(bss + 24, 13);
    cr_expect_eq(CALL(LOOP, 10, visit, 0, 0), 3, "the third of these returned 1");
    cr_expect_eq(CALL(LOOP, 10, visit, 0, 1), NEGATIVE(BPF_EINVAL));
    cr_expect_eq(CALL(LOOP, BPF_LOOP_MAX + 1, visit, 0, 0), NEGATIVE(BPF_E2BIG));
    cr_expect_eq(get(bss + 8), 13);
    cr_expect_eq(CALL(LOOP, 1, visit + 8, 0, 0), FAULTED + BPF_FAULT_CALL);
    cr_expect_eq(CALL(LOOP, 1, 0, 0, 0), FAULTED + BPF_FAULT_CALL);
    put(bss + 32, 0x1000); /* the callback writes where it may not */
    cr_expect_eq(CALL(LOOP, 10, visit, 0, 0), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(vm->fault_addr, 0x1000);
    cr_expect_eq(get(bss + 8), 14, "and is not called again");
}

Test(helpers, for_each) {
    put(bss + 24, UINT64_MAX);
    cr_expect_eq(CALL(FOR_EACH_MAP_ELEM, map[SAMPLE_ARRAY], visit, 0, 0), 4);
    cr_expect_eq(get(bss + 16), 4ull * map[SAMPLE_ARRAY], "r1 is the map");
    cr_expect_eq(CALL(FOR_EACH_MAP_ELEM, map[SAMPLE_HASH], visit, 0, 0), 0);
    for (uint32_t key = 0; key < 3; key++) {
        put(bss, key);
        CALL(MAP_UPDATE_ELEM, map[SAMPLE_HASH], bss, bss, 0);
    }
    cr_expect_eq(CALL(FOR_EACH_MAP_ELEM, map[SAMPLE_HASH], visit, 0, 0), 3);
    put(bss + 24, get(bss + 8) + 2);
    cr_expect_eq(CALL(FOR_EACH_MAP_ELEM, map[SAMPLE_HASH], visit, 0, 0), 2, "stopped");
    cr_expect_eq(CALL(FOR_EACH_MAP_ELEM, map[SAMPLE_HASH], visit, 0, 1), NEGATIVE(BPF_EINVAL));
    cr_expect_eq(CALL(FOR_EACH_MAP_ELEM, map[SAMPLE_QUEUE], visit, 0, 0), NEGATIVE(BPF_EINVAL));
}

/* The callback writes over the header of the map that is being visited: every field, with numbers
 * that would lead far out of it. */
Test(helpers, for_each_of_a_map_that_changes) {
    static const uint32_t kinds[] = {SAMPLE_ARRAY, SAMPLE_HASH, SAMPLE_LRU};
    static const uint32_t values[] = {0, 1, 9, 0x10000, 0x7fffffff, 0xffffffff};
    for (int k = 0; k < 3; k++)
        for (uint32_t field = 0; field < 32; field += 4)
            for (int v = 0; v < 6; v++) {
                teardown();
                setup();
                for (uint32_t key = 0; key < 2; key++) {
                    put(bss, key);
                    CALL(MAP_UPDATE_ELEM, map[kinds[k]], bss, bss, 0);
                }
                put(bss + 24, 1000), put(bss + 32, map[kinds[k]] + field), put(bss + 40, values[v]);
                uint64_t visited = CALL(FOR_EACH_MAP_ELEM, map[kinds[k]], visit, 0, 0);
                cr_expect_leq(visited, 5);
            }
}

Test(helpers, strings) {
    memcpy(guest(bss), "abc\0abd\0", 8);
    cr_expect_eq(CALL(STRNCMP, bss, 4, bss), 0);
    cr_expect_lt((int64_t)CALL(STRNCMP, bss, 4, bss + 4), 0);
    cr_expect_gt((int64_t)CALL(STRNCMP, bss + 4, 4, bss), 0);
    cr_expect_eq(CALL(STRNCMP, bss, 2, bss + 4), 0);
    memset(guest(end - 8), 'x', 8);
    cr_expect_eq(CALL(STRNCMP, bss, 1, end - 8), FAULTED + BPF_FAULT_READ, "does not end");
    cr_expect_eq(vm->fault_addr, end);
    memset(guest(end - 1), 0, 1);
    cr_expect_lt((int64_t)CALL(STRNCMP, bss, 1, end - 8), 0, "ends with the last byte");
}

Test(helpers, snprintf) {
    char *out = guest(bss);
    memcpy(guest(end - 16), "%s+%s", 6);
    put(bss + 48, rodata), put(bss + 56, 0x10); /* a string, and none */
    cr_expect_eq(CALL(SNPRINTF, bss, 32, end - 16, bss + 48, 16), 9, "with its end");
    cr_expect_str_eq(out, "text %d+");
    cr_expect_eq(CALL(SNPRINTF, bss, 4, rodata, bss + 56, 8), 8);
    cr_expect_str_eq(out, "tex");
    cr_expect_eq(CALL(SNPRINTF, 0, 0, rodata, bss + 56, 8), 8, "nothing is written");
    cr_expect_eq(CALL(SNPRINTF, bss, 32, rodata, bss + 56, 4), NEGATIVE(BPF_EINVAL));
    cr_expect_eq(CALL(SNPRINTF, bss, 32, rodata, 0, 0), NEGATIVE(BPF_EINVAL),
                 "an argument too few");
    cr_expect_eq(CALL(SNPRINTF, end - 4, 5, rodata, bss, 8), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(SNPRINTF, rodata, 5, rodata, bss, 8), FAULTED + BPF_FAULT_WRITE);
    cr_expect_eq(CALL(SNPRINTF, bss, 5, rodata, end - 8, 16), FAULTED + BPF_FAULT_READ);
}

/* The output runs over the format, end and all. */
Test(helpers, snprintf_over_its_own_format) {
    uint32_t fmt = end - 24;
    memcpy(guest(fmt), "%9d%9d", 7);
    put(bss, 1), put(bss + 8, 2);
    CALL(SNPRINTF, fmt, 24, fmt, bss, 16);
    CALL(SNPRINTF, fmt + 1, 23, fmt, bss, 16);
}

Test(helpers, random_numbers) {
    uint32_t x = vm->arena->prandom;
    for (int i = 0; i < 10; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        cr_expect_eq(CALL(GET_PRANDOM_U32, 0), x);
    }
    vm->arena->prandom = 0;
    cr_expect_neq(CALL(GET_PRANDOM_U32, 0), 0, "a state of 0 would stay one");
    cr_expect_eq(CALL(GET_SMP_PROCESSOR_ID, 0), 0);
}

/* ---------------------------------------------------------------------------------------- devices */

static struct {
    uint32_t id;
    uint64_t args[5], result;
} device;

static uint64_t on_device(void *user, uint32_t id, const uint64_t args[5]) {
    cr_assert_eq(user, &device);
    device.id = id;
    memcpy(device.args, args, sizeof(device.args));
    return device.result;
}

Test(helpers, devices) {
    cr_expect_eq(CALL(GPIO_READ, 60), 0, "without a device: 0");
    bpf_host_set_device(host, on_device, &device);
    device.result = 0xfffffffe;
    cr_expect_eq(CALL(GPIO_WRITE, 60, 1), UINT64_MAX - 1, "S32");
    cr_expect_eq(device.id, BPF_FUNC_GPIO_WRITE);
    cr_expect_eq(device.args[0], 60);
    cr_expect_eq(device.args[1], 1);
    device.result = 0x123456789abcdef0;
    cr_expect_eq(CALL(KTIME_GET_NS, 0), 0x123456789abcdef0, "U64");
    device.id = 0;
    cr_expect_eq(CALL(UART_WRITE, 2, end - 4, 5), FAULTED + BPF_FAULT_READ);
    cr_expect_eq(device.id, 0, "the device is not asked");
    cr_expect_eq(CALL(ACCEL_READ, rodata, 6), FAULTED + BPF_FAULT_WRITE);
}

/* Timers are the kernel's: addresses and code pointers reach it as the program gave them. */
Test(helpers, timers) {
    uint32_t array = map[SAMPLE_ARRAY], value = array + 64;
    bpf_host_set_device(host, on_device, &device);
    device.result = (uint32_t)-BPF_EOPNOTSUPP;
    cr_expect_eq(CALL(TIMER_INIT, value, array, BPF_CLOCK_MONOTONIC), NEGATIVE(BPF_EOPNOTSUPP));
    cr_expect_eq(device.id, BPF_FUNC_TIMER_INIT);
    cr_expect_eq(device.args[0], value);
    cr_expect_eq(CALL(TIMER_SET_CALLBACK, value, 0x1234), NEGATIVE(BPF_EOPNOTSUPP));
    cr_expect_eq(device.args[1], 0x1234);
    cr_expect_eq(CALL(TIMER_START, 12, UINT64_C(1) << 40, 0), NEGATIVE(BPF_EOPNOTSUPP));
    cr_expect_eq(device.args[0], 12, "nobody has looked at it here");
    cr_expect_eq(device.args[1], UINT64_C(1) << 40);
    cr_expect_eq(CALL(TIMER_CANCEL, value), NEGATIVE(BPF_EOPNOTSUPP));
    cr_expect_eq(device.id, BPF_FUNC_TIMER_CANCEL);
}

Test(helpers, unknown_ids) {
    static const uint32_t ids[] = {0, 4, 1000, 1500, 4095, 4096, UINT32_MAX};
    for (int i = 0; i < 7; i++)
        cr_expect_eq(call_raw(ids[i], 0, 0, 0, 0, 0), FAULTED + BPF_FAULT_CALL);
}

/* ------------------------------------------------------------------------------------- tail calls */

Test(helpers, tail_calls) {
    const struct blob_header *h = vm->blob->header;
    struct bpf_map *progs = map_at(SAMPLE_PROGS);
    uint32_t *slots = (uint32_t *)(void *)(progs + 1);
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 1), 1);
    cr_expect_eq(vm->arena->tail_calls, 1);
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 0), -1, "empty");
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 2), -1, "no such slot");
    cr_expect_eq(bpf_tail_program(vm->arena, h, map_at(SAMPLE_ARRAY), 1), -1);
    slots[0] = 3;
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 0), -1, "no such program");
    cr_expect_eq(vm->arena->tail_calls, 1, "what fails is not counted");
    vm->arena->tail_calls = BPF_TAIL_CALL_MAX - 1;
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 1), 1);
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 1), -1);
    vm->arena->tail_calls = 0;
    progs->max_entries = UINT32_MAX;
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 1000000), -1, "it stays inside the map");
    progs->size = 31;
    cr_expect_eq(bpf_tail_program(vm->arena, h, progs, 5), -1);
}

/* A program that is jumped to has its own stack, larger than the first one's. */
Test(helpers, tail_call_to_a_larger_stack) {
    uint64_t r0;
    cr_expect_eq(bpf_host_run(host, 0, "\0\0", 2, &r0), BPF_OK);
    cr_expect_eq(r0, 77);
}

/* ------------------------------------------------------------------------------------- at random */

static uint32_t seed;

static uint32_t random_below(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

static uint64_t random_argument(void) {
    switch (random_below(12)) {
    case 0: return random_below(70);
    case 1: return end - random_below(40);
    case 2: return vm->region_addr + random_below(16) - 4;
    case 3: return rodata + random_below(16);
    case 4: return visit;
    case 5: return (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
    case 6: return 0;
    case 7: return map[SAMPLE_RINGBUF] + 32 + 8 * random_below(20);
    case 8: return bss + random_below(64);
    default: return map[random_below(SAMPLE_MAPS)];
    }
}

Test(helpers, random_calls) {
    size_t count;
    const struct bpf_helper *rows = bpf_helpers(&count);
    uint32_t faults = 0, returns = 0;
    for (uint32_t round = 0; round < 4000; round++) {
        seed = round;
        for (int i = 0; i < 50; i++) {
            uint32_t id = rows[random_below((uint32_t)count)].id;
            vm->budget = vm->executed + 1000;
            if (random_below(4) == 0)
                put(bss + 8 * random_below(7), random_argument());
            if (random_below(20) == 0) /* scribble */
                put(vm->r9 + 8 + random_below(end - vm->r9 - 16), random_argument());
            uint64_t r = call_raw(id, random_argument(), random_argument(), random_argument(),
                                  random_argument(), random_argument());
            *(r >> 32 == FAULTED >> 32 ? &faults : &returns) += 1;
        }
        if (round % 4 == 0) {
            teardown();
            setup();
        }
    }
    cr_expect_gt(faults, 10000);
    cr_expect_gt(returns, 10000);
}
