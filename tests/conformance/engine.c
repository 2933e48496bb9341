/* SPDX-License-Identifier: MIT */
/* Programs on the engines: compile, load, run. */
#include "conformance/engine.h"

#include <stdlib.h>

#include "bpf/host.h"
#include "compile.h"
#include "devices.h"
#include "elf/elf.h"
#include "load.h"

/* Cycles, or instructions, of one run: no vector needs a tenth, and an endless loop takes less than a second. */
#define BUDGET 100000000ull

const struct engine engines[] = {
    {ENGINE_NATIVE, 0, "interpreter, native"}, {ENGINE_INTERP, 0, "interpreter, Cortex-M4"},
    {ENGINE_THUMB, '0', "compiled, -O0"},      {ENGINE_THUMB, '1', "compiled, -O1"},
    {ENGINE_THUMB, '2', "compiled, -O2"},      {ENGINE_THUMB, 's', "compiled, -Os"},
};
const size_t engine_count = sizeof(engines) / sizeof(engines[0]);

struct engine_session {
    struct machine *m; /* with the library; made when first needed */
};

struct engine_session *engine_session_new(void) {
    return calloc(1, sizeof(struct engine_session));
}

void engine_session_free(struct engine_session *session) {
    machine_free(session->m);
    free(session);
}

static bool read_program(struct arena *arena, const struct engine_input *input,
                         struct program **prog, struct diag *diag) {
    const struct elf_options options = {.type = "raw", .mem_size = input->mem_size};

    if (input->elf)
        return elf_read_memory(input->name, input->elf, input->elf_size, arena, &options, prog,
                               diag);
    *prog =
        program_from_insns(arena, input->name, input->insns, input->count, input->mem_size, diag);
    return *prog != NULL;
}

/* The interpreter on this machine; the program sees the addresses of the board. */
static bool interpret(const struct engine_input *input, const struct compile_result *compiled,
                      uint64_t *r0, struct diag *diag) {
    enum bpf_status status;
    struct bpf_host *host = bpf_host_new(compiled->blob, compiled->blob_size, &status);

    if (!host)
        return diag_error(diag, DIAG_BLOB, NULL, NULL, "%s", bpf_status_text(status));
    bpf_host_set_budget(host, BUDGET);
    status = bpf_host_run(host, 0, input->mem_len ? input->mem : NULL, input->mem_len, r0);
    if (status != BPF_OK)
        diag_error(diag, DIAG_RUN, NULL, NULL, "%s: instruction %u, address 0x%08x",
                   bpf_status_text(status), bpf_host_vm(host)->fault_slot,
                   bpf_host_vm(host)->fault_addr);
    bpf_host_free(host);
    return status == BPF_OK;
}

static bool emulate(struct engine_session *session, enum bpf_engine engine, struct arena *arena,
                    const struct engine_input *input, const struct compile_result *compiled,
                    uint64_t *r0, struct diag *diag) {
    struct loaded loaded;
    struct machine_result result;
    uint32_t where;

    if (!session->m) {
        session->m = machine_new();
        load_library(session->m);
        machine_set_budget(session->m, BUDGET);
    }
    machine_set_svc(session->m, devices_helper, devices_new(arena));
    enum bpf_status status =
        load_blob(session->m, compiled->blob, compiled->blob_size, engine, &loaded, &where);
    if (status != BPF_OK)
        return diag_error(diag, DIAG_BLOB, NULL, NULL, "%s (offset %u of the blob)",
                          bpf_status_text(status), where);
    load_run(&loaded, 0, input->mem_len ? input->mem : NULL, input->mem_len, &result);
    if (result.status != BPF_OK)
        return diag_error(diag, DIAG_RUN, NULL, NULL, "%s: pc 0x%08x, address 0x%08x%s%s",
                          bpf_status_text(result.status), result.pc, result.address,
                          *result.detail ? ", " : "", result.detail);
    *r0 = result.r0;
    return true;
}

bool engine_run(struct engine_session *session, const struct engine *engine, struct arena *arena,
                const struct engine_input *input, uint64_t *r0, struct diag *diag) {
    struct compile_options options = {
        .check_passes = true,
        .mem_size = input->mem_size,
        .bytecode_only = engine->kind != ENGINE_THUMB,
    };
    struct compile_result compiled;
    struct program *prog;
    const char level[] = {engine->level, 0};

    if (engine->kind == ENGINE_THUMB)
        compile_level(level, &options);
    if (!read_program(arena, input, &prog, diag) ||
        !compile_program(prog, &options, &compiled, diag))
        return false;
    if (engine->kind == ENGINE_NATIVE)
        return interpret(input, &compiled, r0, diag);
    return emulate(session, engine->kind == ENGINE_THUMB ? BPF_ENGINE_THUMB : BPF_ENGINE_INTERP,
                   arena, input, &compiled, r0, diag);
}
