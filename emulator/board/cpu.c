/* SPDX-License-Identifier: MIT */
/*
 * The core's instructions, on Unicorn. Unicorn executes; what an instruction may touch, what it costs
 * and when something else comes in between is decided here, in hooks. Found out about Unicorn 2.0.1
 * and used below:
 *
 * - uc_emu_stop() from the code hook acts before the instruction, except inside an IT block, which
 *   runs to its end. So nothing stops inside a block that runs; a block in which something might have
 *   to be stopped (a division with its trap on, an FPU instruction without the right, single steps) is
 *   run by run_careful(), one instruction at a time with ITSTATE set by hand.
 * - A load or store is aborted by taking the rights of its mapping away inside the memory hook: the
 *   access then fails without having happened, and pc stays. Memory is never mapped more finely,
 *   because that would cost translated code. A load that fails ends the run at once; after a store
 *   the rest of an IT block still runs: its accesses are blocked too, and its registers taken back.
 * - An access across the end of a 1 KiB page calls the hook again for its parts: two aligned words
 *   that contain a load, all bytes of a store.
 * - The hook comes before the access, also before the callbacks of devices. So the hook asks the
 *   device, and the callback only hands over the answer. Unmapped memory has no such hook.
 * - Special registers cannot be reached without privilege: IPSR is set first, which makes it handler
 *   mode. Unicorn's own exception machinery is never used.
 * - A branch to an EXC_RETURN value in handler mode arrives as interrupt 8 (when the code was first
 *   translated in thread mode: 3), a jump to where the default map has no code as 3, pc at the target.
 */
#include "core.h"
#include "unicorn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    UC_SVC = 2,
    UC_PREFETCH_ABORT = 3,
    UC_DATA_ABORT = 4,
    UC_BKPT = 7,
    UC_EXC_RETURN = 8,
    UC_NOCP = 17
};
#define XPSR_T (1u << 24)
enum { PAGE = 1024, HIDDEN_PAGE = 0x1FFE0000 };

static uint32_t get(const struct board *b, int id) {
    uint32_t value = 0;
    must(uc_reg_read(b->cpu.uc, id, &value));
    return value;
}

static void set(struct board *b, int id, uint32_t value) {
    must(uc_reg_write(b->cpu.uc, id, &value));
}

/* ------------------------------------------------------------------------------------------------
 * Registers, between runs */

uint32_t cpu_reg(struct board *b, unsigned number) {
    return number == 15 ? b->cpu.pc : get(b, reg_ids[number]);
}

void cpu_set_reg(struct board *b, unsigned number, uint32_t value) {
    if (number == 15)
        b->cpu.pc = value & ~1u;
    else
        set(b, reg_ids[number], value);
}

/* ITSTATE in xPSR: bits 7 to 2 at 15 to 10, bits 1 and 0 at 26 and 25. */
static uint32_t it_to_xpsr(uint8_t it) {
    return (uint32_t)(it >> 2) << 10 | (uint32_t)(it & 3) << 25;
}

uint32_t cpu_xpsr(struct board *b) {
    return (get(b, UC_ARM_REG_XPSR) & ~0x0600FDFFu) | it_to_xpsr(b->cpu.it) | b->cpu.ipsr;
}

/* Flags, T and ITSTATE; the exception number is left to cpu_set_mode(). Unicorn does not get ITSTATE: run_carefully()
 * gives it instruction by instruction, and what is left of a block that is skipped would be there for what comes behind. */
void cpu_set_xpsr(struct board *b, uint32_t value) {
    b->cpu.it = (value >> 10 & 0x3F) << 2 | (value >> 25 & 3);
    set(b, UC_ARM_REG_XPSR, (value & ~0x0600FDFFu) | b->cpu.ipsr);
}

/* The banked stack pointers need privilege; `in handler mode` gives it for the moment. */
static void enter_handler(struct board *b) {
    if (b->cpu.ipsr == 0)
        set(b, UC_ARM_REG_IPSR, EXC_HARD);
}

static void leave_handler(struct board *b) {
    if (b->cpu.ipsr == 0)
        set(b, UC_ARM_REG_IPSR, 0);
}

uint32_t cpu_sp(struct board *b, bool process) {
    enter_handler(b);
    uint32_t value = get(b, process ? UC_ARM_REG_PSP : UC_ARM_REG_MSP);
    leave_handler(b);
    return value;
}

void cpu_set_sp(struct board *b, bool process, uint32_t value) {
    enter_handler(b);
    set(b, process ? UC_ARM_REG_PSP : UC_ARM_REG_MSP, value & ~3u);
    leave_handler(b);
}

uint32_t cpu_fp(struct board *b, unsigned number) {
    return get(b, number == 32 ? UC_ARM_REG_FPSCR : (int)(UC_ARM_REG_S0 + number));
}

void cpu_set_fp(struct board *b, unsigned number, uint32_t value) {
    set(b, number == 32 ? UC_ARM_REG_FPSCR : (int)(UC_ARM_REG_S0 + number), value);
}

bool cpu_is_privileged(const struct board *b) {
    return b->cpu.ipsr || !(b->cpu.control & CONTROL_NPRIV);
}

