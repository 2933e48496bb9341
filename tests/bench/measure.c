/* SPDX-License-Identifier: MIT */
/*
 * One program on all engines. The contexts of all runs are made once; each engine gets copies of them
 * and leaves what it computed: r0, the context afterwards, and what it did to devices. These must be
 * equal, or the figures mean nothing.
 */
#include "bench/bench.h"
#include "library.h"
#include "load.h"
#include "native.h"

#include "util/file.h"
#include "util/hash.h"

#include <assert.h>
#include <gelf.h>
#include <inttypes.h>
#include <string.h>

#define BUDGET 50000000ull /* cycles of one run */

const char *const bench_engine_names[BENCH_ENGINES] = {"native", "thumb", "interp"};

struct context {
    uint8_t *bytes;
    uint32_t length;
    uint64_t time;
};

/* What is left after one run. */
struct trace {
    uint64_t r0;
    uint64_t memory; /* hash */
    uint64_t events; /* hash over all so far */
};

struct job {
    struct machine *m;
    const struct bench *bench;
    const char *build;
    struct arena *arena;
    struct diag *diag;
    /* Of the compiled program. */
    const char *function, *section;
    enum bpf_hook hook;
    uint32_t ctx_size, maps;
    struct context *contexts;
    struct devices *devices;
    struct trace *traces[BENCH_ENGINES];
    struct bench_figures *figures; /* by engine */
};

static bool fail(const struct job *j, const char *format, const char *what) {
    struct diag_loc loc = DIAG_OBJECT(j->bench->name);
    return diag_error(j->diag, DIAG_RUN, &loc, NULL, format, what);
}

/* ------------------------------------------------------------------------------------ what is run */

static bool make_contexts(struct job *j) {
    j->contexts = arena_alloc_array(j->arena, j->bench->runs, sizeof(*j->contexts));
    for (uint32_t run = 0; run < j->bench->runs; run++) {
        struct context *c = &j->contexts[run];
        struct context_input input = {0};
        const char *why;

        j->bench->input(&input, j->bench->memory, run, j->arena);
        c->bytes = arena_alloc(j->arena, j->ctx_size);
        c->time = run * context_period(j->hook, j->section);
        if (!context_fill(j->hook, j->section, &input, c->time, run, c->bytes, j->ctx_size,
                          &c->length, &why))
            return fail(j, "%s", why);
    }
    return true;
}

static void start(struct job *j, enum bench_engine engine) {
    const char *why;
    bool ok;

    j->devices = devices_new(j->arena);
    ok = devices_stimulus(j->devices, DEVICE_GPIO, input_button, &why);
    assert(ok);
    (void)ok;
    machine_set_svc(j->m, devices_helper, j->devices);
    machine_set_budget(j->m, BUDGET);
    j->traces[engine] = arena_alloc_array(j->arena, j->bench->runs, sizeof(struct trace));
}

/* All events so far, without their time, which differs. */
static uint64_t hash_events(const struct devices *d) {
    uint64_t hash = HASH_INIT;

    for (size_t i = 0; i < devices_event_count(d); i++) {
        const struct device_event *e = devices_event(d, i);
        const uint32_t words[] = {e->device, e->index, e->value, e->length};
        hash = hash_bytes(hash, words, sizeof(words));
        hash = hash_bytes(hash, e->text, e->text ? e->length : 0);
    }
    return hash;
}

/* Takes the outcome of a run. Hooks return an int, of which native code leaves only r0. */
static bool take(struct job *j, enum bench_engine engine, uint32_t run, const uint8_t *memory,
                 const struct machine_result *result) {
    struct trace *t = &j->traces[engine][run];

    if (result->status != BPF_OK)
        return fail(j, "%s",
                    arena_printf(j->arena, "%s, run %u: %s at 0x%08x, address 0x%08x %s",
                                 bench_engine_names[engine], run, bpf_status_text(result->status),
                                 result->pc, result->address, result->detail));
    t->r0 = j->hook == BPF_HOOK_RAW ? result->r0 : (uint32_t)result->r0;
    t->memory = hash_bytes(HASH_INIT, memory, j->ctx_size);
    t->events = hash_events(j->devices);
    j->figures[engine].cycles += result->cycles.total - result->cycles.part[CYCLES_KERNEL];
    return true;
}

/* --------------------------------------------------------------------------------------- engines */

/* Code with literal pools; constants of the program lie behind it, each padded to 8. */
static uint32_t code_bytes(const struct blob *blob) {
    uint32_t bytes = blob->header->code.count;

    for (uint32_t i = 0; i < blob->header->datas.count; i++)
        if (!(blob->datas[i].flags & BLOB_DATA_ARENA))
            bytes -= (blob->datas[i].size + 7) & ~7u;
    return bytes;
}

