/* SPDX-License-Identifier: MIT */
/*
 * The bare machine on Unicorn. Unicorn is the core; regions, alignment, supervisor calls, budget and
 * cycles are done here, in four hooks. What was found out about Unicorn 2.0.1 and shaped the code:
 *
 * - Code and memory hooks cost a third of the speed together, so they are always on: faults are exact
 *   and cycles are always there.
 * - A stop from the code hook acts before the instruction; a stop from a memory hook leaves the
 *   instruction half done with its registers unchanged, which is right for a fault.
 * - Code that was written by the host is translated again only after uc_ctl_remove_cache().
 * - LDRD, STRD, LDM and STM at misaligned addresses are executed; the hardware faults.
 * - The code hook sees no instruction that an IT block skips (cycles.c counts them).
 * - Floating point is on at reset; the board keeps it for privileged code. The cycle model does not
 *   have it, and what the model does not have is refused.
 */
#include "machine.h"
#include "unicorn.h"

#include "util/progress.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* A part of memory with one set of rights. Its pages are mapped once; `size` is what may be used. */
struct region {
    uint32_t start, size, mapped;
    uint8_t *host;
    struct cycles_insn *decoded; /* by halfword; size 0: not yet. Null: not executable */
    enum cycles_part part;
};

struct machine {
    uc_engine *uc;
    uc_context *reset; /* registers of an unprivileged core before a call */
    struct region program, library, arena;

    machine_svc_fn *svc;
    void *svc_user;
    machine_trace_fn *trace;
    void *trace_user;
    uint64_t budget;
    uint64_t time; /* ns, at the start of the call */

    /* The call that is under way. */
    const struct cycles_insn *insn; /* the instruction that runs, at pc */
    uint32_t pc;
    uint32_t program_pc; /* the last one in the program */
    struct cycles cycles;
    uint32_t stack_low; /* lowest arena address written */
    bool stopped;
    struct machine_result *result;
    uint32_t steps; /* instructions over all calls, modulo 2^32 */
};

#define TICK_STEPS 65536 /* 2 ms */

static bool region_has(const struct region *r, uint32_t address, uint32_t size) {
    return size <= r->size && address - r->start <= r->size - size;
}

/* ------------------------------------------------------------------------------------------------
 * Stops */

static void stop(struct machine *m, enum bpf_status status, const char *detail) {
    if (!m->stopped) {
        m->stopped = true;
        m->result->status = status;
        m->result->pc = m->pc;
        m->result->detail = detail;
    }
    uc_emu_stop(m->uc);
}

static void stop_at(struct machine *m, enum bpf_status status, uint32_t address,
                    const char *detail) {
    if (!m->stopped) {
        m->result->address = address;
        m->result->has_address = true;
    }
    stop(m, status, detail);
}

/* Whether an access that missed every region is the stack growing out of the arena: its address is
 * made of sp, or sp has left already. */
static bool is_stack(struct machine *m, uint32_t address) {
    if (address >= m->arena.start)
        return false;
    return m->insn->address & 1u << 13 || machine_reg(m, 13) < m->arena.start;
}

static void stop_access(struct machine *m, bool write, uint32_t address) {
    if (is_stack(m, address)) {
        stop_at(m, BPF_FAULT_STACK, address, "the stack grew out of the arena");
        return;
    }
    const char *detail = address < 4096 ? "null pointer" : "";
    if (write && region_has(&m->program, address, 1))
        detail = "the program cannot write itself";
    else if (write && region_has(&m->library, address, 1))
        detail = "the program cannot write the library";
    stop_at(m, write ? BPF_FAULT_WRITE : BPF_FAULT_READ, address, detail);
}

/* ------------------------------------------------------------------------------------------------
 * Hooks */

static const struct cycles_insn *decoded_at(struct region *r, uint32_t pc) {
    if (!region_has(r, pc, 2))
        return NULL;
    struct cycles_insn *insn = &r->decoded[(pc - r->start) / 2];
    if (insn->size == 0)
        *insn = cycles_decode((const uint16_t *)(r->host + (pc - r->start)),
                              (r->start + r->size - pc) / 2);
    return insn;
}

/* Faults that the library finds by itself are `udf #status` (bpf/library.h). */
static bool stop_library(struct machine *m, uint16_t code) {
    enum bpf_status status = code & 0xff;

    if (code >> 8 != 0xde || status < BPF_FAULT_READ || status > BPF_FAULT_ALIGN)
        return false;
    if (status == BPF_FAULT_READ || status == BPF_FAULT_WRITE)
        stop_at(m, status, machine_reg(m, 1), "");
    else
        stop(m, status, "");
    m->result->slot = machine_reg(m, 0);
    m->result->has_slot = true;
    return true;
}