void cpu_set_mode(struct board *b, unsigned ipsr, uint32_t control) {
    struct cpu *cpu = &b->cpu;

    if (cpu->ipsr == 0 && ipsr != 0 && b->config.irq_every)
        cpu->soak_left = cpu->soak_at - b->cycles.instructions;
    if (cpu->ipsr != 0 && ipsr == 0 && b->config.irq_every)
        cpu->soak_at = b->cycles.instructions + cpu->soak_left;
    /* Privileged first; then SPSEL can be written in thread mode only, nPRIV last. */
    set(b, UC_ARM_REG_IPSR, EXC_HARD);
    set(b, UC_ARM_REG_CONTROL, control & CONTROL_FPCA);
    set(b, UC_ARM_REG_IPSR, 0);
    set(b, UC_ARM_REG_CONTROL, control & ~(uint32_t)CONTROL_NPRIV);
    if (ipsr)
        set(b, UC_ARM_REG_IPSR, ipsr);
    if (control & CONTROL_NPRIV)
        set(b, UC_ARM_REG_CONTROL, control);
    cpu->ipsr = ipsr;
    cpu->control = control;
    cpu_forget(b);
    cpu_fpu_trap(b);
}

void cpu_set_masks(struct board *b, uint32_t primask, uint32_t faultmask, uint32_t basepri) {
    struct cpu *cpu = &b->cpu;

    enter_handler(b);
    set(b, UC_ARM_REG_PRIMASK, primask & 1);
    set(b, UC_ARM_REG_FAULTMASK, faultmask & 1);
    set(b, UC_ARM_REG_BASEPRI, basepri & 0xF0);
    leave_handler(b);
    if (cpu->faultmask != (faultmask & 1))
        cpu_forget(b);
    cpu->primask = primask & 1;
    cpu->faultmask = faultmask & 1;
    cpu->basepri = basepri & 0xF0;
    cpu_attend(b);
}

/* After a MSR or CPS has run, and after a run: what the instructions have made of them. */
static void read_special(struct board *b) {
    struct cpu *cpu = &b->cpu;
    bool was_privileged = cpu_is_privileged(b);
    uint32_t faultmask = cpu->faultmask;

    cpu->special_written = false;
    cpu->control = get(b, UC_ARM_REG_CONTROL);
    if (was_privileged && cpu_is_privileged(b)) { /* without privilege they read as 0 */
        cpu->primask = get(b, UC_ARM_REG_PRIMASK);
        cpu->faultmask = get(b, UC_ARM_REG_FAULTMASK);
        cpu->basepri = get(b, UC_ARM_REG_BASEPRI);
        if (cpu->basepri & 0x0F) /* four bits exist */
            set(b, UC_ARM_REG_BASEPRI, cpu->basepri &= 0xF0);
    }
    if (was_privileged != cpu_is_privileged(b)) {
        cpu_forget(b);
        cpu_fpu_trap(b);
    }
    if (faultmask != cpu->faultmask) /* may switch the MPU off */
        cpu_forget(b);
    if (b->nvic.best)
        cpu->attention = true;
}

void cpu_attend(struct board *b) {
    b->cpu.attention = true;
    b->cpu.deadline = 0;
}

void cpu_forget(struct board *b) {
    b->cpu.generation++;
    b->cpu.fetch.size = 0;
}

/* CP10's rights: 01 privileged only, 11 all (B3.2.20). */
void cpu_fpu_trap(struct board *b) {
    unsigned right = b->scb.cpacr >> 20 & 3;
    bool allowed = right == 3 || (right == 1 && cpu_is_privileged(b));

    b->cpu.fpu_trap = !allowed || b->scb.fpccr & FPCCR_LSPACT;
}

static void restore_memory(struct cpu *cpu) {
    memcpy(cpu->restore.host, cpu->restore.bytes, cpu->restore.size);
    cpu->restore.size = 0;
}

/* ------------------------------------------------------------------------------------------------
 * Code */

static const struct code *code_at(const struct board *b, uint32_t pc) {
    for (unsigned i = 0; i < CPU_CODES; i++)
        if (range_has(&b->cpu.codes[i].range, pc, 2))
            return &b->cpu.codes[i];
    return NULL;
}

static inline const struct decoded *decoded_at(const struct code *code, uint32_t pc) {
    uint32_t offset = pc - code->range.start, left = code->range.size - offset;
    struct decoded *d = &code->decoded[offset / 2];
    const uint16_t *halfwords = (const uint16_t *)(code->host + offset);

    if (d->cycles.size != 0 && !code->changes)
        return d;
    uint32_t now = halfwords[0];
    if (d->cycles.size == 4 && left >= 4)
        now |= (uint32_t)halfwords[1] << 16;
    if (d->cycles.size == 0 || d->code != now)
        *d = decode(halfwords, left / 2);
    return d;
}

