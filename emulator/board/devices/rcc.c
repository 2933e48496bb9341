/* SPDX-License-Identifier: MIT */
/*
 * Reset and clock control (RM0090 7): sources that take time to start, the PLL, the switch of the system
 * clock, prescalers, clock gates, resets of single devices and the flags of the last reset. Interrupts of
 * the clock sources, the clock security system and MCO are not modelled.
 */
#include "regs.h"

enum {
    HSI_HZ = 16000000,
    HSE_HZ = 8000000, /* the crystal of the Discovery board */
    USB_HZ = 48000000,
    CORE_MAX_HZ = 168000000,
    CORE_SCALE2_MAX_HZ = 144000000, /* PWR_CR.VOS = 0: RM0090 5.1.3 */
    APB1_MAX_HZ = 42000000,
    APB2_MAX_HZ = 84000000,
    VCO_IN_MIN_HZ = 950000, /* data sheet, table 36: PLL */
    VCO_IN_MAX_HZ = 2100000,
    VCO_MIN_HZ = 100000000,
    VCO_MAX_HZ = 432000000,
};

#define AT(offset) ((offset) / 4)
enum {
    CR = AT(0x00),
    PLLCFGR = AT(0x04),
    CFGR = AT(0x08),
    CIR = AT(0x0C),
    AHB1RSTR = AT(0x10),
    AHB2RSTR = AT(0x14),
    AHB3RSTR = AT(0x18),
    APB1RSTR = AT(0x20),
    APB2RSTR = AT(0x24),
    AHB1ENR = AT(0x30),
    AHB2ENR = AT(0x34),
    AHB3ENR = AT(0x38),
    APB1ENR = AT(0x40),
    APB2ENR = AT(0x44),
    AHB1LPENR = AT(0x50),
    AHB2LPENR = AT(0x54),
    AHB3LPENR = AT(0x58),
    APB1LPENR = AT(0x60),
    APB2LPENR = AT(0x64),
    BDCR = AT(0x70),
    CSR = AT(0x74),
    SSCGR = AT(0x80),
    PLLI2SCFGR = AT(0x84),
    REGS,
};
enum { HSEBYP = BIT(18), PLLSRC_HSE = BIT(22), PWR_CR_VOS = BIT(14) };
enum { CSR_RMVF = BIT(24), CSR_BOR = BIT(25), CSR_PIN = BIT(26), CSR_POR = BIT(27) };
enum { CSR_SFT = BIT(28), CSR_IWDG = BIT(29), CSR_WWDG = BIT(30), BDCR_BDRST = BIT(16) };
enum { ADC1_BIT = BIT(8) };
static const uint32_t CSR_FLAGS = 0xFE000000;

/* Values of CFGR.SW are these as well. */
enum source { HSI, HSE, PLL, PLLI2S, LSI, LSE, SOURCES };

static const struct {
    unsigned reg;
    uint32_t on, ready;
    unsigned start_us; /* data sheet 5.3.8 to 5.3.10, typical */
    const char *name;
} sources[SOURCES] = {
    [HSI] = {CR, BIT(0), BIT(1), 3, "HSI"},     [HSE] = {CR, BIT(16), BIT(17), 2000, "HSE"},
    [PLL] = {CR, BIT(24), BIT(25), 200, "PLL"}, [PLLI2S] = {CR, BIT(26), BIT(27), 200, "PLLI2S"},
    [LSI] = {CSR, BIT(0), BIT(1), 15, "LSI"},   [LSE] = {BDCR, BIT(0), BIT(1), 0, "LSE"},
};

struct rcc {
    struct regs regs;
    struct board_event starting[SOURCES]; /* the source gets ready */
};

bool rcc_gate_open(const struct device *rcc, struct clock_gate gate) {
    return regs_of(rcc)[gate.enr / 4] & BIT(gate.bit);
}

static bool ready(const struct device *d, enum source s) {
    return regs_of(d)[sources[s].reg] & sources[s].ready;
}

/* ------------------------------------------------------------------------------------------------
 * What the registers make of the sources */

struct pll {
    uint32_t in_hz, vco_hz, out_hz, usb_hz; /* all 0: it cannot run */
};

