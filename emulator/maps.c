/* SPDX-License-Identifier: MIT */
/*
 * Maps are read by the runtime's own code, on a copy: the program can write its arena as it likes, and
 * the map code relies on the header, which the copy takes from the blob's definition instead.
 */
#include "maps.h"
#include "report.h"

#include "bpf/map.h"

#include "util/progress.h"
#include <assert.h>

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_ENTRIES 64 /* of a map, as text */

static uint8_t *guest_map(struct loaded *l, const struct blob_map *def) {
    return load_memory(l, l->r9 + def->off, def->size, true);
}

/* A copy with a header that can be relied on. */
static struct bpf_map *copy_map(struct loaded *l, const struct blob_map *def, struct arena *arena) {
    struct bpf_map *map = arena_alloc(arena, def->size);
    struct bpf_map header;

    bpf_map_init(map, def);
    header = *map;
    memcpy(map, guest_map(l, def), def->size);
    memcpy(header.state, map->state, sizeof(header.state));
    *map = header;
    return map;
}

static const char *type_name(uint32_t type) {
    switch (type) {
#define CASE(NAME, number, text)                                                                   \
    case number: return text;
        BPF_MAP_TYPES(CASE)
#undef CASE
    default: return "map";
    }
}

static const char *hex(struct arena *arena, const void *bytes, uint32_t size) {
    return report_hex(bytes, size, arena);
}

/* A number if it has the size of one, else hex digits. */
static const char *readable(struct arena *arena, const void *bytes, uint32_t size) {
    uint64_t number = 0;

    if (size != 1 && size != 2 && size != 4 && size != 8)
        return hex(arena, bytes, size);
    memcpy(&number, bytes, size);
    return arena_printf(arena, "%" PRIu64, number);
}

static bool is_zero(const uint8_t *bytes, uint32_t size) {
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Next entry that is worth showing; a queue or stack gives its elements in the order in which they
 * would come out. */
static bool next_entry(struct bpf_map *map, uint32_t *cursor, uint32_t *index, uint8_t *element,
                       const void **key, void **value) {
    if (map->type == BPF_MAP_QUEUE || map->type == BPF_MAP_STACK) {
        *index = (*cursor)++;
        *key = NULL;
        *value = element;
        return bpf_map_pop(map, element) == 0;
    }
    while (bpf_map_next(map, cursor, index, key, value))
        if (map->type != BPF_MAP_ARRAY || !is_zero(*value, map->value_size))
            return true;
    return false;
}

static void show_map(struct loaded *l, const struct blob_map *def, cJSON *maps,
                     struct cmd_args *args) {
    struct arena *arena = args->arena;
    const char *name = blob_string(&l->blob, def->name);
    struct bpf_map *map = copy_map(l, def, arena);
    uint8_t *element = arena_alloc(arena, def->value_size + 1);
    uint32_t cursor = 0, index, count = 0;
    const void *key;
    void *value;
    cJSON *entries = NULL;

    if (maps) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(maps, row);
        cJSON_AddStringToObject(row, "name", name);
        cJSON_AddStringToObject(row, "type", type_name(def->type));
        entries = cJSON_AddArrayToObject(row, "entries");
    }
    for (; next_entry(map, &cursor, &index, element, &key, &value); count++) {
        if (entries) {
            cJSON *entry = cJSON_CreateObject();
            cJSON_AddItemToArray(entries, entry);
            if (key)
                cJSON_AddStringToObject(entry, "key", hex(arena, key, def->key_size));
            cJSON_AddStringToObject(entry, "value", hex(arena, value, def->value_size));
        } else if (count < SHOWN_ENTRIES) {
            printf("%s %s[%s] = %s\n", type_name(def->type), name,
                   key ? readable(arena, key, def->key_size) : readable(arena, &index, 4),
                   readable(arena, value, def->value_size));
        }
    }
    if (!entries && count > SHOWN_ENTRIES)
        printf("%s %s: %u more entries\n", type_name(def->type), name, count - SHOWN_ENTRIES);
}

void maps_show(struct loaded *l, struct cmd_args *args) {
    cJSON *maps = args->json ? cJSON_AddArrayToObject(args->result, "maps") : NULL;

    for (uint32_t i = 0; i < l->blob.header->maps.count; i++)
        show_map(l, &l->blob.maps[i], maps, args);
}

void maps_drain(struct loaded *l, struct cmd_args *args) {
    for (uint32_t i = 0; i < l->blob.header->maps.count; i++) {
        const struct blob_map *def = &l->blob.maps[i];
        if (def->type != BPF_MAP_RINGBUF)
            continue;
        const char *name = blob_string(&l->blob, def->name);
        struct bpf_map *map = copy_map(l, def, args->arena);
        const void *data;
        uint32_t size;
        while ((data = bpf_ringbuf_read(map, &size))) {
            const char *text = hex(args->arena, data, size);
            if (!args->json) {
                progress_clear();
                printf("ringbuf %s: %s\n", name, text);
                continue;
            }
            cJSON *records = cJSON_GetObjectItem(args->result, "records");
            cJSON *row = cJSON_CreateObject();
            if (!records)
                records = cJSON_AddArrayToObject(args->result, "records");
            cJSON_AddStringToObject(row, "map", name);
            cJSON_AddStringToObject(row, "data", text);
            cJSON_AddItemToArray(records, row);
        }
        memcpy(guest_map(l, def), map, def->size); /* what was read is gone for the program too */
    }
}
