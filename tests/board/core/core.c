/* SPDX-License-Identifier: MIT */
/*
 * A firmware that asks the core questions and prints the answers: what faults, with which status and
 * where; what the MPU lets through; in which order exceptions run; what frames look like. It prints
 * the same in QEMU and on the virtual board, or one of them is wrong (core-check).
 */
#include <stdbool.h>
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define ICSR REG(0xE000ED04)
#define AIRCR REG(0xE000ED0C)
#define CCR REG(0xE000ED14)
#define SHPR(exception) (*(volatile uint8_t *)(0xE000ED14 + (exception)))
#define SHCSR REG(0xE000ED24)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define MMFAR REG(0xE000ED34)
#define BFAR REG(0xE000ED38)
#define CPACR REG(0xE000ED88)
#define MPU_CTRL REG(0xE000ED94)
#define MPU_RNR REG(0xE000ED98)
#define MPU_RBAR REG(0xE000ED9C)
#define MPU_RASR REG(0xE000EDA0)
#define FPCCR REG(0xE000EF34)
#define FPCAR REG(0xE000EF38)
#define ISER(n) REG(0xE000E100 + 4 * (n))
#define ISPR(n) REG(0xE000E200 + 4 * (n))
#define IPR(irq) (*(volatile uint8_t *)(0xE000E400 + (irq)))

enum { STACK_TOP = 0x20002000, SCRATCH = 0x20008000, SCRATCH_SIZE = 0x2000, FIRST_IRQ = 59 };
enum { IRQS = 8 }; /* 59 to 66: Ethernet, CAN2, OTG; nobody else raises them */

void *memset(void *to, int value, unsigned long size); /* the compiler calls it */
void *memset(void *to, int value, unsigned long size) {
    for (volatile uint8_t *p = to; size--; p++)
        *p = (uint8_t)value;
    return to;
}

/* ----- output ----------------------------------------------------------------------------------- */

static void put(char c) {
    while (!(REG(0x40004400) & 0x80))
        ;
    REG(0x40004404) = (uint8_t)c;
}

static void text(const char *s) {
    while (*s)
        put(*s++);
}

