/* SPDX-License-Identifier: MIT */
/*
 * The blob parser, rule by rule: which field of a good blob is changed to what, what is then reported and
 * where. Take away a check from runtime/blob.c, and a row here fails. Damage at random is in test_blob.c.
 */
#include "runtime/sample.h"

#include "bpf/hook.h"
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static enum bpf_status parse(const uint8_t *bytes, size_t size, uint32_t *where) {
    struct blob blob;
    enum bpf_status status = blob_parse(bytes, size, &blob, where);
    cr_assert_eq(blob.base != NULL, status == BPF_OK);
    return status;
}

Test(blob_rules, samples_are_good) {
    static const uint32_t flags[] = {BLOB_THUMB, BLOB_BYTECODE, BLOB_THUMB | BLOB_BYTECODE,
                                     BLOB_THUMB | BLOB_BYTECODE | BLOB_VERIFIED};
    for (int i = 0; i < 4; i++) {
        uint32_t size, where;
        uint8_t *bytes = sample_blob_with(flags[i], &size);
        enum bpf_status status = parse(bytes, size, &where);
        cr_expect_eq(status, BPF_OK, "%s at %u", bpf_status_text(status), where);
        free(bytes);
    }
}

/* Code of another ABI is nobody's; bytecode is of none. */
Test(blob_rules, another_abi) {
    static const struct {
        uint32_t flags;
        enum bpf_status status;
    } cases[] = {
        {BLOB_THUMB, BPF_BLOB_ABI}, {BLOB_BYTECODE, BPF_OK}, {BLOB_THUMB | BLOB_BYTECODE, BPF_OK}};
    for (int i = 0; i < 3; i++) {
        struct blob blob;
        uint32_t size, where;
        uint8_t *bytes = sample_blob_with(cases[i].flags, &size);
        sample_header(bytes)->abi = BLOB_ABI + 1;
        sample_seal(bytes);
        cr_expect_eq(blob_parse(bytes, size, &blob, &where), cases[i].status);
        if (cases[i].status == BPF_OK)
            cr_expect(!blob_has_code(&blob));
        free(bytes);
    }
}

Test(blob_rules, every_length_and_alignment) {
    uint32_t size, where;
    uint8_t *bytes = sample_blob(&size);
    for (uint32_t length = 0; length < size; length++) {
        uint8_t *cut = malloc(length);
        memcpy(cut, bytes, length);
        cr_assert_eq(parse(cut, length, &where), BPF_BLOB_TRUNCATED, "%u bytes", length);
        free(cut);
    }
    uint8_t *longer = calloc(1, size + 8);
    memcpy(longer, bytes, size);
    cr_expect_eq(parse(longer, size + 8, &where), BPF_OK, "what follows is not looked at");
    memmove(longer + 4, longer, size);
    cr_expect_neq(parse(longer + 4, size, &where), BPF_OK);
    free(longer);
    free(bytes);
}

