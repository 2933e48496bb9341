/* SPDX-License-Identifier: MIT */
/*
 * Linux's verifier, through bpf(2). The implementation is the one file that sees linux/bpf.h, whose struct
 * bpf_insn is another than runtime/'s; programs cross this border as 64-bit words.
 */
#ifndef TESTS_KERNEL_KERNEL_H
#define TESTS_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_map {
    uint32_t type, key_size, value_size, max_entries, flags;
    const uint8_t *image; /* of the only element; NULL: zeros */
    bool constant;        /* read-only, and its bytes known to the verifier */
    bool has_timer;       /* each value has a struct bpf_timer at timer_off */
    uint32_t timer_off;
};

struct kernel_program {
    uint64_t *insns;
    uint32_t count;
    const uint32_t *funcs; /* slots where functions start, the first is 0; sorted */
    uint32_t nfuncs;
    bool callbacks; /* functions have their address taken: Linux wants their types */
};

/*
 * PRIVILEGED: with all capabilities Linux lets a program read stack that was never written, and store
 * and return addresses. STRICT: with CAP_BPF alone it refuses that, and what speculation could abuse.
 */
enum kernel_mode { KERNEL_PRIVILEGED, KERNEL_STRICT, KERNEL_MODES };

#define KERNEL_LOG_SIZE 65536

struct kernel_verdict {
    bool accepts;
    uint32_t usec;      /* that the verifier took, by its own account */
    uint32_t processed; /* instructions, over all paths */
    char *reason;       /* the last line of the log before the statistics, in `log` */
    char log[KERNEL_LOG_SIZE];
};

/* NULL if programs can be loaded, else why not. */
const char *kernel_unusable(void);
/* A descriptor, or -1. */
int kernel_map_create(const struct kernel_map *map);
void kernel_close(int fd);
void kernel_verify(const struct kernel_program *program, enum kernel_mode mode,
                   struct kernel_verdict *out);

#endif
