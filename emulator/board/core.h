/* SPDX-License-Identifier: MIT */
/*
 * The inside of the virtual board: what its files share. One structure holds the whole board; each
 * file owns the member that is named after it, and others read it or call its functions.
 *
 *     board.c      life, run loop, devices         nvic.c     pending, active, priorities
 *     cpu.c        Unicorn and its hooks           exception.c  entry, return, frames, faults
 *     bus.c        memory map, access checks       mpu.c, systick.c, scb.c, debug.c   PPB
 *     event.c      time                            decode.c, art.c   what an instruction costs
 *
 * Numbers in comments are sections of the ARMv7-M Architecture Reference Manual (DDI0403E), unless
 * another document is named.
 */
#ifndef EMULATOR_BOARD_CORE_H
#define EMULATOR_BOARD_CORE_H

#include "board.h"
#include "cycles.h"
#include "device.h"

#include <unicorn/unicorn.h>

enum exception {
    EXC_NONE = 0,
    EXC_NMI = 2,
    EXC_HARD = 3,
    EXC_MEM = 4,
    EXC_BUS = 5,
    EXC_USAGE = 6,
    EXC_SVCALL = 11,
    EXC_DEBUG = 12,
    EXC_PENDSV = 14,
    EXC_SYSTICK = 15,
    EXC_IRQ0 = 16,
    EXC_IRQS = 82, /* RM0090 table 62 */
    EXC_COUNT = EXC_IRQ0 + EXC_IRQS,
};

/* B3.2.15 to B3.2.17. HFSR bits in a word of their own. */
enum cfsr {
    CFSR_IACCVIOL = 1 << 0,
    CFSR_DACCVIOL = 1 << 1,
    CFSR_MUNSTKERR = 1 << 3,
    CFSR_MSTKERR = 1 << 4,
    CFSR_MLSPERR = 1 << 5,
    CFSR_MMARVALID = 1 << 7,
    CFSR_IBUSERR = 1 << 8,
    CFSR_PRECISERR = 1 << 9,
    CFSR_UNSTKERR = 1 << 11,
    CFSR_STKERR = 1 << 12,
    CFSR_LSPERR = 1 << 13,
    CFSR_BFARVALID = 1 << 15,
    CFSR_UNDEFINSTR = 1 << 16,
    CFSR_INVSTATE = 1 << 17,
    CFSR_INVPC = 1 << 18,
    CFSR_NOCP = 1 << 19,
    CFSR_UNALIGNED = 1 << 24,
    CFSR_DIVBYZERO = 1 << 25,
};
#define HFSR_VECTTBL (1u << 1)
#define HFSR_FORCED (1u << 30)
#define HFSR_DEBUGEVT (1u << 31)

/* A synchronous fault. exception 0: none. */
struct fault {
    enum exception exception;
    uint32_t cfsr; /* bits to set */
    uint32_t hfsr;
    uint32_t address; /* for MMFAR or BFAR if cfsr has their VALID bit */
};

/* --- bus.c: memory --------------------------------------------------------------------------------- */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

enum memory_kind {
    MEMORY_NONE,
    MEMORY_RAM, /* `host` is all there is to it */
    MEMORY_FLASH,
    MEMORY_ROM,
    MEMORY_DEVICE,
    MEMORY_BITBAND, /* aliases of single bits */
    MEMORY_PPB,
};

struct memory {
    uint32_t start, size;
    uint8_t kind; /* enum memory_kind */
    bool no_code; /* the instruction bus does not reach it */
    bool no_dma;
    uint8_t *host; /* of RAM, flash and ROM */
};

enum { MEMORIES = 12, SRAM_SIZE = 128 * 1024, CCM_SIZE = 64 * 1024, ROM_SIZE = 64 * 1024 };
#define FLASH_BASE 0x08000000u
#define SRAM_BASE 0x20000000u
#define CCM_BASE 0x10000000u
#define ROM_BASE 0x1FFF0000u
#define PPB_BASE 0xE0000000u
#define PPB_SIZE 0x100000u

struct bus {
    struct memory map[MEMORIES];
    unsigned memories;
    struct memory alias0; /* what lies at 0: flash, system memory or SRAM (SYSCFG_MEMRMP) */
    uint8_t *sram, *ccm, *rom;
    uint64_t flash_busy; /* until when the array works; 0: it does not, or nobody knows better */
};

