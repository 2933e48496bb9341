/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: entry, return and what can go wrong in them (B1.5). All of it happens between two
 * instructions and at once; the cycles are those of the Technical Reference Manual (DDI0439D 3.9.1).
 *
 * An exception is entered in two steps: the frame is stacked, then the most urgent pending exception is
 * taken, which need not be the one that began (late arrival; a fault while stacking). A return looks
 * for a pending exception before it unstacks anything (tail-chaining).
 *
 * With an FPU context the frame has room for s0 to s15. With lazy stacking (FPCCR.LSPEN) only the
 * room is made; the first FPU instruction afterwards writes the registers to where FPCAR points, with
 * the rights of the code that was interrupted.
 */
#include "core.h"

enum {
    FRAME = 0x20,
    FRAME_FP = 0x68,
    ENTRY_CYCLES = 12,
    RETURN_CYCLES =
        10, /* from the return instruction on; the refill that it is charged as a branch is in it */
    TAIL_CYCLES = 6, /* the same */
    FP_CYCLES = 17,  /* a frame with s0 to s15 written or read */
    XPSR_ALIGNED = 1 << 9,
    RETURN_THREAD = 1 << 3, /* EXC_RETURN */
    RETURN_PSP = 1 << 2,
    RETURN_NO_FP = 1 << 4,
};
#define XPSR_T (1u << 24)

static bool lock_up(struct board *b) {
    b->locked_up = true;
    cpu_attend(b);
    return false;
}

/* ------------------------------------------------------------------------------------------------
 * Faults */

static void record(struct board *b, const struct fault *fault) {
    struct scb *s = &b->scb;

    s->cfsr |= fault->cfsr;
    s->hfsr |= fault->hfsr;
    if (fault->cfsr & CFSR_MMARVALID)
        s->mmfar = fault->address;
    if (fault->cfsr & CFSR_BFARVALID)
        s->bfar = fault->address;
}

/* A synchronous exception becomes pending. One that cannot be taken, because it is off or not urgent
 * enough, becomes a HardFault; a HardFault that cannot be taken locks the core up (B1.5.14). */
static bool pend_synchronous(struct board *b, unsigned exception) {
    int running = nvic_running(b);

    if (exception != EXC_HARD &&
        (!b->nvic.enabled[exception] || nvic_priority(b, exception) >= running)) {
        exception = EXC_HARD;
        b->scb.hfsr |= HFSR_FORCED;
    }
    if (exception == EXC_HARD && running <= -1)
        return lock_up(b);
    nvic_pend(b, exception);
    return true;
}

void exception_fault(struct board *b, const struct fault *fault) {
    record(b, fault);
    debug_note_fault(b, fault);
    pend_synchronous(b, fault->exception);
}

void exception_svc(struct board *b) {
    pend_synchronous(b, EXC_SVCALL);
}

/* A fault of stacking, unstacking or lazy stacking: other bits than those of a load or store. */
static struct fault derived(struct fault fault, uint32_t memory_bit, uint32_t bus_bit) {
    fault.cfsr = fault.exception == EXC_MEM ? memory_bit : bus_bit;
    return fault;
}

/* ------------------------------------------------------------------------------------------------
 * Frames */

/* Stores words; stops at the first that cannot be. */
static struct fault store_words(struct board *b, uint32_t address, const uint32_t *words,
                                unsigned count, bool privileged) {
    struct fault fault = {0};

    for (unsigned i = 0; i < count && !fault.exception; i++)
        fault = bus_store(b, address + i * 4, 4, privileged, words[i]);
    return fault;
}

static struct fault load_words(struct board *b, uint32_t address, uint32_t *words, unsigned count,
                               bool privileged) {
    struct fault fault = {0};

    for (unsigned i = 0; i < count && !fault.exception; i++)
        fault = bus_load(b, address + i * 4, 4, privileged, &words[i]);
    return fault;
}

static struct fault store_fp(struct board *b, uint32_t address, bool privileged) {
    uint32_t words[17];

