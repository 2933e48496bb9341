/* SPDX-License-Identifier: MIT
 *
 * What happens after a fault. Two outcomes: the task ends, or the board restarts with a record.
 *
 * A task ends if it asked for that (TASK_MAY_FAULT) and nothing of the kernel has been interrupted: the
 * fault came from thread mode with nothing masked, or from PendSV storing registers to the task's stack,
 * or while an interrupt of thread code was being stacked (MSTKERR). Then PSP moves to a safe place on
 * the dead task's own stack, because PendSV, which runs next, stores there.
 *
 * Code in a sandbox cannot have masked anything: whatever it was (BKPT is a HardFault), the sandbox ends and
 * its caller goes on (kernel/sandbox.c).
 *
 * Everything else is a panic: a fault in an interrupt, inside a masked section (PRIMASK makes it a
 * HardFault, BASEPRI is looked at here), before the kernel runs, or in a task without the option.
 */
#include "rtos/fault.h"
#include "arch.h"
#include "hal/board.h"
#include "rtos/core.h"
#include "rtos/kernel.h"
#include "rtos/sandbox.h"

static const uint32_t FAULT_MAGIC = 0x46415554;
/* Bytes below the top where a dead task's PSP goes: PendSV stores at most 100 below, a new frame
 * 108 above. */
static const uint32_t DEAD_FRAME = 112;
_Static_assert(112 + 100 <= KERNEL_STACK_MIN - KERNEL_GUARD, "PendSV stays above the guard");

__attribute__((section(".crash"))) static struct fault_record fault_crash;
static struct fault_record last; /* of the task that was ended last */

extern uint32_t _main_stack_bottom[], _main_stack_top[];
extern const char _text_start[], _text_end[], _far_start[], _far_end[];
extern const char core_semihost_call[];

/* ----- the record --------------------------------------------------------------------------------- */

static uint32_t checksum(const struct fault_record *record) {
    const uint32_t *word = &record->kind, *end = (const uint32_t *)(record + 1);
    uint32_t sum = FAULT_MAGIC;
    while (word < end)
        sum = (sum << 5 | sum >> 27) ^ *word++;
    return sum;
}

static void seal(struct fault_record *record) {
    record->magic = FAULT_MAGIC;
    record->checksum = checksum(record);
}

bool fault_crash_take(struct fault_record *out) {
    if (fault_crash.magic != FAULT_MAGIC || fault_crash.checksum != checksum(&fault_crash))
        return false;
    *out = fault_crash;
    out->task[FAULT_NAME - 1] = out->text[sizeof(out->text) - 1] = 0; /* whoever wrote it */
    fault_crash.magic = 0;
    return true;
}

const struct fault_record *fault_last(void) {
    return &last;
}

static void text_copy(char *to, const char *from, size_t size) {
    size_t i = 0;
    for (; from && from[i] && i + 1 < size; i++)
        to[i] = from[i];
    to[i] = 0;
}

static void name_copy(struct fault_record *record, const struct task *task) {
    text_copy(record->task, task ? task->name : "(none)", sizeof(record->task));
}

static bool is_inside(uint32_t pc, const char *start, const char *end) {
    return pc >= (uint32_t)start + 4 && pc <= (uint32_t)end;
}

/* A BL (T1, A7.7.18) or BLX register (A7.7.19) ends at this address of the firmware's code. */
static bool follows_call(uint32_t address) {
    uint32_t pc = address & ~1u;
    if (!(address & 1) ||
        !(is_inside(pc, _text_start, _text_end) || is_inside(pc, _far_start, _far_end)))
        return false;
    const uint16_t *code = (const uint16_t *)pc;
    bool bl = (code[-2] & 0xF800) == 0xF000 && (code[-1] & 0xD000) == 0xD000;
    bool blx = (code[-1] & 0xFF87) == 0x4780;
    return bl || blx;
}

static void find_returns(struct fault_record *record, const uint32_t *from, const uint32_t *to) {
    unsigned found = 0;
    for (; from < to && found < FAULT_RETURNS; from++)
        if (follows_call(*from))
            record->returns[found++] = *from & ~1u;
}

/* There the firmware has called nothing, and to look through an arena holds up everybody for as long as it is large. */
static bool is_sandbox(uint32_t exc_return) {
    return exc_return & EXC_RETURN_PSP && task_self() && task_self()->sandbox;
}

/* The stack that the frame should lie on: its readable part. */
struct bounds {
    const uint32_t *low, *high;
};

static struct bounds stack_of(uint32_t exc_return) {
    const struct task *task = task_self();
    if (is_sandbox(exc_return)) {
        const struct sandbox *box = task->sandbox;
        uint32_t end = box->frame_low + box->frame_span + SANDBOX_FRAME;
        return (struct bounds){(uint32_t *)box->frame_low, (uint32_t *)end};
    }
    if (exc_return & EXC_RETURN_PSP && task)
        return (struct bounds){task->stack + KERNEL_GUARD / 4, task->stack_top};
    return (struct bounds){_main_stack_bottom + KERNEL_GUARD / 4, _main_stack_top};
}

static void read_frame(struct fault_record *record) {
    const uint32_t *sp =
        (const uint32_t *)(record->exc_return & EXC_RETURN_PSP ? record->psp : record->msp);
    struct bounds stack = stack_of(record->exc_return);
    uint32_t not_written = CFSR_MSTKERR | CFSR_STKERR;
    if ((uintptr_t)sp % 4 || sp < stack.low || sp > stack.high - FAULT_FRAME)
        return;
    if (!is_sandbox(record->exc_return))
        find_returns(record, sp + FAULT_FRAME, stack.high);
    if (record->cfsr & not_written)
        return;
    record->frame_valid = 1;
    for (int i = 0; i < FAULT_FRAME; i++)
        record->frame[i] = sp[i];
    record->exception = record->frame[FRAME_PSR] & 0x1FF;
}

