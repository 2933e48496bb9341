/* SPDX-License-Identifier: MIT */
/*
 * The library for the board: its header, the interpreter's entry, what compiled code calls besides
 * plain helpers. Everything here runs unprivileged, in the sandbox of the program that calls.
 */
#include "bpf/library.h"

#include "bpf/helper.h"
#include "bpf/memmap.h"
#include "bpf/port.h"
#include "bpf/vm.h"

#include "div64.h"
#include "helpers.h"

#include <string.h>

void library_exit(void);
uint64_t library_svc(uint32_t id, const uint32_t words[8]);

/* The blob's tables, as blob_parse() found them when the blob was loaded. */
static void find_blob(struct blob *b, uint32_t address) {
    const uint8_t *base = (const uint8_t *)address;
    const struct blob_header *h = (const struct blob_header *)address;
    b->base = base;
    b->header = h;
    b->programs = (const void *)(base + h->programs.off);
    b->funcs = (const void *)(base + h->funcs.off);
    b->maps = (const void *)(base + h->maps.off);
    b->datas = (const void *)(base + h->datas.off);
    b->code = base + h->code.off;
    b->bytecode = (const void *)(base + h->bytecode.off);
}

static void setup(struct bpf_vm *vm, struct blob *blob) {
    struct bpf_arena *arena = port_arena();
    find_blob(blob, arena->blob);
    vm->blob = blob;
    vm->blob_addr = arena->blob;
    vm->arena = arena;
    vm->r9 = (uint32_t)arena;
    vm->status = BPF_OK;
}

/* A fault's number must be in the instruction. */
static void stop(const struct bpf_vm *vm) {
    register uint32_t slot __asm__("r0") = vm->fault_slot;
    register uint32_t addr __asm__("r1") = vm->fault_addr;
    __asm__ volatile("" : : "r"(slot), "r"(addr));
    switch (vm->status) {
#define BPF_ERROR(NAME, code, text)                                                                \
    case BPF_##NAME:                                                                               \
        __asm__ volatile("udf %0" : : "i"(code), "r"(slot), "r"(addr));                            \
        break;
#include "bpf/error.def"
#undef BPF_ERROR
    }
}

uint64_t library_interpret(uint32_t program, uint32_t ctx, uint32_t len) {
    struct blob blob;
    struct bpf_vm vm;
    uint64_t result;
    setup(&vm, &blob);
    if (bpf_vm_run(&vm, program, ctx, len, &result) != BPF_OK)
        stop(&vm);
    return result;
}

/* The first function of a run, as of a timer. What any program needs of eBPF stack is room enough for it, too. */
uint64_t library_callback(uint32_t function, uint32_t a, uint32_t b, uint32_t c) {
    const uint64_t args[5] = {a, b, c};
    struct blob blob;
    struct bpf_vm vm;
    uint64_t result = 0;
    uint32_t stack = 0;
    setup(&vm, &blob);
    for (uint32_t i = 0; i < blob.header->programs.count; i++)
        if (blob.programs[i].stack_bpf > stack)
            stack = blob.programs[i].stack_bpf;
    vm.depth = 0;
    vm.fault_slot = BLOB_NONE;
    vm.stack = vm.arena->base + stack;
    if (!bpf_vm_callback(&vm, function, args, &result))
        stop(&vm);
    return result;
}

/* Words of an SVC helper by AAPCS, from r1 to r5 (thumb2/legalize.c does the same for compiled code). */
uint64_t port_device(struct bpf_vm *vm, uint32_t id, const uint8_t kinds[5],
                     const uint64_t args[5]) {
    uint32_t words[10] = {0}, n = 0;
    (void)vm;
    for (unsigned i = 0; i < 5 && kinds[i] != BPF_ARG_NONE; i++) {
        if (kinds[i] == BPF_ARG_U64)
            n += n & 1;
        words[n++] = (uint32_t)args[i];
        if (kinds[i] == BPF_ARG_U64)
            words[n++] = (uint32_t)(args[i] >> 32);
    }
    return library_svc(id, words);
}

/* ------------------------------------------------------------------------- the compiler's own calls */

