/* SPDX-License-Identifier: MIT */
/*
 * The helpers as C functions, typed as helper.def's argument kinds say: compiled programs call them by
 * AAPCS, the interpreter through helper_call.c. Those behind SVC are stubs on the board
 * (cortexm/svc.S).
 */
#ifndef RUNTIME_HELPERS_H
#define RUNTIME_HELPERS_H

#include "bpf/map.h"

/* What a function of the program looks like to C: the canonical ABI of five word pairs. On the host
 * a code pointer is a number that only the interpreter can call. */
typedef uint32_t bpf_code;

void *bpf_h_map_lookup_elem(struct bpf_map *map, const void *key);
int32_t bpf_h_map_update_elem(struct bpf_map *map, const void *key, const void *value,
                              uint64_t flags);
int32_t bpf_h_map_delete_elem(struct bpf_map *map, const void *key);
uint32_t bpf_h_get_prandom_u32(void);
uint32_t bpf_h_get_smp_processor_id(void);
int32_t bpf_h_map_push_elem(struct bpf_map *map, const void *value, uint64_t flags);
int32_t bpf_h_map_pop_elem(struct bpf_map *map, void *value);
int32_t bpf_h_map_peek_elem(struct bpf_map *map, void *value);
int32_t bpf_h_ringbuf_output(struct bpf_map *map, const void *data, uint32_t size, uint64_t flags);
void *bpf_h_ringbuf_reserve(struct bpf_map *map, uint32_t size, uint64_t flags);
void bpf_h_ringbuf_submit(void *data, uint64_t flags);
void bpf_h_ringbuf_discard(void *data, uint64_t flags);
uint64_t bpf_h_ringbuf_query(struct bpf_map *map, uint64_t flags);
int32_t bpf_h_for_each_map_elem(struct bpf_map *map, bpf_code callback, uint32_t ctx,
                                uint64_t flags);
int32_t bpf_h_snprintf(char *out, uint32_t size, const char *fmt, const void *data,
                       uint32_t data_len);
int32_t bpf_h_trace_printk(const char *fmt, uint32_t fmt_size, uint64_t a, uint64_t b, uint64_t c);
int32_t bpf_h_trace_vprintk(const char *fmt, uint32_t fmt_size, const void *data,
                            uint32_t data_len);
int32_t bpf_h_loop(uint32_t count, bpf_code callback, uint32_t ctx, uint64_t flags);
int32_t bpf_h_strncmp(const char *a, uint32_t size, const char *b);

#endif
