/* SPDX-License-Identifier: MIT */
/* Blobs on the machine with the real library: both engines, contexts, faults, arena, stack. */
#include "load.h"
#include "maps.h"
#include "trace.h"

#include "asm/asm.h"
#include "bpf/map.h"
#include "compile.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct diag *diag;
static struct machine *m;
static struct compile_result compiled;
static struct loaded loaded;

static void setup(void) {
    arena = arena_new();
    diag = diag_new();
    m = machine_new();
    load_library(m);
}

static void teardown(void) {
    machine_free(m);
    diag_free(diag);
    arena_free(arena);
}

TestSuite(load, .init = setup, .fini = teardown);

/* Compiles a program of type raw from text and loads it. */
static void load(const char *text, enum bpf_engine engine) {
    const struct compile_options options = {.level = 2,
                                            .bytecode_only = engine == BPF_ENGINE_INTERP};
    struct bpf_insn *insns;
    uint32_t count, where;

    bool ok = asm_parse(arena, text, "test", &insns, &count, diag);
    struct program *prog = ok ? program_from_insns(arena, "test", insns, count, 64, diag) : NULL;
    ok = prog && compile_program(prog, &options, &compiled, diag);
    if (!ok)
        diag_print(diag, stderr, false);
    cr_assert(ok);
    cr_assert_eq(load_blob(m, compiled.blob, compiled.blob_size, engine, &loaded, &where), BPF_OK);
}

#define FOR_EACH_ENGINE(engine)                                                                    \
    for (enum bpf_engine engine = BPF_ENGINE_THUMB; engine <= BPF_ENGINE_INTERP; engine++)

Test(load, result_memory_and_length) {
    FOR_EACH_ENGINE(engine) {
        struct machine_result r, again;
        load("ldxb %r0, [%r1+1]\n lsh %r0, 40\n add %r0, %r2\n stb [%r1+2], 9\n exit", engine);
        load_run(&loaded, 0, "\1\2\3", 3, &r);
        cr_assert_eq(r.status, BPF_OK);
        cr_expect_eq(r.r0, 0x20000000003);
        cr_expect_arr_eq(loaded.context, "\1\2\x09\0\0", 5);
        load_run(&loaded, 0, "\1\2\3", 3, &again);
        cr_expect_eq(again.cycles.total, r.cycles.total, "the same run costs the same");
        cr_expect_arr_eq(loaded.context, "\1\2\x09\0\0", 5);
    }
}

Test(load, without_memory_r1_is_null) {
    FOR_EACH_ENGINE(engine) {
        struct machine_result r;
        load("mov %r0, %r1\n add %r0, %r2\n exit", engine);
        load_run(&loaded, 0, NULL, 0, &r);
        cr_expect_eq(r.r0, 0);
        load_run(&loaded, 0, "", 0, &r);
        cr_expect_eq(r.r0, loaded.context_address);
    }
}

Test(load, cycles_are_split) {
    struct machine_result r;

    load("mov %r0, 100\n loop: sub %r0, 1\n jne %r0, 0, loop\n exit", BPF_ENGINE_THUMB);
    load_run(&loaded, 0, "", 0, &r);
    cr_expect_gt(r.cycles.part[CYCLES_PROGRAM], 300);
    cr_expect_eq(r.cycles.part[CYCLES_LIBRARY], 0);
    load("mov %r0, 100\n loop: sub %r0, 1\n jne %r0, 0, loop\n exit", BPF_ENGINE_INTERP);
    load_run(&loaded, 0, "", 0, &r);
    cr_expect_eq(r.cycles.part[CYCLES_PROGRAM], 0);
    cr_expect_gt(r.cycles.part[CYCLES_LIBRARY], 1000);
}

Test(load, faults_are_the_same_for_both_engines) {
    static const struct {
        const char *text;
        enum bpf_status status;
        uint32_t address; /* 1: not looked at */
    } faults[] = {
        {"mov %r1, 0\n ldxw %r0, [%r1+4]\n exit", BPF_FAULT_READ, 4},
        {"lddw %r1, 0x40020000\n stw [%r1+0], 1\n mov %r0, 0\n exit", BPF_FAULT_WRITE, 0x40020000},
        {"ldxw %r0, [%r1+0x7ff0]\n exit", BPF_FAULT_READ, 1},
        {"mov %r1, 77\n call %r1\n exit", BPF_FAULT_CALL, 1},
        {"loop: add %r0, 1\n ja loop\n exit", BPF_FAULT_BUDGET, 1},
    };
    machine_set_budget(m, 100000);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        FOR_EACH_ENGINE(engine) {
            struct machine_result r;
            load(faults[i].text, engine);
            load_run(&loaded, 0, "", 0, &r);
            cr_expect_eq(r.status, faults[i].status, "%s: engine %d, status %d at %08x",
                         faults[i].text, engine, r.status, r.pc);
            if (faults[i].address != 1)
                cr_expect_eq(r.address, faults[i].address, "%s: address %08x", faults[i].text,
                             r.address);
        }
}

