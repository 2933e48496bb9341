/* SPDX-License-Identifier: MIT */
/* Programs on the engines: compile, load, run. */
#include "conformance/engine.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/memmap.h"
#include "bpf/vm.h"
#include "compile.h"
#include "elf/elf.h"
#include "load.h"

/* Cycles of one run: no vector needs a tenth, and an endless loop takes less than a second. */
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

static bool refused(enum bpf_status status, uint32_t where, struct diag *diag) {
    return diag_error(diag, DIAG_BLOB, NULL, NULL, "%s (offset %u of the blob)",
                      bpf_status_text(status), where);
}

/* The interpreter on this machine; the program sees the addresses of the board. */
static bool interpret(struct arena *arena, const struct engine_input *input,
                      const struct compile_result *compiled, uint64_t *r0, struct diag *diag) {
    struct blob blob;
    uint32_t where = 0, r9;
    enum bpf_status status = blob_parse(compiled->blob, compiled->blob_size, &blob, &where);

    if (status != BPF_OK)
        return refused(status, where, diag);
    uint32_t size = blob.header->stack_interp + blob.header->arena_size;
    uint8_t *region = arena_alloc(arena, size);
    status = bpf_arena_init(&blob, MEMMAP_STORE, BPF_ENGINE_INTERP, region, MEMMAP_ARENA, size,
                            NULL, NULL, &r9);
    if (status != BPF_OK)
        return refused(status, 0, diag);

    uint8_t *head = region + (r9 - MEMMAP_ARENA);
    uint32_t context = r9 + blob.header->ctx_off;
    memcpy(head + blob.header->ctx_off, input->mem, input->mem_len);
    struct bpf_vm vm = {
        .blob = &blob,
        .blob_addr = MEMMAP_STORE,
        .r9 = r9,
        .arena = (struct bpf_arena *)(void *)head,
        .stack = r9,
        .region = region,
        .region_addr = MEMMAP_ARENA,
        .region_size = size,
        .budget = BUDGET,
    };
    status = bpf_vm_run(&vm, 0, input->mem_len ? context : 0, input->mem_len, r0);
    if (status != BPF_OK)
        return diag_error(diag, DIAG_RUN, NULL, NULL, "%s: instruction %u, address 0x%08x",
                          bpf_status_text(status), vm.fault_slot, vm.fault_addr);
    return true;
}

static bool emulate(struct engine_session *session, enum bpf_engine engine,
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
    enum bpf_status status =
        load_blob(session->m, compiled->blob, compiled->blob_size, engine, &loaded, &where);
    if (status != BPF_OK)
        return refused(status, where, diag);
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
        return interpret(arena, input, &compiled, r0, diag);
    return emulate(session, engine->kind == ENGINE_THUMB ? BPF_ENGINE_THUMB : BPF_ENGINE_INTERP,
                   input, &compiled, r0, diag);
}