    for (unsigned i = 0; i < 16; i++)
        words[i] = cpu_fp(b, i);
    words[16] = cpu_fp(b, 32);
    return store_words(b, address, words, 17, privileged);
}

static struct fault load_fp(struct board *b, uint32_t address, bool privileged) {
    uint32_t words[17];
    struct fault fault = load_words(b, address, words, 17, privileged);

    for (unsigned i = 0; i < 16 && !fault.exception; i++)
        cpu_set_fp(b, i, words[i]);
    if (!fault.exception)
        cpu_set_fp(b, 32, words[16]);
    return fault;
}

/* Which faults the lazy store could take, as it is now: B1.5.7, UpdateFPCCR(). */
static void note_lazy(struct board *b, uint32_t frame) {
    int running = nvic_running(b);
    const struct nvic *n = &b->nvic;
    uint32_t ready = (running > -1 ? FPCCR_HFRDY : 0);

    ready |= n->enabled[EXC_MEM] && nvic_priority(b, EXC_MEM) < running ? FPCCR_MMRDY : 0;
    ready |= n->enabled[EXC_BUS] && nvic_priority(b, EXC_BUS) < running ? FPCCR_BFRDY : 0;
    ready |= cpu_is_privileged(b) ? 0 : FPCCR_USER;
    ready |= b->cpu.ipsr ? 0 : FPCCR_THREAD;
    b->scb.fpccr = (b->scb.fpccr & (FPCCR_ASPEN | FPCCR_LSPEN)) | ready | FPCCR_LSPACT;
    b->scb.fpcar = frame + FRAME;
}

/* B1.5.6, PushStack(). The stack pointer moves even if the frame cannot be written. */
static struct fault push_frame(struct board *b) {
    struct cpu *cpu = &b->cpu;
    bool process = !cpu->ipsr && cpu->control & CONTROL_SPSEL;
    bool fp = cpu->control & CONTROL_FPCA, privileged = cpu_is_privileged(b);
    bool align = fp || b->scb.ccr & CCR_STKALIGN;
    uint32_t sp = cpu_sp(b, process), xpsr = cpu_xpsr(b);
    uint32_t padded = align && sp & 4;

    sp = (sp - (fp ? FRAME_FP : FRAME)) & ~(align ? 7u : 3u);
    const uint32_t words[8] = {
        cpu_reg(b, 0),  cpu_reg(b, 1),
        cpu_reg(b, 2),  cpu_reg(b, 3),
        cpu_reg(b, 12), cpu_reg(b, 14),
        cpu->pc,        (xpsr & ~(uint32_t)XPSR_ALIGNED) | (padded ? XPSR_ALIGNED : 0)};
    struct fault fault = store_words(b, sp, words, 8, privileged);
    cpu_set_sp(b, process, sp);
    if (fp && b->scb.fpccr & FPCCR_LSPEN) {
        note_lazy(b, sp);
    } else if (fp && !fault.exception) {
        fault = store_fp(b, sp + FRAME, privileged);
        cycles_add(&b->cycles, FP_CYCLES, CYCLES_PROGRAM);
    }
    return fault;
}

static uint32_t exc_return_now(const struct board *b) {
    const struct cpu *cpu = &b->cpu;
    uint32_t value = cpu->ipsr                      ? 0xFFFFFFF1
                     : cpu->control & CONTROL_SPSEL ? 0xFFFFFFFD
                                                    : 0xFFFFFFF9;
    return cpu->control & CONTROL_FPCA ? value & ~(uint32_t)RETURN_NO_FP : value;
}

/* ------------------------------------------------------------------------------------------------
 * Entry */

/* B1.5.6, ExceptionTaken(). */
static void take(struct board *b, unsigned exception, uint32_t exc_return) {
    uint32_t vector = 0;
    bool read = board_bus_read(b, BUS_CORE, b->scb.vtor + exception * 4, 4, &vector);

    cpu_set_reg(b, 14, exc_return);
    cpu_set_mode(b, exception, b->cpu.control & CONTROL_NPRIV);
    cpu_set_xpsr(b, (cpu_xpsr(b) & ~(XPSR_T | 0x0600FC00u)) | (vector & 1 ? XPSR_T : 0));
    cpu_set_reg(b, 15, vector);
    nvic_activate(b, exception);
    cpu_clear_exclusive(b);
    cycles_break(&b->cycles);
    b->event_register = true;
    b->sleeping = false;
    if (!read) {
        b->scb.hfsr |= HFSR_VECTTBL;
        pend_synchronous(b, EXC_HARD);
    }
    debug_entered(b, exception);
}

