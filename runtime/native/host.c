/* SPDX-License-Identifier: MIT */
/* The interpreter on the host: see bpf/host.h. */
#include "bpf/host.h"

#include "bpf/memmap.h"
#include "bpf/port.h"

#include <stdlib.h>
#include <string.h>

struct bpf_host {
    struct blob blob;
    struct bpf_vm vm;
    uint64_t budget;
    uint8_t *bytes;   /* the blob, 8-aligned */
    uint64_t *region; /* the arena region */
};

static enum bpf_status load(struct bpf_host *host, const void *blob, size_t size) {
    uint32_t where;
    host->bytes = aligned_alloc(8, (size + 7) & ~(size_t)7);
    memcpy(host->bytes, blob, size);
    enum bpf_status status = blob_parse(host->bytes, size, &host->blob, &where);
    if (status != BPF_OK)
        return status;
    const struct blob_header *h = host->blob.header;
    struct bpf_vm *vm = &host->vm;
    vm->blob = &host->blob;
    vm->blob_addr = MEMMAP_STORE;
    vm->region_addr = MEMMAP_ARENA;
    vm->region_size = h->stack_interp + h->arena_size;
    host->region = calloc(1, vm->region_size);
    vm->region = (uint8_t *)host->region;
    status = bpf_arena_init(&host->blob, vm->blob_addr, BPF_ENGINE_INTERP, vm->region,
                            vm->region_addr, vm->region_size, NULL, NULL, &vm->r9);
    vm->arena = (struct bpf_arena *)(void *)(vm->region + (vm->r9 - vm->region_addr));
    return status;
}

struct bpf_host *bpf_host_new(const void *blob, size_t size, enum bpf_status *status) {
    struct bpf_host *host = calloc(1, sizeof(*host));
    *status = load(host, blob, size);
    if (*status == BPF_OK)
        return host;
    bpf_host_free(host);
    return NULL;
}

void bpf_host_free(struct bpf_host *host) {
    if (!host)
        return;
    free(host->bytes);
    free(host->region);
    free(host);
}

void bpf_host_set_device(struct bpf_host *host, bpf_device_fn *device, void *user) {
    host->vm.device = device;
    host->vm.user = user;
}

void bpf_host_set_log(struct bpf_host *host, bpf_log_fn *log) {
    host->vm.log = log;
}

void bpf_host_set_budget(struct bpf_host *host, uint64_t instructions) {
    host->budget = instructions;
}

static uint8_t *context(const struct bpf_host *host) {
    return (uint8_t *)host->vm.arena + host->blob.header->ctx_off;
}

enum bpf_status bpf_host_run(struct bpf_host *host, uint32_t program, const void *mem,
                             uint32_t length, uint64_t *r0) {
    const struct blob_header *h = host->blob.header;
    struct bpf_vm *vm = &host->vm;
    if (program >= h->programs.count || length > h->ctx_size)
        return BPF_INTERNAL;
    memset(context(host), 0, h->ctx_size);
    if (length)
        memcpy(context(host), mem, length);
    vm->executed = 0;
    vm->budget = host->budget;
    return bpf_vm_run(vm, program, mem ? vm->r9 + h->ctx_off : 0, mem ? length : 0, r0);
}

void *bpf_host_memory(const struct bpf_host *host, uint32_t address, uint32_t size, bool write) {
    return port_guest(&host->vm, address, size, write);
}

const uint8_t *bpf_host_context(const struct bpf_host *host) {
    return context(host);
}

const struct bpf_vm *bpf_host_vm(const struct bpf_host *host) {
    return &host->vm;
}
