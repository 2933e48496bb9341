/* SPDX-License-Identifier: MIT */
/*
 * Accepted programs run: on the interpreter and as compiled code, with inputs drawn at random from
 * what the verifier allows for. Result, memory, maps and data must be the same, and nothing may fault.
 */
#include "verifier/case.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/host.h"
#include "bpf/map.h"
#include "compile.h"
#include "load.h"
#include "program/hook.h"

#define BUDGET 40000000 /* instructions of the interpreter; cycles are 64 times that */

struct runner {
    struct machine *m;
    uint64_t random; /* state of the generator */
};

/* Helpers behind SVC return 0, as they do on the host without devices. */
static enum bpf_status device(void *user, struct machine *m, uint32_t helper, uint64_t *r0,
                              unsigned *cycles) {
    (void)user, (void)m, (void)helper;
    *r0 = 0;
    *cycles = 1;
    return BPF_OK;
}

struct runner *runner_new(void) {
    struct runner *r = calloc(1, sizeof(*r));
    r->m = machine_new();
    load_library(r->m);
    machine_set_svc(r->m, device, NULL);
    machine_set_budget(r->m, (uint64_t)BUDGET * 64);
    return r;
}

void runner_free(struct runner *r) {
    machine_free(r->m);
    free(r);
}

static uint32_t below(struct runner *r, uint32_t n) {
    r->random = r->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(r->random >> 33) % n;
}

/* Small numbers, limits, and anything: what branches compare with. */
static void fill(struct runner *r, uint8_t *bytes, uint32_t size, unsigned run) {
    for (uint32_t i = 0; i < size; i++) {
        switch (run < 2 ? run : 2 + below(r, 4)) {
        case 0: bytes[i] = 0; break;
        case 1: bytes[i] = 0xff; break;
        case 2: bytes[i] = (uint8_t)below(r, 256); break;
        case 3: bytes[i] = (uint8_t)below(r, 8); break;
        default: bytes[i] = i % 4 && below(r, 4) ? 0 : (uint8_t)below(r, 20); break;
        }
    }
}

/* A context as the kernel would make it: `len` is at most what the array behind it holds. */
static uint32_t make_context(struct runner *r, const struct prog_entry *e, unsigned run,
                             uint8_t *context) {
    struct hook_field field, next;
    fill(r, context, e->ctx_size, run);
    for (size_t i = 0; hook_field(e->hook, i, &field); i++)
        if (strcmp(field.name, "len") == 0 && hook_field(e->hook, i + 1, &next)) {
            uint32_t len = run == 0 ? 0 : run == 1 ? next.count : below(r, next.count + 1);
            memcpy(context + field.offset, &len, sizeof(len));
        }
    if (e->hook != BPF_HOOK_RAW)
        return e->ctx_size;
    return run < 2 ? e->ctx_size : below(r, e->ctx_size + 1);
}

/* What earlier programs left in the maps and in variables. */
static void fill_arena(struct runner *r, const struct blob *blob, uint8_t *arena, unsigned run) {
    uint8_t value[4096];
    for (uint32_t i = 0; run > 0 && i < blob->header->maps.count; i++) {
        const struct blob_map *def = &blob->maps[i];
        struct bpf_map *map = (struct bpf_map *)(void *)(arena + def->off);
        enum bpf_map_type type = bpf_map_plain_type(def->type);
        if (def->value_size > sizeof(value))
            continue;
        for (uint32_t k = 0; k < 6; k++) {
            uint8_t key[512] = {(uint8_t)k};
            fill(r, value, def->value_size, run);
            if (type == BPF_MAP_QUEUE || type == BPF_MAP_STACK)
                bpf_map_push(map, value, 0);
            else if (type != BPF_MAP_PROG_ARRAY && type != BPF_MAP_RINGBUF)
                bpf_map_update(map, key, value, 0);
        }
    }
    for (uint32_t i = 0; run > 1 && i < blob->header->datas.count; i++) {
        const struct blob_data *d = &blob->datas[i];
        bool relocated = false;
        for (uint32_t k = 0; k < blob->header->relocs.count; k++)
            relocated |= blob->relocs[k].off >= d->off && blob->relocs[k].off < d->off + d->size;
        if (d->flags & BLOB_DATA_WRITABLE && !relocated)
            fill(r, arena + d->off, d->size, run);
    }
}

struct outcome {
    enum bpf_status status;
    uint64_t r0;
    const uint8_t *context, *arena;
    struct bpf_host *host; /* owns them; NULL: the machine does */
};

struct input {
    const uint8_t *blob;
    uint32_t blob_size, program, length;
    uint8_t context[4096];
    uint64_t random; /* for the arena */
    unsigned run;
};