void cpu_code_changed(struct board *b, uint32_t address, uint32_t size) {
    struct cpu *cpu = &b->cpu;

    if (address - CCM_BASE < CCM_SIZE || (address - SRAM_BASE < SRAM_SIZE && !cpu->sram_runs))
        return;
    if (address - FLASH_BASE < BOARD_FLASH_SIZE) {
        uint32_t first = address - FLASH_BASE;
        first = first >= 6 ? first - 6 : 0; /* an IT knows of what follows it */
        size_t count = (address - FLASH_BASE + size + 1 - first) / 2;
        memset(cpu->codes[0].decoded + first / 2, 0, count * sizeof(struct decoded));
        if (cpu->codes[1].is_flash)
            memset(cpu->codes[1].decoded + first / 2, 0, count * sizeof(struct decoded));
    }
    if (cpu->dirty.end == 0) {
        cpu->dirty.start = address;
        cpu->dirty.end = address + size;
    }
    cpu->dirty.start = address < cpu->dirty.start ? address : cpu->dirty.start;
    cpu->dirty.end = address + size > cpu->dirty.end ? address + size : cpu->dirty.end;
    cpu_attend(b);
}

/* Unicorn's translations of what others have changed, in every place where it can be seen. */
static void flush_dirty(struct board *b) {
    struct cpu *cpu = &b->cpu;

    for (unsigned i = 0; i < CPU_CODES; i++) {
        const struct code *c = &cpu->codes[i];
        uint32_t base = c->is_flash ? FLASH_BASE : SRAM_BASE;
        if (cpu->dirty.end <= base || cpu->dirty.start >= base + c->range.size)
            continue;
        uint32_t start = cpu->dirty.start > base ? cpu->dirty.start - base : 0;
        uint32_t end =
            cpu->dirty.end - base < c->range.size ? cpu->dirty.end - base : c->range.size;
        must(uc_ctl_remove_cache(cpu->uc, c->range.start + start, c->range.start + end));
    }
    cpu->dirty.start = cpu->dirty.end = 0;
}

/* ------------------------------------------------------------------------------------------------
 * IT blocks */

static uint8_t it_advance(uint8_t it) {
    return it & 7 ? (it & 0xE0) | (it & 0xF) << 1 : 0;
}

static bool in_block(const struct cpu *cpu, uint32_t pc) {
    return cpu->it_block.size && pc - cpu->it_block.start < cpu->it_block.size;
}

static void open_block(struct cpu *cpu, uint32_t pc, const struct cycles_insn *insn) {
    cpu->it_first = cpu->code->host[pc - cpu->code->range.start];
    cpu->it_block = (struct range){pc + 2, 0};
    for (unsigned i = 0; i < insn->it_count; i++)
        cpu->it_block.size += insn->it_size[i];
}

/* ITSTATE of the instruction at pc, in the block that runs. */
static uint8_t block_state(struct board *b, uint32_t pc) {
    const struct cpu *cpu = &b->cpu;
    uint8_t it = cpu->it_first;

    if (!in_block(cpu, pc))
        return 0;
    for (uint32_t at = cpu->it_block.start; at != pc; it = it_advance(it))
        at += decoded_at(cpu->code, at)->cycles.size;
    return it;
}

/* Whether a block cannot be run at once. */
static bool must_be_careful(const struct board *b, uint32_t pc, const struct decoded *d) {
    const struct cpu *cpu = &b->cpu;
    uint32_t size = 2;

    for (unsigned i = 0; i < d->cycles.it_count; i++)
        size += d->cycles.it_size[i];
    return cpu->single || (d->block_fpu && cpu->fpu_trap) ||
           (d->block_divides && b->scb.ccr & CCR_DIV_0_TRP) ||
           !range_has(&cpu->fetch, pc, size + 2) || b->debug.watching;
}

/* A7.3.1 */
static bool condition_holds(unsigned condition, uint32_t xpsr) {
    bool n = xpsr >> 31 & 1, z = xpsr >> 30 & 1, c = xpsr >> 29 & 1, v = xpsr >> 28 & 1, holds;

    switch (condition >> 1) {
    case 0: holds = z; break;
    case 1: holds = c; break;
    case 2: holds = n; break;
    case 3: holds = v; break;
    case 4: holds = c && !z; break;
    case 5: holds = n == v; break;
    case 6: holds = n == v && !z; break;
    default: return true;
    }
    return holds != (condition & 1);
}

/* ------------------------------------------------------------------------------------------------
 * Before each instruction */

static void stop(struct board *b) {
    b->cpu.stopped = true;
    must(uc_emu_stop(b->cpu.uc));
}

/* An instruction that must not run, for a reason that was found before it did. */
static void refuse(struct board *b, struct fault fault) {
    b->cpu.fault = fault;
    stop(b);
}

