/* SPDX-License-Identifier: MIT */
/* The optimiser's driver: which pass runs when. */
#include "opt/opt.h"

#include <string.h>

static const struct opt_pass passes[] = {
#define OPT_PASS(name, level, about) {#name, about, level, opt_##name},
#include "opt/passes.def"
};

enum pass {
#define OPT_PASS(name, level, about) PASS_##name,
#include "opt/passes.def"
    PASS_COUNT
};

/* What runs when, at 64 bits and at 32. The second promotion knows bounds of indices that the first one
 * made values. */
/* clang-format off */
#define WIDE_ORDER(_) \
    _(cfg) _(inline_map) _(thread) _(promote) _(simplify) _(sccp) _(phi) _(promote) _(narrow) \
    _(simplify) _(gvn) _(thread) _(phi) _(dce) _(cfg) _(arms)
#define WORD_ORDER(_) \
    _(simplify) _(sccp) _(phi) _(narrow) _(simplify) _(gvn) _(thread) _(phi) _(dce) _(cfg)
/* clang-format on */

#define PASS_ID(name) PASS_##name,
static const uint8_t wide[] = {WIDE_ORDER(PASS_ID) PASS_COUNT};
static const uint8_t words[] = {WORD_ORDER(PASS_ID) PASS_COUNT};

#define PASS_BIT(name) | 1u << PASS_##name
_Static_assert((0u WIDE_ORDER(PASS_BIT) WORD_ORDER(PASS_BIT)) == (1u << PASS_COUNT) - 1,
               "every pass of passes.def has its place in an order");

const struct opt_pass *opt_passes(size_t *count) {
    *count = sizeof(passes) / sizeof(*passes);
    return passes;
}

static const struct opt_pass *find(const char *name) {
    for (size_t i = 0; i < sizeof(passes) / sizeof(*passes); i++)
        if (!strcmp(passes[i].name, name))
            return &passes[i];
    return NULL;
}

bool opt_run_pass(struct ir_fn *fn, const char *name) {
    const struct opt_pass *pass = find(name);
    if (!pass)
        return false;
    ir_analyze(fn);
    pass->run(fn);
    return true;
}

static bool dumps(const struct opt_options *options, const char *name) {
    return options->dump_pass &&
           (!strcmp(options->dump_pass, name) || !strcmp(options->dump_pass, "all"));
}

void opt_run(struct ir_fn *fn, const struct opt_options *options) {
    const uint8_t *order = fn->level == IR_LEVEL_64 ? wide : words;
    bool analyzed = false;
    for (int i = 0; order[i] != PASS_COUNT; i++) {
        const struct opt_pass *pass = &passes[order[i]];
        if (pass->level > options->level)
            continue;
        if (!analyzed)
            ir_analyze(fn);
        pass->run(fn);
        if (options->check)
            ir_check(fn, pass->name);
        analyzed = options->check; /* the checker needs the graph, too */
        if (!dumps(options, pass->name))
            continue;
        fprintf(options->dump, "; after %s\n", pass->name);
        ir_print(fn, options->dump);
    }
}
