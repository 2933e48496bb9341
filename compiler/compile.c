/* SPDX-License-Identifier: MIT */
/*
 * The pipeline, from top to bottom:
 *
 *   elf_read          object -> linked program                      elf/
 *   verify            is it safe? facts about its values            verifier/
 *   ir_build          eBPF -> 64-bit SSA                            ir/
 *   opt_run           optimise                                      opt/
 *   legalize, trim    64-bit values -> 32-bit words                 thumb2/
 *   layout_finish     what lies where relative to r9                thumb2/
 *   isel              words -> Thumb-2 over virtual registers       thumb2/
 *   regalloc          virtual -> machine registers                  thumb2/
 *   if_convert, ...   IT blocks, addressing with write-back         thumb2/
 *   expand, assemble  machine IR -> bytes                           thumb2/
 *   blob_write        bytes and tables -> blob                      blob/
 *
 * Functions are compiled callees first, so that a caller knows which argument words a callee reads.
 * A function that is an entry and is also called is compiled twice, once for each way in.
 */
#include "compile.h"

#include <assert.h>
#include <string.h>

#include "blob/blob_write.h"
#include "bpf/arena.h"
#include "bpf/memmap.h"
#include "clang.h"
#include "elf/elf.h"
#include "opt/opt.h"
#include "thumb2/finish.h"
#include "thumb2/isel.h"
#include "util/progress.h"
#include "verifier/verifier.h"

/* One compilation of a function. */
struct instance {
    uint32_t func;
    int32_t entry; /* index of the entry it serves, -1: it is called or its address is taken */
    struct fn_abi abi;
    struct ir_fn *ir;
    uint32_t label;
    int32_t code; /* index into code.funcs */
};

struct pipeline {
    const struct program *prog;
    const struct compile_options *options;
    const struct verify_result *facts;
    struct compile_result *out;
    struct diag *diag;
    VEC(struct instance) instances; /* callees first */
    struct fn_abi *abis;            /* by function, as callers see it */
};

bool compile_level(const char *text, struct compile_options *options) {
    options->optimize_size = strcmp(text, "s") == 0;
    if (options->optimize_size) {
        options->level = 2;
        return true;
    }
    if (strlen(text) != 1 || text[0] < '0' || text[0] > '2')
        return false;
    options->level = text[0] - '0';
    return true;
}

const char *const compile_stages[] = {
#define STAGE(name) #name,
    COMPILE_STAGES(STAGE)
#undef STAGE
        NULL,
};

static bool wants_dump(const struct pipeline *p, const char *pass) {
    const char *wanted = p->options->dump_pass;
    return wanted && (strcmp(wanted, pass) == 0 || strcmp(wanted, "all") == 0);
}

static void dump_ir(const struct pipeline *p, const struct ir_fn *fn, const char *pass) {
    if (!wants_dump(p, pass))
        return;
    fprintf(p->options->dump, "; after %s\n", pass);
    ir_print(fn, p->options->dump);
}

static void dump_mir(const struct pipeline *p, const struct mir_fn *fn, const char *pass) {
    if (!wants_dump(p, pass))
        return;
    fprintf(p->options->dump, "; after %s\n", pass);
    mir_print(fn, p->options->dump);
}

/* ---------------------------------------------------------------------------- to words of 32 bits */

static void build_instance(struct pipeline *p, struct instance *inst) {
    const struct program *prog = p->prog;
    const struct prog_func *func = &prog->funcs[inst->func];
    const struct opt_options opt = {
        .level = p->options->level,
        .check = p->options->check_passes,
        .dump_pass = p->options->dump_pass,
        .dump = p->options->dump,
    };
    struct ir_fn *fn =
        ir_build(prog->arena, prog, inst->func, p->facts->funcs[inst->func].stack, p->facts->facts);
    ir_check(fn, "build");
    dump_ir(p, fn, "build");
    opt_run(fn, &opt);
    ir_check(fn, "the optimiser");
    if (inst->entry >= 0)
        abi_init(&inst->abi, ABI_ENTRY, prog->entries[inst->entry].hook);
    else
        abi_init(&inst->abi, func->address_taken ? ABI_CANONICAL : ABI_DIRECT, BPF_HOOK_RAW);
    legalize(fn, &inst->abi, p->abis);
    ir_check(fn, "legalize");
    dump_ir(p, fn, "legalize");
    if (p->options->level > 0) {
        trim_words(fn);
        ir_check(fn, "trim");
        dump_ir(p, fn, "trim");
        opt_run(fn, &opt);
        trim_words(fn);
        ir_check(fn, "trim");
        dump_ir(p, fn, "trim");
    }
    dump_ir(p, fn, "final");
    abi_narrow(&inst->abi, fn);
    if (inst->entry < 0)
        p->abis[inst->func] = inst->abi;
    inst->ir = fn;
}

