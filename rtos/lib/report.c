/* SPDX-License-Identifier: MIT
 *
 * A fault in words. The bits are those of ARMv7-M, B3.2.15 and B3.2.16.
 */
#include <stddef.h>

#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/print.h"

#include <string.h>

static const char *const kinds[] = {
    [FAULT_NONE] = "none",
    [FAULT_HARD] = "HardFault",
    [FAULT_MEMORY] = "MemManage fault",
    [FAULT_BUS] = "BusFault",
    [FAULT_USAGE] = "UsageFault",
    [FAULT_STACK_OVERFLOW] = "stack overflow",
    [FAULT_PANIC] = "panic",
};

struct bit_text {
    uint8_t bit;
    const char *text;
};

static const struct bit_text cfsr_texts[] = {
    {0, "IACCVIOL: fetched an instruction where the MPU forbids it"},
    {1, "DACCVIOL: read or wrote where the MPU forbids it"},
    {3, "MUNSTKERR: MPU, while unstacking for an exception return"},
    {4, "MSTKERR: MPU, while stacking for an exception"},
    {5, "MLSPERR: MPU, while the FPU state was stored lazily"},
    {8, "IBUSERR: fetched an instruction where there is no memory"},
    {9, "PRECISERR: read or wrote where there is no memory"},
    {10, "IMPRECISERR: an earlier write went where there is no memory"},
    {11, "UNSTKERR: bus, while unstacking for an exception return"},
    {12, "STKERR: bus, while stacking for an exception"},
    {13, "LSPERR: bus, while the FPU state was stored lazily"},
    {16, "UNDEFINSTR: undefined instruction"},
    {17, "INVSTATE: not in Thumb state (jump to an even address?)"},
    {18, "INVPC: bad exception return"},
    {19, "NOCP: coprocessor not enabled"},
    {24, "UNALIGNED: unaligned LDM, STM, LDRD or STRD"},
    {25, "DIVBYZERO: division by zero"},
};
static const struct bit_text hfsr_texts[] = {
    {1, "VECTTBL: could not read the vector table"},
    {30, "FORCED: escalated from the fault below"},
    {31, "DEBUGEVT: BKPT without a debugger"},
};

static void print_bits(uint32_t value, const struct bit_text *texts, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (value >> texts[i].bit & 1)
            print("  %s\n", texts[i].text);
}

static void print_frame(const struct fault_record *record) {
    const uint32_t *f = record->frame;
    print("  pc %08x  lr %08x  psr %08x\n", (unsigned)f[FRAME_PC], (unsigned)f[FRAME_LR],
          (unsigned)f[FRAME_PSR]);
    print("  r0 %08x  r1 %08x  r2 %08x  r3 %08x  r12 %08x\n", (unsigned)f[FRAME_R0],
          (unsigned)f[FRAME_R1], (unsigned)f[FRAME_R2], (unsigned)f[FRAME_R3],
          (unsigned)f[FRAME_R12]);
}

static void print_exception(const struct fault_record *record) {
    print("  CFSR %08x  HFSR %08x\n", (unsigned)record->cfsr, (unsigned)record->hfsr);
    print_bits(record->hfsr, hfsr_texts, sizeof(hfsr_texts) / sizeof(hfsr_texts[0]));
    print_bits(record->cfsr, cfsr_texts, sizeof(cfsr_texts) / sizeof(cfsr_texts[0]));
    if (record->cfsr >> 7 & 1)
        print("  address %08x (MMFAR)\n", (unsigned)record->mmfar);
    if (record->cfsr >> 15 & 1)
        print("  address %08x (BFAR)\n", (unsigned)record->bfar);
    if (record->frame_valid)
        print_frame(record);
    else
        print("  no frame: the stack pointer was bad\n");
    const uint32_t *r = record->r4_r11;
    for (int i = 0; i < 8; i += 4)
        print("  r%d %08x  r%d %08x  r%d %08x  r%d %08x\n", i + 4, (unsigned)r[i], i + 5,
              (unsigned)r[i + 1], i + 6, (unsigned)r[i + 2], i + 7, (unsigned)r[i + 3]);
    print("  psp %08x  msp %08x  EXC_RETURN %08x\n", (unsigned)record->psp, (unsigned)record->msp,
          (unsigned)record->exc_return);
}

/* Whoever wrote the record: what is no text must not reach a terminal. */
static void make_readable(char *text) {
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

/* The first call takes it out of the RAM that survives a reset. */
const struct fault_record *fault_previous(void) {
    static struct fault_record previous;
    static bool asked, there;
    if (!asked) {
        there = fault_crash_take(&previous);
        make_readable(previous.task);
        make_readable(previous.text);
    }
    asked = true;
    return there ? &previous : NULL;
}

void fault_print(const struct fault_record *record) {
    const char *kind = record->kind <= FAULT_PANIC ? kinds[record->kind] : "?";
    print("fault: %s in task %s", kind, record->task);
    if (record->exception)
        print(", exception %u", (unsigned)record->exception);
    print(", %u ticks after start\n", (unsigned)record->ticks);
    if (record->kind == FAULT_PANIC)
        print("  %s\n", record->text);
    else
        print_exception(record);
    for (int i = 0; i < FAULT_RETURNS && record->returns[i]; i++)
        print("  possible return address %08x\n", (unsigned)record->returns[i]);
}

static volatile bool reporting, printing;

/* In the timer task: printing in the fault handler would hold up all interrupts of the kernel's band. */
static void print_last(void *argument) {
    static struct fault_record reported;
    (void)argument;
    printing = true;
    do /* without a lock, which it would hold for 500 cycles: another fault can only replace it as a whole */
        reported = *fault_last();
    while (memcmp(&reported, fault_last(), sizeof(reported)));
    reporting = false; /* one that comes meanwhile begins anew */
    fault_print(&reported);
    printing = false;
}

bool fault_report_busy(void) {
    return reporting || printing;
}

void fault_report_isr(void) {
    static struct timer timer;
    reporting = true;
    timer_stop_isr(&timer);
    timer_init(&timer, print_last, NULL);
    timer_start_isr(&timer, 1, 0);
}