/* Whether an instruction may be fetched; finds the range in which others may, too. */
static bool fetch_is_allowed(struct board *b, uint32_t pc) {
    struct cpu *cpu = &b->cpu;
    struct range range = {0, UINT32_MAX};
    bool privileged = cpu_is_privileged(b);

    struct fault fault = bus_check(b, pc, 2, ACCESS_FETCH, privileged);
    const struct code *code = code_at(b, pc);
    if (!fault.exception && code && decoded_at(code, pc)->cycles.size == 4)
        fault = bus_check(b, pc + 2, 2, ACCESS_FETCH, privileged);
    if (fault.exception || !code) {
        refuse(b, fault.exception ? fault
                                  : (struct fault){.exception = EXC_BUS, .cfsr = CFSR_IBUSERR});
        return false;
    }
    if (code->is_flash && b->bus.flash_busy)
        bus_wait_for_flash(b);
    mpu_rights(b, pc, privileged, &range);
    bus_find(b, pc, &range);
    if (debug_breakpoint(b, pc, &range)) {
        cpu->breakpoint = true;
        stop(b);
        return false;
    }
    cpu->fetch = range;
    cpu->code = code;
    cpu->sram_runs |= code->changes;
    return true;
}

/* Whether something is to be done before the next instruction. */
static bool is_wanted(struct board *b) {
    return nvic_wanted(b) || b->reset_wanted || b->exited || b->cpu.dirty.end ||
           (debug_enabled_bits(&b->debug, DHCSR_HALT) && !b->debug.halted);
}

void cpu_deadline(struct board *b) {
    struct cpu *cpu = &b->cpu;
    uint64_t deadline = event_next(b);

    deadline = b->limit < deadline ? b->limit : deadline;
    if (b->config.cut_power_at && b->config.cut_power_at < deadline)
        deadline = b->config.cut_power_at;
    if (b->config.irq_every && cpu->ipsr == 0) { /* an instruction takes a cycle or more */
        uint64_t left =
            cpu->soak_at > b->cycles.instructions ? cpu->soak_at - b->cycles.instructions : 0;
        deadline = b->cycles.total + left < deadline ? b->cycles.total + left : deadline;
    }
    cpu->deadline = cpu->single ? 0 : deadline;
}

/* The deadline has come; true: the run stops before the instruction at pc. */
static bool look_around(struct board *b, uint32_t pc) {
    struct cpu *cpu = &b->cpu;

    if (cpu->restore.size)
        restore_memory(cpu);
    if (cpu->special_written) {
        read_special(b);
        masked_look(b, pc);
    }
    if (in_block(cpu, pc))
        return false;
    if (cpu->single && cpu->ran > 0)
        return true;
    cpu->attention = cpu->attention && is_wanted(b);
    if (cpu->attention)
        return true;
    cpu_deadline(b);
    return !cpu->single && b->cycles.total >= cpu->deadline;
}

/* True: the instruction does not run. */
static bool take_care(struct board *b, uint32_t pc, const struct decoded *d) {
    struct cpu *cpu = &b->cpu;

    switch ((enum care)d->care) {
    case CARE_SPECIAL:
        cpu->special_written = true;
        cpu->deadline = 0;
        return false;
    case CARE_DIVIDE:
        if (b->scb.ccr & CCR_DIV_0_TRP && get(b, reg_ids[d->cycles.divisor]) == 0) {
            refuse(b, (struct fault){.exception = EXC_USAGE, .cfsr = CFSR_DIVBYZERO});
            return true;
        }
        return false;
    case CARE_FPU:
        if (!cpu->fpu_trap)
            return false;
        if (b->scb.fpccr & FPCCR_LSPACT) {
            unsigned right = b->scb.cpacr >> 20 & 3;
            cpu->lazy = right == 3 || (right == 1 && cpu_is_privileged(b));
        }
        if (!cpu->lazy)
            refuse(b, (struct fault){.exception = EXC_USAGE, .cfsr = CFSR_NOCP});
        else
            stop(b);
        return true;
    case CARE_IT:
        if (must_be_careful(b, pc, d)) {
            cpu->careful = true;
            stop(b);
            return true;
        }
        open_block(cpu, pc, &d->cycles);
        return false;
    case CARE_USER: cpu->generation++; return false; /* no window is right for it */
    case CARE_LDREX: cpu->exclusive = true; return false;
    case CARE_STREX: cpu->exclusive = false; return false;
    case CARE_SEV: b->event_register = true; return false;
    default: return false;
    }
}

static inline void charge(struct board *b, uint32_t pc, const struct decoded *d) {
    unsigned divide = 0;

    if (d->cycles.class == CYCLES_DIVIDE)
        divide = cycles_divide(get(b, reg_ids[d->cycles.dividend]),
                               get(b, reg_ids[d->cycles.divisor]), d->cycles.is_signed);
    cycles_step(&b->cycles, &d->cycles, pc, CYCLES_PROGRAM, divide);
    if (b->config.model_f && b->cpu.code->is_flash)
        cycles_add(&b->cycles, art_fetch(b, pc), CYCLES_PROGRAM);
}

static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user) {
    struct board *b = user;
    struct cpu *cpu = &b->cpu;
    uint32_t pc = (uint32_t)address;
    (void)uc, (void)size;

    if (cpu->stopped || cpu->fault.exception)
        return;
    if (b->cycles.total >= cpu->deadline && look_around(b, pc)) {
        cpu->pc = pc;
        stop(b);
        return;
    }
    cpu->pc = pc;
    if (!range_has(&cpu->fetch, pc, 4) && !fetch_is_allowed(b, pc))
        return;
    const struct decoded *d = cpu->insn = decoded_at(cpu->code, pc);
    cpu->split = 0;
    if (d->care != CARE_NONE && take_care(b, pc, d))
        return;
    cpu->ran++;
    charge(b, pc, d);
}

