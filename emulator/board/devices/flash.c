/* SPDX-License-Identifier: MIT */
/*
 * Flash interface (RM0090 3): access control, unlocking, programming and erasing with their errors and
 * times, option bytes.
 *
 * An operation takes effect on the array when it begins and keeps the array busy (flash_busy_until())
 * until it ends, so nobody can see the difference: reads stall that long. What can be seen is an
 * operation that does not end. When power goes (board_config.cut_power_at, cut_flash_at) or a reset falls into it, the
 * array is left torn: some bits of a word still old, a sector in which some words are erased, some are
 * not and some hold neither. Which ones follows from address and cycle alone, so a run can be repeated.
 * The option bytes live as long as the board has power.
 */
#include "regs.h"

#include <stdlib.h>
#include <string.h>

enum { ACR, KEYR, OPTKEYR, SR, CR, OPTCR, REGS };
enum { ACR_ICRST = BIT(11), ACR_DCRST = BIT(12), ACR_ICEN = BIT(9), ACR_DCEN = BIT(10) };
enum {
    SR_EOP = BIT(0),
    SR_OPERR = BIT(1),
    SR_WRPERR = BIT(4),
    SR_PGAERR = BIT(5),
    SR_PGPERR = BIT(6),
    SR_PGSERR = BIT(7),
    SR_BSY = BIT(16),
    SR_FLAGS = 0xF3,
};
enum {
    CR_PG = BIT(0),
    CR_SER = BIT(1),
    CR_MER = BIT(2),
    CR_STRT = BIT(16),
    CR_EOPIE = BIT(24),
    CR_ERRIE = BIT(25),
    CR_BITS = 0x0301037F, /* without LOCK */
};
static const uint32_t CR_LOCK = BIT(31);
enum { OPTCR_LOCK = BIT(0), OPTCR_STRT = BIT(1), OPTCR_BITS = 0x0FFFFFEC, RDP_NONE = 0xAA };

enum {
    FLASH_BASE = 0x08000000,
    SECTORS = 12,
    ROW = 16, /* bytes: no write across it */
    PROGRAM_US = 16,
    HZ_PER_STATE = 30000000, /* at 2.7 to 3.6 V: table 10 */
};

/* A register that opens to two keys in order; anything else shuts it until reset (3.6.1). */
struct lock {
    unsigned keys; /* right ones so far */
    bool dead;
};

struct operation {
    uint64_t start, end;   /* cycles; end 0: none */
    uint32_t offset, size; /* in the array */
    uint8_t *before;       /* the contents, to tear */
    bool erase;            /* else a program */
};

struct flash {
    struct regs regs;
    struct lock lock, option_lock;
    struct operation operation;
    uint64_t operations; /* since power came */
    struct board_event done;
};

/* Typical times in ms by PSIZE (data sheet, table 40); x64 needs VPP, which the board does not have. */
static const struct {
    uint32_t size;
    uint16_t ms[4];
} sector_kinds[] = {
    {16 * 1024, {400, 300, 250, 250}},
    {64 * 1024, {1200, 700, 550, 550}},
    {128 * 1024, {2000, 1300, 1000, 1000}},
};
static const uint16_t mass_ms[4] = {16000, 11000, 8000, 8000};

static unsigned sector_kind(unsigned sector) {
    return sector < 4 ? 0 : sector == 4 ? 1 : 2;
}

static uint32_t sector_offset(unsigned sector) {
    return sector <= 4 ? sector * 16 * 1024 : (sector - 4) * 128 * 1024;
}

static unsigned sector_at(uint32_t offset) {
    unsigned sector = SECTORS - 1;
    while (sector_offset(sector) > offset)
        sector--;
    return sector;
}

uint64_t flash_busy_until(const struct device *d) {
    const struct flash *f = d->state;
    return f->operation.end > board_cycles(d->board) ? f->operation.end : 0;
}

void flash_check_latency(struct board *b) {
    const struct board_clocks *c = board_clocks(b);
    if (c->core_hz > (c->wait_states + 1) * (uint64_t)HZ_PER_STATE)
        board_note(b, "FLASH: %u wait states are too few for a core at %u Hz", c->wait_states,
                   (unsigned)c->core_hz);
}

/* ------------------------------------------------------------------------------------------------
 * Torn contents */

/* Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014): its mixing function. */
static uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

/* Each bit that was to become 0 has done so with a probability of done/256. */
static uint32_t torn_program(uint32_t before, uint32_t after, uint64_t seed, unsigned done) {
    uint32_t result = before;
    for (unsigned bit = 0; bit < 32; bit++)
        if ((mix(seed * 32 + bit) & 0xFF) < done)
            result &= after | ~BIT(bit);
    return result;
}

