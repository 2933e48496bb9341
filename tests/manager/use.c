/* SPDX-License-Identifier: MIT */
#include "manager/use.h"
#include "runtime/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* ----- blobs ---------------------------------------------------------------------------------------------- */

struct bytes blob_of(uint32_t variant, int changed) {
    static const uint32_t names[SAMPLE_MAPS] = {1,  6,  12, 17,
                                                21, 32, 36}; /* strings of the sample */
    struct bytes blob;
    blob.at = sample_blob_with(BLOB_THUMB, &blob.size);
    struct blob_map *maps = SAMPLE_ROWS(blob.at, maps, struct blob_map);
    sample_header(blob.at)->id = 1000 + variant;
    for (int i = 0; i < SAMPLE_MAPS; i++) {
        maps[i].name = names[i];
        maps[i].btf_hash = 77 + (uint64_t)i + (i == changed ? 100 : 0);
    }
    sample_seal(blob.at);
    return blob;
}

struct bpf_grant grant_of(uint32_t variant) {
    struct bpf_grant grant = bpf_grant_default;
    grant.priority = (uint8_t)(1 + variant % BPF_GRANT_PRIORITY_MAX);
    return grant;
}

enum bpf_status send(const char *name, struct bytes blob, uint32_t variant, bool in_ram) {
    struct bpf_grant grant = grant_of(variant);
    enum bpf_status status = programs_begin(name, blob.size, &grant, in_ram);
    for (uint32_t at = 0; !status && at < blob.size;) { /* pieces that do not end with words */
        uint32_t piece = blob.size - at < 301 ? blob.size - at : 301;
        status = programs_write(at, blob.at + at, piece);
        at += piece;
    }
    return status;
}

enum bpf_status install_bytes(const char *name, struct bytes blob, uint32_t variant, bool enable,
                              bool in_ram) {
    uint32_t where;
    enum bpf_status status = send(name, blob, variant, in_ram);
    if (!status)
        status = programs_commit(enable, &where);
    free(blob.at);
    return status;
}

enum bpf_status install(const char *name, uint32_t variant, bool enable) {
    return install_bytes(name, blob_of(variant, -1), variant, enable, false);
}

enum bpf_status install_in_ram(const char *name, uint32_t variant, bool enable) {
    return install_bytes(name, blob_of(variant, -1), variant, enable, true);
}

/* ----- what there is, and whether it fits ------------------------------------------------------------------ */

struct program_info info(const char *name) {
    struct program_info out;
    OK(programs_info(name, &out));
    return out;
}

void expect_order(const char *when) {
    struct program_info is;
    unsigned domains = 0, pieces = 0;
    for (unsigned i = 0; programs_at(i, &is); i++) {
        const struct program *program = program_find(is.name);
        struct source source = program_source(program);
        const struct domain *domain = board_domain(is.name);
        pieces += is.in_ram ? 2 : 0;
        cr_assert_eq(domain, program->domain, "%s: %s", when, is.name);
        if (!domain)
            continue;
        domains++;
        pieces++;
        cr_assert(is.enabled, "%s: %s runs", when, is.name);
        cr_assert_eq(domain->blob, source.blob, "%s: another blob of %s runs", when, is.name);
        cr_assert_eq(domain->grant, source.grant, "%s: %s has another grant", when, is.name);
        cr_assert_eq(domain->program, program);
        cr_assert(!domain->ending);
    }
    cr_assert_eq(board_domains(), domains, "%s: a domain without a program", when);
    pieces += manager.upload.open && manager.upload.copy ? 2 : 0;
    cr_assert_eq(board_pieces(), pieces, "%s: RAM that nobody has", when);
}

void describe(char *text, size_t size) {
    struct program_info is;
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; programs_at(i, &is); i++)
        if (!is.in_ram)
            used += (size_t)snprintf(text + used, size - used, "%s id %llu%s%s priority %d\n",
                                     is.name, (unsigned long long)is.id, is.enabled ? " on" : "",
                                     is.can_roll_back ? " after another" : "",
                                     program_source(program_find(is.name)).grant->priority);
}