/* ------------------------------------------------------------------------------------------------
 * Before each access */

/* Keeps the access that the hook was called for from happening. */
static void block(struct board *b, uint32_t address) {
    struct cpu *cpu = &b->cpu;
    uc_mem_region *regions;
    uint32_t count;

    must(uc_mem_regions(cpu->uc, &regions, &count));
    for (uint32_t i = 0; i < count; i++)
        if (address - regions[i].begin <= regions[i].end - regions[i].begin) {
            cpu->blocked |= 1u << i;
            must(uc_mem_protect(cpu->uc, regions[i].begin, regions[i].end - regions[i].begin + 1,
                                regions[i].perms & UC_PROT_EXEC));
        }
    must(uc_free(regions));
}

static void unblock(struct board *b) {
    struct cpu *cpu = &b->cpu;
    uc_mem_region *regions;
    uint32_t count;

    if (!cpu->blocked)
        return;
    must(uc_mem_regions(cpu->uc, &regions, &count));
    for (; cpu->blocked; cpu->blocked &= cpu->blocked - 1) {
        const uc_mem_region *r = &regions[__builtin_ctz(cpu->blocked)];
        must(uc_mem_protect(cpu->uc, r->begin, r->end - r->begin + 1,
                            r->perms | UC_PROT_READ | UC_PROT_WRITE));
    }
    must(uc_free(regions));
}

static void fault_in_access(struct board *b, struct fault fault, bool write) {
    struct cpu *cpu = &b->cpu;

    cpu->fault = fault;
    cpu->generation++; /* whatever comes until Unicorn stops is looked at, and blocked */
    if (!write || !in_block(cpu, cpu->pc))
        return;
    cpu->has_saved = true;
    for (unsigned i = 0; i < 15; i++)
        cpu->saved[i] = get(b, reg_ids[i]);
    cpu->saved[15] = get(b, UC_ARM_REG_XPSR);
}

/* What an IT block has done behind a store that failed. */
static void take_back(struct board *b) {
    b->cpu.has_saved = false;
    for (unsigned i = 0; i < 15; i++)
        set(b, reg_ids[i], b->cpu.saved[i]);
    set(b, UC_ARM_REG_XPSR, b->cpu.saved[15]);
}

/* The fault that an access of the running instruction makes, if any. */
static struct fault access_fault(struct board *b, uint32_t address, unsigned size, bool write) {
    const struct decoded *d = b->cpu.insn;
    bool misaligned = address % (size > 4 ? 4 : size) != 0;

    if (misaligned &&
        (d->cycles.aligned || b->scb.ccr & CCR_UNALIGN_TRP || bus_is_aligned_only(b, address)))
        return (struct fault){.exception = EXC_USAGE, .cfsr = CFSR_UNALIGNED};
    return bus_check(b, address, size, write ? ACCESS_WRITE : ACCESS_READ,
                     cpu_is_privileged(b) && d->care != CARE_USER);
}

/* Devices and flash: done here, before Unicorn does it. */
static void access_device(struct board *b, const struct memory *m, uint32_t address, unsigned size,
                          bool write, uint64_t value) {
    struct cpu *cpu = &b->cpu;

    if (cpu->restore.size) /* of the word before, in a STM */
        restore_memory(cpu);
    cpu->io_size = size;
    for (unsigned done = 0; done < size; done += 4) {
        unsigned part = size > 4 ? 4 : size;
        bool answered =
            write
                ? board_bus_write(b, BUS_CORE, address + done, part, (uint32_t)(value >> done * 8))
                : board_bus_read(b, BUS_CORE, address + done, part, &cpu->io[done / 4]);
        if (!answered) {
            fault_in_access(b,
                            (struct fault){.exception = EXC_BUS,
                                           .cfsr = CFSR_PRECISERR | CFSR_BFARVALID,
                                           .address = address + done},
                            write);
            block(b, address);
            return;
        }
    }
    if (m->host && write) { /* the array is as the controller has left it, not as Unicorn stores */
        cpu->restore.host = m->host + (address - m->start);
        cpu->restore.size = size;
        memcpy(cpu->restore.bytes, cpu->restore.host, size);
        cpu->deadline = 0;
    }
}

/* Later accesses to the same kilobyte may not need a look. */
static void remember_window(struct board *b, uint32_t address, bool write) {
    struct cpu *cpu = &b->cpu;
    struct window *w = &cpu->windows[address / PAGE % CPU_WINDOWS];
    struct range range = {0, UINT32_MAX};

    if (b->debug.watching || cpu->insn->care == CARE_USER)
        return;
    if (w->generation != cpu->generation)
        *w = (struct window){.generation = cpu->generation};
    mpu_rights(b, address, cpu_is_privileged(b), &range);
    bus_find(b, address, &range);
    *(write ? &w->write : &w->read) = range;
}

