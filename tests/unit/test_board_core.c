/* SPDX-License-Identifier: MIT */
/*
 * The core of the virtual board, where QEMU cannot say what is right (tests/board/core asks both):
 * cycles, debug, subregions and accesses across regions, power. Programs are halfwords, run from SRAM
 * or flash; each ends in `b .` or BKPT.
 */
#include "board/core.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t flash[BOARD_FLASH_SIZE];

/* A board whose flash has vectors and a program at 0x08000100; every fault goes to 0x08000080: b . */
static struct board *start(const uint16_t *code, size_t count, const struct board_config *more) {
    struct board_config config = *more;

    memset(flash, 0xFF, sizeof(flash));
    for (unsigned i = 0; i < 16; i++)
        memcpy(flash + i * 4,
               &(uint32_t){i == 0   ? 0x20001000
                           : i == 1 ? 0x08000101
                                    : 0x08000081},
               4);
    memcpy(flash + 0x80, &(uint16_t){0xE7FE}, 2);
    memcpy(flash + 0x100, code, count * 2);
    config.flash = flash;
    return board_new(&config);
}
#define START(...)                                                                                 \
    start((const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / 2,            \
          &(struct board_config){0})

static uint32_t peek(struct board *b, uint32_t address) {
    uint32_t value = 0;
    cr_assert(board_debug_read(b, address, 4, &value), "no memory at %08x", address);
    return value;
}

static void poke(struct board *b, uint32_t address, uint32_t value) {
    cr_assert(board_debug_write(b, address, 4, value), "no memory at %08x", address);
}

enum { DHCSR = 0xE000EDF0, DCRSR = 0xE000EDF4, DCRDR = 0xE000EDF8, DEMCR = 0xE000EDFC };

static uint32_t reg(struct board *b, unsigned which) {
    poke(b, DCRSR, which);
    return peek(b, DCRDR);
}

static void control(struct board *b, uint32_t bits) {
    poke(b, DHCSR, 0xA05F0000 | bits);
}

static void halt(struct board *b) {
    control(b, 3);
    cr_assert_eq(board_run(b, 1), BOARD_HALTED);
}

static void step(struct board *b) {
    control(b, 5);
    cr_assert_eq(board_run(b, 1000), BOARD_HALTED);
}

/* ------------------------------------------------------------------------------------------------
 * Debug */

Test(debug, halts_and_shows_registers) {
    struct board *b = START(0x2007, 0x2108, 0xE7FE); /* movs r0, #7; movs r1, #8; b . */

    cr_assert_eq(board_run(b, 100), BOARD_RAN);
    halt(b);
    cr_expect_eq(reg(b, 0), 7);
    cr_expect_eq(reg(b, 1), 8);
    cr_expect_eq(reg(b, 15), 0x08000104);
    cr_expect_eq(reg(b, 17), 0x20001000);
    cr_expect(peek(b, DHCSR) & 1 << 17);
    poke(b, DCRDR, 0x12345678);
    poke(b, DCRSR, 1 << 16 | 3);
    cr_expect_eq(reg(b, 3), 0x12345678);
    control(b, 1);
    cr_expect_eq(board_run(b, 100), BOARD_RAN);
    board_free(b);
}

Test(debug, a_step_is_one_instruction) {
    struct board *b = START(0x2001, 0x3001, 0x3001, 0x3001, 0xE7FE);

    halt(b);
    poke(b, DCRDR, 0x08000100);
    poke(b, DCRSR, 1 << 16 | 15);
    for (unsigned i = 1; i <= 4; i++) {
        step(b);
        cr_expect_eq(reg(b, 15), 0x08000100 + i * 2);
        cr_expect_eq(reg(b, 0), i);
    }
    step(b);
    cr_expect_eq(reg(b, 15), 0x08000108);
    board_free(b);
}

/* cmp r0, r0; itte eq; moveq r1, #1; moveq r2, #2; movne r3, #3; b . */
Test(debug, steps_inside_an_it_block) {
    struct board *b = START(0x4280, 0xBF06, 0x2101, 0x2202, 0x2303, 0xE7FE);
    static const uint32_t expected[] = {0x08000102, 0x08000104, 0x08000106, 0x08000108, 0x0800010A};

    halt(b);
    poke(b, DCRDR, 0x08000100);
    poke(b, DCRSR, 1 << 16 | 15);
    for (unsigned i = 0; i < 5; i++) {
        step(b);
        cr_expect_eq(reg(b, 15), expected[i], "step %u: %08x", i, reg(b, 15));
    }
    cr_expect_eq(reg(b, 1), 1);
    cr_expect_eq(reg(b, 2), 2);
    cr_expect_neq(reg(b, 3), 3);
    board_free(b);
}

/*
 * An interrupt inside a block that is skipped and runs instruction by instruction (a division with its trap on): what
 * comes behind the block still runs.
 * movs r0, #1; movs r1, #1; movs r2, #0; movs r3, #0;
 * cmp r0, r1; itt ne; udivne r1, r1, r0; addne r1, #1; adds r2, #1; adds r3, #1; b to the cmp
 */
Test(interrupts, inside_an_it_block_that_is_skipped) {
    static const uint16_t code[] = {0x2001, 0x2101, 0x2200, 0x2300, 0x4288, 0xBF1C,
                                    0xFBB1, 0xF1F0, 0x3101, 0x3201, 0x3301, 0xE7F7};

    for (unsigned every = 3; every < 20; every++) {
        struct board *b =
            start(code, sizeof(code) / sizeof(code[0]), &(struct board_config){.irq_every = every});
        poke(b, 0xE000ED14, 0x210); /* CCR: STKALIGN, DIV_0_TRP */
        cr_assert_eq(board_run(b, 20000), BOARD_RAN);
        halt(b);
        uint32_t behind = reg(b, 2) - reg(b, 3);
        cr_expect(reg(b, 3) > 50 && behind <= 1, "every %u: %u and %u", every, reg(b, 2),
                  reg(b, 3));
        board_free(b);
    }
}

Test(debug, breakpoints_stop_before_the_instruction) {
    struct board *b = START(0x2001, 0x3001, 0x3001, 0x3001, 0xE7FE);

    control(b, 1);
    poke(b, 0xE0002000, 3);
    poke(b, 0xE0002008, 0x80000001 | 0x08000104); /* upper halfword: 0x08000106 */
    cr_assert_eq(board_run(b, 100), BOARD_HALTED);
    cr_expect_eq(reg(b, 15), 0x08000106);
    cr_expect_eq(reg(b, 0), 3);
    cr_expect_eq(peek(b, 0xE000ED30), 2); /* DFSR: BKPT */
    step(b);
    board_free(b);
}

Test(debug, bkpt_halts_only_with_a_debugger) {
    struct board *b = START(0xBE01, 0xE7FE);

    cr_assert_eq(board_run(b, 1000), BOARD_RAN);
    cr_expect_eq(peek(b, 0xE000ED2C), 1u << 31); /* HFSR: DEBUGEVT */
    board_reset(b, BOARD_RESET_PIN);
    control(b, 1);
    cr_assert_eq(board_run(b, 1000), BOARD_HALTED);
    cr_expect_eq(reg(b, 15), 0x08000100);
    board_free(b);
}

Test(debug, reset_is_caught) {
    struct board *b = START(0x2001, 0xE7FE);

    control(b, 1);
    poke(b, DEMCR, 1);
    poke(b, 0xE000ED0C, 0x05FA0004); /* SYSRESETREQ */
    cr_assert_eq(board_run(b, 100), BOARD_HALTED);
    cr_expect_eq(reg(b, 15), 0x08000100);
    cr_expect(peek(b, DHCSR) & 1 << 25);
    board_free(b);
}

/* ldr r1, [pc, #8]; movs r0, #5; str r0, [r1]; nop; b . ; .word 0x20000040 */
Test(debug, watchpoints_stop_behind_the_access) {
    struct board *b = START(0x4902, 0x2005, 0x6008, 0xBF00, 0xE7FE, 0xBF00, 0x0040, 0x2000);

    control(b, 1);
    poke(b, 0xE0001020, 0x20000040);
    poke(b, 0xE0001028, 6);
    cr_assert_eq(board_run(b, 1000), BOARD_HALTED);
    cr_expect_eq(reg(b, 15), 0x08000106);
    cr_expect_eq(peek(b, 0x20000040), 5);
    cr_expect_eq(peek(b, 0xE000ED30) & 4, 4);
    board_free(b);
}

/* What OpenOCD does: code written to SRAM through the debug port, run, replaced, run again. */
Test(debug, code_that_was_written_runs) {
    struct board *b = START(0xE7FE);

    for (uint32_t value = 1; value <= 3; value++) {
        halt(b);
        poke(b, 0x20000100, 0xBE002000 | value); /* movs r0, #value; bkpt */
        poke(b, DCRDR, 0x20000100);
        poke(b, DCRSR, 1 << 16 | 15);
        control(b, 1);
        cr_assert_eq(board_run(b, 1000), BOARD_HALTED);
        cr_expect_eq(reg(b, 0), value);
    }
    board_free(b);
}

Test(debug, rom_table_names_the_chip) {
    struct board *b = START(0xE7FE);

    cr_expect_eq(peek(b, 0xE00FF000), 0xFFF0F003);
    cr_expect_eq(peek(b, 0xE00FFFE0), 0x13);
    cr_expect_eq(peek(b, 0xE00FFFF4), 0x10);
    cr_expect_eq(peek(b, 0xE000ED00), 0x410FC241);
    board_free(b);
}

/* ------------------------------------------------------------------------------------------------
 * Memory */

/* Rights of one address by the manual's text, region by region, byte by byte. */
static bool may_write(const struct mpu *mpu, uint32_t address) {
    for (int i = 7; i >= 0; i--) {
        uint32_t size = 2u << (mpu->rasr[i] >> 1 & 31), offset = address - mpu->rbar[i];
        if (!(mpu->rasr[i] & 1) || offset >= size)
            continue;
        if (size >= 256 && mpu->rasr[i] >> (8 + offset / (size / 8)) & 1)
            continue;
        unsigned ap = mpu->rasr[i] >> 24 & 7;
        return ap >= 1 && ap <= 3;
    }
    return true;
}

Test(mpu, subregions_are_exact) {
    struct board *b = START(0xE7FE);
    srand(1);

    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 8; i++) {
            unsigned log = 5 + rand() % 9;
            b->mpu.rbar[i] = (SRAM_BASE + rand() % 0x4000u) & ~((1u << log) - 1);
            b->mpu.rasr[i] = (unsigned)rand() % 8 << 24 | (log >= 8 ? rand() % 256u : 0) << 8 |
                             (log - 1) << 1 | (rand() % 4 > 0);
        }
        b->mpu.ctrl = MPU_ENABLE | MPU_PRIVDEFENA;
        for (unsigned i = 0; i < 200; i++) {
            uint32_t address = SRAM_BASE + rand() % 0x5000u;
            struct range range = {0, UINT32_MAX};
            struct mpu_rights rights = mpu_rights(b, address, true, &range);
            cr_assert_eq(rights.write, may_write(&b->mpu, address));
            cr_assert(range_has(&range, address, 1));
            cr_assert_eq(may_write(&b->mpu, range.start), rights.write);
            cr_assert_eq(may_write(&b->mpu, range.start + range.size - 1), rights.write);
        }
    }
    board_free(b);
}