/* A word is untouched, erased but for some weak bits, or in between: some zeros have become ones. */
static uint32_t torn_erase(uint32_t before, uint64_t seed, unsigned done) {
    uint64_t noise = mix(seed), bits = mix(noise);
    uint32_t few = (uint32_t)(bits & bits >> 32 & noise >> 32);
    if ((noise & 0xFF) < done)
        return noise & 0x700 ? UINT32_MAX : ~few;
    return noise & 0x800 ? before : before | few;
}

/* The operation has come only so far; the contents from before are put together with those after. */
static void tear(struct device *d, const struct operation *op, uint64_t cut) {
    const uint8_t *array = board_config(d->board)->flash;
    unsigned done = (unsigned)((cut - op->start) * 256 / (op->end - op->start));
    uint32_t words = op->size / 4;
    uint32_t *torn = malloc(op->size);

    if (!torn)
        abort();
    for (uint32_t i = 0; i < words; i++) {
        uint32_t before, after;
        uint64_t seed = mix(cut) ^ (op->offset + i * 4);
        memcpy(&before, op->before + i * 4, 4);
        memcpy(&after, array + op->offset + i * 4, 4);
        torn[i] =
            op->erase ? torn_erase(before, seed, done) : torn_program(before, after, seed, done);
    }
    board_flash_erase(d->board, op->offset, op->size);
    for (uint32_t i = 0; i < words; i++)
        board_flash_program(d->board, op->offset + i * 4, 4, torn[i]);
    free(torn);
    board_note(d->board, "FLASH: %s at 0x%08x did not end", op->erase ? "an erase" : "programming",
               (unsigned)(FLASH_BASE + op->offset));
}

static void forget(struct operation *op) {
    free(op->before);
    *op = (struct operation){0};
}

/* ------------------------------------------------------------------------------------------------
 * Operations */

static void irq_update(struct device *d) {
    uint32_t sr = regs_of(d)[SR];
    board_irq(d->board, regs_config(d)->irq, sr & (SR_EOP | SR_OPERR));
}

/* 3.8.4: OPERR comes only with ERRIE, EOP only with EOPIE. */
static void fail(struct device *d, uint32_t error) {
    uint32_t *r = regs_of(d);
    r[SR] |= error | (r[CR] & CR_ERRIE ? SR_OPERR : 0);
    irq_update(d);
}

/* Whatever has ended by now is done: asked for at each look at the registers. */
static void settle(struct device *d) {
    struct flash *f = d->state;
    uint32_t *r = regs_of(d);
    if (!f->operation.end || flash_busy_until(d))
        return;
    forget(&f->operation);
    r[CR] &= ~CR_STRT;
    r[OPTCR] &= ~OPTCR_STRT;
    if (r[CR] & CR_EOPIE)
        r[SR] |= SR_EOP;
    irq_update(d);
}

static void operation_done(struct board_event *event) {
    settle(event->device);
}

/* Accesses that have to wait for the end of an operation (3.6.2). */
static void wait(struct device *d) {
    uint64_t until = flash_busy_until(d);
    if (until)
        board_stall(d->board, until - board_cycles(d->board));
    settle(d);
}

/* size 0: the array is busy, nothing in it changes. The contents from before are kept, word by word. */
static void operation_begin(struct device *d, bool erase, uint32_t offset, uint32_t size,
                            uint32_t us) {
    struct flash *f = d->state;
    struct operation *op = &f->operation;
    op->start = board_cycles(d->board);
    op->end = op->start + board_cycles_of(d->board, us, 1000000);
    op->offset = offset & ~3u;
    op->size = ((offset + size + 3) & ~3u) - op->offset;
    op->erase = erase;
    op->before = malloc(op->size + 1);
    if (!op->before)
        abort();
    memcpy(op->before, board_config(d->board)->flash + op->offset, op->size);
    board_event_at(d->board, &f->done, op->end);
    if (++f->operations == board_config(d->board)->cut_flash_at)
        board_cut_power_at(d->board,
                           op->start + 1 + mix(f->operations) % (op->end - op->start - 1));
}

/* The new contents are in the array: power may go before they are complete. */
static void operation_apply_cut(struct device *d) {
    struct flash *f = d->state;
    uint64_t cut = board_config(d->board)->cut_power_at;
    if (cut && f->operation.size && cut >= f->operation.start && cut < f->operation.end)
        tear(d, &f->operation, cut);
}

