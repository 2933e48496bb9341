/* SPDX-License-Identifier: MIT
 *
 * What is known of installed programs: a row for each, what the store has beside it, and what others are told of both.
 */
#include "manager.h"

#include <string.h>

struct program *program_find(const char *name) {
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (name[0] && strncmp(manager.programs[i].name, name, PROGRAMS_NAME) == 0)
            return &manager.programs[i];
    return NULL;
}

struct program *program_add(const char *name) {
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (!manager.programs[i].name[0]) {
            manager.programs[i] = (struct program){.seq = 0};
            strncpy(manager.programs[i].name, name, PROGRAMS_NAME - 1);
            return &manager.programs[i];
        }
    return NULL;
}

bool store_is_readable(void) {
    return manager.store.flash.size && manager.store.active < STORE_SECTORS;
}

const struct store_program *program_stored(const struct program *program) {
    return store_is_readable() ? store_find(&manager.store, program->name) : NULL;
}

bool program_is_enabled(const struct program *program) {
    if (program->copy)
        return program->copy->enabled;
    return program_stored(program) && program_stored(program)->enabled;
}

bool program_can_roll_back(const struct program *program) {
    return !program->copy && program_stored(program) && program_stored(program)->replaces;
}

/* On the board the same as the pointer to it. */
static uint32_t address_of(const struct program *program) {
    if (program->copy)
        return program->copy->blob;
    const struct store *s = &manager.store;
    return program_stored(program) ? s->flash.address[s->active] + program_stored(program)->offset
                                   : 0;
}

struct source program_source(const struct program *program) {
    if (program->copy)
        return (struct source){(const uint8_t *)(uintptr_t)program->copy->blob, program->copy->size,
                               &program->copy->grant};
    const struct store_program *p = program_stored(program);
    if (!p)
        return (struct source){NULL, 0, NULL};
    const void *grant = manager.store.flash.memory[manager.store.active] + p->grant;
    bool good = !p->grant_damaged && !bpf_grant_check(grant, p->grant_size);
    return (struct source){store_bytes(&manager.store, p), p->size, good ? grant : NULL};
}

enum bpf_status program_set_enabled(struct program *program, bool enabled) {
    if (!program->copy)
        return store_status(store_enable(&manager.store, program->name, enabled));
    program->copy->enabled = enabled;
    return BPF_OK;
}

void program_free_copy(struct ram_copy *copy) {
    if (!copy)
        return;
    pool_free(copy->blob, copy->blob_taken);
    pool_free(copy->address, copy->taken);
}

void program_add_stored(void) {
    const struct store *s = &manager.store;
    for (unsigned i = 0; i < s->count; i++) {
        const struct store_program *p = &s->programs[i];
        struct program *program = store_is_current(s, p) ? program_add(p->name) : NULL;
        if (program)
            program->seq = p->seq;
    }
}

struct program *program_nth(unsigned n) {
    const struct program *last = NULL;
    struct program *next;
    do {
        next = NULL;
        for (unsigned i = 0; i < STORE_PROGRAMS; i++) {
            struct program *p = &manager.programs[i];
            uint64_t key = (uint64_t)(p->copy != NULL) << 32 | p->seq;
            if (p->name[0] && (!last || key > ((uint64_t)(last->copy != NULL) << 32 | last->seq)) &&
                (!next || key < ((uint64_t)(next->copy != NULL) << 32 | next->seq)))
                next = p;
        }
        last = next;
    } while (next && n--);
    return next;
}

/* ----- what others see ------------------------------------------------------------------------------------ */

/* Of a blob that nobody has checked: only what its header says, which grants nothing. */
static void info_of_blob(const struct source *source, struct program_info *out) {
    const struct blob_header *header = (const struct blob_header *)(const void *)source->blob;
    out->size = source->size;
    if (source->size < sizeof(*header))
        return;
    out->id = header->id;
    out->entries = header->programs.count;
    out->maps = header->maps.count;
    out->code = header->code.count ? out->address + header->code.off : 0;
    out->engine = header->flags & BLOB_THUMB && header->abi == BLOB_ABI ? BPF_ENGINE_THUMB
                                                                        : BPF_ENGINE_INTERP;
}

static void fill_info(const struct program *program, struct program_info *out) {
    struct source source = program_source(program);
    *out = (struct program_info){.enabled = program_is_enabled(program),
                                 .in_ram = program->copy != NULL,
                                 .can_roll_back = program_can_roll_back(program),
                                 .seq = program->seq,
                                 .address = address_of(program),
                                 .status = (enum bpf_status)program->status,
                                 .where = program->where,
                                 .good_runs = program->good_runs};
    memcpy(out->name, program->name, sizeof(out->name));
    info_of_blob(&source, out);
    out->state = program->status ? PROGRAM_REFUSED : PROGRAM_DISABLED;
    if (program->domain)
        domain_fill_info(program->domain, out);
}

bool programs_at(unsigned index, struct program_info *out) {
    manager_lock();
    const struct program *program = program_nth(index);
    if (program)
        fill_info(program, out);
    manager_unlock(BPF_OK);
    return program != NULL;
}

const char *programs_name(unsigned index) {
    manager_lock();
    const struct program *program = program_nth(index);
    manager_unlock(BPF_OK);
    return program ? program->name : NULL;
}

enum bpf_status programs_info(const char *name, struct program_info *out) {
    manager_lock();
    const struct program *program = program_find(name);
    if (program)
        fill_info(program, out);
    return manager_unlock(program ? BPF_OK : BPF_NOT_FOUND);
}

enum bpf_status programs_grant_of(const char *name, struct bpf_grant *out) {
    manager_lock();
    const struct program *program = program_find(name);
    if (!program)
        return manager_unlock(BPF_NOT_FOUND);
    const struct bpf_grant *grant = program_source(program).grant;
    if (grant)
        *out = *grant;
    return manager_unlock(grant ? BPF_OK : BPF_GRANT_STORED);
}