/* A word that ends in a region without access: the part of it that fails is named. */
Test(mpu, an_access_across_the_edge_faults) {
    struct board *b = START(0xE7FE);

    b->mpu.rbar[0] = 0x20000400;
    b->mpu.rasr[0] = 4 << 1 | 1; /* 32 bytes, no access */
    b->mpu.ctrl = MPU_ENABLE | MPU_PRIVDEFENA;
    for (uint32_t address = 0x200003FC; address < 0x20000424; address++) {
        struct fault f = bus_check(b, address, 4, ACCESS_READ, true);
        bool inside = address + 3 >= 0x20000400 && address < 0x20000420;
        cr_expect_eq(f.exception, inside ? EXC_MEM : EXC_NONE, "%08x", address);
        if (inside)
            cr_expect_eq(f.address, address < 0x20000400 ? 0x20000400 : address);
    }
    cr_expect_eq(bus_check(b, 0x2001FFFE, 4, ACCESS_READ, true).exception, EXC_BUS);
    cr_expect_eq(bus_check(b, 0x10000000, 2, ACCESS_FETCH, true).exception, EXC_BUS);
    board_free(b);
}

Test(memory, what_a_chip_has) {
    struct board *b = START(0xE7FE);
    uint32_t value;

    poke(b, 0x10000000, 1);
    poke(b, 0x1000FFFC, 2);
    poke(b, 0x2001FFFC, 3);
    cr_expect_not(board_debug_read(b, 0x20020000, 4, &value));
    cr_expect_not(board_debug_read(b, 0x10010000, 4, &value));
    cr_expect_not(board_debug_read(b, 0x08100000, 4, &value));
    cr_expect_not(board_bus_read(b, BUS_DMA, 0x10000000, 4, &value));
    cr_expect_eq(peek(b, 0x1FFF7A20) >> 16, 1024);
    cr_expect_eq(peek(b, 0x00000000), 0x20001000);
    poke(b, 0x22000000 + 0x100 * 32 + 5 * 4, 1); /* bit 5 of 0x20000100 */
    cr_expect(peek(b, 0x20000100) & 1 << 5);
    board_free(b);
}

