/* SPDX-License-Identifier: MIT */
/* Building the sample blob (sample.h): tables one after another, offsets noted on the way. */
#include "runtime/sample.h"

#include "asm/asm.h"
#include "bpf/arena.h"
#include "bpf/hook.h"
#include "bpf/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY 8192

static const char text[] = "    stb [%r1+0], 1\n"
                           "    mov %r3, %r2\n"
                           "    sub %r3, 1\n"
                           "    lddw %r2, map 6\n"
                           "    call 12\n"
                           "    mov %r0, 41\n"
                           "    exit\n"
                           /* visit, at slot 8 */
                           "    lddw %r2, data 2+0\n"
                           "    ldxdw %r3, [%r2+8]\n"
                           "    add %r3, 1\n"
                           "    stxdw [%r2+8], %r3\n"
                           "    ldxdw %r4, [%r2+16]\n"
                           "    add %r4, %r1\n"
                           "    stxdw [%r2+16], %r4\n"
                           "    ldxdw %r4, [%r2+24]\n"
                           "    ldxdw %r5, [%r2+32]\n"
                           "    jeq %r5, 0, +2\n"
                           "    ldxdw %r1, [%r2+40]\n"
                           "    stxw [%r5+0], %r1\n"
                           "    mov %r0, 0\n"
                           "    jne %r3, %r4, +1\n"
                           "    mov %r0, 1\n"
                           "    exit\n"
                           /* next, at slot 25 */
                           "    stdw [%r10-512], 77\n"
                           "    ldxdw %r0, [%r10-512]\n"
                           "    exit\n";
#define VISIT_START 8
#define NEXT_START 25

static const char strings[] = "\0main\0visit\0next\0raw\0timer/10ms\0map\0data";
enum { MAIN = 1, VISIT = 6, NEXT = 12, RAW = 17, TIMER = 21, MAP = 32, DATA = 36 };

static const struct blob_map maps[SAMPLE_MAPS] = {
    [SAMPLE_ARRAY] = {.type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 12, .max_entries = 4},
    [SAMPLE_HASH] = {.type = BPF_MAP_HASH, .key_size = 4, .value_size = 8, .max_entries = 5},
    [SAMPLE_LRU] = {.type = BPF_MAP_LRU_PERCPU_HASH,
                    .key_size = 4,
                    .value_size = 4,
                    .max_entries = 2},
    [SAMPLE_QUEUE] = {.type = BPF_MAP_QUEUE, .value_size = 4, .max_entries = 2},
    [SAMPLE_STACK] = {.type = BPF_MAP_STACK, .value_size = 4, .max_entries = 2},
    [SAMPLE_RINGBUF] = {.type = BPF_MAP_RINGBUF, .max_entries = 128},
    [SAMPLE_PROGS] = {.type = BPF_MAP_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2},
};

static uint32_t append(uint8_t *bytes, uint32_t *size, const void *data, uint32_t length) {
    uint32_t off = (*size + 7) & ~7u;
    assert(off + length <= CAPACITY);
    if (length)
        memcpy(bytes + off, data, length);
    *size = off + length;
    return off;
}

static struct blob_span span(uint8_t *bytes, uint32_t *size, const void *rows, uint32_t count,
                             size_t row) {
    return (struct blob_span){append(bytes, size, rows, count * (uint32_t)row), count};
}

/* Thumb: `bx lr`, and 16 bytes of data in the middle. Nobody runs it here. */
static void add_code(struct blob_header *h, uint8_t *bytes, uint32_t *size) {
    static const struct blob_range ranges[] = {
        {0, 16, BLOB_RANGE_CODE}, {16, 16, BLOB_RANGE_DATA}, {32, 8, BLOB_RANGE_CODE}};
    uint16_t code[20];
    for (int i = 0; i < 20; i++)
        code[i] = 0x4770;
    memcpy(&code[8], "text %d\0", 8);
    h->code = span(bytes, size, code, sizeof(code), 1);
    h->ranges = span(bytes, size, ranges, 3, sizeof(ranges[0]));
}

static void add_bytecode(struct blob_header *h, uint8_t *bytes, uint32_t *size) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct bpf_insn *insns;
    uint32_t count;
    bool ok = asm_parse(arena, text, "sample", &insns, &count, diag);
    assert(ok);
    (void)ok;
    h->bytecode = span(bytes, size, insns, count, sizeof(*insns));
    diag_free(diag);
    arena_free(arena);
}