/* By function: whether something calls it or takes its address, besides its hook. */
static bool *callable_funcs(const struct program *prog) {
    bool *callable = arena_alloc_array(prog->arena, prog->nfuncs, sizeof(bool));
    for (uint32_t i = 0; i < prog->nfuncs; i++)
        callable[i] = prog->funcs[i].entry < 0 || prog->funcs[i].address_taken;
    for (uint32_t i = 0; i < prog->ninsns; i++)
        if (prog->decoded[i].len && prog->decoded[i].op == BPF_CALL_LOCAL)
            callable[program_callee(prog, i)] = true;
    return callable;
}

static void build_all(struct pipeline *p) {
    const struct program *prog = p->prog;
    bool *callable = callable_funcs(prog);
    p->abis = arena_alloc_array(prog->arena, prog->nfuncs, sizeof(*p->abis));
    for (uint32_t i = 0; i < prog->nfuncs; i++) {
        uint32_t func = p->facts->order[i];
        progress_step(i);
        struct instance inst = {.func = func, .entry = -1};
        if (callable[func]) {
            build_instance(p, &inst);
            vec_push(prog->arena, &p->instances, inst);
        }
        inst.entry = prog->funcs[func].entry;
        if (inst.entry >= 0) {
            build_instance(p, &inst);
            vec_push(prog->arena, &p->instances, inst);
        }
    }
}

static void note_helpers(struct pipeline *p, const struct ir_fn *fn) {
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (const struct ir_inst *inst = fn->blocks[i] ? fn->blocks[i]->first : NULL; inst;
             inst = inst->next)
            if (inst->op == IR_CALL_HELPER)
                layout_add_helper(&p->out->layout, inst->index);
}

/* -------------------------------------------------------------------------------- to machine code */

static bool emit_instance(struct pipeline *p, struct instance *inst) {
    struct compile_result *out = p->out;
    split_critical_edges(inst->ir);
    struct mir_fn *fn = isel(p->prog->arena, inst->ir, &inst->abi, &out->layout);
    dump_mir(p, fn, "isel");
    regalloc(fn);
    dump_mir(p, fn, "regalloc");
    if (p->options->level > 0) {
        if_convert(fn);
        order_latches(fn);
        write_back(fn);
        dump_mir(p, fn, "finish");
    }
    out->ncopies += fn->ncopies;
    out->nspills += fn->nspills;
    out->nreloads += fn->nreloads;
    inst->code = (int32_t)out->code.funcs.count;
    return expand(&out->code, fn, inst->label, p->diag);
}

static void emit_rodata(struct pipeline *p) {
    const struct program *prog = p->prog;
    const struct arena_layout *layout = &p->out->layout;
    if (!layout->rodata_size)
        return;
    uint8_t *bytes = arena_alloc(prog->arena, layout->rodata_size);
    for (uint32_t i = 0; i < prog->ndatas; i++)
        if (layout->data_in_code[i])
            memcpy(bytes + layout->data_off[i], prog->datas[i].image, prog->datas[i].size);
    struct code_item *item = code_add(&p->out->code, CODE_BYTES);
    item->label = p->out->code.rodata_label;
    item->bytes = bytes;
    item->f.imm = (int32_t)layout->rodata_size;
}

static bool emit_all(struct pipeline *p) {
    struct compile_result *out = p->out;
    const struct program *prog = p->prog;
    struct code_unit *code = &out->code;
    code->arena = prog->arena;
    code->optimize_size = p->options->optimize_size;
    code->rodata_label = code_label_new(code);
    code->func_label = arena_alloc_array(prog->arena, prog->nfuncs, sizeof(uint32_t));
    vec_for_each(struct instance, inst, &p->instances) {
        inst->label = code_label_new(code);
        if (inst->entry < 0)
            code->func_label[inst->func] = inst->label;
    }
    vec_for_each(struct instance, one, &p->instances) {
        progress_tick();
        if (!emit_instance(p, one))
            return false;
        if (one->entry < 0)
            out->callable_func[one->func] = one->code;
        else
            out->entry_func[one->entry] = one->code;
    }
    emit_rodata(p);
    assemble(code);
    return true;
}

