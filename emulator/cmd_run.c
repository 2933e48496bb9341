/* SPDX-License-Identifier: MIT */
/* bpf2thumb run: a program on the emulated processor, compiled first if it is not a blob yet. */
#include "commands.h"
#include "context.h"
#include "devices.h"
#include "load.h"
#include "maps.h"
#include "report.h"
#include "script.h"
#include "trace.h"

#include "blob_file.h"
#include "compile.h"
#include "program/hook.h"
#include "util/file.h"
#include "util/progress.h"
#include "util/vec.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_ENGINE = CMD_LONG,
    OPT_PROG,
    OPT_TYPE,
    OPT_MEM,
    OPT_MEM_SIZE,
    OPT_TEXT,
    OPT_SAMPLES,
    OPT_RUNS,
    OPT_EVENTS,
    OPT_SEED,
    OPT_TRACE,
    OPT_CYCLES,
    OPT_BUDGET,
    OPT_GPIO,
    OPT_ADC,
    OPT_ENCODER,
    OPT_ACCEL,
    OPT_UNVERIFIED,
};

static const struct cmd_option option_table[] = {
    {OPT_ENGINE, "engine", "thumb|interp|native",
     "compiled code (default), the board's interpreter, or the same on this PC",
     "thumb interp native"},
    {OPT_PROG, "prog", "NAME", "the program, where the object has several", NULL},
    {'O', NULL, "LEVEL", "optimisation: 0, 1, 2 (default) or s", COMPILE_LEVELS},
    {OPT_TYPE, "type", "TYPE", "program type, instead of what SEC() says", hook_examples},
    {OPT_MEM, "mem", "HEX|@FILE", "memory of a raw program; frame of uart, arguments of cmd", NULL},
    {OPT_MEM_SIZE, "mem-size", "N", "bytes of a raw program's memory (default 4096)", NULL},
    {OPT_TEXT, "text", "TEXT", "the same as --mem, as text", NULL},
    {OPT_SAMPLES, "samples", "N,N,...", "block of an adc program", NULL},
    {OPT_RUNS, "runs", "N", "run N times, at the program's period (default 1)", NULL},
    {OPT_EVENTS, "events", "FILE", "run at the times and with the bytes that it says", NULL},
    {OPT_SEED, "seed", "N", "where random numbers begin", NULL},
    {OPT_GPIO, "gpio", "PIN=LEVEL,...", "what reading a pin gives, time after time", NULL},
    {OPT_ADC, "adc", "CH=VALUE,...", "what reading an ADC channel gives", NULL},
    {OPT_ENCODER, "encoder", "N=COUNT,...", "what reading an encoder gives", NULL},
    {OPT_ACCEL, "accel", "X,Y,Z,...", "what reading the accelerometer gives", NULL},
    {OPT_TRACE, "trace", NULL, "print source, eBPF and Thumb-2 as they execute", NULL},
    {OPT_CYCLES, "cycles", NULL, "print cycles, instructions and stack", NULL},
    {OPT_UNVERIFIED, "unverified", NULL, "compile as if nothing had been proven of the program",
     NULL},
    {OPT_BUDGET, "budget", "CYCLES", "stop a run after so many cycles", NULL},
    {0},
};

struct run {
    struct cmd_args *args;
    /* Options. */
    struct compile_options compile;
    enum bpf_engine engine;
    bool native;
    const char *prog;
    struct context_input input;
    const struct script *script; /* null: the same event again and again */
    unsigned long long runs, budget, seed;
    bool trace, cycles;

    struct devices *devices;
    struct machine *m;
    struct loaded loaded;
    struct trace_debug debug;
    struct trace *tracer;
    const struct blob_program *program;
    uint32_t index;      /* of program */
    const char *section; /* of program */
    enum bpf_hook hook;
    uint8_t *before; /* its context as it was given */
    uint32_t length;
};

/* ------------------------------------------------------------------------------------------------
 * Options */