static void access_slowly(struct board *b, uint32_t address, unsigned size, bool write,
                          uint64_t value) {
    struct cpu *cpu = &b->cpu;
    struct range range = {0, UINT32_MAX};

    if (cpu->split > 0) {
        cpu->split--;
        return;
    }
    if (!cpu->fault.exception) {
        struct fault fault = access_fault(b, address, size, write);
        if (fault.exception)
            fault_in_access(b, fault, write);
    }
    if (cpu->fault.exception) {
        block(b, address);
        return;
    }
    if (address % PAGE + size > PAGE)
        cpu->split = write ? size : 2;
    if (size <= 4)
        cycles_add(&b->cycles, cycles_unaligned(address, size), CYCLES_PROGRAM);
    if (b->debug.watching)
        debug_watch(b, address, size, write);
    const struct memory *m = bus_find(b, address, &range);
    if (m->kind == MEMORY_RAM || (!write && m->host)) {
        if (m->kind == MEMORY_FLASH && b->bus.flash_busy)
            bus_wait_for_flash(b);
        if (m->kind == MEMORY_FLASH && b->config.model_f)
            cycles_add(&b->cycles, art_read(b, address), CYCLES_PROGRAM);
        else
            remember_window(b, address, write);
        return;
    }
    access_device(b, m, address, size, write, value);
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t wide, int size, int64_t value,
                      void *user) {
    struct board *b = user;
    uint32_t address = (uint32_t)wide;
    bool write = type == UC_MEM_WRITE;
    const struct window *w = &b->cpu.windows[address / PAGE % CPU_WINDOWS];
    (void)uc;

    if (address % (unsigned)size == 0 && w->generation == b->cpu.generation &&
        range_has(write ? &w->write : &w->read, address, (unsigned)size))
        return;
    access_slowly(b, address, (unsigned)size, write, (uint64_t)value);
}

/* What is not mapped, not for this, or was blocked. Always a fault. */
static bool on_invalid(uc_engine *uc, uc_mem_type type, uint64_t wide, int size, int64_t value,
                       void *user) {
    struct board *b = user;
    struct cpu *cpu = &b->cpu;
    uint32_t address = (uint32_t)wide;
    (void)uc, (void)value;

    if (cpu->fault.exception)
        return false;
    if (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT) {
        cpu->fault = bus_check(b, address, 2, ACCESS_FETCH, cpu_is_privileged(b));
        if (!cpu->fault.exception)
            cpu->fault = (struct fault){.exception = EXC_BUS, .cfsr = CFSR_IBUSERR};
        cpu->pc = get(b, UC_ARM_REG_PC);
        return false;
    }
    bool write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    fault_in_access(b, access_fault(b, address, (unsigned)size, write), write);
    assert(cpu->fault.exception);
    return false;
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *user) {
    struct board *b = user;

    b->cpu.interrupt = (int)number;
    must(uc_emu_stop(uc));
}

/* The offset is within the mapping and does not matter: the hook has been there. */
static uint64_t device_read(uc_engine *uc, uint64_t offset, unsigned size, void *user) {
    const struct board *b = user;
    (void)uc;

    if (size == 8)
        return (uint64_t)b->cpu.io[1] << 32 | b->cpu.io[0];
    return b->cpu.io[b->cpu.io_size == 8 ? offset / 4 % 2 : 0];
}

static void device_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value,
                         void *user) {
    (void)uc, (void)offset, (void)size, (void)value, (void)user;
}

/* ------------------------------------------------------------------------------------------------
 * Running */

static enum cpu_result fault_result(struct board *b, struct fault fault) {
    b->cpu.fault = fault;
    return CPU_FAULT;
}

static enum cpu_result usage_fault(struct board *b, uint32_t cfsr) {
    return fault_result(b, (struct fault){.exception = EXC_USAGE, .cfsr = cfsr});
}

/* Unicorn left at `pc` with an interrupt of its own. */
static enum cpu_result on_exit_interrupt(struct board *b, uint32_t pc) {
    struct cpu *cpu = &b->cpu;

    switch (cpu->interrupt) {
    case UC_SVC:
        cpu->it = it_advance(block_state(b, cpu->pc));
        cpu->pc = pc;
        return CPU_SVC;
    case UC_BKPT: return CPU_BKPT;
    case UC_EXC_RETURN:
    case UC_PREFETCH_ABORT:
        cpu->pc = pc;
        if (cpu->ipsr && pc >= 0xF0000000 && cpu->ran > 0) /* not a vector */
            return CPU_EXC_RETURN;
        struct fault fault = bus_check(b, pc, 2, ACCESS_FETCH, cpu_is_privileged(b));
        return fault.exception ? fault_result(b, fault) : usage_fault(b, CFSR_UNDEFINSTR);
    case UC_NOCP: return usage_fault(b, CFSR_NOCP);
    default: return usage_fault(b, CFSR_UNDEFINSTR);
    }
}

/* Unicorn left by itself: hints that wait (their pc is behind them), no Thumb bit, no instruction. */
static enum cpu_result on_exit_other(struct board *b, uint32_t pc) {
    struct cpu *cpu = &b->cpu;
    const struct decoded *d = cpu->insn;