Test(blob_rules, every_changed_bit_is_seen) {
    uint32_t size, where;
    uint8_t *bytes = sample_blob(&size);
    for (uint32_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_neq(parse(bytes, size, &where), BPF_OK, "bit %u", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
}

/* ------------------------------------------------------------------------------------- one by one */

enum table { HEADER, PROGRAMS, FUNCS, MAPS, DATAS, RELOCS, HELPERS, RANGES, STRINGS };

struct rule {
    enum table table;
    uint32_t row;
    uint32_t field, size; /* what is set */
    uint32_t value;
    enum bpf_status status;
};

#define H(field, value, status)                                                                    \
    {                                                                                              \
        HEADER, 0, offsetof(struct blob_header, field), sizeof(((struct blob_header *)0)->field),  \
            value, BPF_##status                                                                    \
    }
#define ROW(TABLE, type, row, field, value, status)                                                \
    {                                                                                              \
        TABLE, row, offsetof(struct type, field), sizeof(((struct type *)0)->field), value,        \
            BPF_##status                                                                           \
    }
#define PROGRAM(row, field, value) ROW(PROGRAMS, blob_program, row, field, value, BLOB_INDEX)
#define FUNC(row, field, value) ROW(FUNCS, blob_func, row, field, value, BLOB_INDEX)
#define DATA(row, field, value) ROW(DATAS, blob_data, row, field, value, BLOB_LAYOUT)
#define RELOC(row, field, value) ROW(RELOCS, blob_reloc, row, field, value, BLOB_INDEX)
#define RANGE(row, field, value) ROW(RANGES, blob_range, row, field, value, BLOB_LAYOUT)

static const struct rule rules[] = {
    H(magic, 0x31543241, BLOB_MAGIC),
    H(header_size, 136, BLOB_HEADER),
    H(flags, 8 | BLOB_THUMB | BLOB_BYTECODE, BLOB_HEADER),
    H(flags, 0, BLOB_HEADER),
    H(flags, BLOB_THUMB, BLOB_TABLE), /* but there is bytecode */
    H(flags, BLOB_BYTECODE, BLOB_TABLE),
    H(arena_size, BLOB_MAX_SIZE + 8, BLOB_HEADER),
    H(arena_size, 100, BLOB_HEADER),
    H(arena_size, 0, BLOB_LAYOUT),
    H(arena_size, 40, BLOB_LAYOUT), /* the slots alone need more */
    H(stack_thumb, 108, BLOB_HEADER),
    H(stack_thumb, BLOB_MAX_SIZE + 8, BLOB_HEADER),
    H(stack_thumb, 96, BLOB_INDEX), /* less than a program needs */
    H(stack_interp, 2604, BLOB_HEADER),
    H(stack_interp, BLOB_MAX_SIZE + 8, BLOB_HEADER),
    H(stack_interp, 2000, BLOB_INDEX),
    H(ctx_off, 0, BLOB_LAYOUT),
    H(ctx_off, 0xfffffff8, BLOB_LAYOUT),
    H(ctx_size, 65, BLOB_LAYOUT),
    H(ctx_size, 32, BLOB_INDEX),
    H(programs.off, 0xfffffffc, BLOB_TABLE),
    H(programs.off, 130, BLOB_TABLE),
    H(programs.off, 64, BLOB_TABLE), /* in the header */
    H(programs.count, 0, BLOB_TABLE),
    H(programs.count, 0x10000000, BLOB_TABLE),
    H(funcs.count, 0, BLOB_TABLE),
    H(funcs.off, 129, BLOB_TABLE),
    H(funcs.count, 0x40000000, BLOB_TABLE),
    H(maps.off, 132, BLOB_TABLE),
    H(maps.count, 0x20000000, BLOB_TABLE),
    H(datas.count, 0x10000000, BLOB_TABLE),
    H(relocs.count, 0x10000000, BLOB_TABLE),
    H(helpers.count, 0x40000000, BLOB_TABLE),
    H(ranges.count, 0x20000000, BLOB_TABLE),
    H(ranges.count, 2, BLOB_LAYOUT), /* do not cover the code */
    H(ranges.count, 0, BLOB_LAYOUT),
    H(strings.count, 0, BLOB_TABLE),
    H(strings.count, 0xffffffff, BLOB_TABLE),
    H(strings.count, 3, BLOB_TABLE), /* in the middle of one */
    H(code.off, 132, BLOB_TABLE),
    H(code.count, 36, BLOB_TABLE),
    H(code.count, 32, BLOB_LAYOUT),
    H(code.count, 0, BLOB_TABLE),
    H(bytecode.off, 132, BLOB_TABLE),
    H(bytecode.count, 0x20000000, BLOB_TABLE),
    H(bytecode.count, 0, BLOB_TABLE),
    H(bytecode.count, 3, BLOB_INDEX), /* functions lie beyond */
    PROGRAM(0, name, 1000),
    PROGRAM(0, section, 0xffffffff),
    PROGRAM(1, func, SAMPLE_FUNCS),
    PROGRAM(0, entry, 1),
    PROGRAM(0, entry, 16), /* data */
    PROGRAM(0, entry, 30),
    PROGRAM(0, entry, 40), /* the end */
    PROGRAM(0, entry, BLOB_NONE),
    PROGRAM(0, hook, BPF_HOOK_COUNT),
    PROGRAM(1, flags, 1),
    PROGRAM(1, ctx_size, SAMPLE_CONTEXT + 1),
    PROGRAM(1, stack_bpf, 2608),
    PROGRAM(1, stack_bpf, 20),
    FUNC(0, name, 1000),
    FUNC(1, entry, 16),
    FUNC(1, entry, 5),
    FUNC(1, entry, 0xfffffffe),
    FUNC(1, code, 18),
    FUNC(1, code_size, 37),
    FUNC(2, code_size, 0xffffffff),
    FUNC(2, code, BLOB_NONE),
    FUNC(0, len, 0),
    FUNC(2, len, 4),
    FUNC(2, len, 0xffffffff),
    FUNC(2, start, 20), /* overlaps the one before */
    FUNC(2, stack, 520),
    FUNC(2, stack, 4),
    ROW(MAPS, blob_map, SAMPLE_ARRAY, type, 4, BLOB_MAP),
    ROW(MAPS, blob_map, SAMPLE_ARRAY, name, 1000, BLOB_MAP),
    ROW(MAPS, blob_map, SAMPLE_ARRAY, value_size, 17, BLOB_MAP), /* no longer its size */
    ROW(MAPS, blob_map, SAMPLE_HASH, max_entries, 6, BLOB_MAP),
    ROW(MAPS, blob_map, SAMPLE_HASH, size, 0, BLOB_MAP),
    ROW(MAPS, blob_map, SAMPLE_HASH, map_flags, 2, BLOB_MAP),
    ROW(MAPS, blob_map, SAMPLE_RINGBUF, max_entries, 96, BLOB_MAP),
    ROW(MAPS, blob_map, SAMPLE_HASH, off, 48, BLOB_LAYOUT), /* over data */
    ROW(MAPS, blob_map, SAMPLE_PROGS, off, 0xfffffff0, BLOB_LAYOUT),
    DATA(SAMPLE_RODATA, name, 1000),
    DATA(SAMPLE_RODATA, image, 0xfffffff8),
    DATA(SAMPLE_RODATA, image, 64),
    DATA(SAMPLE_RODATA, image, BLOB_NONE),
    DATA(SAMPLE_RODATA, off, 136),
    DATA(SAMPLE_DATA, flags, 4),
    DATA(SAMPLE_DATA, flags, BLOB_DATA_WRITABLE), /* writable, but not in the arena: off differs */
    DATA(SAMPLE_DATA, off, 32),                   /* over the slots */
    DATA(SAMPLE_DATA, off, 49),
    DATA(SAMPLE_DATA, off, 0xfffffff8),
    DATA(SAMPLE_DATA, image, 0xffffff00),
    DATA(SAMPLE_BSS, size, 0xfffffff8),
    RELOC(0, kind, 4),
    RELOC(0, target, SAMPLE_DATAS),
    RELOC(1, target, SAMPLE_MAPS),
    RELOC(2, target, SAMPLE_FUNCS),
    RELOC(2, target, SAMPLE_MAIN), /* has no canonical entry */
    RELOC(4, target, 2),
    RELOC(0, off, 0),
    RELOC(0, off, 0xfffffffc),
    RELOC(3, off, 200), /* in a map */
    RELOC(4, off, 56),  /* a program's index in data */
    RELOC(3, off, 64),  /* in data, before the one before it */
    ROW(HELPERS, blob_reloc, 0, off, 4096, BLOB_INDEX),
    RANGE(0, off, 2),
    RANGE(0, size, 0),
    RANGE(1, off, 20),
    RANGE(1, size, 0xfffffff0),
    RANGE(1, kind, 2),
    RANGE(2, size, 16),
};

static uint32_t place(uint8_t *bytes, const struct rule *r) {
    static const uint32_t rows[] = {0,
                                    sizeof(struct blob_program),
                                    sizeof(struct blob_func),
                                    sizeof(struct blob_map),
                                    sizeof(struct blob_data),
                                    sizeof(struct blob_reloc),
                                    4,
                                    sizeof(struct blob_range),
                                    1};
    const struct blob_header *h = sample_header(bytes);
    const uint32_t tables[] = {0,
                               h->programs.off,
                               h->funcs.off,
                               h->maps.off,
                               h->datas.off,
                               h->relocs.off,
                               h->helpers.off,
                               h->ranges.off,
                               h->strings.off};
    return tables[r->table] + r->row * rows[r->table];
}

static void check_rules(const struct rule *list, size_t count, bool row_is_named) {
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = &list[i];
        uint32_t size, where, row;
        uint8_t *bytes = sample_blob(&size);
        row = place(bytes, r);
        memcpy(bytes + row + r->field, &r->value, r->size);
        sample_seal(bytes);
        enum bpf_status status = parse(bytes, size, &where);
        cr_expect_eq(status, r->status, "rule %zu (table %d row %u field %u = %u): %s, not %s", i,
                     r->table, r->row, r->field, r->value, bpf_status_text(status),
                     bpf_status_text(r->status));
        if (r->table != HEADER && row_is_named)
            cr_expect_eq(where, row, "rule %zu: at %u, not %u", i, where, row);
        free(bytes);
    }
}

Test(blob_rules, each_rule) {
    check_rules(rules, sizeof(rules) / sizeof(rules[0]), true);
}

/* One that grows into the next: the next is reported. */
Test(blob_rules, overlaps) {
    static const struct rule overlaps[] = {
        FUNC(0, len, 9),
        DATA(SAMPLE_DATA, size, 48),
        DATA(SAMPLE_BSS, size, 72),
    };
    check_rules(overlaps, 3, false);
}

Test(blob_rules, sizes_that_no_header_may_have) {
    static const uint32_t sizes[] = {0, 8, 120, 132, BLOB_MAX_SIZE + 8};
    uint8_t *bytes = calloc(1, BLOB_MAX_SIZE + 8);
    uint32_t size, where;
    uint8_t *good = sample_blob(&size);
    for (int i = 0; i < 5; i++) {
        memset(bytes, 0, BLOB_MAX_SIZE + 8);
        memcpy(bytes, good, size);
        sample_header(bytes)->size = sizes[i];
        if (sizes[i] >= sizeof(struct blob_header))
            sample_seal(bytes);
        cr_expect_eq(parse(bytes, BLOB_MAX_SIZE + 8, &where), BPF_BLOB_HEADER, "%u", sizes[i]);
        cr_expect_eq(where, offsetof(struct blob_header, size));
    }
    free(good);
    free(bytes);
}

/* The first and the last string byte close every name. */
Test(blob_rules, strings_are_closed) {
    for (int last = 0; last < 2; last++) {
        uint32_t size, where;
        uint8_t *bytes = sample_blob(&size);
        const struct blob_header *h = sample_header(bytes);
        bytes[h->strings.off + (last ? h->strings.count - 1 : 0)] = 'x';
        sample_seal(bytes);
        cr_expect_eq(parse(bytes, size, &where), BPF_BLOB_TABLE);
        free(bytes);
    }
}