static struct pll pll_of(const struct device *d) {
    uint32_t cfg = regs_of(d)[PLLCFGR];
    uint32_t m = cfg & 0x3F, n = cfg >> 6 & 0x1FF, p = ((cfg >> 16 & 3) + 1) * 2,
             q = cfg >> 24 & 15;
    struct pll pll = {0};
    if (m < 2 || n < 2 || q < 2)
        return pll;
    pll.in_hz = (cfg & PLLSRC_HSE ? HSE_HZ : HSI_HZ) / m;
    pll.vco_hz = (uint32_t)((uint64_t)(cfg & PLLSRC_HSE ? HSE_HZ : HSI_HZ) * n / m);
    pll.out_hz = pll.vco_hz / p;
    pll.usb_hz = pll.vco_hz / q;
    return pll;
}

static void check_pll(struct device *d) {
    struct pll pll = pll_of(d);
    if (pll.in_hz < VCO_IN_MIN_HZ || pll.in_hz > VCO_IN_MAX_HZ)
        board_note(d->board, "RCC: the PLL's input is %u Hz, not 1 to 2 MHz", (unsigned)pll.in_hz);
    if (pll.vco_hz < VCO_MIN_HZ || pll.vco_hz > VCO_MAX_HZ)
        board_note(d->board, "RCC: the PLL's VCO is at %u Hz, not 100 to 432 MHz",
                   (unsigned)pll.vco_hz);
}

static uint32_t system_hz(const struct device *d) {
    switch (regs_of(d)[CFGR] >> 2 & 3) {
    case HSE: return HSE_HZ;
    case PLL: return pll_of(d).out_hz;
    default: return HSI_HZ;
    }
}

/* HPRE has no divider of 32. */
static unsigned ahb_shift(uint32_t hpre) {
    static const uint8_t shifts[8] = {1, 2, 3, 4, 6, 7, 8, 9};
    return hpre & 8 ? shifts[hpre & 7] : 0;
}

static unsigned apb_shift(uint32_t ppre) {
    return ppre & 4 ? (ppre & 3) + 1 : 0;
}

static void check_clocks(struct device *d, const struct board_clocks *c) {
    struct board *b = d->board;
    uint32_t scale1 = regs_of(board_device(b, &device_pwr))[0] & PWR_CR_VOS;
    if (c->core_hz > CORE_MAX_HZ)
        board_note(b, "RCC: core at %u Hz, more than 168 MHz", (unsigned)c->core_hz);
    else if (c->core_hz > CORE_SCALE2_MAX_HZ && !scale1)
        board_note(b, "RCC: core at %u Hz, more than 144 MHz with PWR_CR.VOS = 0",
                   (unsigned)c->core_hz);
    if (c->apb1_hz > APB1_MAX_HZ)
        board_note(b, "RCC: APB1 at %u Hz, more than 42 MHz", (unsigned)c->apb1_hz);
    if (c->apb2_hz > APB2_MAX_HZ)
        board_note(b, "RCC: APB2 at %u Hz, more than 84 MHz", (unsigned)c->apb2_hz);
    flash_check_latency(b);
}

static void clocks_update(struct device *d) {
    const struct board_clocks old = *board_clocks(d->board);
    struct board_clocks c = old; /* the flash's part stays */
    uint32_t cfgr = regs_of(d)[CFGR];
    unsigned apb1 = apb_shift(cfgr >> 10 & 7), apb2 = apb_shift(cfgr >> 13 & 7);
    c.core_hz = system_hz(d) >> ahb_shift(cfgr >> 4 & 15);
    c.apb1_hz = c.core_hz >> apb1;
    c.apb2_hz = c.core_hz >> apb2;
    c.timer1_hz = apb1 ? c.apb1_hz * 2 : c.apb1_hz; /* 7.2: timer clocks */
    c.timer2_hz = apb2 ? c.apb2_hz * 2 : c.apb2_hz;
    c.usb_hz = ready(d, PLL) && pll_of(d).usb_hz == USB_HZ ? USB_HZ : 0;
    if (c.core_hz == old.core_hz && c.apb1_hz == old.apb1_hz && c.apb2_hz == old.apb2_hz &&
        c.timer1_hz == old.timer1_hz && c.timer2_hz == old.timer2_hz && c.usb_hz == old.usb_hz)
        return;
    board_set_clocks(d->board, &c);
    check_clocks(d, &c);
}