/* A range of addresses for which one answer holds. */
struct range {
    uint32_t start, size;
};
static inline bool range_has(const struct range *r, uint32_t address, uint32_t size) {
    return size <= r->size && address - r->start <= r->size - size;
}

void bus_init(struct board *b);
void bus_free(struct board *b);
/* The memory at an address, or null; *range is narrowed to where the answer is the same. */
const struct memory *bus_find(struct board *b, uint32_t address, struct range *range);
/* Whether the core may: MPU, memory map, privilege. Alignment is not looked at. */
struct fault bus_check(struct board *b, uint32_t address, unsigned size, enum access access,
                       bool privileged);
/* Data accesses of the core with all checks, for exception frames and the like. */
struct fault bus_load(struct board *b, uint32_t address, unsigned size, bool privileged,
                      uint32_t *value);
struct fault bus_store(struct board *b, uint32_t address, unsigned size, bool privileged,
                       uint32_t value);
void bus_wait_for_flash(struct board *b);
bool bus_is_aligned_only(struct board *b, uint32_t address);

/* --- mpu.c ----------------------------------------------------------------------------------------- */

enum { MPU_REGIONS = 8, MPU_ENABLE = 1, MPU_HFNMIENA = 2, MPU_PRIVDEFENA = 4 };

struct mpu {
    uint32_t ctrl, rnr;
    uint32_t rbar[MPU_REGIONS], rasr[MPU_REGIONS];
};

struct mpu_rights {
    bool read, write, execute;
};
/* What may be done at an address; *range is narrowed to where this holds. */
struct mpu_rights mpu_rights(struct board *b, uint32_t address, bool privileged,
                             struct range *range);
uint32_t mpu_read(struct board *b, uint32_t offset);
void mpu_write(struct board *b, uint32_t offset, uint32_t value);

/* --- cpu.c ----------------------------------------------------------------------------------------- */

/* Instructions that need more than their cycles counted. */
enum care {
    CARE_NONE,
    CARE_SPECIAL, /* writes a special register */
    CARE_DIVIDE,
    CARE_FPU,
    CARE_IT,
    CARE_USER,  /* LDRT, STRT and their like: checked as unprivileged */
    CARE_LDREX, /* opens the exclusive monitor */
    CARE_STREX, /* closes it */
    CARE_WFI,
    CARE_WFE,
    CARE_SEV,
};

struct decoded {
    struct cycles_insn cycles;     /* size 0: not decoded yet */
    uint8_t care;                  /* enum care */
    bool block_divides, block_fpu; /* IT: such an instruction is in its block */
    uint32_t code;                 /* the halfwords that this was decoded from */
};
struct decoded decode(const uint16_t *code, size_t count); /* decode.c */

/* Executable memory and what is known of it. */
struct code {
    struct range range;
    const uint8_t *host;
    struct decoded *decoded; /* by halfword */
    bool changes;            /* RAM: compare before use */
    bool is_flash;
};

enum { CPU_CODES = 3, CPU_WINDOWS = 64 };

/* A data access inside needs no further look. */
struct window {
    struct range read, write;
    unsigned generation;
};

enum { MASKED_PLACES = 32 };

struct masked {
    bool on;
    uint64_t since; /* in cycles without sleep */
    uint32_t from, caller;
    struct board_masked longest[MASKED_PLACES]; /* of each place the longest, the longest first */
};
void masked_look(struct board *b, uint32_t pc); /* masked.c: behind a write of special registers */

struct cpu {
    uc_engine *uc;
    struct code codes[CPU_CODES]; /* flash, alias at 0, SRAM */
    uint32_t pc;                  /* the instruction that runs; between runs, the next one */
    const struct decoded *insn;

    /* Special registers. Right between runs; a MSR that runs is seen at the next instruction. */
    unsigned ipsr;
    uint32_t primask, faultmask, basepri, control;
    uint8_t it; /* ITSTATE of the next instruction, between runs */

    /* The IT block that Unicorn runs, in which it cannot be stopped. */
    struct range it_block;
    uint8_t it_first; /* ITSTATE of its first instruction */

    struct range fetch; /* instructions inside may run without a further look */
    const struct code *code;
    struct window windows[CPU_WINDOWS];
    unsigned generation; /* of the windows; other rights, other generation */

