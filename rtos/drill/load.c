/* SPDX-License-Identifier: MIT */
/* Domains for tests, with a blob from the firmware's own flash. */
#include "drill.h"

#include "rtos/print.h"

#include <string.h>

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
    format(drill->name, sizeof(drill->name), "drill%u", number++ % 10);
    enum bpf_status status = domain_make(drill->name, (void *)drill->address, size, &drill->grant,
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