/* ------------------------------------------------------------------------------------------------
 * Starting and stopping */

/* Whether what makes this source run is there: a crystal, the PLL's input. */
static bool can_run(const struct device *d, enum source s) {
    switch (s) {
    case HSE: return !board_config(d->board)->no_crystal && !(regs_of(d)[CR] & HSEBYP);
    case LSE: return false; /* the board has no crystal for it */
    case PLL:
    case PLLI2S: return pll_of(d).out_hz && ready(d, regs_of(d)[PLLCFGR] & PLLSRC_HSE ? HSE : HSI);
    default: return true;
    }
}

/* The source that the system clock comes from must not stop (7.3.1): its bit cannot be cleared. */
static bool in_use(const struct device *d, enum source s) {
    enum source system = regs_of(d)[CFGR] >> 2 & 3;
    if (s == system)
        return true;
    return system == PLL && s == (regs_of(d)[PLLCFGR] & PLLSRC_HSE ? HSE : HSI);
}

/* The switch to a source waits until that source is ready (7.3.3). */
static void system_switch(struct device *d) {
    uint32_t *cfgr = &regs_of(d)[CFGR];
    enum source wanted = *cfgr & 3;
    if (wanted <= PLL && ready(d, wanted))
        *cfgr = (*cfgr & ~0xCu) | wanted << 2;
    clocks_update(d);
}

static void source_update(struct device *d, enum source s) {
    struct rcc *rcc = d->state;
    uint32_t *reg = &regs_of(d)[sources[s].reg];
    if (!(*reg & sources[s].on) && in_use(d, s))
        *reg |= sources[s].on;
    if (!(*reg & sources[s].on) || !can_run(d, s)) {
        *reg &= ~sources[s].ready;
        board_event_cancel(d->board, &rcc->starting[s]);
        return;
    }
    if (*reg & sources[s].ready || rcc->starting[s].queued)
        return;
    uint64_t cycles = board_cycles_of(d->board, sources[s].start_us, 1000000);
    board_event_at(d->board, &rcc->starting[s], board_cycles(d->board) + cycles);
}

static void sources_update(struct device *d) {
    for (enum source s = 0; s < SOURCES; s++)
        source_update(d, s);
    system_switch(d);
}

static void source_ready(struct board_event *event) {
    struct device *d = event->device;
    struct rcc *rcc = d->state;
    enum source s = (enum source)(event - rcc->starting);
    regs_of(d)[sources[s].reg] |= sources[s].ready;
    if (s == PLL)
        check_pll(d);
    sources_update(d);
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

static void source_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    sources_update(d);
}

static void pllcfgr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)written;
    if (regs_of(d)[CR] & sources[PLL].on) { /* 7.3.2: only while the PLL is off */
        if (regs_of(d)[index] != old)
            board_note(d->board, "RCC: PLLCFGR written while the PLL is on");
        regs_of(d)[index] = old;
    }
}

static void cfgr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    if ((regs_of(d)[CFGR] & 3) == 3)
        board_note(d->board, "RCC: CFGR.SW = 3 is no clock");
    system_switch(d);
}

static void csr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)old;
    if (written & CSR_RMVF)
        regs_of(d)[index] &= ~CSR_FLAGS;
    sources_update(d);
}

static void bdcr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)old;
    if (written & BDCR_BDRST)
        regs_of(d)[index] = BDCR_BDRST;
    sources_update(d);
}

/* Devices whose reset bit goes up start anew; the board does not hold them there. */
static void rstr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    static const struct device_type *const all[] = {
#define DEVICE(name) &device_##name,
#include "devices.def"
#undef DEVICE
    };
    (void)written;
    uint32_t risen = regs_of(d)[index] & ~old;
    if (index == APB2RSTR && risen & ADC1_BIT)
        risen |= ADC1_BIT << 1 | ADC1_BIT << 2; /* one bit for all three (7.3.9) */
    for (unsigned i = 0; risen && i < COUNT(all); i++) {
        const struct regs_config *config = all[i]->config;
        struct clock_gate gate = config->gate;
        if (gate.enr / 4 == index + (AHB1ENR - AHB1RSTR) && risen & BIT(gate.bit)) {
            struct device *other = board_device(d->board, all[i]);
            other->type->reset(other, BOARD_RESET_SOFTWARE);
        }
    }
}