/* ------------------------------------------------------------------------------------------ stack */

static uint32_t helper_stack(const struct ir_fn *fn) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (const struct ir_inst *inst = fn->blocks[i] ? fn->blocks[i]->first : NULL; inst;
             inst = inst->next) {
            const struct bpf_helper *h =
                inst->op == IR_CALL_HELPER ? bpf_helper_by_id(inst->index) : NULL;
            uint32_t need = h ? h->stack : inst->op == IR_CALLX ? BPF_CALLX_STACK : 0;
            if (need > most)
                most = need;
        }
    return most;
}

/* Worst bytes below sp at the entry of an instance, its helpers and callees included. Callees come
 * before callers, so theirs are known. A helper may call a callback on top of its own frame, so
 * the deepest helper and the deepest callee are added up. */
static uint32_t instance_stack(const struct pipeline *p, const struct instance *inst,
                               const uint32_t *callable_stack) {
    const struct verify_func *f = &p->facts->funcs[inst->func];
    uint32_t callee = 0;
    for (uint32_t i = 0; i < f->ncallees; i++)
        if (callable_stack[f->callees[i]] > callee)
            callee = callable_stack[f->callees[i]];
    return p->out->code.funcs.items[inst->code].stack + helper_stack(inst->ir) + callee;
}

static void stack_needs(const struct pipeline *p, uint32_t *by_entry) {
    uint32_t *callable = arena_alloc_array(p->prog->arena, p->prog->nfuncs, sizeof(uint32_t));
    vec_for_each(const struct instance, inst, &p->instances) {
        uint32_t need = instance_stack(p, inst, callable);
        if (inst->entry < 0)
            callable[inst->func] = need;
        else
            by_entry[inst->entry] = need;
    }
    for (uint32_t i = 0; i < p->prog->nentries;
         i++) { /* a timer's callback runs when the program has ended */
        const struct verify_func *f = &p->facts->funcs[p->prog->entries[i].func];
        for (uint32_t k = 0; k < f->ntimers; k++)
            if (callable[f->timers[k]] + BPF_TIMER_STACK > by_entry[i])
                by_entry[i] = callable[f->timers[k]] + BPF_TIMER_STACK;
        by_entry[i] = (by_entry[i] + BPF_EXCEPTION_FRAME + 7) & ~7u;
    }
}

/* What the interpreter needs below r9: it enters itself anew for each level of callbacks. */
static uint32_t interpreter_stack(const struct pipeline *p, uint32_t func) {
    struct verify_depth depth = verify_depth_of(p->facts, func);
    bool callbacks = false;
    for (uint32_t i = 0; i < p->prog->nfuncs; i++)
        callbacks |= p->prog->funcs[i].address_taken;
    uint32_t levels = callbacks ? depth.frames - 1 : 0;
    uint32_t bytes = depth.stack + BPF_INTERP_STACK + levels * BPF_INTERP_CALLBACK;
    if (p->facts->funcs[func].ntimers)
        bytes += BPF_TIMER_STACK;
    return (bytes + BPF_EXCEPTION_FRAME + 7) & ~7u;
}

/* ----------------------------------------------------------------------------------------- driver */

static void write_blob(struct pipeline *p) {
    const struct program *prog = p->prog;
    struct compile_result *out = p->out;
    uint32_t *func_stack = arena_alloc_array(prog->arena, prog->nfuncs, sizeof(uint32_t));
    uint32_t *stack_thumb = arena_alloc_array(prog->arena, prog->nentries, sizeof(uint32_t));
    uint32_t *stack_bpf = arena_alloc_array(prog->arena, prog->nentries, sizeof(uint32_t));
    uint32_t *stack_interp = arena_alloc_array(prog->arena, prog->nentries, sizeof(uint32_t));
    for (uint32_t i = 0; i < prog->nfuncs; i++)
        func_stack[i] = p->facts->funcs[i].stack;
    for (uint32_t i = 0; i < prog->nentries; i++) {
        stack_bpf[i] = verify_depth_of(p->facts, prog->entries[i].func).stack;
        stack_interp[i] = interpreter_stack(p, prog->entries[i].func);
    }
    if (!p->options->bytecode_only)
        stack_needs(p, stack_thumb);
    struct blob_parts parts = {
        .prog = prog,
        .layout = &out->layout,
        .code = p->options->bytecode_only ? NULL : &out->code,
        .entry_func = out->entry_func,
        .callable_func = out->callable_func,
        .func_stack = func_stack,
        .stack_thumb = stack_thumb,
        .stack_bpf = stack_bpf,
        .stack_interp = stack_interp,
        .verified = out->verified,
        .bytecode = p->options->bytecode || p->options->bytecode_only,
    };
    out->blob = blob_write(&parts, &out->blob_size);
}

