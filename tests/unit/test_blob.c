/* SPDX-License-Identifier: MIT */
/*
 * The blob parser under attack: truncations, every byte changed, every field of header and tables set
 * to boundary values, the CRC made right again. What it refuses it refuses with a status and a place;
 * what it lets through must load and run without leaving its memory (the sanitizers look). What exactly
 * is refused, and where, is in test_blob_rules.c.
 */
#include "runtime/guest.h"

#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET 2000

static struct arena *arena;
static struct diag *diag;

static void setup(void) {
    arena = arena_new();
    diag = diag_new();
}

static void teardown(void) {
    diag_free(diag);
    arena_free(arena);
}

TestSuite(blob, .init = setup, .fini = teardown, .timeout = 300);

/* ---------------------------------------------------------------------------------------- blobs */

struct bytes {
    uint8_t *data;
    uint32_t size;
};

static const char *const objects[] = {"histogram", "event_log", "crc32", "debounce"};
#define OBJECTS (sizeof(objects) / sizeof(objects[0]))

static struct bytes from_object(const char *name, const struct compile_options *options) {
    struct compile_result result;
    const char *path = arena_printf(arena, "build/bpf/programs/%s.bpf.o", name);
    cr_assert(compile_file(arena, path, options, &result, diag), "%s", path);
    return (struct bytes){result.blob, result.blob_size};
}

/* One with rows in every table: maps of all kinds, data with and without image, relocations of all
 * kinds, two programs, a callback. */
