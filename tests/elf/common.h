/* SPDX-License-Identifier: MIT */
/* What the test objects need, in the project's own words: they test the reader of objects, not a header. */
#ifndef TESTS_ELF_COMMON_H
#define TESTS_ELF_COMMON_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define BARRIER(x) __asm__ volatile("" : "+r"(x)) /* clang cannot know x: no specialised copies */
#define __uint(name, value) int(*name)[value]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static long (*bpf_tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static long (*bpf_loop)(u32 count, void *callback, void *ctx, u64 flags) = (void *)181;

enum { HASH = 1, ARRAY = 2, PROG_ARRAY = 3, LRU_HASH = 9, RINGBUF = 27 };

#endif
