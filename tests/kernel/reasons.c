/* SPDX-License-Identifier: MIT */
/* Known differences between the two verifiers, each with its reason. */
#include "kernel/compare.h"

#include <string.h>

struct reason {
    enum outcome outcome;
    const char *name;       /* the end of the program's; NULL: any */
    const char *category;   /* of our message; NULL: any */
    const char *ours;       /* a part of our message; NULL: any */
    const char *linux_text; /* a part of Linux's; NULL: any */
    bool tested;            /* only if the program ran on random inputs without a fault */
    const char *text;
};

#define PRECISE "Linux knows less of these numbers; no fault in thousands of runs"
#define LIMIT "Linux follows every path up to a limit; here the loop has a bound, or paths meet"
#define SPECULATION "Linux without CAP_PERFMON: what a processor might do ahead of a test"
#define ALIGNMENT "Linux wants the stack and atomics aligned; the board needs neither"

#define DISTANCE "two pointers into one object tell their distance, but no address"
#define TABLE "a load from a constant table yields one of its values"

static const struct reason reasons[] = {
    /* Looked at by hand. */
    {ONLY_WE, "dispatcher.bpf.o:reverse", NULL, NULL, "unbounded memory access", false,
     "two indices run towards each other: `i < j` bounds the one by the other"},
    {ONLY_WE, "fletcher32.bpf.o:fletcher32", NULL, NULL, "min value is outside", false,
     "the pointer and what is left of the length move together"},
    {ONLY_WE, "a constant key in constant data", NULL, NULL, "map_value_or_null", false,
     "a key in constant data is known, too"},
    {ONLY_WE, "a timer of another map's value", NULL, NULL, "map_value_or_null", false,
     "a key that is not 0 and was stored as 4 bytes is known, too"},
    {ONLY_WE, "a key out of a constant table", NULL, NULL, "map_value_or_null", false, TABLE},
    {ONLY_WE, "a table of constants", NULL, NULL, "outside of the allowed", false, TABLE},
    {ONLY_WE, "whose other bytes do not count", NULL, NULL, "outside of the allowed", false, TABLE},
    {ONLY_WE, "a constant table bound an index", NULL, NULL, "outside of the allowed", false,
     TABLE},
    {ONLY_LINUX, "a function that falls into the next", "cfg", NULL, NULL, false,
     "who calls the next one is unreachable, so in Linux it is no function"},
    {ONLY_LINUX, "a key of an array outlives the callback", NULL, NULL, NULL, false,
     "the key of an array is a temporary of the helper: its address says nothing behind the "
     "callback"},
    {ONLY_WE, "next to a loop that is followed", NULL, NULL, "infinite loop detected", false,
     "the loop multiplies and divides; followed with numbers it ends"},
    {ONLY_LINUX, "in one object, one of them wrong", "bounds", NULL, NULL, false,
     "our verdict is on all programs of an object"},

    {ONLY_WE, NULL, NULL, NULL, "misaligned stack access", false, ALIGNMENT},
    {ONLY_WE, NULL, NULL, NULL, "misaligned value access", false, ALIGNMENT},
    {ONLY_WE, NULL, NULL, NULL, "div by zero", false,
     "division by a constant 0 is defined: a warning here"},
    {ONLY_WE, NULL, NULL, NULL, "invalid shift", false,
     "shifts by the width are defined: a warning here"},
    {ONLY_WE, NULL, NULL, NULL, "expected=fp", false,
     "what a callback is given may be any pointer here, in Linux to the stack only"},
    {ONLY_WE, NULL, NULL, NULL, "jumps is too complex", false, LIMIT},
    {ONLY_WE, NULL, NULL, NULL, "program is too large", false, LIMIT},
    {ONLY_WE, NULL, NULL, NULL, "infinite loop detected", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "unbounded memory access", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "unbounded min value", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "outside of the allowed memory range", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "pointer be out of bounds", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "invalid variable-offset", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "min value is negative", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "map_value_or_null", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "variable offset stack pointer cannot be passed", true,
     "an offset into the stack may vary for arguments, too"},
    {ONLY_WE, NULL, NULL, NULL, "subtraction from stack pointer", true,
     "an offset that is subtracted from the stack's address may vary here"},
    {ONLY_WE, NULL, NULL, NULL, "doesn't have constant offset", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "verifier bug: ", false,
     "Linux stops at what it calls a bug of its own"},
    {ONLY_WE, NULL, NULL, NULL, "is not allowed", true, PRECISE},
    {ONLY_WE, NULL, NULL, NULL, "pointer ^= pointer prohibited", true,
     "a comparison of a register with itself is decided; Linux follows both ways"},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "cannot use helper", false,
     "Linux lets only CAP_PERFMON call this helper"},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "pointer -= pointer", true, DISTANCE},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "pointer comparison prohibited", true, DISTANCE},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "prohibited for !root", false, SPECULATION},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "jumps is too complex", false, SPECULATION},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "program is too large", false, SPECULATION},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "infinite loop detected", false, SPECULATION},
    {ONLY_PRIVILEGED, NULL, NULL, NULL, "attempt to corrupt spilled pointer", true,
     "Linux without CAP_PERFMON never writes over a part of a pointer; here the rest is "
     "unreadable"},
    {ONLY_LINUX, NULL, "helper", "cannot be used on map", NULL, false,
     "wrong kind of map: fails when run in Linux"},
    {ONLY_LINUX, NULL, "uninit", "bpf_map_", NULL, false,
     "Linux lets helpers read stack that was never written"},
    {ONLY_LINUX, NULL, "leak", "half an address", NULL, false,
     "pointers are compared with null in 64 bits only"},
    {ONLY_LINUX, NULL, "bounds", "does not fit into map", NULL, false,
     "ring buffers in Linux have at least a page"},
    {ONLY_LINUX, NULL, "cfg", "into the middle of a loop", NULL, false, "loops with two entries"},
    {ONLY_LINUX, NULL, "stack", "bytes of stack are needed", NULL, false,
     "with an index that is not known, all of the stack counts as used"},
    {ONLY_LINUX, NULL, "loop", NULL, NULL, false, "no bound was found for a loop"},
    {ONLY_LINUX, NULL, "budget", NULL, NULL, false, "too many paths"},
};

static bool ends(const char *text, const char *end) {
    return !end ||
           (strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0);
}

static bool has(const char *text, const char *part) {
    return !part || (text && strstr(text, part));
}

const char *reason_of(const struct comparison *c) {
    if (c->run.status == RUN_FAULT)
        return NULL;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
        const struct reason *r = &reasons[i];
        if (r->outcome == c->outcome && ends(c->name, r->name) && has(c->category, r->category) &&
            has(c->ours, r->ours) && has(c->linux_text, r->linux_text) &&
            (!r->tested || c->run.status == RUN_ENDED))
            return r->text;
    }
    return NULL;
}