static void stop_unknown(struct machine *m, const struct region *region, uint32_t pc) {
    uint16_t code;

    memcpy(&code, region->host + (pc - region->start), sizeof(code));
    if (region != &m->library || !stop_library(m, code))
        stop(m, BPF_FAULT_INSN, "not an instruction that a program may use");
}

static unsigned divide_cycles(struct machine *m, const struct cycles_insn *insn) {
    return cycles_divide(machine_reg(m, insn->dividend), machine_reg(m, insn->divisor),
                         insn->is_signed);
}

static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user) {
    struct machine *m = user;
    struct region *region = &m->program;
    uint32_t pc = (uint32_t)address;
    (void)uc, (void)size;

    if (m->stopped) { /* a stop in a memory hook may let one more instruction begin */
        uc_emu_stop(uc);
        return;
    }
    const struct cycles_insn *insn = decoded_at(region, pc);
    if (!insn)
        insn = decoded_at(region = &m->library, pc);
    if (!insn) {
        stop_at(m, BPF_FAULT_JUMP, pc, "");
        return;
    }
    m->pc = pc;
    m->insn = insn;
    if (insn->class == CYCLES_UNKNOWN) {
        stop_unknown(m, region, pc);
        return;
    }
    if (m->cycles.total >= m->budget) {
        stop(m, BPF_FAULT_BUDGET, "");
        return;
    }
    if (region == &m->program)
        m->program_pc = pc;
    if (++m->steps % TICK_STEPS == 0)
        progress_tick();
    if (m->trace)
        m->trace(m->trace_user, m, pc);
    unsigned divide = insn->class == CYCLES_DIVIDE ? divide_cycles(m, insn) : 0;
    cycles_step(&m->cycles, insn, pc, region->part, divide);
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t wide, int size, int64_t value,
                      void *user) {
    struct machine *m = user;
    uint32_t address = (uint32_t)wide;
    bool write = type == UC_MEM_WRITE;
    (void)uc, (void)value;

    if (m->stopped)
        return;
    if (address % size != 0) {
        if (m->insn->aligned) {
            stop_at(m, BPF_FAULT_ALIGN, address, "");
            return;
        }
        cycles_add(&m->cycles, cycles_unaligned(address, size), m->cycles.where);
    }
    if (region_has(&m->arena, address, size)) {
        if (write && address < m->stack_low)
            m->stack_low = address;
        return;
    }
    if (!write &&
        (region_has(&m->program, address, size) || region_has(&m->library, address, size)))
        return;
    stop_access(m, write, address);
}

/* Pages that are not mapped, or not for this. Comes without the hook above. */
static bool on_invalid(uc_engine *uc, uc_mem_type type, uint64_t wide, int size, int64_t value,
                       void *user) {
    struct machine *m = user;
    uint32_t address = (uint32_t)wide;
    (void)uc, (void)value;

    if (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT)
        stop_at(m, BPF_FAULT_JUMP, address,
                region_has(&m->arena, address, 1) ? "the arena cannot be executed" : "");
    else if (m->insn->aligned && address % size != 0)
        stop_at(m, BPF_FAULT_ALIGN, address, "");
    else
        stop_access(m, type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT, address);
    return false;
}

static void supervisor_call(struct machine *m, unsigned number) {
    uint32_t sp = machine_reg(m, 13);

    /* The hardware stores its frame with the program's rights before the handler can look. */
    if (sp % 4 != 0 || !region_has(&m->arena, sp - BPF_EXCEPTION_FRAME, BPF_EXCEPTION_FRAME)) {
        stop_at(m, BPF_FAULT_STACK, sp, "no room for the exception frame of SVC");
        return;
    }
    if (number == LIBRARY_SVC_EXIT) {
        m->result->r0 = (uint64_t)machine_reg(m, 1) << 32 | machine_reg(m, 0);
        stop(m, BPF_OK, "");
        return;
    }
    uint64_t r0 = 0;
    unsigned cycles = 0;
    enum bpf_status status = BPF_FAULT_CALL;
    if (number == LIBRARY_SVC_HELPER && m->svc)
        status = m->svc(m->svc_user, m, machine_reg(m, 12), &r0, &cycles);
    if (status != BPF_OK) {
        stop(m, status, number == LIBRARY_SVC_HELPER ? "unknown helper" : "unknown SVC number");
        return;
    }
    cycles_add(&m->cycles, cycles, CYCLES_KERNEL);
    uint32_t low = (uint32_t)r0, high = (uint32_t)(r0 >> 32);
    must(uc_reg_write(m->uc, UC_ARM_REG_R0, &low));
    must(uc_reg_write(m->uc, UC_ARM_REG_R1, &high));
}