/* The most urgent pending one; after a fault while stacking that may be another than was wanted. */
static void take_best(struct board *b, uint32_t exc_return) {
    if (!b->locked_up)
        take(b, nvic_wanted(b), exc_return);
}

void exception_enter(struct board *b) {
    uint32_t exc_return = exc_return_now(b);
    struct fault fault = push_frame(b);

    cycles_add(&b->cycles, ENTRY_CYCLES, CYCLES_PROGRAM);
    if (fault.exception) {
        fault = derived(fault, CFSR_MSTKERR, CFSR_STKERR);
        exception_fault(b, &fault);
    }
    take_best(b, exc_return);
}

/* ------------------------------------------------------------------------------------------------
 * Return */

static void deactivate(struct board *b, unsigned exception) {
    if (exception != EXC_NMI && b->cpu.faultmask)
        cpu_set_masks(b, b->cpu.primask, 0, b->cpu.basepri);
    nvic_deactivate(b, exception);
}

/* A return that must not be: UsageFault in place of it, on the frame that is there. */
static void refuse_return(struct board *b, uint32_t exc_return) {
    const struct fault fault = {.exception = EXC_USAGE, .cfsr = CFSR_INVPC};

    cycles_add(&b->cycles, TAIL_CYCLES, CYCLES_PROGRAM);
    exception_fault(b, &fault);
    take_best(b, exc_return);
}

/* B1.5.8: what may be returned to, when so many exceptions are active. */
static bool is_valid_return(const struct board *b, uint32_t exc_return, unsigned active) {
    bool to_base_only = active == 1 || b->scb.ccr & CCR_NONBASETHRDENA;

    if ((exc_return | RETURN_NO_FP) >> 4 != 0xFFFFFFF)
        return false;
    switch (exc_return & 0xF) {
    case 0x1: return active > 1;
    case 0x9:
    case 0xD: return to_base_only;
    default: return false;
    }
}

/* B1.5.8, PopStack(). True: it was read; the mode changes with it. */
static bool pop_frame(struct board *b, uint32_t exc_return) {
    bool to_thread = exc_return & RETURN_THREAD, process = exc_return & RETURN_PSP;
    bool fp = !(exc_return & RETURN_NO_FP), lazy = b->scb.fpccr & FPCCR_LSPACT;
    bool privileged = !to_thread || !(b->cpu.control & CONTROL_NPRIV);
    bool align = fp || b->scb.ccr & CCR_STKALIGN;
    uint32_t words[8], sp = cpu_sp(b, process);

    struct fault fault = load_words(b, sp, words, 8, privileged);
    if (!fault.exception && fp && !lazy) {
        fault = load_fp(b, sp + FRAME, privileged);
        cycles_add(&b->cycles, FP_CYCLES, CYCLES_PROGRAM);
    }
    if (fault.exception) {
        fault = derived(fault, CFSR_MUNSTKERR, CFSR_UNSTKERR);
        exception_fault(b, &fault);
        take_best(b, exc_return);
        return false;
    }
    unsigned number = words[7] & 0x1FF;
    if (to_thread != (number == 0)) { /* the frame and EXC_RETURN disagree */
        refuse_return(b, exc_return);
        return false;
    }
    if (fp && lazy)
        b->scb.fpccr &=
            ~(uint32_t)FPCCR_LSPACT; /* what was not written is still in the registers */
    uint32_t up = sp + (fp ? FRAME_FP : FRAME);
    cpu_set_sp(b, process, align && words[7] & XPSR_ALIGNED ? up | 4 : up);
    cpu_set_mode(b, number,
                 (b->cpu.control & CONTROL_NPRIV) | (process ? CONTROL_SPSEL : 0) |
                     (fp ? CONTROL_FPCA : 0));
    static const unsigned numbers[6] = {0, 1, 2, 3, 12, 14};
    for (unsigned i = 0; i < 6; i++)
        cpu_set_reg(b, numbers[i], words[i]);
    cpu_set_reg(b, 15, words[6]);
    cpu_set_xpsr(b, words[7] & ~(uint32_t)XPSR_ALIGNED);
    return true;
}