    if (!(get(b, UC_ARM_REG_XPSR) & XPSR_T)) {
        cpu->pc = pc;
        return usage_fault(b, CFSR_INVSTATE);
    }
    if (pc == cpu->pc + d->cycles.size && d->cycles.class == CYCLES_ALU) {
        cpu->it = it_advance(block_state(b, cpu->pc));
        cpu->pc = pc;
        return d->care == CARE_WFI   ? CPU_WFI
               : d->care == CARE_WFE ? CPU_WFE
                                     : CPU_STOPPED; /* YIELD */
    }
    return usage_fault(b, CFSR_UNDEFINSTR);
}

static enum cpu_result result_of_run(struct board *b) {
    struct cpu *cpu = &b->cpu;
    uint32_t pc = get(b, UC_ARM_REG_PC);

    cpu->it = 0;
    if (cpu->fault.exception) {
        if (!cpu->stopped)
            cpu->it = block_state(b, cpu->pc);
        return CPU_FAULT;
    }
    if (cpu->stopped)
        return cpu->breakpoint ? CPU_BREAKPOINT : cpu->lazy ? CPU_LAZY : CPU_STOPPED;
    cpu->it = block_state(b, cpu->pc);
    enum cpu_result result = cpu->interrupt >= 0 ? on_exit_interrupt(b, pc) : on_exit_other(b, pc);
    if (result == CPU_EXC_RETURN || (result == CPU_FAULT && cpu->pc == pc && !in_block(cpu, pc)))
        cpu->it = 0;
    return result;
}

static void begin(struct cpu *cpu) {
    cpu->stopped = cpu->breakpoint = cpu->lazy = cpu->careful = false;
    cpu->fault.exception = EXC_NONE;
    cpu->interrupt = -1;
    cpu->ran = 0;
    cpu->it_block.size = 0;
}

static enum cpu_result run(struct board *b) {
    struct cpu *cpu = &b->cpu;

    if (!(get(b, UC_ARM_REG_XPSR) & XPSR_T))
        return usage_fault(b, CFSR_INVSTATE);
    cpu_deadline(b);
    /* An end that no instruction can reach: address 0 would end the run without an error. */
    uc_emu_start(cpu->uc, cpu->pc | 1, 1, 0, 0);
    unblock(b);
    if (cpu->has_saved)
        take_back(b);
    if (cpu->restore.size)
        restore_memory(cpu);
    read_special(b);
    return result_of_run(b);
}

/* The IT instruction itself, when its block is to be run with care. */
static enum cpu_result open_carefully(struct board *b) {
    struct cpu *cpu = &b->cpu;

    cpu->it = cpu->code->host[cpu->pc - cpu->code->range.start];
    charge(b, cpu->pc, cpu->insn);
    b->cycles.it_left = 0; /* skipped instructions are charged by run_carefully() */
    cpu->pc += 2;
    cpu->ran = 1;
    return CPU_STOPPED;
}

/*
 * One instruction of an IT block, made the last of a block of its own. The hook cannot stop it, so
 * what the hook would look for is looked for before.
 */
static enum cpu_result run_carefully(struct board *b) {
    struct cpu *cpu = &b->cpu;
    uint8_t it = cpu->it;
    uint32_t pc = cpu->pc;

    if (!fetch_is_allowed(b, pc))
        return cpu->breakpoint ? CPU_BREAKPOINT : CPU_FAULT;
    const struct decoded *d = cpu->insn = decoded_at(cpu->code, pc);
    if (!condition_holds(it >> 4, get(b, UC_ARM_REG_XPSR))) {
        cycles_add(&b->cycles, 1, CYCLES_PROGRAM);
        b->cycles.instructions++;
        cpu->pc += d->cycles.size;
        cpu->it = it_advance(it);
        cpu->ran = 1;
        return CPU_STOPPED;
    }
    if (take_care(b, pc, d))
        return cpu->lazy ? CPU_LAZY : CPU_FAULT;
    set(b, UC_ARM_REG_XPSR, (get(b, UC_ARM_REG_XPSR) & ~0x0600FC00u) | it_to_xpsr((it & 0xF0) | 8));
    cpu->it_block = (struct range){pc, d->cycles.size};
    bool single = cpu->single;
    cpu->single = true;
    enum cpu_result result = run(b);
    cpu->single = single;
    if (result == CPU_FAULT || result == CPU_BKPT)
        cpu->it = it;
    else
        cpu->it = cpu->pc == pc + d->cycles.size ? it_advance(it) : 0;
    return result;
}

static void code_init(struct code *c, const struct memory *m) {
    c->range = (struct range){m->start, m->size};
    c->host = m->host;
    c->changes = m->kind == MEMORY_RAM;
    c->is_flash = m->kind == MEMORY_FLASH;
    free(c->decoded);
    c->decoded = calloc(m->size / 2, sizeof(struct decoded));
    if (!c->decoded)
        abort();
}

static void map(struct board *b, uint32_t start, uint32_t size, uint32_t rights, uint8_t *host) {
    must(uc_mem_map_ptr(b->cpu.uc, start, size, rights, host));
}