static struct outcome interpret(struct runner *r, const struct input *in, const struct blob *blob) {
    struct outcome out = {0};
    out.host = bpf_host_new(in->blob, in->blob_size, &out.status);
    if (!out.host)
        return out;
    bpf_host_set_budget(out.host, BUDGET);
    out.context = bpf_host_context(out.host);
    out.arena = out.context - blob->header->ctx_off;
    r->random = in->random;
    fill_arena(r, blob, (uint8_t *)out.arena, in->run);
    out.status = bpf_host_run(out.host, in->program, in->context, in->length, &out.r0);
    return out;
}

static struct outcome emulate(struct runner *r, const struct input *in, const struct blob *blob) {
    struct outcome out = {0};
    struct loaded loaded;
    struct machine_result result;
    uint32_t where;
    out.status = load_blob(r->m, in->blob, in->blob_size, BPF_ENGINE_THUMB, &loaded, &where);
    if (out.status != BPF_OK)
        return out;
    out.context = loaded.context;
    out.arena = loaded.context - blob->header->ctx_off;
    r->random = in->random;
    fill_arena(r, blob, (uint8_t *)out.arena, in->run);
    load_run(&loaded, in->program, in->context, in->length, &result);
    out.status = result.status;
    out.r0 = result.r0;
    return out;
}

/* Which map or section differs, or NULL. Sections with pointers hold other ones in each engine. */
static const char *memory_differs(const struct blob *blob, const struct outcome *a,
                                  const struct outcome *b) {
    for (uint32_t i = 0; i < blob->header->maps.count; i++)
        if (memcmp(a->arena + blob->maps[i].off, b->arena + blob->maps[i].off, blob->maps[i].size))
            return blob_string(blob, blob->maps[i].name);
    for (uint32_t i = 0; i < blob->header->datas.count; i++)
        if (blob->datas[i].flags & BLOB_DATA_WRITABLE &&
            memcmp(a->arena + blob->datas[i].off, b->arena + blob->datas[i].off,
                   blob->datas[i].size))
            return blob_string(blob, blob->datas[i].name);
    return NULL;
}

static const char *compare(struct runner *r, const struct input *in, const struct blob *blob,
                           const struct prog_entry *e, struct arena *arena, const char *level) {
    struct outcome a = interpret(r, in, blob), b = emulate(r, in, blob);
    const char *why = NULL, *where;
    if (a.status != BPF_OK || b.status != BPF_OK)
        why = arena_printf(arena, "interpreter: %s; compiled: %s", bpf_status_text(a.status),
                           bpf_status_text(b.status));
    else if (a.r0 != b.r0)
        why = arena_printf(arena, "r0 is 0x%llx in the interpreter, 0x%llx compiled",
                           (unsigned long long)a.r0, (unsigned long long)b.r0);
    else if ((int64_t)a.r0 < hook_info(e->hook)->min || (int64_t)a.r0 > hook_info(e->hook)->max)
        why = arena_printf(arena, "r0 is 0x%llx", (unsigned long long)a.r0);
    else if (memcmp(a.context, b.context, e->ctx_size) != 0)
        why = "the context's bytes differ";
    else if ((where = memory_differs(blob, &a, &b)))
        why = arena_printf(arena, "the bytes of %s differ", where);
    if (why)
        why = arena_printf(arena, "-O%s, program %s, input %u: %s", level, e->name, in->run, why);
    bpf_host_free(a.host);
    return why;
}

static const char *run_level(struct runner *r, const struct program *p, unsigned runs,
                             const char *level) {
    struct compile_options options = {
        .verify = COMPILE_VERIFIED, .bytecode = true, .check_passes = true};
    struct compile_result result;
    struct diag *diag = diag_new();
    struct blob blob;
    uint32_t where;
    compile_level(level, &options);
    bool compiled = compile_program(p, &options, &result, diag);
    const char *why = diag_count(diag) ? diag_get(diag, 0)->text : "?";
    why = arena_printf(p->arena, "-O%s: not compiled: %s", level, why);
    diag_free(diag);
    if (!compiled || blob_parse(result.blob, result.blob_size, &blob, &where) != BPF_OK)
        return why;
    for (uint32_t e = 0; e < p->nentries; e++)
        for (unsigned run = 0; run < runs; run++) {
            struct input in = {
                .blob = result.blob, .blob_size = result.blob_size, .program = e, .run = run};
            if (p->entries[e].ctx_size > sizeof(in.context))
                return "the context is larger than tests allow for";
            r->random = run * 977 + e;
            in.length = make_context(r, &p->entries[e], run, in.context);
            in.random = r->random;
            why = compare(r, &in, &blob, &p->entries[e], p->arena, level);
            if (why)
                return why;
        }
    return NULL;
}

const char *runner_run(struct runner *r, const struct program *p, unsigned runs) {
    const char *why = run_level(r, p, runs, "2");
    return why ? why : run_level(r, p, runs, "0");
}
