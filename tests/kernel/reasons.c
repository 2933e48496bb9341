/* SPDX-License-Identifier: MIT */
/* Known differences between the two verifiers, each with its reason. */
#include "kernel/compare.h"

#include <string.h>

struct reason {
    enum outcome outcome;
    const char *category;   /* of our message; NULL: any */
    const char *ours;       /* a part of our message; NULL: any */
    const char *linux_text; /* a part of Linux's; NULL: any */
    bool tested;            /* only if the program ran on random inputs without a fault */
    const char *text;
};

static const struct reason reasons[] = {
    {ONLY_WE, NULL, NULL, "unreachable insn", false, "unreachable code: a warning here"},
};

static bool has(const char *text, const char *part) {
    return !part || (text && strstr(text, part));
}

const char *reason_of(const struct comparison *c) {
    if (c->run.status == RUN_FAULT)
        return NULL;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
        const struct reason *r = &reasons[i];
        if (r->outcome == c->outcome && has(c->category, r->category) && has(c->ours, r->ours) &&
            has(c->linux_text, r->linux_text) && (!r->tested || c->run.status == RUN_ENDED))
            return r->text;
    }
    return NULL;
}
