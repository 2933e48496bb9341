/* SPDX-License-Identifier: MIT */
/*
 * A board for the tests of emulator/desk: 8 KiB of memory at 0x20000000, the debug registers that move a
 * register of the core, and a log of what is done to it from outside.
 */
#ifndef TESTS_DESK_FAKE_BOARD_H
#define TESTS_DESK_FAKE_BOARD_H

#include "board/board.h"

enum { RAM = 0x20000000, RAM_SIZE = 8192 };

struct board {
    uint8_t ram[RAM_SIZE];
    uint32_t core[128]; /* by the selector of DCRSR */
    uint32_t dcrdr, aircr;
    bool halted, ready;
    unsigned pin_resets;

    uint64_t cycles;
    unsigned mhz;
    size_t pending; /* bytes on the way to a USART */
    bool pins[BOARD_PORTS][16];
    double pwm[BOARD_PORTS][16]; /* duty + 1; 0: none */
    char log[4096];
};

extern struct board fake_board;

void fake_board_reset(void);

#endif
