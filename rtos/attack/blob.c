/* SPDX-License-Identifier: MIT
 *
 * A blob, made on the board from a piece of code: all its tables are right, so that the loader takes it.
 */
#include "attack.h"

#include "bpf/map.h"

#include <string.h>

static const char strings[] = "\0attack\0raw\0values";
enum { NAME = 1, SECTION = 8, MAP = 12 };

struct image {
    struct blob_header header;
    struct blob_program program;
    struct blob_func func;
    uint32_t gap;
    struct blob_map map;
    struct blob_range range;
    char strings[20];
    uint8_t code[];
};
_Static_assert(offsetof(struct image, map) % 8 == 0 && offsetof(struct image, code) % 8 == 0, "");

static void fill(struct image *image, uint32_t code_size, uint32_t arena_more) {
    uint32_t map_size = bpf_map_bytes(BPF_MAP_ARRAY, 4, 8, ATTACK_VALUES, 0, NULL);
    uint32_t context = BPF_ARENA_SLOTS + map_size + (arena_more & ~7u), stack = 512;
    image->map = (struct blob_map){.name = MAP,
                                   .off = BPF_ARENA_SLOTS,
                                   .size = map_size,
                                   .type = BPF_MAP_ARRAY,
                                   .key_size = 4,
                                   .value_size = 8,
                                   .max_entries = ATTACK_VALUES};
    image->program = (struct blob_program){.name = NAME,
                                           .section = SECTION,
                                           .hook = BPF_HOOK_RAW,
                                           .ctx_size = ATTACK_CONTEXT,
                                           .stack_thumb = stack};
    image->func = (struct blob_func){.name = NAME, .entry = BLOB_NONE, .code_size = code_size};
    image->range = (struct blob_range){.size = code_size, .kind = BLOB_RANGE_CODE};
    memcpy(image->strings, strings, sizeof(strings));
    image->header =
        (struct blob_header){.magic = BLOB_MAGIC,
                             .abi = BLOB_ABI,
                             .header_size = sizeof(struct blob_header),
                             .size = (uint32_t)sizeof(*image) + code_size,
                             .flags = BLOB_THUMB,
                             .arena_size = context + ATTACK_CONTEXT,
                             .stack_thumb = stack,
                             .ctx_off = context,
                             .ctx_size = ATTACK_CONTEXT,
                             .programs = {offsetof(struct image, program), 1},
                             .funcs = {offsetof(struct image, func), 1},
                             .maps = {offsetof(struct image, map), 1},
                             .ranges = {offsetof(struct image, range), 1},
                             .strings = {offsetof(struct image, strings), sizeof(strings)},
                             .code = {offsetof(struct image, code), code_size}};
}

bool attack_blob(struct attack_blob *out, const void *code, const void *end, uint32_t arena_more) {
    uint32_t code_size = (uint32_t)((const uint8_t *)end - (const uint8_t *)code);
    out->size = (uint32_t)sizeof(struct image) + code_size;
    out->taken = pool_allocate(out->size, &out->address);
    if (!out->taken)
        return false;
    struct image *image = (struct image *)out->address;
    memcpy(image->code, code, code_size);
    fill(image, code_size, arena_more);
    image->header.crc = bpf_crc32(0, image, out->size);
    return true;
}

void attack_blob_free(struct attack_blob *blob) {
    pool_free(blob->address, blob->taken);
}