static bool protected(const struct device *d, unsigned sector) {
    return !(regs_of(d)[OPTCR] & BIT(16 + sector)); /* nWRP */
}

/* The first reason not to program, in the order in which 3.6.4 and 3.8.4 name them; 0: none. */
static uint32_t program_error(const struct device *d, uint32_t address, unsigned size) {
    uint32_t cr = regs_of(d)[CR];
    uint32_t parallelism = size != BIT(cr >> 8 & 3) ? SR_PGPERR : 0;
    if (!(cr & CR_PG) || cr & (CR_SER | CR_MER))
        return SR_PGSERR | parallelism;
    if (parallelism)
        return parallelism;
    if (address % ROW + size > ROW)
        return SR_PGAERR;
    return protected(d, sector_at(address - FLASH_BASE)) ? SR_WRPERR : 0;
}

bool flash_write(struct device *d, uint32_t address, unsigned size, uint32_t value) {
    uint32_t offset = address - FLASH_BASE;
    wait(d);
    uint32_t error = program_error(d, address, size);
    if (error) {
        board_note(d->board, "FLASH: store to 0x%08x refused, error 0x%02x", (unsigned)address,
                   (unsigned)error);
        fail(d, error);
        return true;
    }
    operation_begin(d, false, offset, size, PROGRAM_US);
    board_flash_program(d->board, offset, size, value);
    operation_apply_cut(d);
    return true;
}

static void erase_range(struct device *d, uint32_t offset, uint32_t size, uint32_t ms) {
    operation_begin(d, true, offset, size, ms * 1000);
    board_flash_erase(d->board, offset, size);
    operation_apply_cut(d);
}

static void erase_sector(struct device *d, unsigned sector, unsigned psize) {
    if (sector >= SECTORS) {
        board_note(d->board, "FLASH: there is no sector %u", sector);
        regs_of(d)[CR] &= ~CR_STRT;
        return;
    }
    if (protected(d, sector)) {
        regs_of(d)[CR] &= ~CR_STRT;
        fail(d, SR_WRPERR);
        return;
    }
    unsigned kind = sector_kind(sector);
    erase_range(d, sector_offset(sector), sector_kinds[kind].size, sector_kinds[kind].ms[psize]);
}

static void erase_all(struct device *d, unsigned psize) {
    for (unsigned sector = 0; sector < SECTORS; sector++) {
        if (!protected(d, sector))
            continue;
        regs_of(d)[CR] &= ~CR_STRT;
        fail(d, SR_WRPERR);
        return;
    }
    erase_range(d, 0, BOARD_FLASH_SIZE, mass_ms[psize]);
}

/* 3.6.3: with both SER and MER nothing is erased; with neither the chip's behaviour is open. */
static void erase(struct device *d) {
    uint32_t cr = regs_of(d)[CR];
    unsigned psize = cr >> 8 & 3;
    switch (cr & (CR_SER | CR_MER)) {
    case CR_SER: erase_sector(d, cr >> 3 & 15, psize); break;
    case CR_MER: erase_all(d, psize); break;
    default:
        board_note(d->board, "FLASH: STRT with SER and MER both %s", cr & CR_SER ? "1" : "0");
        regs_of(d)[CR] &= ~CR_STRT;
    }
}

/* ------------------------------------------------------------------------------------------------
 * Registers */

static bool unlock(struct device *d, struct lock *lock, bool locked, uint32_t key,
                   const uint32_t keys[2]) {
    if (lock->dead || !locked || key != keys[lock->keys]) {
        if (!lock->dead)
            board_note(d->board, "FLASH: wrong key 0x%08x: locked until reset", (unsigned)key);
        lock->dead = true;
        return false;
    }
    lock->keys = (lock->keys + 1) % 2;
    return lock->keys == 0;
}

static void keyr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    static const uint32_t keys[2] = {0x45670123, 0xCDEF89AB};
    struct flash *f = d->state;
    uint32_t *cr = &regs_of(d)[CR];
    (void)index, (void)old;
    if (unlock(d, &f->lock, *cr & CR_LOCK, written, keys))
        *cr &= ~CR_LOCK;
    else if (f->lock.dead)
        *cr |= CR_LOCK;
}

static void optkeyr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    static const uint32_t keys[2] = {0x08192A3B, 0x4C5D6E7F};
    struct flash *f = d->state;
    uint32_t *optcr = &regs_of(d)[OPTCR];
    (void)index, (void)old;
    if (unlock(d, &f->option_lock, *optcr & OPTCR_LOCK, written, keys))
        *optcr &= ~OPTCR_LOCK;
    else if (f->option_lock.dead)
        *optcr |= OPTCR_LOCK;
}