uint32_t bpf_h_tail_target(const struct bpf_map *map, uint32_t index) {
    struct bpf_arena *arena = port_arena();
    struct blob blob;
    find_blob(&blob, arena->blob);
    int32_t program = bpf_tail_program(arena, blob.header, map, index);
    return program < 0 ? 0 : ((uint32_t)blob.code + blob.programs[program].entry) | 1;
}

/* Helpers in the canonical ABI, for callx. */
static uint64_t canonical(uint32_t id, const uint64_t args[5]) {
    struct blob blob;
    struct bpf_vm vm;
    uint64_t result = 0;
    setup(&vm, &blob);
    if (!bpf_helper_call(&vm, id, args, &result))
        stop(&vm);
    return result;
}

#define BPF_HELPER(NAME, id, ...)                                                                  \
    static uint64_t canonical_##NAME(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) { \
        const uint64_t args[5] = {a, b, c, d, e};                                                  \
        return canonical(id, args);                                                                \
    }
#include "bpf/helper.def"

static const struct {
    uint32_t id;
    port_code *code;
} canonical_rows[] = {
#define BPF_HELPER(NAME, id, ...) {id, canonical_##NAME},
#include "bpf/helper.def"
};

uint32_t bpf_h_callx_target(uint64_t value) {
    struct bpf_arena *arena = port_arena();
    struct blob blob;
    if (value < BPF_HELPER_INTERNAL_BASE) {
        for (uint32_t i = 0; i < sizeof(canonical_rows) / sizeof(canonical_rows[0]); i++)
            if (canonical_rows[i].id == value && value != BPF_FUNC_TAIL_CALL)
                return (uint32_t)canonical_rows[i].code;
    } else if (value >> 32 == 0) {
        find_blob(&blob, arena->blob);
        uint32_t entry = (uint32_t)value - (uint32_t)blob.code - 1;
        for (uint32_t i = 0; i < blob.header->funcs.count; i++)
            if (blob.funcs[i].entry == entry && entry != BLOB_NONE)
                return (uint32_t)value;
    }
    stop(&(const struct bpf_vm){.status = BPF_FAULT_CALL, .fault_slot = (uint32_t)value});
    return 0;
}

/* --------------------------------------------------------------------------------- stubs, header */

/* A helper behind SVC: its arguments stay where AAPCS has put them, r12 says which it is. The kernel
 * reads all of them from the exception frame. */
#define STUB_PURE(NAME, id, name)
#define STUB_BUILTIN(NAME, id, name)
#define STUB_SVC(NAME, id, name)                                                                   \
    void stub_##NAME(void) __asm__("bpf_h_" name);                                                 \
    __attribute__((naked)) void stub_##NAME(void) {                                                \
        __asm__ volatile("movw r12, %0\n\tsvc %1\n\tbx lr" : : "i"(id), "i"(LIBRARY_SVC_HELPER));  \
    }
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, ...) STUB_##WHERE(NAME, id, name)
#include "bpf/helper.def"

/* Every helper is a symbol bpf_h_ and its name, in C or as a stub. */
#define DECLARE_PURE(NAME, name) extern void entry_##NAME(void) __asm__("bpf_h_" name);
#define DECLARE_SVC DECLARE_PURE
#define DECLARE_BUILTIN(NAME, name)
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, ...) DECLARE_##WHERE(NAME, name)
#include "bpf/helper.def"

extern const char library_size[]; /* ld/library.ld: the address is the size */

#define ROW_PURE(NAME, id) {id, (uint32_t)entry_##NAME},
#define ROW_SVC ROW_PURE
#define ROW_BUILTIN(NAME, id)
#define COUNT_PURE 1
#define COUNT_SVC 1
#define COUNT_BUILTIN 0

const struct library_header library_header __attribute__((section(".header"), used)) = {
    .magic = LIBRARY_MAGIC,
    .version = LIBRARY_VERSION,
    .size = (uint32_t)library_size,
    .exit = (uint32_t)library_exit,
    .interpreter = (uint32_t)library_interpret,
    .callback = (uint32_t)library_callback,
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, ...) +COUNT_##WHERE
    .count = 0
#include "bpf/helper.def"
    ,
    .rows =
        {
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, ...) ROW_##WHERE(NAME, id)
#include "bpf/helper.def"
        },
};