/* ------------------------------------------------------------------------------------------------
 * Time */

/* A program between two reads of CYCCNT; what is left of the second read's own load is 1. */
static uint32_t cycles_between(const uint16_t *code, size_t count, bool model_f) {
    uint16_t program[64] = {
        0x4F00 | 7, /* ldr r7, =0xE0001000 */
        0x687D,     /* ldr r5, [r7, #4] */
        0xBF00,     /* nop: no load directly behind a load */
    };
    memcpy(program + 3, code, count * 2);
    program[3 + count] = 0x687E; /* ldr r6, [r7, #4] */
    program[4 + count] = 0x1B70; /* subs r0, r6, r5 */
    program[5 + count] = 0xBE00;
    program[16] = 0x1000; /* 0x08000120 */
    program[17] = 0xE000;
    struct board *b = start(program, 18, &(struct board_config){.model_f = model_f});
    control(b, 1);
    poke(b, DEMCR, 1 << 24);
    poke(b, 0xE0001000, 1);
    cr_assert_eq(board_run(b, 10000), BOARD_HALTED);
    uint32_t cycles = reg(b, 0);
    board_free(b);
    return cycles;
}

Test(cycles, follow_the_table) {
    static const uint16_t none[1] = {0}, nops[] = {0xBF00, 0xBF00, 0xBF00},
                          vdiv[] = {0xEE80, 0x0A00}; /* vdiv.f32 s0, s0, s0: no access, faults */
    uint32_t base = cycles_between(none, 0, false);

    cr_expect_eq(cycles_between(nops, 3, false), base + 3);
    cr_expect_eq(decode(vdiv, 2).cycles.fixed, 14);
    cr_expect_eq(decode((const uint16_t[]){0xED2D, 0x8B10}, 2).cycles.fixed, 17); /* vpush d8-d15 */
    cr_expect_eq(decode((const uint16_t[]){0xEEB1, 0x0AC0}, 2).cycles.fixed, 14); /* vsqrt */
    cr_expect_eq(decode((const uint16_t[]){0xEE30, 0x0A20}, 2).cycles.fixed, 1);  /* vadd */
}