static void acr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    struct board_clocks c = *board_clocks(d->board);
    uint32_t acr = regs_of(d)[index];
    (void)written;
    if ((acr & ACR_ICRST && old & ACR_ICEN) || (acr & ACR_DCRST && old & ACR_DCEN))
        board_note(d->board, "FLASH: a cache is reset while it is enabled");
    c.wait_states = acr & 7;
    c.prefetch = acr & BIT(8);
    c.icache = acr & ACR_ICEN;
    c.dcache = acr & ACR_DCEN;
    board_set_clocks(d->board, &c);
    if ((acr & 7) < (old & 7))
        flash_check_latency(d->board);
}

static uint32_t sr_read(struct device *d, unsigned index) {
    settle(d);
    return regs_of(d)[index] | (flash_busy_until(d) ? SR_BSY : 0);
}

static void sr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    (void)index, (void)written, (void)old;
    irq_update(d);
}

static uint32_t settled_read(struct device *d, unsigned index) {
    settle(d);
    return regs_of(d)[index];
}

/* A store while the array is busy waits for it (3.8.5). LOCK can only be set here. */
static void cr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    uint32_t *cr = &regs_of(d)[index], now = *cr;
    *cr = old;
    wait(d);
    if (old & CR_LOCK)
        return;
    *cr = (now & ~CR_STRT) | (written & CR_LOCK);
    if (written & CR_STRT) {
        *cr |= CR_STRT;
        erase(d);
    }
}

static void optcr_write(struct device *d, unsigned index, uint32_t written, uint32_t old) {
    uint32_t *optcr = &regs_of(d)[index], now = *optcr;
    *optcr = old;
    wait(d);
    if (old & OPTCR_LOCK)
        return;
    if ((now >> 8 & 0xFF) != RDP_NONE) {
        board_note(d->board, "FLASH: read protection is not modelled");
        now = (now & ~0xFF00u) | RDP_NONE << 8;
    }
    *optcr = (now & ~OPTCR_STRT) | (written & OPTCR_LOCK);
    if (written & OPTCR_STRT) {
        *optcr |= OPTCR_STRT;
        operation_begin(d, false, 0, 0, PROGRAM_US);
    }
}

static const struct reg flash_regs[REGS] = {
    [ACR] = {"ACR", .writable = 0x1F07, .write = acr_write},
    [KEYR] = {"KEYR", .write = keyr_write},
    [OPTKEYR] = {"OPTKEYR", .write = optkeyr_write},
    [SR] = {"SR", .clear1 = SR_FLAGS, .read = sr_read, .write = sr_write},
    [CR] = {"CR", 0x80000000, .writable = CR_BITS, .read = settled_read, .write = cr_write},
    [OPTCR] = {"OPTCR", 0x0FFFAAED, OPTCR_BITS | OPTCR_STRT, .read = settled_read,
               .write = optcr_write},
};

static void flash_reset(struct device *d, enum board_reset_cause cause) {
    struct flash *f = d->state;
    uint32_t optcr = regs_of(d)[OPTCR];
    settle(d);
    struct operation broken_off = f->operation;
    f->operation = (struct operation){0}; /* the array is free from now on */
    if (broken_off.end && broken_off.size && cause != BOARD_RESET_POWER)
        tear(d, &broken_off, board_cycles(d->board));
    forget(&broken_off);
    board_event_cancel(d->board, &f->done);
    f->done.fire = operation_done;
    f->done.device = d;
    f->lock = f->option_lock = (struct lock){0};
    regs_reset(d);
    if (cause != BOARD_RESET_POWER)
        regs_of(d)[OPTCR] = (optcr & ~OPTCR_STRT) | OPTCR_LOCK;
    acr_write(d, ACR, 0, 0);
    irq_update(d);
}

static void flash_free(struct device *d) {
    struct flash *f = d->state;
    forget(&f->operation);
}

const struct device_type device_flash = {
    .name = "FLASH",
    .base = 0x40023C00,
    .size = 0x400,
    .state_size = sizeof(struct flash),
    .reset = flash_reset,
    .read = regs_read,
    .write = regs_write,
    .free = flash_free,
    .config = &(const struct regs_config){.regs = flash_regs, .count = REGS, .irq = 4},
};

uint64_t board_flash_operations(const struct board *b) {
    const struct flash *f = board_device((struct board *)b, &device_flash)->state;
    return f->operations;
}