static void remap_now(struct board *b) {
    struct cpu *cpu = &b->cpu;

    cpu->remap = false;
    must(uc_mem_unmap(cpu->uc, 0, cpu->codes[1].range.size));
    map(b, 0, b->bus.alias0.size, UC_PROT_ALL, b->bus.alias0.host);
    code_init(&cpu->codes[1], &b->bus.alias0);
    cpu_forget(b);
}

/* Unicorn's monitor can be reached by an instruction only. Its page is nowhere on the guest's map. */
static void clear_exclusive_now(struct board *b) {
    struct cpu *cpu = &b->cpu;

    cpu->clear_exclusive = false;
    cpu->stopped = true; /* on_code() looks away */
    uc_emu_start(cpu->uc, HIDDEN_PAGE | 1, 1, 0, 0);
}

enum cpu_result cpu_run(struct board *b) {
    struct cpu *cpu = &b->cpu;

    if (cpu->remap)
        remap_now(b);
    if (cpu->dirty.end)
        flush_dirty(b);
    if (cpu->clear_exclusive)
        clear_exclusive_now(b);
    begin(cpu);
    if (cpu->it)
        return run_carefully(b);
    enum cpu_result result = run(b);
    return result == CPU_STOPPED && cpu->careful ? open_carefully(b) : result;
}

/* ------------------------------------------------------------------------------------------------
 * Life */

static void hook(struct board *b, int type, void *fn) {
    uc_hook handle;
    must(uc_hook_add(b->cpu.uc, &handle, type, fn, b, 1, 0));
}

static void map_devices(struct board *b, uint32_t start, uint32_t size) {
    must(uc_mmio_map(b->cpu.uc, start, size, device_read, b, device_write, b));
}

static uint8_t *hidden_page(void) {
    static const uint16_t code[] = {0xF3BF, 0x8F2F, 0xBE00}; /* clrex; bkpt */
    uint8_t *page = aligned_alloc(4096, 4096);

    if (!page)
        abort();
    memset(page, 0, 4096);
    return memcpy(page, code, sizeof(code));
}

void cpu_init(struct board *b) {
    struct cpu *cpu = &b->cpu;
    struct range any = {0, UINT32_MAX};
    const uint32_t code = UC_PROT_READ | UC_PROT_EXEC, data = UC_PROT_READ | UC_PROT_WRITE;

    /* Unicorn reserves a large buffer for translated code; huge pages make it cost seconds. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    /* Not UC_MODE_MCLASS, which forces a Cortex-M33 in Unicorn 2.0.1. */
    must(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &cpu->uc));
    must(uc_ctl_set_cpu_model(cpu->uc, UC_CPU_ARM_CORTEX_M4));
    map(b, 0, b->bus.alias0.size, code | data, b->bus.alias0.host);
    map(b, FLASH_BASE, BOARD_FLASH_SIZE, code | data, b->config.flash);
    map(b, SRAM_BASE, SRAM_SIZE, code | data, b->bus.sram);
    map(b, CCM_BASE, CCM_SIZE, data, b->bus.ccm);
    map(b, ROM_BASE, ROM_SIZE, UC_PROT_READ, b->bus.rom);
    map_devices(b, 0x22000000, SRAM_SIZE * 32);
    map_devices(b, 0x40000000, 0x20000000);
    map_devices(b, PPB_BASE, PPB_SIZE);
    map(b, HIDDEN_PAGE, 4096, code, cpu->hidden = hidden_page());
    code_init(&cpu->codes[0], bus_find(b, FLASH_BASE, &any));
    code_init(&cpu->codes[1], &b->bus.alias0);
    code_init(&cpu->codes[2], bus_find(b, SRAM_BASE, &any));

    hook(b, UC_HOOK_CODE, on_code);
    hook(b, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, on_access);
    hook(b, UC_HOOK_MEM_INVALID, on_invalid);
    hook(b, UC_HOOK_INTR, on_interrupt);
}

void cpu_free(struct board *b) {
    uc_close(b->cpu.uc);
    free(b->cpu.hidden);
    for (unsigned i = 0; i < CPU_CODES; i++)
        free(b->cpu.codes[i].decoded);
}

/* May come from inside a run, so it is done before the next. */
void cpu_remap(struct board *b) {
    b->cpu.remap = true;
    cpu_attend(b);
}

void cpu_restart(struct board *b) {
    struct cpu *cpu = &b->cpu;

    cpu_set_mode(b, 0, 0);
    cpu_set_masks(b, 0, 0, 0);
    for (unsigned i = 0; i < 13; i++)
        cpu_set_reg(b, i, 0);
    cpu_set_reg(b, 14, 0xFFFFFFFF);
    for (unsigned i = 0; i <= 32; i++)
        cpu_set_fp(b, i, 0);
    cpu_set_xpsr(b, XPSR_T);
    cycles_break(&b->cycles);
    cpu->exclusive = false;
    cpu->soak_at = b->cycles.instructions + b->config.irq_every;
    cpu_attend(b);
}

void cpu_clear_exclusive(struct board *b) {
    if (b->cpu.exclusive) {
        b->cpu.exclusive = false;
        b->cpu.clear_exclusive = true;
    }
}
