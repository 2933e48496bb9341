/* SPDX-License-Identifier: MIT
 *
 * The drill: programs on the board that do what programs should, and what the kernel makes of it. Each test runs in both
 * engines; `drill` at the shell runs them, scripts/selftest reads the lines.
 */
#ifndef DRILL_H
#define DRILL_H

#include "domain.h"

#define DRILL_BLOB(name) extern const uint8_t drill_##name[], drill_##name##_end[]
DRILL_BLOB(adc);
DRILL_BLOB(crowd);
DRILL_BLOB(empty);
DRILL_BLOB(faulty);
DRILL_BLOB(line);
DRILL_BLOB(missing);
DRILL_BLOB(often);
DRILL_BLOB(port);
DRILL_BLOB(samples);
DRILL_BLOB(spin);
DRILL_BLOB(timers);
DRILL_BLOB(wild);

/* A domain with a blob of its own in the pool. */
struct drill {
    struct domain *domain;
    struct bpf_grant grant;
    char name[PROGRAMS_NAME];
    uint32_t address, taken, where;
};

/* Starts it. What grant.h's defaults are is not said in `grant`. BPF_OK, or why it does not run: then only `where` is
 * left. */
enum bpf_status drill_load(struct drill *drill, const uint8_t *blob, const uint8_t *end,
                           enum bpf_engine engine, const char *grant);
void drill_unload(struct drill *drill);
/* The result of an entry that is called with these arguments; DRILL_FAULT: it has none. */
enum { DRILL_FAULT = -1000 };
int drill_call(struct drill *drill, unsigned entry, const void *data, uint32_t size);
/* Copies the value; false: there is none. */
bool drill_value(struct drill *drill, unsigned map, uint32_t key, void *value, uint32_t size);

/* Null: it has passed; DRILL_SKIP: this board cannot do it; else what was wrong. */
typedef const char *drill_test(enum bpf_engine engine);
extern const char DRILL_SKIP[];
struct drill_row {
    const char *name;
    drill_test *run;
};
/* A null name ends them. */
extern const struct drill_row drill_line_tests[], drill_output_tests[], drill_share_tests[],
    drill_timer_tests[];

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            wrong = #condition;                                                                    \
            goto end;                                                                              \
        }                                                                                          \
    } while (0)

#endif