static struct bytes from_text(const struct compile_options *options) {
    static const struct prog_map maps[] = {
        {.type = BPF_MAP_HASH, .key_size = 4, .value_size = 8, .max_entries = 3},
        {.type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
        {.type = BPF_MAP_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
        {.type = BPF_MAP_QUEUE, .value_size = 8, .max_entries = 3},
        {.type = BPF_MAP_RINGBUF, .max_entries = 64},
    };
    static const uint8_t image[16] = {1, 2, 3};
    static const struct prog_data datas[] = {
        {.name = ".rodata", .image = image, .size = 16, .align = 8},
        {.name = ".data", .image = image, .size = 16, .align = 8, .writable = true},
        {.name = ".bss", .size = 24, .align = 8, .writable = true},
        {.name = ".data.rel.ro", .image = image, .size = 16, .align = 8, .relocated = true},
    };
    static const struct prog_reloc relocs[] = {
        {.kind = PROG_RELOC_DATA, .data = 3, .off = 0, .target = 2, .addend = 8},
        {.kind = PROG_RELOC_FUNC, .data = 3, .off = 8, .target = 2},
        {.kind = PROG_RELOC_MAP, .data = 1, .off = 8, .target = 0},
        {.kind = PROG_RELOC_PROG, .data = 2, .off = 1, .target = 1},
    };
    static const uint32_t entries[] = {0, 1};
    const struct guest_spec spec = {
        .text =
            "mov %r6, %r1\n lddw %r1, map 0\n mov %r2, %r10\n add %r2, -16\n"
            "stdw [%r10-16], 5\n mov %r3, %r2\n mov %r4, 0\n call 2\n"
            "lddw %r1, map 1\n lddw %r2, func back\n lddw %r3, data 2+8\n mov %r4, 0\n call 164\n"
            "lddw %r1, map 4\n lddw %r2, data 0\n mov %r3, 16\n mov %r4, 0\n call 130\n"
            "lddw %r1, map 3\n lddw %r2, data 1\n mov %r3, 0\n call 87\n"
            "lddw %r1, data 3\n ldxdw %r7, [%r1+8]\n mov %r1, 1\n mov %r2, 2\n mov %r3, 3\n"
            "mov %r4, 4\n call %r7\n"
            "mov %r1, %r6\n lddw %r2, map 2\n mov %r3, 1\n call 12\n exit\n"
            "next: stdw [%r10-64], 1\n mov %r0, 1\n exit\n"
            "back: jlt %r2, 4096, +2\n ldxw %r5, [%r2+0]\n stxw [%r3+0], %r5\n mov %r0, 0\n exit\n"
            "unused: lddw %r2, func next\n exit\n",
        .maps = maps,
        .nmaps = 5,
        .datas = datas,
        .ndatas = 4,
        .relocs = relocs,
        .nrelocs = 4,
        .entries = entries,
        .nentries = 2,
        .mem_size = 16};
    struct guest *g = guest_new(&spec, options);
    struct bytes b = {arena_alloc(arena, g->compiled.blob_size), g->compiled.blob_size};
    memcpy(b.data, g->compiled.blob, b.size);
    guest_free(g);
    return b;
}

/* ----------------------------------------------------------------------------------- one attempt */

static unsigned accepted, refused;

/* A parsed blob has what its header claims, in memory of exactly that size: reads all of it. */
static uint32_t touch(const struct blob *b) {
    const struct blob_header *h = b->header;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < h->programs.count; i++)
        sum += b->strings[b->programs[i].name] + b->strings[b->programs[i].section] +
               b->funcs[b->programs[i].func].stack;
    for (uint32_t i = 0; i < h->funcs.count; i++)
        sum += (uint32_t)strlen(blob_string(b, b->funcs[i].name));
    for (uint32_t i = 0; i < h->maps.count; i++)
        sum += (uint32_t)strlen(blob_string(b, b->maps[i].name));
    for (uint32_t i = 0; i < h->datas.count; i++)
        for (uint32_t k = 0; b->datas[i].image != BLOB_NONE && k < b->datas[i].size; k++)
            sum += b->base[b->datas[i].image + k];
    for (uint32_t i = 0; i < h->ranges.count; i++)
        sum += b->code[b->ranges[i].off] + b->code[b->ranges[i].off + b->ranges[i].size - 1];
    return sum;
}

static uint32_t resolve_all(void *user, uint32_t id) {
    (void)user;
    return (id << 1) | 1;
}

static void build_arena(const struct blob *b, enum bpf_engine engine) {
    const struct blob_header *h = b->header;
    uint32_t stack = engine == BPF_ENGINE_THUMB ? h->stack_thumb : h->stack_interp;
    uint32_t size = h->arena_size + stack, r9;
    uint8_t *mem = malloc(size); /* of exactly this size, so that one byte more is noticed */
    enum bpf_status status =
        bpf_arena_init(b, 0x080c0000, engine, mem, 0x20010000, size, resolve_all, NULL, &r9);
    cr_assert(status == BPF_OK || status == BPF_BLOB_ENGINE);
    if (status == BPF_OK)
        cr_assert_eq(r9, 0x20010000 + stack);
    free(mem);
}

static void run_all(const uint8_t *data, uint32_t size) {
    static const uint8_t memory[16] = {4, 3, 2, 1};
    enum bpf_status status;
    uint64_t r0;
    struct bpf_host *host = bpf_host_new(data, size, &status);
    if (!host)
        return;
    bpf_host_set_budget(host, BUDGET);
    const struct blob_header *h = bpf_host_vm(host)->blob->header;
    uint32_t length = h->ctx_size < 16 ? h->ctx_size : 16;
    for (uint32_t i = 0; i < h->programs.count && i < 4; i++)
        bpf_host_run(host, i, memory, length, &r0);
    bpf_host_free(host);
}

/* Parses a copy of exactly `size` bytes; what is accepted is loaded and run. */
static enum bpf_status attempt(const uint8_t *data, uint32_t size) {
    struct blob b;
    uint32_t where = 0;
    static volatile uint32_t sum;
    uint8_t *copy = malloc(size + !size);
    memcpy(copy, data, size);
    enum bpf_status status = blob_parse(copy, size, &b, &where);
    if (status == BPF_OK) {
        accepted++;
        sum += touch(&b);
        build_arena(&b, BPF_ENGINE_THUMB);
        build_arena(&b, BPF_ENGINE_INTERP);
        run_all(copy, size);
    } else {
        refused++;
        cr_assert(where <= size, "status %d at %u of %u", status, where, size);
        cr_assert_null(b.base, "nothing of a refused blob is handed out");
    }
    free(copy);
    return status;
}

static struct bytes copy_of(const struct bytes *b) {
    struct bytes c = {arena_alloc(arena, b->size), b->size};
    memcpy(c.data, b->data, b->size);
    return c;
}

static const struct compile_options all_kinds[] = {
    {.level = 2}, {.level = 0, .bytecode = true}, {.bytecode_only = true}};

/* ----------------------------------------------------------------------------------------- tests */

Test(blob, good_ones_are_accepted) {
    for (int k = 0; k < 3; k++) {
        struct bytes b = from_text(&all_kinds[k]);
        cr_expect_eq(attempt(b.data, b.size), BPF_OK);
        for (size_t i = 0; i < OBJECTS; i++) {
            b = from_object(objects[i], &all_kinds[k]);
            cr_expect_eq(attempt(b.data, b.size), BPF_OK, "%s", objects[i]);
        }
    }
}

Test(blob, the_text_runs) {
    struct bytes b = from_text(&all_kinds[2]);
    enum bpf_status status;
    uint64_t r0;
    struct bpf_host *host = bpf_host_new(b.data, b.size, &status);
    cr_assert_not_null(host);
    for (int i = 0; i < 2; i++) {
        status = bpf_host_run(host, 0, "", 1, &r0);
        cr_expect_eq(status, BPF_OK, "status %d at slot %u, 0x%08x", status,
                     bpf_host_vm(host)->fault_slot, bpf_host_vm(host)->fault_addr);
        cr_expect_eq(r0, 1);
    }
    bpf_host_free(host);
}

Test(blob, truncated) {
    for (int k = 0; k < 3; k++) {
        struct bytes b = from_text(&all_kinds[k]);
        for (uint32_t size = 0; size < b.size; size++)
            cr_assert_eq(attempt(b.data, size), BPF_BLOB_TRUNCATED, "%u", size);
        /* and with a header that says so */
        for (uint32_t size = sizeof(struct blob_header); size < b.size; size += 8) {
            struct bytes c = copy_of(&b);
            ((struct blob_header *)(void *)c.data)->size = size;
            guest_seal(c.data, size);
            cr_assert_neq(attempt(c.data, size), BPF_OK, "%u", size);
        }
    }
}

Test(blob, damage_is_noticed) {
    struct bytes b = from_text(&all_kinds[1]);
    for (uint32_t i = 0; i < b.size; i++) {
        b.data[i] ^= 1;
        cr_assert_neq(attempt(b.data, b.size), BPF_OK, "byte %u", i);
        b.data[i] ^= 1;
    }
}

/* Bytes may follow (a sector of the store is longer than its blob); it must be aligned. */
Test(blob, place) {
    struct bytes b = from_text(&all_kinds[1]);
    uint8_t *longer = arena_alloc(arena, b.size + 16);
    struct blob out;
    uint32_t where;
    memcpy(longer, b.data, b.size);
    cr_expect_eq(attempt(longer, b.size + 16), BPF_OK);
    memmove(longer + 4, b.data, b.size);
    cr_expect_eq(blob_parse(longer + 4, b.size, &out, &where), BPF_BLOB_TABLE);
}

/* Every byte with one bit flipped, set to 0 and to 255, sealed again: accepted or not, harmless. */
Test(blob, every_byte_changed_and_sealed) {
    for (int k = 0; k < 3; k++) {
        struct bytes b = from_text(&all_kinds[k]);
        for (uint32_t i = 0; i < b.size; i++)
            for (unsigned bit = 0; bit < 10; bit++) {
                uint8_t old = b.data[i];
                b.data[i] = bit < 8 ? old ^ (uint8_t)(1u << bit) : bit == 8 ? 0 : 0xff;
                guest_seal(b.data, b.size);
                attempt(b.data, b.size);
                b.data[i] = old;
            }
    }
    cr_expect_gt(refused, 5000);
    cr_expect_gt(accepted, 5000, "names, hashes and code are free");
}

/* Every word of header and tables set to what is at the border of something. */
Test(blob, every_word_at_its_borders) {
    for (int k = 0; k < 3; k++) {
        struct bytes b = from_text(&all_kinds[k]);
        const struct blob_header h = *(const struct blob_header *)(const void *)b.data;
        const uint32_t borders[] = {0,
                                    1,
                                    4,
                                    7,
                                    8,
                                    16,
                                    h.size - 8,
                                    h.size - 1,
                                    h.size,
                                    h.size + 8,
                                    h.arena_size - 8,
                                    h.arena_size,
                                    h.arena_size + 8,
                                    h.code.count,
                                    h.code.count - 2,
                                    h.bytecode.count,
                                    h.bytecode.count - 1,
                                    h.strings.count,
                                    0x1fff8,
                                    0x20000,
                                    0x20008,
                                    0x7ffffff8,
                                    0x80000000,
                                    0xfffffff8,
                                    0xfffffffe,
                                    0xffffffff,
                                    0x20000000,
                                    0x24924925,
                                    h.arena_size + h.stack_interp};
        const uint32_t tables_end = h.strings.off; /* behind it: strings, code, bytecode */
        for (uint32_t at = 0; at < tables_end; at += 4)
            for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
                uint32_t old;
                memcpy(&old, b.data + at, 4);
                memcpy(b.data + at, &borders[i], 4);
                guest_seal(b.data, b.size);
                attempt(b.data, b.size);
                memcpy(b.data + at, &old, 4);
            }
    }
    cr_expect_gt(refused, 5000);
}

/* Several words at once. */
Test(blob, random_words_and_sealed) {
    uint32_t seed = 1;
    for (int k = 0; k < 3; k++) {
        struct bytes b = from_text(&all_kinds[k]);
        for (int round = 0; round < 15000; round++) {
            struct bytes c = {malloc(b.size), b.size};
            memcpy(c.data, b.data, b.size);
            for (int n = 0; n < 3; n++) {
                seed = seed * 1664525u + 1013904223u;
                uint32_t at = (seed >> 8) % (b.size / 4) * 4, from = (seed >> 3) % (b.size / 4) * 4;
                if (seed & 1 << 30)
                    memcpy(c.data + at, b.data + from, 4);
                else
                    c.data[at + seed % 4] ^= (uint8_t)(seed >> 20);
            }
            guest_seal(c.data, c.size);
            attempt(c.data, c.size);
            free(c.data);
        }
    }
}
