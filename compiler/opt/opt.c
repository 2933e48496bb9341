/* SPDX-License-Identifier: MIT */
/* The optimiser's driver: which pass runs when. */
#include "opt/opt.h"

#include <assert.h>
#include <string.h>

static const struct opt_pass passes[] = {
#define OPT_PASS(name, level, about) {#name, about, level, opt_##name},
#include "opt/passes.def"
};

/* Names of passes, in order. The second promotion knows bounds of indices that the first made values. */
static const char *const wide[] = {"cfg", "inline_map", "thread", "promote",  "simplify", "sccp",
                                   "phi", "promote",    "narrow", "simplify", "gvn",      "thread",
                                   "phi", "dce",        "cfg",    "arms",     NULL};
static const char *const words[] = {"simplify", "sccp", "phi", "narrow", "simplify", "gvn",
                                    "thread",   "phi",  "dce", "cfg",    NULL};

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
    const char *const *order = fn->level == IR_LEVEL_64 ? wide : words;
    bool analyzed = false;
    for (int i = 0; order[i]; i++) {
        const struct opt_pass *pass = find(order[i]);
        assert(pass);
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