    uint64_t deadline; /* cycle at which the hook stops to look around; 0: at once */
    bool attention;    /* something is to be done between two instructions */
    bool special_written;
    bool fpu_trap; /* an FPU instruction is not just run: no right to, or a frame to be written */
    bool exclusive;
    bool single;        /* stop behind one instruction */
    unsigned ran;       /* instructions in this run, for `single` */
    unsigned split;     /* parts still to come of an access that Unicorn has cut at a page's end */
    bool lazy;          /* stopped before an FPU instruction: the lazy frame is to be written */
    bool careful;       /* stopped before an IT block that is to be run step by step */
    bool breakpoint;    /* stopped before an instruction with a breakpoint */
    bool stopped;       /* by us */
    int interrupt;      /* Unicorn's number of what happened, or -1 */
    struct fault fault; /* found in a hook */
    uint32_t blocked;   /* mappings that were made inaccessible to abort an instruction */
    bool has_saved;     /* of a store that failed in an IT block */
    uint32_t saved[16];
    uint32_t io[2]; /* what a device has answered, on its way into the register */
    unsigned io_size;
    bool remap, clear_exclusive; /* to be done before the next run */
    struct {
        uint8_t *host;
        uint8_t bytes[8], size;
    } restore; /* memory that the running instruction overwrites although it must not */
    struct {
        uint32_t start, end; /* code that was changed from outside */
    } dirty;

    uint8_t *hidden;    /* a page of code that the guest does not have */
    bool sram_runs;     /* code has run from SRAM */
    uint64_t soak_at;   /* instruction count of the next empty interrupt */
    uint64_t soak_left; /* and, in handlers, how many of thread code are left */
};

void cpu_init(struct board *b);
void cpu_free(struct board *b);
/* Registers after reset but for SP and pc. (Unicorn exports a cpu_reset().) */
void cpu_restart(struct board *b);
enum cpu_result {
    CPU_STOPPED, /* deadline, attention */
    CPU_SVC,
    CPU_BKPT,
    CPU_BREAKPOINT, /* FPB */
    CPU_FAULT,      /* cpu.fault */
    CPU_EXC_RETURN, /* pc is the value */
    CPU_LAZY,
    CPU_WFI,
    CPU_WFE,
};
enum cpu_result cpu_run(struct board *b);
uint32_t cpu_reg(struct board *b, unsigned number); /* 0 to 15 */
void cpu_set_reg(struct board *b, unsigned number, uint32_t value);
uint32_t cpu_xpsr(struct board *b); /* with cpu.it */
void cpu_set_xpsr(struct board *b, uint32_t value);
uint32_t cpu_sp(struct board *b, bool process);
void cpu_set_sp(struct board *b, bool process, uint32_t value);
uint32_t cpu_fp(struct board *b, unsigned number); /* s0 to s31, 32 is FPSCR */
void cpu_set_fp(struct board *b, unsigned number, uint32_t value);
/* Sets mode, stack and privilege: IPSR and CONTROL (nPRIV, SPSEL, FPCA) at once. */
void cpu_set_mode(struct board *b, unsigned ipsr, uint32_t control);
void cpu_set_masks(struct board *b, uint32_t primask, uint32_t faultmask, uint32_t basepri);
bool cpu_is_privileged(const struct board *b);
void cpu_attend(struct board *b);   /* stop behind this instruction and look around */
void cpu_forget(struct board *b);   /* rights have changed */
void cpu_deadline(struct board *b); /* find it anew */
void cpu_fpu_trap(struct board *b); /* CPACR, FPCCR, mode have changed */
void cpu_clear_exclusive(struct board *b);
void cpu_code_changed(struct board *b, uint32_t address,
                      uint32_t size); /* by others than the core */
void cpu_remap(struct board *b);

/* --- nvic.c ---------------------------------------------------------------------------------------- */

struct nvic {
    uint8_t priority[EXC_COUNT]; /* 4 bits in the high nibble */
    bool enabled[EXC_COUNT];     /* faults: SHCSR; always for the others below 16 */
    bool pending[EXC_COUNT], active[EXC_COUNT];
    bool level[EXC_COUNT]; /* the line */
    unsigned group;        /* AIRCR.PRIGROUP */
    int active_priority;   /* of the most urgent active one; 256: none */
    unsigned best;         /* pending, enabled and most urgent; 0: none */
};