/* What the blob claims to need is enough, and the machine gives no more. */
Test(load, stack_need_is_kept) {
    static const char *const programs[] = {
        "mov %r0, 0\n exit",
        "stdw [%r10-512], 1\n ldxdw %r0, [%r10-512]\n exit",
        "mov %r1, 10\n mov %r2, 3\n stdw [%r10-8], 5\n call local f\n exit\n"
        "f: mov %r0, %r1\n div %r0, %r2\n stdw [%r10-256], 7\n exit",
    };
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        FOR_EACH_ENGINE(engine) {
            struct machine_result r;
            load(programs[i], engine);
            load_run(&loaded, 0, "", 0, &r);
            const struct blob_header *h = loaded.blob.header;
            uint32_t need = engine == BPF_ENGINE_THUMB ? h->stack_thumb : h->stack_interp;
            cr_expect_eq(r.status, BPF_OK, "program %zu, engine %d: %d", i, engine, r.status);
            /* The interpreter's eBPF stack is the arena's lowest part, below its own frames. */
            cr_expect_leq(r.stack_used + (engine == BPF_ENGINE_THUMB ? BPF_EXCEPTION_FRAME : 0),
                          need);
            cr_expect_eq(loaded.r9 - MEMMAP_ARENA, need);
        }
}

Test(load, refused_blobs) {
    uint32_t where;

    load("mov %r0, 0\n exit", BPF_ENGINE_THUMB);
    uint8_t *copy = arena_alloc(arena, compiled.blob_size);
    memcpy(copy, compiled.blob, compiled.blob_size);
    cr_expect_eq(load_blob(m, copy, compiled.blob_size, BPF_ENGINE_INTERP, &loaded, &where),
                 BPF_BLOB_ENGINE);
    cr_expect_eq(load_blob(m, copy, compiled.blob_size - 8, BPF_ENGINE_THUMB, &loaded, &where),
                 BPF_BLOB_TRUNCATED);
    cr_expect_eq(load_blob(m, copy, 3, BPF_ENGINE_THUMB, &loaded, &where), BPF_BLOB_TRUNCATED);
    copy[compiled.blob_size - 1] ^= 1;
    cr_expect_eq(load_blob(m, copy, compiled.blob_size, BPF_ENGINE_THUMB, &loaded, &where),
                 BPF_BLOB_CRC);
    copy[0] ^= 1;
    cr_expect_eq(load_blob(m, copy, compiled.blob_size, BPF_ENGINE_THUMB, &loaded, &where),
                 BPF_BLOB_MAGIC);
}

/* Compiled code is scanned before it runs, whichever engine is asked for. */
Test(load, code_with_a_supervisor_call) {
    uint32_t where;

    load("mov %r0, 0\n exit", BPF_ENGINE_THUMB);
    uint8_t *copy = arena_alloc(arena, compiled.blob_size);
    memcpy(copy, compiled.blob, compiled.blob_size);
    struct blob_header *h = (struct blob_header *)(void *)copy;
    memcpy(copy + h->code.off, "\x00\xdf", 2);
    h->crc = 0;
    h->crc = bpf_crc32(0, copy, h->size);
    FOR_EACH_ENGINE(engine) {
        cr_expect_eq(load_blob(m, copy, h->size, engine, &loaded, &where), BPF_BLOB_INSN);
        cr_expect_eq(where, h->code.off);
    }
}

/* A program can scribble over its maps; showing them must bear it. */
Test(load, maps_of_a_wild_program) {
    static const char *const objects[] = {"histogram", "event_log"};
    const struct compile_options options = {.level = 2};
    struct cmd_args args = {.arena = arena, .diag = diag, .json = true};
    uint32_t where;

    for (int i = 0; i < 2; i++)
        for (int byte = 0; byte < 256; byte += 15) {
            const char *path = arena_printf(arena, "build/bpf/programs/%s.bpf.o", objects[i]);
            cr_assert(compile_file(arena, path, &options, &compiled, diag));
            cr_assert_eq(
                load_blob(m, compiled.blob, compiled.blob_size, BPF_ENGINE_THUMB, &loaded, &where),
                BPF_OK);
            const struct blob_map *map = &loaded.blob.maps[0];
            memset(machine_writable(m, loaded.r9 + map->off, map->size), byte, map->size);
            args.result = cJSON_CreateObject();
            maps_drain(&loaded, &args);
            maps_show(&loaded, &args);
            cJSON *shown = cJSON_GetObjectItem(args.result, "maps");
            cr_expect_eq(cJSON_GetArraySize(shown), loaded.blob.header->maps.count);
            cJSON_Delete(args.result);
        }
}

/* The trace has each eBPF instruction that left code, with the registers that changed. */
Test(load, trace) {
    struct machine_result r;
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    load("ldxw %r3, [%r1+0]\n mov %r0, 3\n jgt %r3, 7, +1\n mov %r0, 5\n add %r0, %r3\n exit",
         BPF_ENGINE_THUMB);
    const struct trace_debug debug = {.prog = compiled.prog,
                                      .lines = compiled.code.lines.items,
                                      .line_count = compiled.code.lines.count,
                                      .code = MEMMAP_STORE + loaded.blob.header->code.off};
    struct trace *t = trace_new(arena, &debug, file);
    machine_set_trace(m, trace_step, t);
    load_run(&loaded, 0, "\x06\0\0\0", 4, &r);
    trace_finish(t, m);
    machine_set_trace(m, NULL, NULL);
    fclose(file);
    cr_expect_eq(r.r0, 11);
    cr_expect_not_null(strstr(text, "0: ldxw %r3, [%r1+0]"), "%s", text);
    cr_expect_not_null(strstr(text, "=6\n"), "the loaded value: %s", text);
    cr_expect_not_null(strstr(text, "add %r0, %r3"), "%s", text);
    cr_expect_not_null(strstr(text, "bx lr"), "%s", text);
    free(text);
}
