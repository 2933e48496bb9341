/* SPDX-License-Identifier: MIT */
#include "drill.h"

#include "bpf/map.h"
#include "rtos/print.h"
#include "rtos/shell.h"

#include <string.h>

const char DRILL_SKIP[] = "";

/* ----- domains ----------------------------------------------------------------------------------------- */

/* The blob again, as one whose code is for another library: what is left is its bytecode. */
static void without_code(uint32_t address, uint32_t size) {
    struct blob_header *header = (struct blob_header *)address;
    header->abi++;
    header->crc = 0;
    header->crc = bpf_crc32(0, header, size);
}

enum bpf_status drill_load(struct drill *drill, const uint8_t *blob, const uint8_t *end,
                           enum bpf_engine engine, const char *grant) {
    static unsigned number;
    char name[PROGRAMS_NAME];
    uint32_t size = (uint32_t)(end - blob);
    *drill = (struct drill){.grant = bpf_grant_default};
    struct bpf_grant_error error;
    if (!bpf_grant_parse(grant, strlen(grant), &drill->grant, &error))
        return BPF_INTERNAL;
    drill->taken = pool_allocate(size, &drill->address);
    if (!drill->taken)
        return BPF_NO_RAM;
    memcpy((void *)drill->address, blob, size);
    if (engine == BPF_ENGINE_INTERP)
        without_code(drill->address, size);
    format(name, sizeof(name), "drill%u", number++ % 10);
    enum bpf_status status = domain_make(name, (void *)drill->address, size, &drill->grant,
                                         &drill->domain, &drill->where);
    if (!status)
        status = drill->domain->engine == engine ? domain_start(drill->domain) : BPF_INTERNAL;
    if (status) {
        uint32_t where = drill->where;
        drill_unload(drill);
        drill->where = where;
    }
    return status;
}

void drill_unload(struct drill *drill) {
    if (drill->domain) {
        domain_end(drill->domain);
        domain_free(drill->domain);
    }
    if (drill->taken)
        pool_free(drill->address, drill->taken);
    *drill = (struct drill){0};
}

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
    static const struct drill_row *const all[] = {drill_line_tests, drill_timer_tests,
                                                  drill_share_tests};
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