/* What the board has room for: a blob fits into a sector of the store, an arena into SRAM. */
static bool fits(const struct compile_result *out, struct diag *diag) {
    const struct program *prog = out->prog;
    struct diag_loc loc = DIAG_OBJECT(prog->file);
    if (out->blob_size > BLOB_MAX_SIZE)
        return diag_error(diag, DIAG_SECTION, &loc,
                          "split the object, compile with -Os, or leave out the bytecode",
                          "the blob would take %u bytes (%u of them code), the limit is %u",
                          out->blob_size, out->code.size, BLOB_MAX_SIZE);
    const struct blob_header *h = (const struct blob_header *)(const void *)out->blob;
    uint32_t stack = h->stack_thumb > h->stack_interp ? h->stack_thumb : h->stack_interp;
    if (h->arena_size + stack > MEMMAP_ARENA_SIZE)
        return diag_error(diag, DIAG_MAP, &loc, "make maps or arrays smaller",
                          "maps, data and context take %u bytes and the stack %u, the limit of "
                          "both is %u",
                          h->arena_size, stack, MEMMAP_ARENA_SIZE);
    return true;
}

/* The board's own parser must accept what we wrote: if it does not, that is our bug. */
static bool parses(const struct compile_result *out, struct diag *diag) {
    struct blob blob;
    uint32_t where;
    enum bpf_status status = blob_parse(out->blob, out->blob_size, &blob, &where);
    if (status == BPF_OK)
        return true;
    return diag_error(diag, DIAG_INTERNAL, NULL, "please report this, with the object",
                      "the blob is not well-formed at offset %u: %s", where,
                      bpf_status_text(status));
}

/* As much of the verifier as was asked for. */
static bool check(const struct program *prog, enum compile_verify wanted,
                  struct verify_result *result, struct diag *diag) {
    if (wanted == COMPILE_VERIFIED)
        return verify(prog, result, diag);
    if (wanted == COMPILE_TRY) {
        struct diag *ignored = diag_new();
        bool good = verify(prog, result, ignored);
        diag_free(ignored);
        if (good)
            return true;
    }
    return verify_form(prog, result, diag);
}

bool compile_program(const struct program *prog, const struct compile_options *options,
                     struct compile_result *out, struct diag *diag) {
    struct verify_result facts = {0};
    *out = (struct compile_result){.prog = prog};
    if (!check(prog, options->verify, &facts, diag))
        return false;
    out->verified = facts.facts != NULL;
    struct pipeline p = {prog, options, &facts, out, diag, {0}, NULL};
    out->entry_func = arena_alloc_array(prog->arena, prog->nentries, sizeof(int32_t));
    out->callable_func = arena_alloc_array(prog->arena, prog->nfuncs, sizeof(int32_t));
    memset(out->callable_func, 0xff, prog->nfuncs * sizeof(int32_t));
    progress_begin("compiling functions", prog->nfuncs);
    if (!options->bytecode_only) {
        build_all(&p);
        vec_for_each(struct instance, inst, &p.instances)
            note_helpers(&p, inst->ir);
    }
    layout_finish(&out->layout, prog);
    if (!options->bytecode_only && !emit_all(&p))
        return false;
    progress_end();
    write_blob(&p);
    return fits(out, diag) && parses(out, diag);
}

bool compile_file(struct arena *arena, const char *path, const struct compile_options *options,
                  struct compile_result *out, struct diag *diag) {
    struct elf_options elf = {.type = options->type, .name = path, .mem_size = options->mem_size};
    struct program *prog;
    struct clang_object object;
    bool ok = clang_object_open(&object, path, arena, diag) &&
              elf_read(object.path, arena, &elf, &prog, diag);
    clang_object_close(&object);
    return ok && compile_program(prog, options, out, diag);
}
