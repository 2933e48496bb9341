/* SPDX-License-Identifier: MIT */
/* What tests do with the manager of programs: blobs, whole installations, and a look at whether all fits together. */
#ifndef MANAGER_USE_H
#define MANAGER_USE_H

#include "manager/board.h"

struct bytes {
    uint8_t *at;
    uint32_t size;
};

/* The sample of tests/runtime with maps that differ in name and hash, to be freed. changed: the map with another type
 * of values; -1: none. */
struct bytes blob_of(uint32_t variant, int changed);
struct bpf_grant grant_of(uint32_t variant);

enum bpf_status send(const char *name, struct bytes blob, uint32_t variant, bool in_ram);
enum bpf_status install_bytes(const char *name, struct bytes blob, uint32_t variant, bool enable,
                              bool in_ram); /* frees the blob */
enum bpf_status install(const char *name, uint32_t variant, bool enable);
enum bpf_status install_in_ram(const char *name, uint32_t variant, bool enable);

#define OK(call)                                                                                   \
    do {                                                                                           \
        enum bpf_status ok_status = (call);                                                        \
        cr_assert_eq(ok_status, BPF_OK, #call ": %s", bpf_status_text(ok_status));                 \
    } while (0)
#define REFUSED(call, status)                                                                      \
    do {                                                                                           \
        enum bpf_status refused_status = (call);                                                   \
        cr_assert_eq(refused_status, BPF_##status, #call ": %s", bpf_status_text(refused_status)); \
    } while (0)

struct program_info info(const char *name);
/* Domains as the store and the copies in RAM want them, and no piece of the pool besides. */
void expect_order(const char *when);
/* Everything that a reset keeps, as a text. */
void describe(char *text, size_t size);

#endif