/* Exceptions: SVC is 2; BKPT, a jump to an EXC_RETURN value and the like have other numbers. */
static void on_interrupt(uc_engine *uc, uint32_t number, void *user) {
    struct machine *m = user;

    if (m->stopped) {
        uc_emu_stop(uc);
        return;
    }
    if (number == 2 && m->insn->class == CYCLES_SVC) {
        const uint16_t *code = machine_readable(m, m->pc, 2);
        supervisor_call(m, *code & 0xff);
        return;
    }
    uint32_t pc = machine_reg(m, 15);
    if (pc - m->pc > 4)
        stop_at(m, BPF_FAULT_JUMP, pc, "");
    else
        stop(m, BPF_FAULT_INSN, "");
}

/* ------------------------------------------------------------------------------------------------
 * Set-up */

static void region_map(struct machine *m, struct region *r, uint32_t start, uint32_t size,
                       uint32_t rights, enum cycles_part part) {
    r->start = start;
    r->mapped = size;
    r->part = part;
    r->host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(r->host == MAP_FAILED ? UC_ERR_NOMEM : UC_ERR_OK);
    must(uc_mem_map_ptr(m->uc, start, size, rights, r->host));
    if (rights & UC_PROT_EXEC) {
        r->decoded = calloc(size / 2, sizeof(*r->decoded));
        must(r->decoded ? UC_ERR_OK : UC_ERR_NOMEM);
    }
}

static void hook(struct machine *m, int type, void *fn) {
    uc_hook handle;
    must(uc_hook_add(m->uc, &handle, type, fn, m, 1, 0));
}

struct machine *machine_new(void) {
    struct machine *m = calloc(1, sizeof(*m));
    must(m ? UC_ERR_OK : UC_ERR_NOMEM);
    m->budget = MACHINE_BUDGET;

    /* Unicorn reserves a large buffer for translated code; huge pages make it cost seconds. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    /* Not UC_MODE_MCLASS, which forces a Cortex-M33 in Unicorn 2.0.1. */
    must(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &m->uc));
    must(uc_ctl_set_cpu_model(m->uc, UC_CPU_ARM_CORTEX_M4));
    region_map(m, &m->library, MEMMAP_LIBRARY, MEMMAP_LIBRARY_SIZE, UC_PROT_READ | UC_PROT_EXEC,
               CYCLES_LIBRARY);
    region_map(m, &m->program, MEMMAP_STORE, MEMMAP_STORE_SIZE, UC_PROT_READ | UC_PROT_EXEC,
               CYCLES_PROGRAM);
    region_map(m, &m->arena, MEMMAP_ARENA, MEMMAP_ARENA_SIZE, UC_PROT_READ | UC_PROT_WRITE, 0);

    uint32_t control = 3; /* unprivileged, on the process stack */
    must(uc_reg_write(m->uc, UC_ARM_REG_CONTROL, &control));
    must(uc_context_alloc(m->uc, &m->reset));
    must(uc_context_save(m->uc, m->reset));

    hook(m, UC_HOOK_CODE, on_code);
    hook(m, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, on_access);
    hook(m, UC_HOOK_MEM_INVALID, on_invalid);
    hook(m, UC_HOOK_INTR, on_interrupt);
    return m;
}

void machine_free(struct machine *m) {
    if (!m)
        return;
    uc_context_free(m->reset);
    uc_close(m->uc);
    struct region *all[] = {&m->program, &m->library, &m->arena};
    for (size_t i = 0; i < 3; i++) {
        munmap(all[i]->host, all[i]->mapped);
        free(all[i]->decoded);
    }
    free(m);
}

/* Replaces a region's contents, and what is known about them. */
static void region_fill(struct machine *m, struct region *r, const void *bytes, size_t size) {
    assert(size <= r->mapped);
    if (r->size > 0) {
        memset(r->host, 0xff, r->size); /* erased flash */
        memset(r->decoded, 0, (r->size + 1) / 2 * sizeof(*r->decoded));
        must(uc_ctl_remove_cache(m->uc, r->start, r->start + r->size));
    }
    r->size = size;
    memcpy(r->host, bytes, size);
}

void machine_set_library(struct machine *m, const void *image, size_t size) {
    region_fill(m, &m->library, image, size);
}

void machine_set_program(struct machine *m, const void *code, size_t size) {
    region_fill(m, &m->program, code, size);
}