static void hex(uint32_t value) {
    put(' ');
    for (int shift = 28; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void serial_init(void) {
    REG(0x40023830) |= 1;       /* GPIOA */
    REG(0x40023840) |= 1 << 17; /* USART2 */
    REG(0x40020000) = 0xA8000000 | 0xA << 4;
    REG(0x40020020) = 0x7700;
    REG(0x40004408) = 16;
    REG(0x4000440C) = 0x200C; /* UE, TE, RE */
}

_Noreturn static void leave(void) {
    static const uint32_t block[2] = {0x20026, 0};
    while (!(REG(0x40004400) & 0x40)) /* the last byte has left */
        ;
    for (;;)
        __asm volatile("mov r0, #0x20\n mov r1, %0\n bkpt 0xab" : : "r"(block) : "r0", "r1");
}

static uint32_t seed = 1;
static uint32_t dice(uint32_t sides) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % sides;
}

/* ----- faults ----------------------------------------------------------------------------------- */

static struct {
    uint32_t ipsr, cfsr, hfsr, address, exc_return, pc, psr, shcsr, count, r6, r7;
} seen;
uint32_t resume_pc, resume_sp; /* where the fault handler goes on */

void fault_c(uint32_t *frame, uint32_t exc_return, const uint32_t *r6_r7);
void fault_c(uint32_t *frame, uint32_t exc_return, const uint32_t *r6_r7) {
    uint32_t cfsr = CFSR, hfsr = HFSR;

    seen.count++;
    __asm volatile("mrs %0, ipsr" : "=r"(seen.ipsr));
    seen.cfsr |= cfsr;
    seen.hfsr |= hfsr >> 31 ? 1u << 30 : hfsr; /* a BKPT is DEBUGEVT on the chip, FORCED in QEMU */
    seen.address = cfsr & 0x80 ? MMFAR : cfsr & 0x8000 ? BFAR : 0;
    seen.exc_return = exc_return;
    seen.r6 = r6_r7[0];
    seen.r7 = r6_r7[1];
    seen.shcsr = SHCSR;
    seen.pc = cfsr & 0x1818 ? 0 : frame[6];
    seen.psr = cfsr & 0x1818 ? 0 : frame[7];
    CFSR = cfsr;
    HFSR = hfsr;
    SHCSR &= ~0xF000u;   /* what stays pending after a frame that could not be stacked */
    if (cfsr & 0x1818) { /* there is no frame: another one, where the stack was good */
        FPCCR &= ~1u;
        frame = (uint32_t *)(resume_sp - (exc_return & 0x10 ? 0x20 : 0x68));
        frame[7] = 0;
        __asm volatile("msr psp, %0" : : "r"(frame));
    }
    frame[6] = resume_pc & ~1u;
    frame[7] = 1u << 24 | (frame[7] & 0x200);
}

__attribute__((naked)) static void fault(void) {
    __asm volatile("mov r2, sp\n"
                   "tst lr, #4\n"
                   "it ne\n"
                   "mrsne r2, psp\n"
                   "mov r0, r2\n"
                   "mov r1, lr\n"
                   "ldr r3, =resume_pc\n"
                   "push {r6, r7, r8, lr}\n"
                   "mov r2, sp\n"
                   "bl fault_c\n"
                   "pop {r6, r7, r8, lr}\n"
                   "bx lr\n");
}

/* Runs code that may fault; comes back either way. r0 is its argument. */
__attribute__((naked, noinline)) static void attempt(uint32_t code, uint32_t argument) {
    (void)code, (void)argument;
    __asm volatile("push {r4-r11, lr}\n"
                   "ldr r2, =resume_sp\n"
                   "str sp, [r2]\n"
                   "ldr r3, =resume_pc\n"
                   "adr r2, 1f\n"
                   "str r2, [r3]\n"
                   "mov r3, r0\n"
                   "mov r0, r1\n"
                   "movs r6, #6\n movs r7, #7\n"
                   "blx r3\n"
                   ".balign 4\n"
                   "1: ldr r2, =resume_sp\n"
                   "ldr r2, [r2]\n"
                   "mov sp, r2\n"
                   "pop {r4-r11, pc}\n");
}

#define CODE(name, body)                                                                           \
    __attribute__((naked)) static void name(void) {                                                \
        __asm volatile(".syntax unified\n.fpu fpv4-sp-d16\n" body "\nbx lr\n.ltorg\n");            \
    }

CODE(nothing, "nop")
CODE(undefined, "udf #0")
CODE(undefined_it, "cmp r0, r0\n itte eq\n moveq r1, #1\n udfeq #1\n movne r1, #2")
CODE(undefined_wide, "udf.w #0")
CODE(divide, "movs r1, #0\n udiv r2, r0, r1")
CODE(divide_it, "movs r1, #0\n cmp r1, r1\n ite eq\n sdiveq r2, r0, r1\n movne r1, #1")
CODE(load_it, "ldr r1, =0x30000000\n cmp r1, r1\n itt eq\n moveq r2, r1\n ldreq r2, [r1]")
CODE(store_it, "ldr r1, =0x30000004\n cmp r1, r1\n ittt eq\n nopeq\n nopeq\n streq r2, [r1]")
CODE(ldrd_unaligned, "ldr r1, =0x20008002\n ldrd r2, r3, [r1]")
CODE(ldm_unaligned, "ldr r1, =0x20008001\n ldmia r1, {r2, r3}")
CODE(strex_unaligned, "ldr r1, =0x20008001\n ldrex r2, [r1]")
CODE(load_odd, "ldr r1, =0x20008001\n ldr r2, [r1]\n strh r2, [r1]")
CODE(even_jump, "ldr r1, =0x08000100\n bx r1")
CODE(even_call, "ldr r1, =0x08000100\n blx r1")
CODE(coprocessor, "mrc p5, 0, r0, c0, c0, 0")
CODE(fpu, "vmov s0, r0")
CODE(fpu_it, "cmp r0, r0\n itt eq\n moveq r1, #1\n vmoveq s0, r0")
CODE(vldr_unaligned, "ldr r1, =0x20008002\n vldr s0, [r1]")
CODE(read_nothing, "ldr r1, =0x30000000\n ldr r2, [r1]")
CODE(write_nothing, "ldr r1, =0x3000000c\n str r2, [r1]")
CODE(byte_nothing, "ldr r1, =0x30000003\n ldrb r2, [r1]")
CODE(fetch_nothing, "ldr r1, =0x30000001\n bx r1")
CODE(fetch_device, "ldr r1, =0x40000001\n bx r1")
CODE(fetch_ppb, "ldr r1, =0xe000e001\n bx r1")
CODE(fetch_high, "ldr r1, =0xfffffff9\n bx r1")
CODE(breakpoint, "bkpt #1")
CODE(svc, "svc #7")
CODE(svc_masked, "cpsid i\n svc #7")
CODE(undefined_masked, "cpsid i\n udf #0")
CODE(stack_nowhere, "ldr r1, =0x30000100\n mov sp, r1\n svc #0")
CODE(unprivileged_ppb, "movs r1, #3\n msr control, r1\n isb\n ldr r1, =0xe000ed00\n ldr r2, [r1]")
CODE(unprivileged_msr,
     "movs r1, #3\n msr control, r1\n isb\n cpsid i\n msr basepri, r1\n movs r1, #0\n"
     " msr control, r1\n mrs r2, primask\n udf #0")
CODE(store_it_first,
     "ldr r1, =0x30000004\n cmp r1, r1\n ittt eq\n streq r2, [r1], #4\n moveq r7, #9\n"
     " addeq r6, #1")
CODE(ldrt_ppb, "ldr r1, =0xe000ed00\n ldrt r2, [r1]")

#define CASE(name)                                                                                 \
    { #name, (uint32_t)name }
static const struct {
    const char *name;
    uint32_t code;
} cases[] = {
    CASE(nothing),
    CASE(undefined),
    CASE(undefined_it),
    CASE(undefined_wide),
    CASE(divide),
    CASE(divide_it),
    CASE(load_it),
    CASE(store_it),
    CASE(ldrd_unaligned),
    CASE(ldm_unaligned),
    CASE(strex_unaligned),
    CASE(load_odd),
    CASE(even_jump),
    CASE(even_call),
    CASE(coprocessor),
    CASE(fpu),
    CASE(fpu_it),
    CASE(vldr_unaligned),
    CASE(read_nothing),
    CASE(write_nothing),
    CASE(byte_nothing),
    CASE(fetch_nothing),
    CASE(fetch_device),
    CASE(fetch_ppb),
    CASE(fetch_high),
    CASE(breakpoint),
    CASE(svc),
    CASE(svc_masked),
    CASE(undefined_masked),
    CASE(stack_nowhere),
    CASE(unprivileged_ppb),
    CASE(unprivileged_msr),
    CASE(ldrt_ppb),
    CASE(store_it_first),
};

static void unmask(void) {
    __asm volatile("cpsie i\n msr basepri, %0\n msr control, %1\n isb" : : "r"(0), "r"(2));
}

static void try_case(const char *name, uint32_t code) {
    uint32_t base = code & ~1u;

    seen = (__typeof__(seen)){0};
    attempt(code, 5);
    /* Thread code without privilege comes back through an SVC. */
    uint32_t control;
    __asm volatile("mrs %0, control" : "=r"(control));
    if (control & 1)
        __asm volatile("svc #1");
    unmask();
    text(name);
    put(':');
    hex(seen.count);
    hex(seen.ipsr);
    hex(seen.cfsr);
    hex(seen.hfsr);
    hex(seen.address);
    hex(seen.exc_return);
    hex(seen.pc - base < 64 ? seen.pc - base : seen.pc);
    hex(seen.psr & 0x0700FDFF);
    hex(seen.shcsr);
    hex(seen.r6 << 8 | seen.r7);
    put('\n');
}

static void faults(const char *title) {
    text(title);
    put('\n');
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        try_case(cases[i].name, cases[i].code);
}

static void svc_c(uint32_t number) {
    (void)number;
    seen.count += 0x100;
    __asm volatile("msr control, %0\n isb" : : "r"(0));
}

/* ----- the MPU ---------------------------------------------------------------------------------- */

CODE(load_word, "ldr r1, [r0]")
CODE(load_half, "ldrh r1, [r0]")
CODE(load_byte, "ldrb r1, [r0]")
CODE(store_word, "str r0, [r0]")
CODE(store_half, "strh r0, [r0]")
CODE(store_byte, "strb r0, [r0]")
CODE(user_load, "ldrt r1, [r0]")
CODE(user_load_byte, "ldrbt r1, [r0]")
CODE(user_store, "strt r0, [r0]")
CODE(user_store_byte, "strbt r0, [r0]")
CODE(load_many, "ldmia r0, {r1, r2, r3, r4}")
CODE(store_many, "stmia r0, {r1, r2, r3, r4}")
CODE(jump, "orr r0, #1\n bx r0")
static const struct {
    uint32_t code, align;
} accesses[] = {{(uint32_t)load_word, 4},  {(uint32_t)load_half, 2},
                {(uint32_t)load_byte, 1},  {(uint32_t)store_word, 4},
                {(uint32_t)store_half, 2}, {(uint32_t)store_byte, 1},
                {(uint32_t)user_load, 4},  {(uint32_t)user_load_byte, 1},
                {(uint32_t)user_store, 4}, {(uint32_t)user_store_byte, 1},
                {(uint32_t)load_many, 4},  {(uint32_t)store_many, 4},
                {(uint32_t)jump, 2}};
enum { ACCESSES = sizeof(accesses) / sizeof(accesses[0]) };

static void random_regions(void) {
    MPU_CTRL = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t log = 5 + dice(8), size = 1u << log; /* 32 to 4096 bytes */
        MPU_RNR = i;
        MPU_RBAR = (SCRATCH + dice(SCRATCH_SIZE)) & ~(size - 1);
        /* No subregions: QEMU forgets those that are smaller than its pages of 1 KiB. */
        uint32_t disabled = 0;
        MPU_RASR = dice(8) << 24 | dice(2) << 28 | disabled << 8 | (log - 1) << 1 | (dice(4) > 0);
    }
    MPU_CTRL = 5 | dice(2) << 1;
    for (unsigned i = 0; i < 8; i++) {
        MPU_RNR = i;
        hex(MPU_RBAR);
        hex(MPU_RASR);
    }
    put('\n');
    __asm volatile("dsb\n isb");
}

static void mpu(void) {
    for (unsigned round = 0; round < 60; round++) {
        random_regions();
        for (unsigned i = 0; i < 40; i++) {
            unsigned which = dice(ACCESSES);
            uint32_t address =
                SCRATCH + dice(SCRATCH_SIZE - 16) / accesses[which].align * accesses[which].align;
            if (dice(2)) /* at an edge */
                address = (address & ~31u) + (dice(2) ? 0 : 32 - accesses[which].align);
            seen = (__typeof__(seen)){0};
            attempt(accesses[which].code, address);
            hex(address);
            hex(which << 24 | seen.count << 16 | seen.cfsr);
            hex(seen.address);
            put('\n');
        }
        MPU_CTRL = 0;
        for (uint32_t a = SCRATCH; a < SCRATCH + SCRATCH_SIZE; a += 4)
            REG(a) = 0x47704770; /* bx lr */
    }
}

/* ----- order of exceptions ---------------------------------------------------------------------- */

static volatile uint32_t pends[IRQS]; /* interrupts that a handler makes pending, once */
static uint32_t order[64], ordered;

static void note(uint32_t what) {
    if (ordered < 64)
        order[ordered++] = what;
}

static void set_pending(uint32_t set) {
    for (unsigned i = 0; i < IRQS; i++)
        if (set >> i & 1)
            ISPR((FIRST_IRQ + i) / 32) = 1u << (FIRST_IRQ + i) % 32;
    if (set >> 8 & 1)
        ICSR = 1u << 28;
    if (set >> 9 & 1)
        ICSR = 1u << 26;
    __asm volatile("dsb\n isb");
}

static void interrupt(void) {
    uint32_t ipsr;
    __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
    note(ipsr << 8 | (ICSR >> 11 & 1));
    if (ipsr >= 16) {
        uint32_t set = pends[ipsr - 16 - FIRST_IRQ];
        pends[ipsr - 16 - FIRST_IRQ] = 0;
        set_pending(set);
    }
    note(ipsr << 8 | 0x80);
}

static void priorities(void) {
    for (unsigned round = 0; round < 120; round++) {
        AIRCR = 0x05FA0000 | dice(8) << 8;
        for (unsigned i = 0; i < IRQS; i++) {
            IPR(FIRST_IRQ + i) = (uint8_t)(dice(16) << 4);
            ISER((FIRST_IRQ + i) / 32) = 1u << (FIRST_IRQ + i) % 32;
            pends[i] = dice(4) ? 0 : dice(1024);
        }
        SHPR(14) = (uint8_t)(dice(16) << 4);
        SHPR(15) = (uint8_t)(dice(16) << 4);
        ordered = 0;
        uint32_t base = dice(2) ? dice(16) << 4 : 0;
        __asm volatile("cpsid i\n msr basepri, %0" : : "r"(base));
        set_pending(dice(1024));
        note(ICSR & 0x0043F000);
        __asm volatile("cpsie i\n isb");
        note(0xAAAA);
        __asm volatile("msr basepri, %0\n isb" : : "r"(0));
        for (unsigned i = 0; i < ordered; i++)
            hex(order[i]);
        put('\n');
    }
    AIRCR = 0x05FA0000;
}

/* ----- frames ----------------------------------------------------------------------------------- */

static uint32_t frame_copy[32], frame_state[4];
static bool use_fpu_in_handler;

void frame_c(uint32_t *frame, uint32_t exc_return);
void frame_c(uint32_t *frame, uint32_t exc_return) {
    frame_state[0] = exc_return;
    frame_state[1] = FPCCR;
    frame_state[2] = FPCAR - (uint32_t)frame;
    if (use_fpu_in_handler)
        __asm volatile(".fpu fpv4-sp-d16\n vmov s3, %0\n vmov s0, %0" : : "r"(0x77777777));
    __asm volatile("mrs %0, control" : "=r"(frame_state[3]));
    for (int i = 0; i < 26; i++)
        frame_copy[i] = frame[i];
}

__attribute__((naked)) static void frame_handler(void) {
    __asm volatile("mrs r0, psp\n mov r1, lr\n push {r4, lr}\n bl frame_c\n pop {r4, pc}");
}

/* Fills registers, takes an interrupt, and returns what s0, s3 and FPSCR are afterwards. */
__attribute__((naked, noinline)) static uint32_t with_frame(uint32_t misalign, uint32_t fpu_used) {
    (void)misalign, (void)fpu_used;
    __asm volatile(".fpu fpv4-sp-d16\n"
                   "push {r4-r11, lr}\n"
                   "mov r4, sp\n"
                   "sub sp, r0\n"
                   "cmp r1, #0\n beq.w 1f\n"
                   "ldr r2, =0x11110000\n"
                   ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
                   "add r2, #1\n"
                   "vmov s\\n, r2\n"
                   ".endr\n"
                   "mov r2, #0x00400000\n"
                   "vmsr fpscr, r2\n"
                   "1: ldr r0, =0xE000E204\n"
                   "mov r2, #0x80000000\n" /* interrupt 63 */
                   "movs r3, #3\n mov r12, #12\n"
                   "str r2, [r0]\n"
                   "dsb\n isb\n nop\n"
                   "movs r0, #0\n"
                   "cmp r1, #0\n beq 2f\n"
                   "vmov r0, s0\n vmov r2, s3\n eor r0, r2\n vmrs r2, fpscr\n eor r0, r2\n"
                   "2: mov sp, r4\n"
                   "movs r2, #2\n msr control, r2\n isb\n"
                   "pop {r4-r11, pc}\n .ltorg\n");
}

static void frames(void) {
    IPR(63) = 0x40;
    ISER(1) = 1u << 31;
    for (unsigned i = 0; i < 32; i++) {
        /* A frame with FPU registers is always aligned (B1.5.7), but in QEMU only with STKALIGN. */
        if (i >> 4 && i & 8 && !(i & 1))
            continue;
        CCR = i & 1 ? 0x200 : 0;
        FPCCR = i & 2 ? 0xC0000000 : 0x80000000;
        use_fpu_in_handler = i & 4;
        uint32_t result = with_frame(i & 8 ? 4 : 0, i >> 4);
        hex(i);
        hex(result);
        /* Bits that say what could fault then, and are not asked about here. */
        hex(frame_state[0]);
        hex(frame_state[1] & 0xC0000001);
        hex(frame_state[1] & 1 ? frame_state[2] : 0);
        hex(frame_state[3]);
        for (unsigned w = 0; w < 25; w++)
            if (w != 5 && w != 6 && (w < 8 || (i >> 4 && (!(i & 2) || i & 4))))
                hex(frame_copy[w]);
        put('\n');
    }
    CCR = 0x200;
    FPCCR = 0xC0000000;
}

/* ----- this and that ---------------------------------------------------------------------------- */

static void others(void) {
    volatile uint32_t *word = (uint32_t *)SCRATCH;
    uint32_t value, failed;

    *word = 0x12345678;
    REG(0x22000000 + (SCRATCH - 0x20000000) * 32 + 4 * 3) = 0; /* bit-band */
    REG(0x22000000 + (SCRATCH - 0x20000000) * 32 + 4 * 31) = 1;
    hex(*word);
    hex(REG(0x22000000 + (SCRATCH - 0x20000000) * 32 + 4 * 4));
    *(volatile uint8_t *)(0x22000000 + (SCRATCH - 0x20000000) * 32 + 4 * 9) = 0xFF;
    hex(*word);
    __asm volatile("ldrex %0, [%2]\n strex %1, %0, [%2]" : "=&r"(value), "=&r"(failed) : "r"(word));
    hex(failed);
    /* An exception between the two closes the monitor. */
    __asm volatile("ldrex %0, [%2]\n svc #9\n strex %1, %0, [%2]"
                   : "=&r"(value), "=&r"(failed)
                   : "r"(word)
                   : "r0", "r1", "r2", "r3", "r12", "lr");
    hex(failed);
    __asm volatile("ldrex %0, [%2]\n clrex\n strex %1, %0, [%2]"
                   : "=&r"(value), "=&r"(failed)
                   : "r"(word));
    hex(failed);
    __asm volatile("msr basepri, %1\n mrs %0, basepri\n msr basepri, %2"
                   : "=&r"(value)
                   : "r"(0x50), "r"(0));
    hex(value);
    __asm volatile("msr psp, %1\n mrs %0, psp" : "=r"(value) : "r"(0x20001234));
    hex(value);
    put('\n');
}

/* ----- start ------------------------------------------------------------------------------------ */

void reset(void);
__attribute__((naked)) static void empty_handler(void) {
    __asm volatile("bx lr");
}

/* DDI0439D 3.9.1: 12 into an exception, 10 from the execution of the return instruction to the next one, so that
 * its refill is not charged as well. QEMU's counter stands still. */
static void cycles(void) {
    enum { ENTRY = 12, BX = 1, RETURN = 10, LOAD = 2 };
    uint32_t before, after;

    REG(0xE000EDFC) |= 1 << 24;
    REG(0xE0001000) |= 1;
    __asm volatile("ldr %0, [%2]\n svc #9\n ldr %1, [%2]"
                   : "=&r"(before), "=&r"(after)
                   : "r"(0xE0001004)
                   : "memory");
    uint32_t spent = after - before;
    text("an exception's cycles:");
    hex(spent == 0 || spent == ENTRY + BX + RETURN + LOAD ? 0 : spent);
    put('\n');
}

void svc_handler(void);
__attribute__((naked)) void svc_handler(void) {
    __asm volatile("push {r4, lr}\n bl %c0\n pop {r4, pc}" : : "i"(svc_c));
}

__attribute__((section(".vectors"), used)) static void *const vectors[16 + 82] = {
    (void *)STACK_TOP,
    reset,
    fault,
    fault,
    fault,
    fault,
    fault,
    0,
    0,
    0,
    0,
    svc_handler,
    0,
    0,
    interrupt,
    interrupt,
    [16 ... 16 + 81] = interrupt,
};

/* The vectors in RAM: interrupt 63 has two handlers, one after the other. */
__attribute__((section(".ram_vectors"), aligned(512))) static void *ram_vectors[16 + 82];

__attribute__((naked)) void reset(void) { /* thread code on the process stack */
    __asm volatile(
        "ldr r0, =0x20002000 - 1024\n msr psp, r0\n movs r0, #2\n msr control, r0\n isb\n"
        "b start\n .ltorg");
}

void start(void);
void start(void) {
    extern uint32_t _bss_start[], _bss_end[];
    for (uint32_t *p = _bss_start; p < _bss_end; p++)
        *p = 0;
    seed = 1;
    serial_init();
    for (unsigned i = 0; i < 16 + 82; i++)
        ram_vectors[i] = vectors[i];
    REG(0xE000ED08) = (uint32_t)ram_vectors;
    for (uint32_t a = SCRATCH; a < SCRATCH + SCRATCH_SIZE; a += 4)
        REG(a) = 0x47704770;
    SHPR(11) = 0x80;
    CPACR = 0;
    faults("faults, all off");
    SHCSR |= 7 << 16;
    CPACR = 0x00F00000;
    faults("faults on, FPU on");
    CCR = 0x218;
    CPACR = 0x00500000;
    faults("traps on, FPU privileged");
    SHPR(4) = SHPR(5) = SHPR(6) = 0x90;
    faults("faults less urgent than SVCall");
    SHPR(4) = SHPR(5) = SHPR(6) = 0;
    CCR = 0x200;
    CPACR = 0x00F00000;
    text("mpu\n");
    mpu();
    text("priorities\n");
    priorities();
    text("others\n");
    others();
    text("frames\n");
    ram_vectors[16 + 63] = frame_handler;
    frames();
    ram_vectors[11] = empty_handler;
    cycles();
    leave();
}
