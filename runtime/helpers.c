/* SPDX-License-Identifier: MIT */
/*
 * The pure helpers: they work on the arena alone, without privilege. Semantics are Linux's for the
 * helpers of the same ids (bpf-helpers(7)).
 */
#include "helpers.h"

#include "bpf/arena.h"
#include "bpf/format.h"
#include "bpf/helper.h"
#include "bpf/port.h"

#include <stddef.h>
#include <string.h>

void *bpf_h_map_lookup_elem(struct bpf_map *map, const void *key) {
    return bpf_map_lookup(map, key);
}

int32_t bpf_h_map_update_elem(struct bpf_map *map, const void *key, const void *value,
                              uint64_t flags) {
    return bpf_map_update(map, key, value, flags);
}

int32_t bpf_h_map_delete_elem(struct bpf_map *map, const void *key) {
    return bpf_map_delete(map, key);
}

int32_t bpf_h_map_push_elem(struct bpf_map *map, const void *value, uint64_t flags) {
    return bpf_map_push(map, value, flags);
}

int32_t bpf_h_map_pop_elem(struct bpf_map *map, void *value) {
    return bpf_map_pop(map, value);
}

int32_t bpf_h_map_peek_elem(struct bpf_map *map, void *value) {
    return bpf_map_peek(map, value);
}

/* xorshift32 (Marsaglia 2003): the state in the arena is never 0, unless the program made it so. */
uint32_t bpf_h_get_prandom_u32(void) {
    struct bpf_arena *arena = port_arena();
    uint32_t x = arena->prandom ? arena->prandom : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return arena->prandom = x;
}

uint32_t bpf_h_get_smp_processor_id(void) {
    return 0;
}

int32_t bpf_h_ringbuf_output(struct bpf_map *map, const void *data, uint32_t size, uint64_t flags) {
    return bpf_ringbuf_output(map, data, size, flags);
}

void *bpf_h_ringbuf_reserve(struct bpf_map *map, uint32_t size, uint64_t flags) {
    return bpf_ringbuf_reserve(map, size, flags);
}

void bpf_h_ringbuf_submit(void *data, uint64_t flags) {
    (void)flags; /* wake-ups: the kernel looks at the ring when the program has ended */
    bpf_ringbuf_commit(bpf_ringbuf_owner(data), data, false);
}

void bpf_h_ringbuf_discard(void *data, uint64_t flags) {
    (void)flags;
    bpf_ringbuf_commit(bpf_ringbuf_owner(data), data, true);
}

uint64_t bpf_h_ringbuf_query(struct bpf_map *map, uint64_t flags) {
    return bpf_ringbuf_query(map, flags);
}

int32_t bpf_h_strncmp(const char *a, uint32_t size, const char *b) {
    for (uint32_t i = 0; i < size; i++) {
        int32_t difference = (uint8_t)a[i] - (uint8_t)b[i];
        if (difference || !a[i])
            return difference;
    }
    return 0;
}

/* The callback returns 0 to go on, 1 to stop. */
int32_t bpf_h_loop(uint32_t count, bpf_code callback, uint32_t ctx, uint64_t flags) {
    if (flags)
        return -BPF_EINVAL;
    if (count > BPF_LOOP_MAX)
        return -BPF_E2BIG;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t args[5] = {i, ctx}, result;
        if (!port_callback(callback, args, &result) || result)
            return (int32_t)i + 1;
    }
    return (int32_t)count;
}

/* A callback can write anything into the arena, a map's header too; what relies on the header looks again. */
static bool same_sizes(const struct bpf_map *map, const struct bpf_map *header) {
    return memcmp(map, header, offsetof(struct bpf_map, state)) == 0;
}

int32_t bpf_h_for_each_map_elem(struct bpf_map *map, bpf_code callback, uint32_t ctx,
                                uint64_t flags) {
    uint32_t cursor = 0, local;
    const void *key;
    void *value;
    int32_t visited = 0;
    if (flags ||
        (map->type != BPF_MAP_ARRAY && map->type != BPF_MAP_HASH && map->type != BPF_MAP_LRU_HASH))
        return -BPF_EINVAL;
    const struct bpf_map header = *map;
    uint32_t *index = port_scratch(&local);
    while (index && same_sizes(map, &header) && bpf_map_next(map, &cursor, index, &key, &value)) {
        uint64_t args[5] = {port_addr(map), port_addr(key), port_addr(value), ctx}, result;
        visited++;
        if (!port_callback(callback, args, &result) || result)
            break;
    }
    return visited;
}

/* ------------------------------------------------------------------------------------------ text */

static int read_byte(void *user, uint32_t addr) {
    (void)user;
    const uint8_t *p = port_string(addr);
    return p ? *p : -1;
}

int32_t bpf_h_snprintf(char *out, uint32_t size, const char *fmt, const void *data,
                       uint32_t data_len) {
    /* The output may overlap the format: where that ends is settled first. */
    uint32_t fmt_size = (uint32_t)strlen(fmt);
    int32_t length =
        data_len % 8 ? -BPF_EINVAL
                     : bpf_format(out, size, fmt, fmt_size, data, data_len / 8, read_byte, NULL);
    /* All of the output is written, as the verifier takes it to be. */
    uint32_t used = length < 0 ? 0 : (uint32_t)length + 1;
    if (used < size)
        memset(out + used, 0, size - used);
    return length < 0 ? length : length + 1; /* Linux counts the terminator */
}

/* A line for the log. The text is made here, with the program's own rights and in its own time; the kernel
 * only copies it. */
static int32_t print_line(const char *fmt, uint32_t fmt_size, const void *words, uint32_t count) {
    char line[BPF_LOG_LINE];
    if (fmt_size == 0)
        return -BPF_EINVAL;
    int32_t length = bpf_format(line, sizeof(line), fmt, fmt_size, words, count, read_byte, NULL);
    if (length >= 0)
        port_log(line, length < BPF_LOG_LINE ? (uint32_t)length : BPF_LOG_LINE - 1);
    return length;
}

int32_t bpf_h_trace_printk(const char *fmt, uint32_t fmt_size, uint64_t a, uint64_t b, uint64_t c) {
    const uint64_t words[3] = {a, b, c};
    return print_line(fmt, fmt_size, words, 3);
}

int32_t bpf_h_trace_vprintk(const char *fmt, uint32_t fmt_size, const void *data,
                            uint32_t data_len) {
    if (data_len % 8 || data_len / 8 > BPF_LOG_ARGUMENTS)
        return -BPF_EINVAL;
    return print_line(fmt, fmt_size, data, data_len / 8);
}

/* ------------------------------------------------------------------------------------- tail calls */

int32_t bpf_tail_program(struct bpf_arena *arena, const struct blob_header *blob,
                         const struct bpf_map *map, uint32_t index) {
    if (map->type != BPF_MAP_PROG_ARRAY || index >= map->max_entries ||
        arena->tail_calls >= BPF_TAIL_CALL_MAX)
        return -1;
    /* The interpreter on the host has checked that `size` bytes are there, and nothing else. */
    if (map->size < sizeof(*map) || index >= (map->size - sizeof(*map)) / BPF_PROG_ARRAY_STRIDE)
        return -1;
    const uint8_t *values = (const uint8_t *)map + BPF_MAP_ARRAY_VALUES;
    uint32_t program = *(const uint32_t *)(const void *)(values + BPF_PROG_ARRAY_STRIDE * index);
    if (program == 0 || program > blob->programs.count)
        return -1;
    arena->tail_calls++;
    return (int32_t)program - 1;
}