static bool parse_stimulus(struct run *r, enum device device) {
    const char *why;

    if (devices_stimulus(r->devices, device, r->args->value, &why))
        return true;
    return diag_error(r->args->diag, DIAG_USAGE, NULL,
                      arena_printf(r->args->arena, "write --%s %s", device_name(device),
                                   device_stimulus_syntax(device)),
                      "--%s %s: %s", device_name(device), r->args->value, why);
}

static bool parse_samples(struct run *r) {
    VEC(uint16_t) samples = {0};
    const char *at = r->args->value;

    for (;;) {
        char *end;
        unsigned long value = strtoul(at, &end, 0);
        if (end == at || value > 0xffff || (*end && *end != ','))
            return diag_error(r->args->diag, DIAG_USAGE, NULL, "write --samples 100,200,300",
                              "--samples %s: not a list of numbers up to 65535", r->args->value);
        vec_push(r->args->arena, &samples, (uint16_t)value);
        if (*end == '\0')
            break;
        at = end + 1;
    }
    r->input.samples = samples.items;
    r->input.sample_count = samples.count;
    return true;
}

static bool parse_engine(struct run *r) {
    const char *name = r->args->value;

    r->native = strcmp(name, "native") == 0;
    r->engine = strcmp(name, "thumb") == 0 ? BPF_ENGINE_THUMB : BPF_ENGINE_INTERP;
    if (r->native || r->engine == BPF_ENGINE_THUMB || strcmp(name, "interp") == 0)
        return true;
    return diag_error(r->args->diag, DIAG_USAGE, NULL, "use thumb, interp or native",
                      "unknown engine %s", name);
}

static bool parse_level(struct run *r) {
    if (compile_level(r->args->value, &r->compile))
        return true;
    return diag_error(r->args->diag, DIAG_USAGE, NULL, "use -O0, -O1, -O2 or -Os",
                      "unknown level -O%s", r->args->value);
}

static bool parse_number(struct run *r, const char *name, unsigned long long min,
                         unsigned long long max, unsigned long long *number) {
    return cmd_number(r->args, name, r->args->value, min, max, number);
}

static bool parse_option(struct run *r, int id) {
    struct cmd_args *args = r->args;
    unsigned long long number;

    switch (id) {
    case OPT_ENGINE: return parse_engine(r);
    case 'O': return parse_level(r);
    case OPT_PROG: r->prog = args->value; return true;
    case OPT_TYPE: r->compile.type = args->value; return true;
    case OPT_UNVERIFIED: r->compile.verify = COMPILE_UNVERIFIED; return true;
    case OPT_TRACE: r->trace = true; return true;
    case OPT_CYCLES: r->cycles = true; return true;
    case OPT_MEM:
        return report_read_memory(args, args->value, MEMMAP_ARENA_SIZE, (uint8_t **)&r->input.bytes,
                                  &r->input.size);
    case OPT_TEXT:
        r->input.bytes = (const uint8_t *)args->value;
        r->input.size = strlen(args->value);
        return true;
    case OPT_MEM_SIZE:
        if (!parse_number(r, "--mem-size", 1, MEMMAP_ARENA_SIZE, &number))
            return false;
        r->compile.mem_size = (uint32_t)number;
        return true;
    case OPT_SAMPLES: return parse_samples(r);
    case OPT_RUNS: return parse_number(r, "--runs", 1, 1000000000, &r->runs);
    case OPT_EVENTS: return (r->script = script_read(args->value, args->arena, args->diag)) != NULL;
    case OPT_SEED: return parse_number(r, "--seed", 1, UINT32_MAX, &r->seed);
    case OPT_BUDGET: return parse_number(r, "--budget", 1, UINT64_MAX, &r->budget);
    case OPT_GPIO: return parse_stimulus(r, DEVICE_GPIO);
    case OPT_ADC: return parse_stimulus(r, DEVICE_ADC);
    case OPT_ENCODER: return parse_stimulus(r, DEVICE_ENCODER);
    case OPT_ACCEL: return parse_stimulus(r, DEVICE_ACCEL);
    default: return false;
    }
}

