/* SPDX-License-Identifier: MIT */
/* One program under both verifiers, and why they differ. */
#ifndef TESTS_KERNEL_COMPARE_H
#define TESTS_KERNEL_COMPARE_H

#include "kernel/kernel.h"
#include "kernel/run.h"
#include "program/program.h"
#include "util/diag.h"

/* What is compared: a linked program, or instructions that do not make one. */
struct subject {
    const char *name;
    const struct program *program; /* NULL: see insns */
    uint32_t entry;
    const struct bpf_insn *insns;
    uint32_t count, mem_size;
    struct diag *diag; /* holds why there is no program */
    bool runnable;     /* run_random() has a model of what it calls */
};

enum outcome {
    BOTH_ACCEPT,
    BOTH_REFUSE,
    ONLY_WE,         /* we accept */
    ONLY_PRIVILEGED, /* we accept; Linux only from who may read all memory */
    ONLY_LINUX,      /* accepts */
    SKIPPED,
    OUTCOMES
};

struct comparison {
    enum outcome outcome;
    const char *name;
    const char *skip;            /* SKIPPED: why */
    const char *ours, *category; /* our first error, or NULL */
    const char *linux_text;      /* Linux's last line, or NULL */
    const char *reason;          /* of the difference, if it is a known one */
    struct run_result run;
    uint32_t insns, our_usec, linux_usec, processed;
};

/* Texts live on `arena`. */
struct comparison compare(struct arena *arena, const struct subject *subject);

/* What is known about a difference, or NULL (reasons.c). */
const char *reason_of(const struct comparison *c);

#endif