static void add_programs(struct blob_header *h, uint8_t *bytes, uint32_t *size) {
    bool thumb = h->flags & BLOB_THUMB;
    struct blob_func funcs[SAMPLE_FUNCS] = {
        {MAIN, BLOB_NONE, 0, 4, 0, VISIT_START, 16},
        {VISIT, 4, 4, 12, VISIT_START, NEXT_START - VISIT_START, 0},
        {NEXT, BLOB_NONE, 32, 8, NEXT_START, 3, 512},
    };
    struct blob_program programs[] = {
        {MAIN, RAW, SAMPLE_MAIN, 0, BPF_HOOK_RAW, 0, SAMPLE_CONTEXT, 96, 2000, 16, 0},
        {NEXT, TIMER, SAMPLE_NEXT, 34, BPF_HOOK_TIMER, 0, 16, 104, 2600, 512, 0},
    };
    for (int i = 0; i < SAMPLE_FUNCS && !thumb; i++)
        funcs[i].entry = funcs[i].code = BLOB_NONE, funcs[i].code_size = 0;
    for (int i = 0; i < 2 && !thumb; i++)
        programs[i].entry = BLOB_NONE;
    h->funcs = span(bytes, size, funcs, SAMPLE_FUNCS, sizeof(funcs[0]));
    h->programs = span(bytes, size, programs, 2, sizeof(programs[0]));
}

/* Data and maps, placed one after another in the arena. */
static void add_arena(struct blob_header *h, uint8_t *bytes, uint32_t *size) {
    static const uint32_t helpers[] = {1, 2, 181};
    static const uint64_t image[5] = {0x1122334455667788, 0, 0, 0, 0};
    uint32_t next = BPF_ARENA_SLOTS + 16, rodata = h->code.off + 16;
    if (!(h->flags & BLOB_THUMB))
        rodata = append(bytes, size, "text %d\0pG\0pG\0\0", 16);
    struct blob_data datas[SAMPLE_DATAS] = {
        {DATA, 0, 16, rodata, rodata},
        {DATA, BLOB_DATA_ARENA | BLOB_DATA_WRITABLE, sizeof(image),
         append(bytes, size, image, sizeof(image)), next},
        {DATA, BLOB_DATA_ARENA | BLOB_DATA_WRITABLE, 64, BLOB_NONE, next + sizeof(image)},
    };
    struct blob_map rows[SAMPLE_MAPS];
    memcpy(rows, maps, sizeof(rows));
    next += sizeof(image) + 64;
    for (int i = 0; i < SAMPLE_MAPS; i++) {
        rows[i].name = MAP;
        rows[i].off = next;
        rows[i].size = bpf_map_bytes(rows[i].type, rows[i].key_size, rows[i].value_size,
                                     rows[i].max_entries, 0, NULL);
        next += rows[i].size;
    }
    const struct blob_reloc relocs[] = {
        {datas[SAMPLE_DATA].off + 8, BLOB_RELOC_DATA, SAMPLE_RODATA, 5},
        {datas[SAMPLE_DATA].off + 16, BLOB_RELOC_MAP, SAMPLE_HASH, 0},
        {datas[SAMPLE_DATA].off + 24, BLOB_RELOC_FUNC, SAMPLE_VISIT, 0},
        {datas[SAMPLE_DATA].off + 32, BLOB_RELOC_DATA, SAMPLE_BSS, -8},
        {rows[SAMPLE_PROGS].off + BPF_MAP_ARRAY_VALUES + 8, BLOB_RELOC_PROG, 1, 0},
    };
    h->maps = span(bytes, size, rows, SAMPLE_MAPS, sizeof(rows[0]));
    h->datas = span(bytes, size, datas, SAMPLE_DATAS, sizeof(datas[0]));
    h->relocs = span(bytes, size, relocs, 5, sizeof(relocs[0]));
    h->helpers = span(bytes, size, helpers, 3, sizeof(helpers[0]));
    h->ctx_off = next;
    h->ctx_size = SAMPLE_CONTEXT;
    h->arena_size = next + SAMPLE_CONTEXT;
}

struct blob_header *sample_header(uint8_t *bytes) {
    return (struct blob_header *)(void *)bytes;
}

void sample_seal(uint8_t *bytes) {
    struct blob_header *h = sample_header(bytes);
    h->crc = 0;
    h->crc = bpf_crc32(0, bytes, h->size);
}

uint8_t *sample_blob_with(uint32_t flags, uint32_t *size) {
    uint8_t *bytes = calloc(1, CAPACITY);
    struct blob_header *h = sample_header(bytes);
    *size = sizeof(*h);
    *h = (struct blob_header){.magic = BLOB_MAGIC,
                              .abi = BLOB_ABI,
                              .header_size = sizeof(*h),
                              .id = 0x0123456789abcdef,
                              .flags = flags,
                              .stack_thumb = 104,
                              .stack_interp = 2600};
    if (flags & BLOB_THUMB)
        add_code(h, bytes, size);
    if (flags & BLOB_BYTECODE)
        add_bytecode(h, bytes, size);
    add_programs(h, bytes, size);
    add_arena(h, bytes, size);
    h->strings = span(bytes, size, strings, sizeof(strings), 1);
    *size = (*size + 7) & ~7u;
    h->size = *size;
    sample_seal(bytes);
    return realloc(bytes, *size);
}

uint8_t *sample_blob(uint32_t *size) {
    return sample_blob_with(BLOB_THUMB | BLOB_BYTECODE, size);
}
