/* SPDX-License-Identifier: MIT */
/*
 * Prints a table of docs/programming.md from the tables of the runtime. usage: gen_guide contexts|helpers|maps
 * What a kind of map can do is tried out rather than written down a second time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bpf/helper.h"
#include "bpf/hook.h"
#include "bpf/map.h"

/* ---- contexts ---- */

/* Rows are naturally aligned (hook.def), so that each begins where the one before it ends. */
static void contexts(void) {
    size_t at = 0;
#define BPF_HOOK(NAME, prefix, pattern, example, min, max, what)                                   \
    printf("%s### `SEC(\"%s%s\")`\n\nFor example `SEC(\"%s\")`: %s. Returns %s.\n",                \
           BPF_HOOK_##NAME ? "\n" : "", #prefix, (pattern)[0] ? "/" pattern : "", example, what,   \
           (min) == (max) ? "0" : "what it likes");                                                \
    if (BPF_HOOK_##NAME != BPF_HOOK_RAW)                                                           \
        printf("\n| `struct bpf_ctx_%s` | offset | |\n|---|---|---|\n", #prefix);                  \
    at = 0;
#define BPF_CTX(HOOK, prefix, ctype, name, count, what)                                            \
    printf((count) == 1 ? "| `%s %s` | %zu | %s |\n" : "| `%s %s[" #count "]` | %zu | %s |\n",     \
           #ctype, #name, at, what);                                                               \
    at += sizeof(ctype) * (count);
#include "bpf/hook.def"
}

/* ---- helpers ---- */

static const char *const places[] = {
    [BPF_PURE] = "pure", [BPF_SVC] = "svc", [BPF_BUILTIN] = "in the code"};

static void helpers(void) {
    size_t count;
    const struct bpf_helper *rows = bpf_helpers(&count);
    printf("| helper | id | where | cycles | stack |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count && rows[i].id < BPF_HELPER_INTERNAL_BASE; i++) {
        printf("| `%s` | %u | %s | ", rows[i].prototype, rows[i].id, places[rows[i].where]);
        printf(rows[i].cycles ? "%u" : "", rows[i].cycles);
        printf(" | %u |\n", rows[i].stack);
    }
}

/* ---- maps ---- */

enum { ENTRIES = 64, KEY = 4, VALUE = 8 };
static union {
    struct bpf_map map;
    uint8_t bytes[1 << 14];
} memory;

/* A map of that type with the sizes that it takes; false: what it needs is something else. */
static bool make(uint32_t type, struct blob_map *def) {
    static const struct {
        uint32_t key, value;
    } sizes[] = {{KEY, VALUE}, {0, VALUE}, {KEY, KEY}, {0, 0}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        *def = (struct blob_map){.type = type,
                                 .key_size = sizes[i].key,
                                 .value_size = sizes[i].value,
                                 .max_entries = ENTRIES};
        def->size = bpf_map_bytes(type, def->key_size, def->value_size, ENTRIES, 0, NULL);
        if (def->size) {
            memset(&memory, 0, sizeof(memory));
            bpf_map_init(&memory.map, def);
            return true;
        }
    }
    return false;
}

static void sizes_of(const struct blob_map *def) {
    enum { MOST = 4096 };
    uint32_t least = MOST, most = 0;
    for (uint32_t key = 0; key < MOST; key++)
        if (bpf_map_bytes(def->type, key, def->value_size, 1 << 6, 0, NULL)) {
            least = key < least ? key : least;
            most = key;
        }
    if (most == 0)
        printf("none | ");
    else if (least == most)
        printf("%u bytes | ", least);
    else
        printf("%u to %u bytes | ", least, most);
    bool any = bpf_map_bytes(def->type, def->key_size, VALUE + 1, ENTRIES, 0, NULL);
    printf(any ? "any | " : def->value_size ? "%u bytes | " : "none | ", def->value_size);
}

/* The name of a helper if the operation before it has worked. */
static void can(bool works, enum bpf_helper_id id) {
    if (works)
        printf(" `%s`", bpf_helper_by_id(id)->name);
}

static void helpers_of(struct bpf_map *map) {
    const uint64_t value = 0;
    const uint32_t key = 0;
    uint32_t cursor = 0, index;
    const void *next;
    void *found, *record;
    uint64_t out;
    bool update = bpf_map_update(map, &key, &value, BPF_ANY) == 0;
    can(bpf_map_lookup(map, &key) != NULL, BPF_FUNC_MAP_LOOKUP_ELEM);
    can(update, BPF_FUNC_MAP_UPDATE_ELEM);
    can(bpf_map_next(map, &cursor, &index, &next, &found), BPF_FUNC_FOR_EACH_MAP_ELEM);
    can(update && bpf_map_delete(map, &key) == 0, BPF_FUNC_MAP_DELETE_ELEM);
    can(bpf_map_push(map, &value, 0) == 0, BPF_FUNC_MAP_PUSH_ELEM);
    can(bpf_map_peek(map, &out) == 0, BPF_FUNC_MAP_PEEK_ELEM);
    can(bpf_map_pop(map, &out) == 0, BPF_FUNC_MAP_POP_ELEM);
    if (map->type == BPF_MAP_PROG_ARRAY)
        can(true, BPF_FUNC_TAIL_CALL);
    if (map->type != BPF_MAP_RINGBUF)
        return;
    can(bpf_ringbuf_output(map, &value, sizeof(value), 0) == 0, BPF_FUNC_RINGBUF_OUTPUT);
    record = bpf_ringbuf_reserve(map, sizeof(value), 0);
    can(record != NULL, BPF_FUNC_RINGBUF_RESERVE);
    can(record != NULL, BPF_FUNC_RINGBUF_SUBMIT);
    can(record != NULL, BPF_FUNC_RINGBUF_DISCARD);
    can(bpf_ringbuf_query(map, 1) == ENTRIES, BPF_FUNC_RINGBUF_QUERY);
}

static void maps(void) {
    static const uint32_t types[] = {
#define ROW(NAME, number, text) number,
        BPF_MAP_TYPES(ROW)
#undef ROW
    };
    static const char *const names[] = {
#define ROW(NAME, number, text) "BPF_MAP_TYPE_" #NAME,
        BPF_MAP_TYPES(ROW)
#undef ROW
    };
    printf("| type | key | value | RAM | helpers |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct blob_map def;
        if (bpf_map_plain_type(types[i]) != types[i] || !make(types[i], &def))
            continue;
        printf("| `%s` | ", names[i]);
        sizes_of(&def);
        printf("%u |", def.size);
        helpers_of(&memory.map);
        printf(" |\n");
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {{"contexts", contexts}, {"helpers", helpers}, {"maps", maps}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (argc == 2 && strcmp(argv[1], tables[i].name) == 0) {
            tables[i].print();
            return 0;
        }
    fprintf(stderr, "usage: gen_guide contexts|helpers|maps\n");
    return 2;
}
