/* SPDX-License-Identifier: MIT */
/*
 * Arena allocator: a list of blocks, of which the first is filled from the front. A request that is
 * large next to a block gets a block of its own behind the first, so the open one is not wasted.
 * Such a block comes zeroed from the system; an open one is cleared as it is handed out, because
 * many arenas never use more than the beginning of theirs.
 */
#include "util/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGN 8u
#define BLOCK_SIZE (64u * 1024)

struct block {
    struct block *next;
    size_t size; /* bytes in data */
    size_t used;
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

struct arena {
    struct block *blocks; /* the first is open for small requests */
    size_t used;
};

static _Noreturn void out_of_memory(size_t size) {
    fprintf(stderr, "bpf2thumb: out of memory (%zu bytes)\n", size);
    abort();
}

static struct block *block_init(struct block *block, size_t size) {
    if (!block)
        out_of_memory(size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

static struct block *open_block_new(void) {
    return block_init(malloc(sizeof(struct block) + BLOCK_SIZE), BLOCK_SIZE);
}

struct arena *arena_new(void) {
    struct arena *arena = calloc(1, sizeof(*arena));

    if (!arena)
        out_of_memory(sizeof(*arena));
    arena->blocks = open_block_new();
    return arena;
}

void arena_free(struct arena *arena) {
    if (!arena)
        return;
    for (struct block *block = arena->blocks; block;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size) {
    struct block *block = arena->blocks;

    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    /* Two allocations never share an address, not even empty ones. */
    size = (size + !size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    arena->used += size;

    if (size > BLOCK_SIZE / 4) {
        struct block *own = block_init(calloc(1, sizeof(*own) + size), size);
        own->used = size;
        own->next = block->next;
        block->next = own;
        return own->data;
    }
    if (size > block->size - block->used) {
        block = open_block_new();
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += size;
    return memset(memory, 0, size);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size) {
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(SIZE_MAX);
    return arena_alloc(arena, bytes);
}

char *arena_strdup(struct arena *arena, const char *text) {
    size_t size = strlen(text) + 1;

    return memcpy(arena_alloc(arena, size), text, size);
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);

    char *text = arena_alloc(arena, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const struct arena *arena) {
    return arena->used;
}