/* Masks: RM0090 7.3.5 to 7.3.19, STM32F405/407. */
static const struct reg rcc_regs[REGS] = {
    [CR] = {"CR", .reset = 0x8083, .writable = 0x050D00F9, .write = source_write},
    [PLLCFGR] = {"PLLCFGR", .reset = 0x24003010, .writable = 0x0F437FFF, .write = pllcfgr_write},
    [CFGR] = {"CFGR", .writable = 0xFFFFFCF3, .write = cfgr_write},
    [CIR] = {"CIR", .writable = 0x3F00},
    [AHB1RSTR] = {"AHB1RSTR", .writable = 0x226011FF, .write = rstr_write},
    [AHB2RSTR] = {"AHB2RSTR", .writable = 0xF1, .write = rstr_write},
    [AHB3RSTR] = {"AHB3RSTR", .writable = 1, .write = rstr_write},
    [APB1RSTR] = {"APB1RSTR", .writable = 0x36FEC9FF, .write = rstr_write},
    [APB2RSTR] = {"APB2RSTR", .writable = 0x00075933, .write = rstr_write},
    [AHB1ENR] = {"AHB1ENR", .reset = 0x00100000, .writable = 0x7E7411FF},
    [AHB2ENR] = {"AHB2ENR", .writable = 0xF1},
    [AHB3ENR] = {"AHB3ENR", .writable = 1},
    [APB1ENR] = {"APB1ENR", .writable = 0x36FEC9FF},
    [APB2ENR] = {"APB2ENR", .writable = 0x00075F33},
    [AHB1LPENR] = {"AHB1LPENR", .reset = 0x7E6791FF, .writable = 0x7E6791FF},
    [AHB2LPENR] = {"AHB2LPENR", .reset = 0xF1, .writable = 0xF1},
    [AHB3LPENR] = {"AHB3LPENR", .reset = 1, .writable = 1},
    [APB1LPENR] = {"APB1LPENR", .reset = 0x36FEC9FF, .writable = 0x36FEC9FF},
    [APB2LPENR] = {"APB2LPENR", .reset = 0x00075F33, .writable = 0x00075F33},
    [BDCR] = {"BDCR", .writable = 0x00018305, .write = bdcr_write},
    [CSR] = {"CSR", .writable = 1, .write = csr_write},
    [SSCGR] = {"SSCGR", .writable = 0xCFFFFFFF},
    [PLLI2SCFGR] = {"PLLI2SCFGR", .reset = 0x20003000, .writable = 0x70007FC0},
};

/* Every reset inside the chip pulls the reset pin too (7.1.1). */
static uint32_t reset_flags(enum board_reset_cause cause) {
    switch (cause) {
    case BOARD_RESET_POWER: return CSR_POR | CSR_PIN | CSR_BOR;
    case BOARD_RESET_PIN: return CSR_PIN;
    case BOARD_RESET_SOFTWARE: return CSR_SFT | CSR_PIN;
    case BOARD_RESET_WATCHDOG: return CSR_IWDG | CSR_PIN;
    case BOARD_RESET_WINDOW_WATCHDOG: return CSR_WWDG | CSR_PIN;
    }
    return 0;
}

static void rcc_reset(struct device *d, enum board_reset_cause cause) {
    struct rcc *rcc = d->state;
    uint32_t kept = cause == BOARD_RESET_POWER ? 0 : regs_of(d)[CSR] & CSR_FLAGS;
    uint32_t backup = cause == BOARD_RESET_POWER ? 0 : regs_of(d)[BDCR];
    for (enum source s = 0; s < SOURCES; s++) {
        board_event_cancel(d->board, &rcc->starting[s]);
        rcc->starting[s].fire = source_ready;
        rcc->starting[s].device = d;
    }
    regs_reset(d);
    regs_of(d)[CSR] = kept | reset_flags(cause);
    regs_of(d)[BDCR] = backup;
    clocks_update(d);
}

const struct device_type device_rcc = {
    .name = "RCC",
    .base = 0x40023800,
    .size = 0x400,
    .state_size = sizeof(struct rcc),
    .reset = rcc_reset,
    .read = regs_read,
    .write = regs_write,
    .config = &(const struct regs_config){.regs = rcc_regs, .count = REGS},
};