static bool run_blob(struct job *j, enum bench_engine engine,
                     const struct compile_options *options) {
    struct compile_options o = *options;
    struct compile_result compiled;
    struct loaded loaded;
    struct machine_result result;
    uint32_t where;
    const char *object =
        arena_printf(j->arena, "%s/bpf/programs/%s.bpf.o", j->build, j->bench->name);

    o.mem_size = j->bench->memory;
    o.verify = COMPILE_TRY;
    o.bytecode_only = o.bytecode = engine == BENCH_INTERP;
    if (!compile_file(j->arena, object, &o, &compiled, j->diag))
        return false;
    load_library(j->m);
    enum bpf_status status =
        load_blob(j->m, compiled.blob, compiled.blob_size,
                  engine == BENCH_INTERP ? BPF_ENGINE_INTERP : BPF_ENGINE_THUMB, &loaded, &where);
    if (status != BPF_OK)
        return fail(j, "%s", bpf_status_text(status));
    j->figures[engine].bytes = engine == BENCH_INTERP
                                   ? loaded.blob.header->bytecode.count * sizeof(struct bpf_insn)
                                   : code_bytes(&loaded.blob);
    if (!j->contexts) {
        const struct blob_program *p = &loaded.blob.programs[0];
        j->function = arena_strdup(j->arena, blob_string(&loaded.blob, p->name));
        j->section = arena_strdup(j->arena, blob_string(&loaded.blob, p->section));
        j->hook = (enum bpf_hook)p->hook;
        j->ctx_size = p->ctx_size;
        j->maps = loaded.blob.header->maps.count;
        if (!make_contexts(j))
            return false;
    }
    start(j, engine);
    for (uint32_t run = 0; run < j->bench->runs; run++) {
        const struct context *c = &j->contexts[run];
        machine_set_time(j->m, c->time);
        load_run(&loaded, 0, c->bytes, c->length, &result);
        if (!take(j, engine, run, loaded.context, &result))
            return false;
    }
    return true;
}

/* Bytes of code in an object file: what the compiler made, without the C library. */
static bool object_code(struct job *j, const char *path, uint32_t *bytes) {
    uint8_t *file;
    size_t size;
    GElf_Shdr s;

    if (!file_read(path, FILE_SIZE_LIMIT, j->arena, &file, &size, j->diag))
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)file, size);
    for (Elf_Scn *scn = NULL; elf && (scn = elf_nextscn(elf, scn));)
        if (gelf_getshdr(scn, &s) && (s.sh_flags & SHF_ALLOC) && (s.sh_flags & SHF_EXECINSTR))
            *bytes += s.sh_size;
    elf_end(elf);
    return *bytes > 0 || fail(j, "%s has no code", path);
}

/* With the board's library, so that maps and device calls are the same code as for eBPF. */
static void call_native(struct job *j, const struct native *native, const struct context *c,
                        struct machine_result *result) {
    uint8_t *memory = machine_writable(j->m, native->memory, j->ctx_size);
    const struct machine_call call = {.pc = native->entry,
                                      .sp = NATIVE_DATA,
                                      .lr = library_exit(),
                                      .r0 = native->memory,
                                      .r1 = c->length,
                                      .r9 = NATIVE_DATA};

    memcpy(memory, c->bytes, j->ctx_size);
    machine_call(j->m, &call, result);
}

static bool run_native(struct job *j) {
    const char *base = arena_printf(j->arena, "%s/native/programs/%s", j->build, j->bench->name);
    const char *elf = arena_printf(j->arena, "%s.elf", base);
    struct machine_result result;
    struct native setup, native;

    if (!native_load(j->m, elf, "native_setup", j->ctx_size, j->arena, &setup, j->diag) ||
        !native_load(j->m, elf, j->function, j->ctx_size, j->arena, &native, j->diag) ||
        !object_code(j, arena_printf(j->arena, "%s.o", base), &j->figures[BENCH_NATIVE].bytes))
        return false;
    load_library(j->m);
    start(j, BENCH_NATIVE);
    call_native(j, &setup, &j->contexts[0], &result);
    if (result.status != BPF_OK)
        return fail(j, "native_setup: %s", bpf_status_text(result.status));
    for (uint32_t run = 0; run < j->bench->runs; run++) {
        const struct context *c = &j->contexts[run];
        machine_set_time(j->m, c->time);
        call_native(j, &native, c, &result);
        if (!take(j, BENCH_NATIVE, run, machine_readable(j->m, native.memory, j->ctx_size),
                  &result))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------ comparison */

static bool differ(const struct job *j, enum bench_engine engine, uint32_t run, const char *what,
                   uint64_t a, uint64_t b) {
    if (a == b)
        return false;
    fail(j, "%s",
         arena_printf(j->arena, "run %u: %s 0x%" PRIx64 " as native code, 0x%" PRIx64 " as %s", run,
                      what, a, b, bench_engine_names[engine]));
    return true;
}

static bool agree(const struct job *j) {
    for (enum bench_engine e = BENCH_NATIVE + 1; e < BENCH_ENGINES; e++)
        for (uint32_t run = 0; run < j->bench->runs; run++) {
            const struct trace *a = &j->traces[BENCH_NATIVE][run], *b = &j->traces[e][run];
            if (differ(j, e, run, "r0 is", a->r0, b->r0) ||
                differ(j, e, run, "hash of memory is", a->memory, b->memory) ||
                differ(j, e, run, "hash of device events is", a->events, b->events))
                return false;
        }
    return true;
}

bool bench_measure(struct machine *m, const struct bench *bench, const char *build,
                   const struct compile_options *options, struct bench_result *result,
                   struct diag *diag) {
    struct arena *arena = arena_new();
    struct job j = {.m = m,
                    .bench = bench,
                    .build = build,
                    .arena = arena,
                    .diag = diag,
                    .figures = result->engine};

    result->bench = bench;
    result->ok = run_blob(&j, BENCH_THUMB, options) && run_blob(&j, BENCH_INTERP, options) &&
                 run_native(&j) && agree(&j);
    result->plain = j.hook == BPF_HOOK_RAW && j.maps == 0;
    arena_free(arena);
    return result->ok;
}
