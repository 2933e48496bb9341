/* SPDX-License-Identifier: MIT */
/* Uses of every value of a function, as it was when they were collected. */
#ifndef OPT_USES_H
#define OPT_USES_H

#include "ir/ir.h"

struct use {
    struct ir_inst *inst;
    uint32_t arg; /* inst->args[arg] */
};

struct uses {
    uint32_t *start; /* by value; its uses are list[start[v]] to list[start[v + 1] - 1] */
    struct use *list;
};

void uses_collect(struct uses *uses, const struct ir_fn *fn, struct arena *arena);

#define uses_for_each(use, uses, v)                                                                \
    for (const struct use *use = (uses)->list + (uses)->start[v],                                  \
                          *use##_end_ = (uses)->list + (uses)->start[(v) + 1];                     \
         use != use##_end_; use++)

#endif