/* ------------------------------------------------------------------------------------------------
 * Getting a program ready */

/* The blob's bytes: the operand itself, or what it is compiled to. */
static bool get_blob(struct run *r, const char *path, uint8_t **bytes, size_t *size) {
    struct cmd_args *args = r->args;
    struct compile_result *compiled = arena_alloc(args->arena, sizeof(*compiled));
    const char *dot = strrchr(path, '.');

    if (!(dot && strcmp(dot, ".c") == 0)) {
        if (!file_read(path, FILE_SIZE_LIMIT, args->arena, bytes, size, args->diag))
            return false;
        struct blob blob; /* the emulator makes its own, at its place */
        if (blob_is_meant(*bytes, *size, path, false))
            return blob_check(*bytes, *size, path, &blob, args->diag);
    }
    r->compile.bytecode = r->compile.bytecode_only = r->engine == BPF_ENGINE_INTERP;
    if (!compile_file(args->arena, path, &r->compile, compiled, args->diag))
        return false;
    *bytes = compiled->blob;
    *size = compiled->blob_size;
    r->debug.prog = compiled->prog;
    r->debug.lines = compiled->code.lines.items;
    r->debug.line_count = compiled->code.lines.count;
    return true;
}

static void *native_memory(void *user, uint32_t address, uint32_t size, bool write) {
    const struct run *r = user;
    return load_memory(&r->loaded, address, size, write);
}

/* A helper that the interpreter on this PC calls. Its instructions take no time. */
static uint64_t call_device(void *user, uint32_t id, const uint64_t args[5]) {
    struct run *r = user;
    struct device_call call = {.time = machine_time(r->m), .memory = native_memory, .user = r};
    uint64_t r0 = 0;

    for (unsigned i = 0; i < DEVICE_WORDS; i++)
        call.words[i] = (uint32_t)args[i];
    devices_call(r->devices, id, &call, &r0);
    return r0;
}

static void log_line(void *user, const char *line, uint32_t length) {
    struct run *r = user;
    devices_log(r->devices, machine_time(r->m), line, length);
}

static enum bpf_status load_engine(struct run *r, const uint8_t *bytes, size_t size,
                                   uint32_t *where) {
    if (!r->native)
        return load_blob(r->m, bytes, size, r->engine, &r->loaded, where);
    enum bpf_status status = load_native(bytes, size, call_device, log_line, r, &r->loaded);
    if (status == BPF_OK)
        bpf_host_set_budget(r->loaded.host, r->budget);
    return status;
}

static bool load(struct run *r, const char *path, const uint8_t *bytes, size_t size) {
    uint32_t where = 0;
    enum bpf_status status = load_engine(r, bytes, size, &where);
    struct diag_loc loc = DIAG_OBJECT(path);
    const char *mend = NULL;

    if (status == BPF_OK) {
        struct bpf_arena *head = load_memory(&r->loaded, r->loaded.r9, sizeof(*head), true);
        if (r->seed)
            head->prandom = (uint32_t)r->seed;
        r->debug.code = MEMMAP_STORE + r->loaded.blob.header->code.off;
        r->debug.library_name = load_library_name;
        return true;
    }
    if (status == BPF_BLOB_ENGINE)
        mend = r->engine == BPF_ENGINE_INTERP ? "compile it with --with-bytecode"
                                              : "use --engine interp or native";
    return diag_error(r->args->diag, DIAG_BLOB, &loc, mend, "%s%s", bpf_status_text(status),
                      where ? arena_printf(r->args->arena, " (at offset %u)", where) : "");
}