/* In the guard of the running task, just below the arena of a sandbox, or stacked there. */
static bool is_overflow(const struct fault_record *record) {
    if (!task_self())
        return false;
    uint32_t guard = (uint32_t)stack_of(EXC_RETURN_PSP).low - KERNEL_GUARD;
    if (record->cfsr & CFSR_MMARVALID)
        return record->mmfar - guard < KERNEL_GUARD;
    bool stacking = record->cfsr & (CFSR_MSTKERR | CFSR_MLSPERR);
    return stacking && record->psp - guard < KERNEL_GUARD + 108u;
}

static uint32_t kind_of(const struct fault_record *record) {
    if (is_overflow(record))
        return FAULT_STACK_OVERFLOW;
    switch (arch_exception()) {
    case EXCEPTION_MEMORY: return FAULT_MEMORY;
    case EXCEPTION_BUS: return FAULT_BUS;
    case EXCEPTION_USAGE: return FAULT_USAGE;
    default: return FAULT_HARD;
    }
}

static void fill_record(struct fault_record *record, const uint32_t *r4_r11, uint32_t psp,
                        uint32_t msp, uint32_t exc_return) {
    *record = (struct fault_record){.cfsr = SCB_CFSR,
                                    .hfsr = SCB_HFSR,
                                    .psp = psp,
                                    .msp = msp,
                                    .exc_return = exc_return,
                                    .ticks = (uint32_t)kernel_uptime()};
    record->mmfar = record->cfsr & CFSR_MMARVALID ? SCB_MMFAR : 0;
    record->bfar = record->cfsr & CFSR_BFARVALID ? SCB_BFAR : 0;
    record->kind = kind_of(record);
    for (int i = 0; i < 8; i++)
        record->r4_r11[i] = r4_r11[i];
    read_frame(record);
    name_copy(record, task_self());
    seal(record);
}

/* ----- the outcome -------------------------------------------------------------------------------- */

static bool from_switch(const struct fault_record *record) {
    return !(record->exc_return & EXC_RETURN_THREAD) && record->exception == EXCEPTION_PENDSV &&
           record->kind == FAULT_STACK_OVERFLOW;
}

static bool may_end(const struct fault_record *record) {
    const struct task *task = task_self();
    bool from_task = record->exc_return & EXC_RETURN_THREAD && record->exc_return & EXC_RETURN_PSP;
    return task && task->options & TASK_MAY_FAULT && !arch_masked() &&
           (from_task || from_switch(record));
}

/* PendSV was storing to a stack that had no room. It goes on behind the store, out of the IT block that
 * the store may have been in. */
static void skip_store(uint32_t *frame) {
    frame[FRAME_PC] = (uint32_t)arch_switch_pick & ~1u;
    frame[FRAME_PSR] &= ~0x0600FC00u;
}

static void end_task(uint32_t msp) {
    const struct task *task = task_self();
    /* A frame that is still to be written lazily would go to the dead task's stack, or below it. */
    FPU_FPCCR &= ~FPCCR_LSPACT;
    arch_cancel_pending();
    __asm volatile("msr psp, %0" : : "r"((uint32_t)task->stack_top - DEAD_FRAME) : "memory");
    if (from_switch(&last))
        skip_store((uint32_t *)msp);
    kernel_fault_end();
}

static void clear_flags(void) {
    SCB_CFSR = SCB_CFSR; /* write 1 to clear */
    SCB_HFSR = SCB_HFSR;
    __asm volatile("dsb" : : : "memory");
}

/* A question whether somebody answers semihosting calls, and nobody does. */
static bool is_refused_semihost(const struct fault_record *record) {
    return arch_exception() == EXCEPTION_HARD && record->frame_valid &&
           record->frame[FRAME_PC] == (uint32_t)core_semihost_call;
}

static void refuse_semihost(const struct fault_record *record) {
    uint32_t *frame = (uint32_t *)(record->exc_return & EXC_RETURN_PSP ? record->psp : record->msp);
    frame[FRAME_R0] = UINT32_MAX;
    frame[FRAME_PC] += 2;
}

void fault_handle(const uint32_t *r4_r11, uint32_t psp, uint32_t msp, uint32_t exc_return);
void fault_handle(const uint32_t *r4_r11, uint32_t psp, uint32_t msp, uint32_t exc_return) {
    struct fault_record record;
    if (exc_return & EXC_RETURN_THREAD && arch_unprivileged()) {
        fill_record(sandbox_fault_record(), r4_r11, psp, msp, exc_return);
        clear_flags();
        sandbox_fault_end();
        return;
    }
    fill_record(&record, r4_r11, psp, msp, exc_return);
    clear_flags();
    if (is_refused_semihost(&record)) {
        refuse_semihost(&record);
        return;
    }
    if (!may_end(&record)) {
        fault_crash = record;
        board_panic(&fault_crash);
    }
    last = record;
    end_task(msp);
    fault_report_isr();
}

_Noreturn void fault_panic_of(const struct task *task, const char *text) {
    arch_disable();
    fault_crash = (struct fault_record){.kind = FAULT_PANIC,
                                        .exception = arch_exception(),
                                        .returns = {(uint32_t)__builtin_return_address(0) & ~1u},
                                        .ticks = (uint32_t)kernel_uptime()};
    name_copy(&fault_crash, task ? task : task_self());
    text_copy(fault_crash.text, text, sizeof(fault_crash.text));
    seal(&fault_crash);
    board_panic(&fault_crash);
}
