/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: a blob through the parser, the listings, and, where it has bytecode, the loader and the
 * interpreter of the host, which may stop with a fault but must not harm the host.
 *
 * The mutator seals what it has changed: size and checksum are right, so that what lies behind these
 * checks is reached.
 */
#include "asm_listing.h"
#include "blob_file.h"
#include "blob_listing.h"
#include "bpf/host.h"
#include "bpf_listing.h"
#include "libfuzzer/target.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET 20000
#define LISTED_BYTES 2048

/* The bytecode as `dump --bpf` has it: a program, or the reason why it is none. */
static void list_bytecode(struct arena *arena, const struct blob *blob, FILE *out) {
    struct diag *diag = diag_new();
    struct program *program = blob_program(arena, blob, "fuzz.blob", diag);

    if (!program == !diag_has_errors(diag)) /* refused without a reason, or read with errors */
        abort();
    if (program)
        bpf_list_code(program, out);
    diag_print(diag, out, false);
    diag_free(diag);
}

static void list(const struct blob *blob) {
    struct arena *arena = arena_new();
    struct asm_debug none = {0};
    cJSON *json = cJSON_CreateObject();
    FILE *out = fopen("/dev/null", "w");

    blob_list(blob, out);
    blob_list_json(blob, json);
    if (blob->header->flags & BLOB_THUMB && blob->header->code.count <= LISTED_BYTES) {
        asm_list(arena, blob, &none, out);
        asm_list_json(arena, blob, &none, json);
    }
    list_bytecode(arena, blob, out);
    fclose(out);
    cJSON_Delete(json);
    arena_free(arena);
}

static void run(const uint8_t *bytes, size_t size, uint32_t programs) {
    static const uint8_t context[64] = {1, 2, 3, 4};
    enum bpf_status status;
    struct bpf_host *host = bpf_host_new(bytes, size, &status);
    uint64_t r0;

    if (!host)
        return;
    bpf_host_set_budget(host, BUDGET);
    for (uint32_t i = 0; i < programs && i < 4; i++)
        bpf_host_run(host, i, context, sizeof(context), &r0);
    bpf_host_free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct blob blob;
    uint32_t where = 0;
    uint8_t *copy; /* of its exact size, and aligned as flash is */

    if (posix_memalign((void **)&copy, 8, size ? size : 1))
        abort();
    memcpy(copy, bytes, size);
    if (blob_parse(copy, size, &blob, &where) == BPF_OK) {
        list(&blob);
        run(copy, size, blob.header->programs.count);
    } else if (where > size && size >= sizeof(struct blob_header)) {
        abort(); /* the place of the fault lies in the blob */
    }
    free(copy);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed) {
    struct blob_header *h = (struct blob_header *)(void *)bytes;

    if (size < sizeof(*h) || seed % 32 == 0)
        return LLVMFuzzerMutate(bytes, size, max_size);
    if (seed % 4 == 0) {
        target_mutate(bytes, sizeof(*h));
    } else { /* the rest, which may become longer or shorter */
        size_t rest = size - sizeof(*h), room = max_size - sizeof(*h);
        if (seed % 4 == 1)
            rest = LLVMFuzzerMutate(bytes + sizeof(*h), rest, room) & ~(size_t)7;
        else
            target_mutate(bytes + sizeof(*h), rest);
        size = sizeof(*h) + rest;
    }
    target_seal(bytes, size);
    return size;
}