/* The program called `prog`, or the only one. */
static bool choose(struct run *r) {
    const struct blob *blob = &r->loaded.blob;
    const char *list = "";

    for (uint32_t i = 0; i < blob->header->programs.count; i++) {
        const char *name = blob_string(blob, blob->programs[i].name);
        list = arena_printf(r->args->arena, "%s%s%s", list, i ? ", " : "", name);
        if (r->prog ? strcmp(name, r->prog) == 0 : blob->header->programs.count == 1) {
            r->index = i;
            r->program = &blob->programs[i];
        }
    }
    if (r->prog && !r->program)
        return diag_error(r->args->diag, DIAG_USAGE, NULL,
                          arena_printf(r->args->arena, "it has %s", list),
                          "there is no program '%s'", r->prog);
    if (!r->program)
        return diag_error(r->args->diag, DIAG_USAGE, NULL,
                          arena_printf(r->args->arena, "choose with --prog: %s", list),
                          "there are %u programs", blob->header->programs.count);
    r->hook = (enum bpf_hook)r->program->hook;
    r->section = blob_string(blob, r->program->section);
    r->before = arena_alloc(r->args->arena, r->program->ctx_size);
    return true;
}

/* SEC() of a blob from elsewhere may be anything, but contexts are made by its words. With --type it
 * says another type than the program has: then the type's example stands for it. */
static void check_section(struct run *r) {
    const char *why, *mend;
    enum bpf_hook hook;

    if (!hook_parse(r->section, r->args->arena, &hook, &why, &mend) || hook != r->hook)
        r->section = hook_info(r->hook)->example;
}

/* ------------------------------------------------------------------------------------------------
 * Running and showing */

/* Says when event number `number` comes and what it carries. With a script time stands still during a run, so that
 * programs see the same whatever engine runs them. */
static uint64_t next_event(struct run *r, uint32_t number) {
    if (!r->script)
        return number * context_period(r->hook, r->section);
    const struct script_event *event = &r->script->events[number];
    r->input = (struct context_input){.bytes = event->bytes, .size = event->size};
    if (event->size) {
        r->input.samples = (const uint16_t *)(const void *)event->bytes;
        r->input.sample_count = event->size / 2;
    }
    machine_set_time(r->m, event->time);
    devices_freeze(r->devices, event->time);
    return event->time;
}

static bool run_once(struct run *r, uint32_t number, struct machine_result *result) {
    uint64_t due = next_event(r, number);
    const char *why;

    if (due > machine_time(r->m)) /* else the run before took longer than the period */
        machine_set_time(r->m, due);
    if (!context_fill(r->hook, r->section, &r->input, machine_time(r->m), number, r->before,
                      r->program->ctx_size, &r->length, &why))
        return diag_error(r->args->diag, DIAG_USAGE, NULL, NULL,
                          "%s (program %s, context of %u bytes)", why,
                          blob_string(&r->loaded.blob, r->program->name), r->program->ctx_size);
    load_run(&r->loaded, r->index, r->before, r->length, result);
    if (r->tracer)
        trace_finish(r->tracer, r->m);
    return true;
}

static void show_fault(struct run *r, const struct machine_result *result) {
    struct diag_loc loc = DIAG_OBJECT(r->args->argv[0]);

    if (result->has_slot && r->debug.prog && result->slot < r->debug.prog->ninsns)
        program_loc(r->debug.prog, result->slot, &loc);
    else
        trace_loc(&r->debug, result->program_pc, &loc);
    report_fault(result, &loc, r->args);
}

/* The memory of a raw program if it changed: what was given, and up to the last byte that changed. */
static void show_memory(struct run *r) {
    uint32_t size = r->program->ctx_size;

    while (size > 0 && r->before[size - 1] == r->loaded.context[size - 1])
        size--;
    if (size > 0)
        report_memory(r->loaded.context, size > r->length ? size : r->length, r->args);
}

/* Of a script each run is shown by itself. */
static void show_run(struct run *r, uint32_t number, const struct machine_result *result) {
    if (!r->script || result->status != BPF_OK)
        return;
    if (!r->args->json) {
        report_result(result, NULL);
        return;
    }
    cJSON *runs = cJSON_GetObjectItem(r->args->result, "runs"), *row = cJSON_CreateObject();
    if (!runs)
        runs = cJSON_AddArrayToObject(r->args->result, "runs");
    cJSON_AddItemToArray(runs, row);
    cJSON_AddNumberToObject(row, "time_ns", (double)r->script->events[number].time);
    report_result(result, row);
    cJSON_AddStringToObject(row, "context",
                            report_hex(r->loaded.context, r->program->ctx_size, r->args->arena));
}