void nvic_reset(struct board *b);
int nvic_priority(const struct board *b, unsigned exception); /* group priority; -3 to 255 */
int nvic_running(const struct board *b);                      /* execution priority; 256: base */
int nvic_running_unmasked(const struct board *b);             /* as if PRIMASK were 0 */
unsigned nvic_wanted(struct board *b); /* the exception that is to be taken now, or 0 */
bool nvic_wakes(struct board *b);      /* what ends WFI */
void nvic_pend(struct board *b, unsigned exception);
void nvic_unpend(struct board *b, unsigned exception);
void nvic_activate(struct board *b, unsigned exception); /* it is no longer pending */
void nvic_deactivate(struct board *b, unsigned exception);
void nvic_changed(struct board *b);
unsigned nvic_active_count(const struct board *b);
uint32_t nvic_read(struct board *b, uint32_t offset);
void nvic_write(struct board *b, uint32_t offset, uint32_t value, uint32_t lanes);

/* --- exception.c ----------------------------------------------------------------------------------- */

void exception_enter(struct board *b); /* nvic_wanted() */
void exception_return(struct board *b, uint32_t exc_return);
/* Records a synchronous fault and makes its exception pending, or HardFault; may lock up. */
void exception_fault(struct board *b, const struct fault *fault);
void exception_svc(struct board *b);
void exception_preserve_fp(struct board *b); /* writes the lazy frame */
void exception_soak(struct board *b);        /* an empty interrupt */
void exception_reset(struct board *b);       /* SP and pc from the vector table */

/* --- systick.c ------------------------------------------------------------------------------------- */

struct systick {
    struct board_event event;
    bool enabled, interrupt, core_clock, flag;
    uint32_t reload;
    uint64_t loaded_at; /* cycle at which the counter was reload, when enabled */
    uint32_t stopped;   /* its value while not enabled */
    uint64_t paused_at; /* the core is halted or sleeps deeply; 0: it is not */
};

void systick_reset(struct board *b);
void systick_pause(struct board *b, bool pause);
uint32_t systick_read(struct board *b, uint32_t offset, bool by_core);
void systick_write(struct board *b, uint32_t offset, uint32_t value);

/* --- scb.c ----------------------------------------------------------------------------------------- */

enum {
    CCR_NONBASETHRDENA = 1 << 0,
    CCR_USERSETMPEND = 1 << 1,
    CCR_UNALIGN_TRP = 1 << 3,
    CCR_DIV_0_TRP = 1 << 4,
    CCR_BFHFNMIGN = 1 << 8,
    CCR_STKALIGN = 1 << 9,
    SCR_SLEEPONEXIT = 1 << 1,
    SCR_SLEEPDEEP = 1 << 2,
    SCR_SEVONPEND = 1 << 4,
    FPCCR_LSPACT = 1 << 0,
    FPCCR_USER = 1 << 1,
    FPCCR_THREAD = 1 << 3,
    FPCCR_HFRDY = 1 << 4,
    FPCCR_MMRDY = 1 << 5,
    FPCCR_BFRDY = 1 << 6,
};
#define FPCCR_LSPEN (1u << 30)
#define FPCCR_ASPEN (1u << 31)
enum { CONTROL_NPRIV = 1, CONTROL_SPSEL = 2, CONTROL_FPCA = 4 };

struct scb {
    uint32_t vtor, scr, ccr, cfsr, hfsr, dfsr, mmfar, bfar, afsr, cpacr;
    uint32_t fpccr, fpcar, fpdscr;
};

void scb_reset(struct board *b);
uint32_t scb_read(struct board *b, uint32_t offset);
void scb_write(struct board *b, uint32_t offset, uint32_t value, uint32_t lanes);
/* The system control space and the debug blocks: 0xE0000000 to 0xE00FFFFF. False: a bus error. */
bool ppb_read(struct board *b, enum bus_master master, uint32_t address, unsigned size,
              uint32_t *value);
bool ppb_write(struct board *b, enum bus_master master, uint32_t address, unsigned size,
               uint32_t value);

/* --- debug.c --------------------------------------------------------------------------------------- */

