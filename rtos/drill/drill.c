/* SPDX-License-Identifier: MIT */
#include "drill.h"

#include "bpf/map.h"
#include "rtos/print.h"
#include "rtos/shell.h"

#include <string.h>

const char DRILL_SKIP[] = "";

/* ----- domains ----------------------------------------------------------------------------------------- */

struct call {
    unsigned entry;
    const void *data;
    uint32_t size;
    int result;
};

static void call(struct domain *domain, void *argument) {
    struct call *call = argument;
    uint64_t value = 0;
    uint32_t cycles;
    enum bpf_status status =
        domain_run_now(domain, call->entry, call->data, call->size, &value, &cycles);
    call->result = status ? DRILL_FAULT : (int)value;
}

int drill_call(struct drill *drill, unsigned entry, const void *data, uint32_t size) {
    struct call work = {entry, data, size, DRILL_FAULT};
    if (domain_do(drill->domain, call, &work, PROGRAMS_TIMEOUT))
        return DRILL_FAULT;
    return work.result;
}

struct look {
    unsigned map;
    uint32_t key, size;
    void *value;
    bool found;
};

static void look(struct domain *domain, void *argument) {
    struct look *look = argument;
    struct bpf_map *map = domain_map(domain, look->map);
    const void *value = map ? bpf_map_lookup(map, &look->key) : NULL;
    look->found = value != NULL;
    if (value)
        memcpy(look->value, value, look->size);
}

bool drill_value(struct drill *drill, unsigned map, uint32_t key, void *value, uint32_t size) {
    struct look work = {map, key, size, value, false};
    return !domain_do(drill->domain, look, &work, PROGRAMS_TIMEOUT) && work.found;
}

/* ----- the tests ------------------------------------------------------------------------------------------ */

static unsigned passed, failed, skipped;

static void run(const struct drill_row *row, enum bpf_engine engine) {
    const char *wrong = row->run(engine);
    const char *result = !wrong ? "PASS" : wrong == DRILL_SKIP ? "SKIP" : "FAIL";
    passed += !wrong;
    skipped += wrong == DRILL_SKIP;
    failed += wrong && wrong != DRILL_SKIP;
    print("selftest: drill.%s_%s: %s %s\n", row->name,
          engine == BPF_ENGINE_INTERP ? "interpreted" : "compiled", result, wrong ? wrong : "");
}

static int run_drill(struct shell *shell, int argc, char **argv) {
    static const struct drill_row *const all[] = {drill_line_tests, drill_output_tests,
                                                  drill_timer_tests, drill_share_tests};
    (void)shell, (void)argc, (void)argv;
    passed = failed = skipped = 0;
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        for (const struct drill_row *row = all[i]; row->name; row++)
            for (unsigned engine = BPF_ENGINE_THUMB; engine <= BPF_ENGINE_INTERP; engine++)
                run(row, (enum bpf_engine)engine);
    print("selftest: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
    print("selftest: result: %s\n", failed ? "FAIL" : "PASS");
    return SHELL_DONE;
}
SHELL_COMMAND(drill, .help = "programs at work: hooks, timers", .run = run_drill);
