/* SPDX-License-Identifier: MIT */
/* Installed programs without any: what the protocol's group of commands calls, with everything open to look at. */
#ifndef SMP_PROGRAMS_MOCK_H
#define SMP_PROGRAMS_MOCK_H

#include "rtos/programs.h"

enum {
    MOCK_PROGRAMS = 12,
    MOCK_BLOB = 1 << 16,
    MOCK_ELEMENTS = 300,
    MOCK_RECORDS = 8,
    MOCK_SECTOR = 4096
};

struct programs_mock {
    struct program_info programs[MOCK_PROGRAMS];
    struct bpf_grant grants[MOCK_PROGRAMS];
    unsigned count;
    /* The upload; open: programs_begin() has been called. */
    bool open, enabled, in_ram;
    char name[PROGRAMS_NAME];
    struct bpf_grant grant;
    uint32_t size, have;
    uint8_t blob[MOCK_BLOB];
    unsigned begun, aborted, commits;
    enum bpf_status next; /* of the next call that can fail, if not 0; then 0 */
    uint32_t where;       /* with a refused commit */
    /* Map 0 of every program: elements. Map 1: a ring. */
    struct program_map map, ring;
    uint8_t keys[MOCK_ELEMENTS][64], values[MOCK_ELEMENTS][1024];
    unsigned elements;
    uint8_t records[MOCK_RECORDS][2048];
    uint32_t record_size[MOCK_RECORDS];
    unsigned first_record, record_count;
    const char *log;
    uint32_t log_lost;     /* before its beginning */
    uint8_t payload[1024]; /* of the last run */
    uint32_t payload_size;
    uint32_t flash; /* address of two sectors; 0: there are none */
    int held;
    const char *safe;
    enum bpf_status store;
    char last[PROGRAMS_NAME + 16]; /* call and name */
};
extern struct programs_mock programs_mock;

void programs_mock_start(void);
void programs_mock_add(const char *name, uint32_t size);

#endif
