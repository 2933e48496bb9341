/* SPDX-License-Identifier: MIT */
/* Loading blobs into the bare machine, with the library. */
#include "load.h"

#include "library.h"

#include "bpf/scan.h"

#include <assert.h>
#include <string.h>

void load_library(struct machine *m) {
    size_t size;
    const void *image = library_image(&size);
    machine_set_library(m, image, size);
}

static uint32_t resolve(void *user, uint32_t helper) {
    (void)user;
    return library_helper(helper);
}

static uint32_t arena_size(const struct loaded *l) {
    const struct blob_header *h = l->blob.header;
    uint64_t stack = l->engine == BPF_ENGINE_THUMB ? h->stack_thumb : h->stack_interp;
    uint64_t size = (stack + h->arena_size + 7) & ~UINT64_C(7);

    return size > MEMMAP_ARENA_SIZE ? 0 : (uint32_t)size;
}

static enum bpf_status build_arena(struct loaded *l) {
    uint32_t size = arena_size(l);

    if (size == 0)
        return BPF_ARENA_SIZE;
    return bpf_arena_init(&l->blob, MEMMAP_STORE, l->engine, machine_set_arena(l->m, size),
                          MEMMAP_ARENA, size, resolve, NULL, &l->r9);
}

static enum bpf_status scan(const struct blob *blob, uint32_t *where) {
    uint8_t scratch[BPF_SCAN_SCRATCH_MAX];

    return bpf_scan(blob, scratch, sizeof(scratch), where);
}

enum bpf_status load_blob(struct machine *m, const void *bytes, size_t size, enum bpf_engine engine,
                          struct loaded *loaded, uint32_t *where) {
    memset(loaded, 0, sizeof(*loaded));
    loaded->m = m;
    loaded->engine = engine;
    *where = 0;
    if (size > MEMMAP_STORE_SIZE)
        return BPF_BLOB_HEADER;
    machine_set_program(m, bytes, size);
    enum bpf_status status = blob_parse(machine_program(m), size, &loaded->blob, where);
    if (status == BPF_OK)
        status = scan(&loaded->blob, where);
    if (status == BPF_OK)
        status = build_arena(loaded);
    if (status != BPF_OK)
        return status;
    loaded->context_address = loaded->r9 + loaded->blob.header->ctx_off;
    loaded->context = machine_writable(m, loaded->context_address, loaded->blob.header->ctx_size);
    assert(loaded->context);
    return BPF_OK;
}

enum bpf_status load_native(const void *bytes, size_t size, bpf_device_fn *device, bpf_log_fn *log,
                            void *user, struct loaded *loaded) {
    enum bpf_status status;

    memset(loaded, 0, sizeof(*loaded));
    loaded->engine = BPF_ENGINE_INTERP;
    loaded->host = bpf_host_new(bytes, size, &status);
    if (!loaded->host)
        return status;
    bpf_host_set_device(loaded->host, device, user);
    bpf_host_set_log(loaded->host, log);
    const struct bpf_vm *vm = bpf_host_vm(loaded->host);
    loaded->blob = *vm->blob;
    loaded->r9 = vm->r9;
    loaded->context_address = loaded->r9 + loaded->blob.header->ctx_off;
    loaded->context = load_memory(loaded, loaded->context_address, 0, true);
    return BPF_OK;
}

void load_native_end(struct loaded *loaded) {
    bpf_host_free(loaded->host);
    loaded->host = NULL;
}

void *load_memory(const struct loaded *l, uint32_t address, uint32_t size, bool write) {
    if (l->host)
        return bpf_host_memory(l->host, address, size, write);
    return write ? machine_writable(l->m, address, size)
                 : (void *)(uintptr_t)machine_readable(l->m, address, size);
}

static void run_native(const struct loaded *l, uint32_t program, const void *context,
                       uint32_t length, struct machine_result *result) {
    const struct bpf_vm *vm = bpf_host_vm(l->host);

    memset(result, 0, sizeof(*result));
    result->detail = "";
    result->status = bpf_host_run(l->host, program, context, length, &result->r0);
    result->cycles.instructions = vm->executed;
    result->has_slot = vm->fault_slot != BLOB_NONE;
    result->slot = vm->fault_slot;
    if (result->has_slot)
        result->pc = result->program_pc = vm->blob_addr + l->blob.header->bytecode.off +
                                          vm->fault_slot * (uint32_t)sizeof(struct bpf_insn);
    result->has_address = result->status == BPF_FAULT_READ || result->status == BPF_FAULT_WRITE;
    result->address = vm->fault_addr;
}

/*
 * Where the interpreter was when the hardware stopped it. It keeps the address of its instruction in a
 * register; besides that one only the start of the bytecode may be in a register, so the largest counts.
 */
static void find_slot(const struct loaded *l, struct machine_result *result) {
    const struct blob_span *code = &l->blob.header->bytecode;
    for (unsigned reg = 0; reg < 13; reg++) {
        uint32_t off = machine_reg(l->m, reg) - (MEMMAP_STORE + code->off);
        if (off % sizeof(struct bpf_insn) || off / sizeof(struct bpf_insn) >= code->count)
            continue;
        uint32_t slot = off / (uint32_t)sizeof(struct bpf_insn);
        if (!result->has_slot || slot > result->slot)
            result->slot = slot;
        result->has_slot = true;
    }
}

void load_run(struct loaded *l, uint32_t program, const void *context, uint32_t length,
              struct machine_result *result) {
    const struct blob_program *p = &l->blob.programs[program];
    assert(program < l->blob.header->programs.count && length <= p->ctx_size);
    if (l->host) {
        run_native(l, program, context, length, result);
        return;
    }
    struct bpf_arena *arena = machine_writable(l->m, l->r9, sizeof(*arena));
    uint32_t address = context ? l->context_address : 0;
    struct machine_call call = {
        .sp = l->r9, .lr = library_exit(), .r0 = address, .r1 = length, .r9 = l->r9};

    memset(l->context, 0, l->blob.header->ctx_size);
    if (context)
        memcpy(l->context, context, length);
    arena->tail_calls = 0;
    if (l->engine == BPF_ENGINE_THUMB) {
        call.pc = MEMMAP_STORE + l->blob.header->code.off + p->entry;
    } else {
        call.pc = library_interpreter() & ~1u;
        call.r0 = program;
        call.r1 = address;
        call.r2 = length;
    }
    machine_call(l->m, &call, result);
    result->has_slot &= l->engine == BPF_ENGINE_INTERP;
    if (result->status != BPF_OK && l->engine == BPF_ENGINE_INTERP && !result->has_slot)
        find_slot(l, result);
}

const char *load_library_name(uint32_t address) {
    return library_name(address);
}