void exception_return(struct board *b, uint32_t exc_return) {
    unsigned returning = b->cpu.ipsr, active = nvic_active_count(b);
    bool was_active = b->nvic.active[returning];

    cpu_clear_exclusive(b);
    cycles_break(&b->cycles);
    deactivate(b, returning);
    if (!was_active || !is_valid_return(b, exc_return, active)) {
        refuse_return(b, exc_return);
        return;
    }
    if (nvic_wanted(b)) {
        cycles_add(&b->cycles, TAIL_CYCLES - CYCLES_REFILL, CYCLES_PROGRAM);
        take_best(b, exc_return);
        return;
    }
    cycles_add(&b->cycles, RETURN_CYCLES - CYCLES_REFILL, CYCLES_PROGRAM);
    if (!pop_frame(b, exc_return))
        return;
    if (exc_return & RETURN_THREAD && b->scb.scr & SCR_SLEEPONEXIT && nvic_active_count(b) == 0)
        board_sleep(b, false);
    cpu_attend(b);
}

/* ------------------------------------------------------------------------------------------------
 * Others */

void exception_preserve_fp(struct board *b) {
    uint32_t fpccr = b->scb.fpccr;
    struct fault fault = store_fp(b, b->scb.fpcar, !(fpccr & FPCCR_USER));

    cycles_add(&b->cycles, FP_CYCLES, CYCLES_PROGRAM);
    b->scb.fpccr &= ~(uint32_t)FPCCR_LSPACT;
    cpu_fpu_trap(b);
    if (!fault.exception)
        return;
    fault = derived(fault, CFSR_MLSPERR, CFSR_LSPERR);
    record(b, &fault);
    /* B1.5.7: taken if it could have been taken when the frame was made, else a HardFault. */
    bool ready = fpccr & (fault.exception == EXC_MEM ? FPCCR_MMRDY : FPCCR_BFRDY);
    if (ready)
        nvic_pend(b, fault.exception);
    else if (fpccr & FPCCR_HFRDY) {
        b->scb.hfsr |= HFSR_FORCED;
        nvic_pend(b, EXC_HARD);
    } else
        lock_up(b);
}

/* The frame is stacked and unstacked, as by an interrupt of the highest priority that does nothing. */
void exception_soak(struct board *b) {
    if (b->cpu.primask || b->cpu.faultmask)
        return;
    uint32_t exc_return = exc_return_now(b), control = b->cpu.control;
    struct fault fault = push_frame(b);

    cycles_add(&b->cycles, ENTRY_CYCLES, CYCLES_PROGRAM);
    cpu_clear_exclusive(b);
    cycles_break(&b->cycles);
    if (fault.exception) {
        fault = derived(fault, CFSR_MSTKERR, CFSR_STKERR);
        exception_fault(b, &fault);
        take_best(b, exc_return);
        return;
    }
    cycles_add(&b->cycles, RETURN_CYCLES, CYCLES_PROGRAM);
    cpu_set_mode(b, EXC_IRQ0 + EXC_IRQS - 1, control & CONTROL_NPRIV);
    pop_frame(b, exc_return);
}

void exception_reset(struct board *b) {
    uint32_t sp = 0, pc = 0;

    board_bus_read(b, BUS_CORE, 0, 4, &sp);
    board_bus_read(b, BUS_CORE, 4, 4, &pc);
    cpu_set_sp(b, false, sp);
    cpu_set_sp(b, true, 0);
    cpu_set_reg(b, 15, pc);
    cpu_set_xpsr(b, pc & 1 ? XPSR_T : 0);
}
