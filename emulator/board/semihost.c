/* SPDX-License-Identifier: MIT */
/*
 * Semihosting (Arm's specification, 2.0): output and exit. Only while no debugger is attached; with
 * one, BKPT 0xAB halts and the debugger answers.
 */
#include "core.h"

enum {
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    APPLICATION_EXIT = 0x20026,
    TEXT_MAX = 4096,
};

static void say(struct board *b, uint32_t address, size_t limit) {
    char text[TEXT_MAX];
    size_t length = 0;
    uint32_t byte;

    while (length < limit && board_bus_read(b, BUS_CORE, address++, 1, &byte) && byte)
        text[length++] = (char)byte;
    if (b->config.listener.semihost)
        b->config.listener.semihost(b->config.listener.user, text, length);
}

static void leave(struct board *b, uint32_t reason, int code) {
    b->exited = true;
    b->exit_code = reason == APPLICATION_EXIT ? code : 1;
}

static bool operate(struct board *b, uint32_t operation, uint32_t argument) {
    uint32_t reason = 0, code = 0;

    switch (operation) {
    case SYS_WRITEC: say(b, argument, 1); return true;
    case SYS_WRITE0: say(b, argument, TEXT_MAX); return true;
    case SYS_EXIT: leave(b, argument, 0); return true;
    case SYS_EXIT_EXTENDED:
        board_bus_read(b, BUS_CORE, argument, 4, &reason);
        board_bus_read(b, BUS_CORE, argument + 4, 4, &code);
        leave(b, reason, (int)code);
        return true;
    default: return false;
    }
}

bool semihost(struct board *b) {
    uint32_t code = 0;

    if (!board_bus_read(b, BUS_CORE, b->cpu.pc, 2, &code) || code != 0xBEAB ||
        debug_enabled_bits(&b->debug, 0))
        return false;
    if (!operate(b, cpu_reg(b, 0), cpu_reg(b, 1)))
        cpu_set_reg(b, 0, UINT32_MAX);
    cpu_set_reg(b, 15, b->cpu.pc + 2);
    return true;
}