enum { FPB_CODES = 6, FPB_LITERALS = 2, DWT_COMPARATORS = 4 };
enum {
    DHCSR_DEBUGEN = 1 << 0,
    DHCSR_HALT = 1 << 1,
    DHCSR_STEP = 1 << 2,
    DHCSR_MASKINTS = 1 << 3,
    DFSR_HALTED = 1 << 0,
    DFSR_BKPT = 1 << 1,
    DFSR_DWTTRAP = 1 << 2,
    DFSR_VCATCH = 1 << 3,
};

struct debug {
    uint32_t control; /* DHCSR, its C_ bits */
    bool halted;
    bool caught;              /* a fault of which the entry is to halt */
    bool reset_seen, retired; /* sticky: S_RESET_ST, S_RETIRE_ST */
    uint32_t dcrdr, demcr;
    uint32_t fp_ctrl, fp_comp[FPB_CODES + FPB_LITERALS];
    uint32_t dwt_ctrl, dwt_comp[DWT_COMPARATORS], dwt_mask[DWT_COMPARATORS],
        dwt_function[DWT_COMPARATORS];
    bool watching; /* some DWT comparator is on */
    uint64_t cyccnt_base;
    uint32_t cyccnt; /* while it does not count */
};

void debug_reset(struct board *b, bool power);
static inline bool debug_enabled_bits(const struct debug *d, uint32_t bits) {
    return (d->control & (DHCSR_DEBUGEN | bits)) == (DHCSR_DEBUGEN | bits);
}
void debug_halt(struct board *b, uint32_t reason); /* DFSR bit; C_DEBUGEN is set */
void debug_resume(struct board *b);
/* Vector catch: a fault that DEMCR names halts at its handler's first instruction. */
void debug_note_fault(struct board *b, const struct fault *fault);
void debug_entered(struct board *b, unsigned exception);
/* Narrows the range to where no breakpoint is; true if there is one at this address. */
bool debug_breakpoint(struct board *b, uint32_t address, struct range *range);
void debug_watch(struct board *b, uint32_t address, unsigned size, bool write);
bool debug_read(struct board *b, enum bus_master master, uint32_t address, uint32_t *value);
bool debug_write(struct board *b, enum bus_master master, uint32_t address, uint32_t value);

/* --- event.c --------------------------------------------------------------------------------------- */

struct events {
    struct board_event *first;
    struct board_clocks clocks;
    uint64_t ns, ns_at; /* time at cycle ns_at, when the clock was last changed */
};

void event_fire_due(struct board *b);
uint64_t event_next(const struct board *b);       /* its cycle; UINT64_MAX: none */
void event_pass(struct board *b, uint64_t until); /* time passes, nothing runs */

/* --- art.c ----------------------------------------------------------------------------------------- */

enum { ART_CODE_LINES = 64, ART_DATA_LINES = 8 };
struct art_line {
    uint32_t tag;  /* flash address / 16, plus 1; 0: empty */
    uint32_t used; /* when, for least recently used */
};
struct art {
    struct art_line code[ART_CODE_LINES], data[ART_DATA_LINES];
    uint32_t now;
    uint32_t last;  /* line that the core fetched from, tag */
    uint32_t ahead; /* line that the prefetch has read, tag */
};
unsigned art_fetch(struct board *b, uint32_t pc);
void art_flush(struct board *b);
unsigned art_read(struct board *b, uint32_t address);

/* --- semihost.c ------------------------------------------------------------------------------------ */

bool semihost(struct board *b); /* a BKPT 0xAB at pc; false: not answered */

/* --- the board ------------------------------------------------------------------------------------- */

struct board {
    struct board_config config;
    struct cycles cycles; /* total is the time */
    struct cpu cpu;
    struct bus bus;
    struct nvic nvic;
    struct mpu mpu;
    struct scb scb;
    struct systick systick;
    struct debug debug;
    struct events events;
    struct art art;
    struct device *devices;
    unsigned device_count;

    uint64_t limit; /* end of this board_run() */
    struct masked masked;
    uint64_t slept; /* cycles that passed in sleep: CYCCNT does not count them */
    bool sleeping, waiting_for_event, event_register;
    bool locked_up, exited, no_power;
    bool reset_wanted;
    enum board_reset_cause reset_cause;
    int exit_code;
};

void board_sleep(struct board *b, bool for_event); /* WFI, WFE, SLEEPONEXIT */

#endif
