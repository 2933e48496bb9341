/* SPDX-License-Identifier: MIT */
/* The arena as bpf_arena_init() leaves it: head, slots, data, maps and every kind of relocation. */
#include "runtime/sample.h"

#include "bpf/arena.h"
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_ADDR 0x080c0000u
#define ADDR 0x20010000u

static uint8_t *bytes, *mem;
static uint32_t size, r9;
static struct blob blob;

static void setup(void) {
    uint32_t blob_size, where;
    bytes = sample_blob(&blob_size);
    cr_assert_eq(blob_parse(bytes, blob_size, &blob, &where), BPF_OK);
    size = blob.header->stack_interp + blob.header->arena_size + 8;
    mem = malloc(size);
    memset(mem, 0xa5, size);
}

static void teardown(void) {
    free(bytes);
    free(mem);
}

TestSuite(arena_init, .init = setup, .fini = teardown);

static uint32_t resolve(void *user, uint32_t id) {
    return id == *(const uint32_t *)user ? 0 : 0x08040001 + 4 * id;
}

static enum bpf_status init(enum bpf_engine engine, uint32_t with, uint32_t missing) {
    return bpf_arena_init(&blob, BLOB_ADDR, engine, mem, ADDR, with, resolve, &missing, &r9);
}

static const uint8_t *at(uint32_t off) {
    return mem + (r9 - ADDR) + off;
}

static uint64_t word64(uint32_t off) {
    uint64_t value;
    memcpy(&value, at(off), 8);
    return value;
}

Test(arena_init, head_and_slots) {
    cr_assert_eq(init(BPF_ENGINE_THUMB, size, 0), BPF_OK);
    const struct bpf_arena *arena = (const struct bpf_arena *)(const void *)at(0);
    cr_expect_eq(r9, ADDR + size - blob.header->arena_size);
    cr_expect_eq(arena->blob, BLOB_ADDR);
    cr_expect_eq(arena->base, ADDR);
    cr_expect_eq(arena->size, size);
    cr_expect_eq(arena->engine, BPF_ENGINE_THUMB);
    cr_expect_eq(arena->tail_calls, 0);
    cr_expect_neq(arena->prandom, 0);
    cr_expect_eq(arena->slots[0], 0x08040005);
    cr_expect_eq(arena->slots[2], 0x08040001 + 4 * 181);
    for (uint32_t i = 0; i < r9 - ADDR; i++)
        cr_assert_eq(mem[i], 0, "the stack is zeroed");
}

Test(arena_init, data_and_relocations) {
    const struct blob_data *data = &blob.datas[SAMPLE_DATA];
    for (int engine = 0; engine < 2; engine++) {
        cr_assert_eq(init((enum bpf_engine)engine, size, 0), BPF_OK);
        cr_expect_eq(word64(data->off), 0x1122334455667788);
        cr_expect_eq(word64(data->off + 8), BLOB_ADDR + blob.header->code.off + 16 + 5);
        cr_expect_eq(word64(data->off + 16), r9 + blob.maps[SAMPLE_HASH].off);
        cr_expect_eq(word64(data->off + 24),
                     BLOB_ADDR + (engine == BPF_ENGINE_THUMB ? (blob.header->code.off + 4) | 1
                                                             : blob.header->bytecode.off + 8 * 8));
        cr_expect_eq(word64(data->off + 32), r9 + blob.datas[SAMPLE_BSS].off - 8);
        for (uint32_t i = 0; i < 64; i += 8)
            cr_expect_eq(word64(blob.datas[SAMPLE_BSS].off + i), 0);
        cr_expect_eq(word64(blob.maps[SAMPLE_PROGS].off + BPF_MAP_ARRAY_VALUES), 0);
        cr_expect_eq(word64(blob.maps[SAMPLE_PROGS].off + BPF_MAP_ARRAY_VALUES + 8), 2);
    }
}

Test(arena_init, maps_are_ready) {
    cr_assert_eq(init(BPF_ENGINE_INTERP, size, 0), BPF_OK);
    for (uint32_t i = 0; i < SAMPLE_MAPS; i++)
        cr_expect(bpf_map_is_intact((const struct bpf_map *)(const void *)at(blob.maps[i].off),
                                    &blob.maps[i]));
    struct bpf_map *hash =
        (struct bpf_map *)(void *)(mem + (r9 - ADDR) + blob.maps[SAMPLE_HASH].off);
    cr_expect_eq(bpf_map_update(hash, &(uint32_t){5}, &(uint64_t){6}, BPF_ANY), 0);
    cr_expect_eq(*(uint64_t *)bpf_map_lookup(hash, &(uint32_t){5}), 6);
}

Test(arena_init, what_cannot_be) {
    uint32_t need = blob.header->arena_size + blob.header->stack_interp, missing = 0;
    cr_expect_eq(init(BPF_ENGINE_INTERP, need, 0), BPF_OK);
    cr_expect_eq(init(BPF_ENGINE_INTERP, need - 8, 0), BPF_ARENA_SIZE);
    cr_expect_eq(init(BPF_ENGINE_INTERP, need + 4, 0), BPF_ARENA_SIZE);
    cr_expect_eq(init(BPF_ENGINE_INTERP, 8, 0), BPF_ARENA_SIZE);
    cr_expect_eq(init(BPF_ENGINE_THUMB, size, 181), BPF_BLOB_HELPER);
    cr_expect_eq(init(BPF_ENGINE_INTERP, size, 181), BPF_OK, "it knows helpers by itself");
    cr_expect_eq(bpf_arena_init(&blob, BLOB_ADDR, BPF_ENGINE_THUMB, mem, ADDR + 4, need, resolve,
                                &missing, &r9),
                 BPF_ARENA_SIZE);
    cr_expect_eq(
        bpf_arena_init(&blob, BLOB_ADDR, BPF_ENGINE_THUMB, mem, ADDR, need, NULL, NULL, &r9),
        BPF_BLOB_HELPER);
}

Test(arena_init, engine_must_be_there) {
    static const uint32_t flags[] = {BLOB_THUMB, BLOB_BYTECODE};
    for (int i = 0; i < 2; i++) {
        uint32_t blob_size, where;
        uint8_t *one = sample_blob_with(flags[i], &blob_size);
        cr_assert_eq(blob_parse(one, blob_size, &blob, &where), BPF_OK);
        cr_expect_eq(init(BPF_ENGINE_THUMB, size, 0), i == 0 ? BPF_OK : BPF_BLOB_ENGINE);
        cr_expect_eq(init(BPF_ENGINE_INTERP, size, 0), i == 1 ? BPF_OK : BPF_BLOB_ENGINE);
        free(one);
    }
}
