/* SPDX-License-Identifier: MIT
 *
 * A debugger that sends anything at any time to a real board: lengths, addresses and directions that do not fit,
 * commands out of order, the core halted, stepped and reset in between. Nothing may be read or written outside of
 * the buffers (the sanitizers look), no transfer may take for ever, and afterwards the board is to be used.
 */
#include "board/board.h"
#include "desk/desk.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 30, COMMANDS = 400 };

static uint8_t flash[BOARD_FLASH_SIZE];
static uint32_t random_state;

static uint32_t any(uint32_t limit) {
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)random_state * limit >> 32);
}

#define ANY_OF(list) list[any(sizeof(list) / sizeof((list)[0]))]

static uint32_t any_address(void) {
    static const uint32_t bases[] = {
        0x00000000, 0x07fffff8, 0x08000000, 0x080fffe0, 0x10000000, 0x1fff7a00, 0x20000000,
        0x2001ffe0, 0x22000000, 0x40000000, 0x40004400, 0x40012000, 0x40020000, 0x40023800,
        0x40023c00, 0x40026000, 0x42000000, 0x50060800, 0xe0001000, 0xe0002000, 0xe000e000,
        0xe000e100, 0xe000ed00, 0xe000edf0, 0xe00ff000, 0xffffffe0};
    return any(8) ? ANY_OF(bases) + any(64) : random_state;
}

static void any_command(uint8_t command[STLINK_COMMAND_SIZE]) {
    static const uint8_t groups[] = {0xf1, 0xf3, 0xf5, 0xf7, 0x00, 0xff};
    static const uint16_t lengths[] = {0, 1, 2, 3, 4, 8, 64, 6143, 6144, 6145, 0x8000, 0xffff};
    uint32_t address = any_address(), length = ANY_OF(lengths);
    for (unsigned i = 0; i < STLINK_COMMAND_SIZE; i++)
        command[i] = (uint8_t)any(256);
    command[0] = any(20) ? 0xf2 : ANY_OF(groups);
    command[1] = (uint8_t)any(0x58);
    for (unsigned i = 0; i < 4; i++)
        command[2 + i] = (uint8_t)(address >> 8 * i);
    if (any(2)) {
        command[6] = (uint8_t)length;
        command[7] = (uint8_t)(length >> 8);
        command[8] = (uint8_t)(any(10) == 0);
    }
}

static void transfer(struct stlink *probe) {
    static const enum stlink_direction directions[] = {STLINK_IN, STLINK_OUT, STLINK_TRACE};
    static const size_t sizes[] = {0, 1, 2, 4, 8, 12, 64, STLINK_DATA_LIMIT};
    uint8_t command[STLINK_COMMAND_SIZE];
    size_t size = ANY_OF(sizes);
    uint8_t *data = malloc(size ? size : 1); /* of its own: one byte too many is found */

    any_command(command);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)any(256);
    stlink_transfer(probe, command, ANY_OF(directions), data, size);
    free(data);
}

/* A loop in the flash, from reset. */
static void flash_init(void) {
    static const uint32_t program[] = {0x20001000, 0x08000009, 0xe7fee7fe};

    memset(flash, 0xff, sizeof(flash));
    memcpy(flash, program, sizeof(program));
}

Test(stlink_hostile, any_command_at_any_time, .timeout = 60) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        random_state = round;
        flash_init();
        struct board *b = board_new(&(struct board_config){.flash = flash});
        struct stlink probe;
        stlink_init(&probe, b);
        for (unsigned i = 0; i < COMMANDS; i++) {
            transfer(&probe);
            if (any(4) == 0 && !probe.in_reset)
                board_run(b, any(3000));
        }
        stlink_disconnect(&probe);
        flash_init();
        board_reset(b, BOARD_RESET_POWER);
        cr_assert_eq(board_run(b, 1000), BOARD_RAN, "round %u", round);
        board_free(b);
    }
}
