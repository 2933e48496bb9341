/* SPDX-License-Identifier: MIT */
/*
 * The optimiser: passes over the IR, most of them at both of its levels. The driver (opt.c) holds the
 * order in which they run; passes.def names them.
 *
 * No pass needs facts from the verifier in order to be right, and none keeps more than ir_check()
 * demands. Before each pass the driver runs ir_analyze(): order, dominators and loops are valid when
 * a pass starts.
 */
#ifndef OPT_OPT_H
#define OPT_OPT_H

#include "ir/ir.h"

struct opt_options {
    int level;             /* passes.def: lowest level of each; -Os is 2. 0: no pass */
    bool check;            /* ir_check() after every pass */
    const char *dump_pass; /* print the function after each run of this pass, "all": any; or NULL */
    FILE *dump;
};

/* Optimises a function at its IR level: call it after ir_build() and again after legalisation. */
void opt_run(struct ir_fn *fn, const struct opt_options *options);

struct opt_pass {
    const char *name, *about;
    int level; /* lowest optimisation level that runs it */
    void (*run)(struct ir_fn *fn);
};
/* All passes, in the order of passes.def; *count is their number. */
const struct opt_pass *opt_passes(size_t *count);
/* Runs one pass by its name: false if there is none. For tests and --ssa=PASS. */
bool opt_run_pass(struct ir_fn *fn, const char *name);

/* The passes: one file each. */
#define OPT_PASS(name, level, about) void opt_##name(struct ir_fn *fn);
#include "opt/passes.def"

#endif