Test(cycles, sleep_passes_time) {
    struct board *b = START(0xBF30, 0xE7FC); /* wfi; b . - 4 */

    cr_assert_eq(board_run(b, 1000000), BOARD_RAN);
    cr_expect_geq(board_cycles(b), 1000000);
    cr_expect_lt(board_instructions(b), 10);
    board_free(b);
}

Test(cycles, empty_interrupts_come_and_change_nothing) {
    /* movs r0, #0; adds r0, #1; b . - 2 */
    static const uint16_t loop[] = {0x2000, 0x3001, 0xE7FD};
    struct board *b = start(loop, 3, &(struct board_config){.irq_every = 97});

    cr_assert_eq(board_run(b, 100000), BOARD_RAN);
    uint64_t instructions = board_instructions(b);
    /* 2 a turn of 4 cycles, and 22 for every 97 instructions */
    cr_expect_leq(abs((int)(board_cycles(b) - instructions * 2 - instructions / 97 * 22)), 30);
    halt(b);
    cr_expect_leq(abs((int)(reg(b, 0) - instructions / 2)), 1);
    cr_expect_eq(reg(b, 17), 0x20001000);
    board_free(b);
}

/* ------------------------------------------------------------------------------------------------
 * Life */

Test(life, a_blank_chip_locks_up) {
    memset(flash, 0xFF, sizeof(flash));
    struct board *b = board_new(&(struct board_config){.flash = flash});

    cr_expect_eq(board_run(b, 1000), BOARD_LOCKED_UP);
    cr_expect(peek(b, DHCSR) & 1 << 19);
    board_free(b);
}

