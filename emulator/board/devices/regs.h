/* SPDX-License-Identifier: MIT */
/*
 * Registers as tables. A device names for each of its registers the value after reset, the bits that
 * a write stores and the flags that it clears; what else a register does is a function of the device's
 * own. Everything that is the same for all (reserved bits, accesses narrower than a word, a clock that
 * is off) is done here.
 */
#ifndef EMULATOR_BOARD_DEVICES_REGS_H
#define EMULATOR_BOARD_DEVICES_REGS_H

#include "board/device.h"

#define DEVICE(name) extern const struct device_type device_##name;
#include "devices.def"
#undef DEVICE

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(n) (1u << (n))

enum { REGS_MAX = 56 };

struct reg {
    const char *name; /* null: there is no register, it reads as 0 */
    uint32_t reset;
    uint32_t writable; /* bits that keep what is written; all others keep their value */
    uint32_t clear0;   /* flags that are cleared by writing 0 (rc_w0) */
    uint32_t clear1;   /* flags that are cleared by writing 1 (rc_w1) */
    /* Null: the stored value is read. */
    uint32_t (*read)(struct device *d, unsigned index);
    /* After regs_of(d)[index] has got its new value; written: all bits as they were on the bus. */
    void (*write)(struct device *d, unsigned index, uint32_t written, uint32_t old);
};

/* The bit of an RCC enable register without which a device does not answer; enr 0: it always does. */
struct clock_gate {
    uint32_t enr; /* offset in RCC: 0x30 AHB1, 0x34 AHB2, 0x40 APB1, 0x44 APB2 */
    unsigned bit;
};

struct regs_config { /* of a device type with regs_read() and regs_write() */
    const struct reg *regs;
    unsigned count; /* of regs */
    unsigned number, irq;
    struct clock_gate gate;
};

struct regs { /* every state of such a device starts with it */
    uint32_t r[REGS_MAX];
    struct device *rcc; /* cached */
    bool noted;         /* that it was used without a clock */
};

static inline uint32_t *regs_of(const struct device *d) {
    return ((struct regs *)d->state)->r;
}

static inline const struct regs_config *regs_config(const struct device *d) {
    return d->type->config;
}

void regs_reset(struct device *d);
bool regs_read(struct device *d, uint32_t offset, unsigned size, uint32_t *value);
bool regs_write(struct device *d, uint32_t offset, unsigned size, uint32_t value);
bool regs_clocked(struct device *d); /* its gate is open */

/* rcc.c: whether a bit of an enable register is set. */
bool rcc_gate_open(const struct device *rcc, struct clock_gate gate);

/* flash.c: a note if the core is faster than the flash's wait states allow. */
void flash_check_latency(struct board *b);

/*
 * A clock that a device counts in whole ticks, right across changes of the core's clock: since the last
 * ticks_rate() it has run at hz while the core ran at core_hz. ticks_rate() goes into clock_changed().
 */
struct ticks {
    uint64_t count; /* at cycle `since` */
    uint64_t since;
    uint32_t hz, core_hz; /* hz 0: it stands still */
};
void ticks_rate(const struct board *b, struct ticks *t, uint32_t hz);
uint64_t ticks_now(const struct board *b, const struct ticks *t);
uint64_t ticks_cycle(const struct ticks *t,
                     uint64_t tick); /* when that tick has come; UINT64_MAX */

#endif