/* All of it once, after the last run; device events come as they happen in text mode. */
static void show(struct run *r, const struct machine_result *result) {
    cJSON *json = r->args->json ? r->args->result : NULL;

    if (json) {
        cJSON_AddStringToObject(json, "program", blob_string(&r->loaded.blob, r->program->name));
        cJSON_AddStringToObject(json, "section", r->section);
        cJSON_AddItemToObject(json, "events", devices_json(r->devices));
    }
    if (result->status == BPF_OK && !r->script)
        report_result(result, json);
    if (r->hook == BPF_HOOK_RAW)
        show_memory(r);
    maps_show(&r->loaded, r->args);
    if (r->cycles || json)
        report_cycles(result, json);
    if (result->status != BPF_OK)
        show_fault(r, result);
}

static void run_all(struct run *r) {
    struct machine_result result;

    if (!r->trace) /* which shows itself how far it is */
        progress_begin("running", r->runs);
    for (uint32_t i = 0; i < r->runs; i++) {
        progress_step(i);
        size_t events = devices_event_count(r->devices);
        if (!run_once(r, i, &result))
            return;
        if (!r->args->json && devices_event_count(r->devices) > events) {
            progress_clear();
            devices_print(r->devices, events, stdout);
        }
        maps_drain(&r->loaded, r->args);
        show_run(r, i, &result);
        if (result.status != BPF_OK)
            break;
    }
    progress_end();
    show(r, &result);
}

static void prepare_and_run(struct run *r) {
    uint8_t *bytes;
    size_t size;

    if (!get_blob(r, r->args->argv[0], &bytes, &size) || !load(r, r->args->argv[0], bytes, size) ||
        !choose(r))
        return;
    check_section(r);
    if (r->trace) {
        r->tracer = trace_new(r->args->arena, &r->debug, r->args->json ? stderr : stdout);
        machine_set_trace(r->m, trace_step, r->tracer);
    }
    if (r->script)
        r->runs = r->script->count;
    run_all(r);
}

static void run(struct cmd_args *args) {
    struct run r = {.args = args,
                    .compile = {.level = 2, .verify = COMPILE_TRY},
                    .input = {.bytes = (const uint8_t *)""},
                    .runs = 1,
                    .budget = MACHINE_BUDGET,
                    .devices = devices_new(args->arena)};

    for (int id; (id = cmd_next(args)) != 0;)
        if (!parse_option(&r, id))
            return;
    if (!cmd_operands(args, 1, 1))
        return;
    if (r.trace && r.engine == BPF_ENGINE_INTERP) {
        diag_error(args->diag, DIAG_USAGE, NULL, "leave out --engine",
                   "--trace shows compiled code");
        return;
    }
    r.m = machine_new();
    load_library(r.m);
    machine_set_budget(r.m, r.budget);
    machine_set_svc(r.m, devices_helper, r.devices);
    prepare_and_run(&r);
    load_native_end(&r.loaded);
    machine_free(r.m);
}

const struct cmd cmd_run = {
    .name = "run",
    .brief = "run a program in the emulator",
    .operands = "X.blob|X.bpf.o|X.bpf.c",
    .about = "Runs it on an emulated Cortex-M4, behind the board's memory protection, and prints "
             "r0, what\n"
             "the program did to devices, maps that are not empty, and the memory of a raw program "
             "if it\n"
             "changed. Time is virtual: docs/emulator.md has the cycle model.",
    .example = "bpf2thumb run --runs 4 blink.bpf.c\n"
               "bpf2thumb run --mem 0102030405 --cycles sum.bpf.o",
    .options = option_table,
    .run = run,
};