uint8_t *machine_set_arena(struct machine *m, size_t size) {
    assert(size <= m->arena.mapped);
    memset(m->arena.host, 0, m->arena.size > size ? m->arena.size : size);
    m->arena.size = size;
    return m->arena.host;
}

void machine_set_svc(struct machine *m, machine_svc_fn *fn, void *user) {
    m->svc = fn;
    m->svc_user = user;
}

void machine_set_trace(struct machine *m, machine_trace_fn *fn, void *user) {
    m->trace = fn;
    m->trace_user = user;
}

void machine_set_budget(struct machine *m, uint64_t cycles) {
    m->budget = cycles;
}

void machine_set_time(struct machine *m, uint64_t ns) {
    m->time = ns;
    cycles_reset(&m->cycles);
}

uint64_t machine_time(const struct machine *m) {
    return m->time + cycles_to_ns(m->cycles.total);
}

/* ------------------------------------------------------------------------------------------------
 * Access from outside */

const void *machine_program(const struct machine *m) {
    return m->program.host;
}

void *machine_writable(const struct machine *m, uint32_t address, uint32_t size) {
    if (!region_has(&m->arena, address, size))
        return NULL;
    return m->arena.host + (address - m->arena.start);
}

const void *machine_readable(const struct machine *m, uint32_t address, uint32_t size) {
    const struct region *all[] = {&m->arena, &m->program, &m->library};

    for (size_t i = 0; i < 3; i++)
        if (region_has(all[i], address, size))
            return all[i]->host + (address - all[i]->start);
    return NULL;
}

const struct cycles *machine_cycles(const struct machine *m) {
    return &m->cycles;
}

uint32_t machine_reg(struct machine *m, unsigned number) {
    uint32_t value = 0;

    assert(number < 16);
    must(uc_reg_read(m->uc, reg_ids[number], &value));
    return value;
}

bool machine_arg(struct machine *m, unsigned i, uint32_t *word) {
    if (i < 4) {
        *word = machine_reg(m, i);
        return true;
    }
    const void *at = machine_readable(m, machine_reg(m, 13) + (i - 4) * 4, 4);
    if (at)
        memcpy(word, at, 4);
    return at;
}

/* ------------------------------------------------------------------------------------------------
 * Calls */

/* WFI returns without an error, YIELD and WFE with one, and the pc stands behind them: without
 * privilege they wait for nothing. */
static bool is_hint(const struct machine *m, uc_err err, uint32_t pc) {
    return (err == UC_ERR_OK || err == UC_ERR_INSN_INVALID) && m->insn &&
           m->insn->class == CYCLES_ALU && pc == m->pc + m->insn->size;
}

/* Unicorn gave up without one of our hooks having stopped it. */
static void stop_unicorn(struct machine *m, uc_err err) {
    bool jumps = m->insn && (m->insn->class == CYCLES_BRANCH || m->insn->writes & 1u << 15);

    if (err == UC_ERR_INSN_INVALID && jumps)
        stop(m, BPF_FAULT_JUMP, "the target lacks the Thumb bit");
    else if (err == UC_ERR_INSN_INVALID)
        stop(m, BPF_FAULT_INSN, "undefined instruction");
    else
        stop(m, BPF_INTERNAL, uc_strerror(err)); /* an exception that is not known here */
}

void machine_call(struct machine *m, const struct machine_call *call,
                  struct machine_result *result) {
    const struct {
        int id;
        uint32_t value;
    } regs[] = {
        {UC_ARM_REG_R0, call->r0}, {UC_ARM_REG_R1, call->r1}, {UC_ARM_REG_R2, call->r2},
        {UC_ARM_REG_R9, call->r9}, {UC_ARM_REG_SP, call->sp}, {UC_ARM_REG_LR, call->lr},
    };

    m->time = machine_time(m);
    cycles_reset(&m->cycles);
    memset(result, 0, sizeof(*result));
    m->result = result;
    m->stopped = false;
    m->insn = NULL;
    m->pc = m->program_pc = call->pc;
    m->stack_low = call->sp;
    must(uc_context_restore(m->uc, m->reset));
    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
        must(uc_reg_write(m->uc, regs[i].id, &regs[i].value));

    uint32_t pc = call->pc;
    while (!m->stopped) {
        /* An end that no instruction can reach: address 0 would end the run without an error. */
        uc_err err = uc_emu_start(m->uc, pc | 1, 1, 0, 0);
        pc = machine_reg(m, 15);
        if (!m->stopped && !is_hint(m, err, pc))
            stop_unicorn(m, err);
    }
    result->program_pc = m->program_pc;
    result->cycles = m->cycles;
    result->stack_used = call->sp - m->stack_low;
    m->result = NULL;
}