Test(life, power_goes_at_its_cycle) {
    static const uint16_t loop[] = {0xE7FE};
    struct board *b = start(loop, 1, &(struct board_config){.cut_power_at = 12345});

    cr_expect_eq(board_run(b, 1000000), BOARD_NO_POWER);
    cr_expect_leq(board_cycles(b), 12345 + 20);
    board_reset(b, BOARD_RESET_POWER);
    cr_expect_eq(board_cycles(b), 0);
    cr_expect_eq(board_run(b, 1000000), BOARD_RAN);
    board_free(b);
}

/* mov r0, #0x20; ldr r1, =block; bkpt 0xab */
Test(life, the_guest_leaves_with_a_code) {
    struct board *b = START(0x2020, 0x4901, 0xBEAB, 0xBF00, 0x010C, 0x0800, 0x0026, 0x0002, 42, 0);

    cr_expect_eq(board_run(b, 1000), BOARD_EXITED);
    cr_expect_eq(board_exit_code(b), 42);
    board_free(b);
}

Test(life, the_same_run_twice) {
    static const uint16_t loop[] = {0x3001, 0x4408, 0xE7FC};
    uint64_t counts[2];

    for (unsigned i = 0; i < 2; i++) {
        struct board *b = start(loop, 3, &(struct board_config){.model_f = true});
        board_run(b, 54321 + i); /* slices do not matter */
        board_run(b, 54321 - i);
        counts[i] = board_instructions(b);
        board_free(b);
    }
    cr_expect_leq(llabs((long long)(counts[0] - counts[1])), 1);
}

/* nop; cpsid i; 5 nop; cpsie i; 2 nop; cpsid i; b . */
Test(life, the_longest_masked_section) {
    struct board *b = START(0xBF00, 0xB672, 0xBF00, 0xBF00, 0xBF00, 0xBF00, 0xBF00, 0xB662, 0xBF00,
                            0xBF00, 0xB672, 0xE7FE);

    cr_expect_eq(board_run(b, 1000), BOARD_RAN);
    for (unsigned i = 0; i < 2; i++) {
        struct board_masked masked = board_longest_masked(b, 0);
        cr_expect(masked.cycles >= 5 && masked.cycles <= 8, "%u", (unsigned)masked.cycles);
        cr_expect_eq(masked.from, 0x08000104);
        cr_expect_eq(masked.to, 0x08000110);
        cr_expect_eq(board_longest_masked(b, 1).cycles, 0);
        /* the one that a reset ends, after a thousand cycles, is none */
        board_reset(b, BOARD_RESET_SOFTWARE);
        cr_expect_eq(board_run(b, 1000), BOARD_RAN);
    }
    board_free(b);
}
