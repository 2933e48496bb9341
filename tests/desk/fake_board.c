/* SPDX-License-Identifier: MIT */
#include "tests/desk/fake_board.h"

#include "board/terminal.h"
#include "desk/desk.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

struct board fake_board;

void fake_board_reset(void) {
    fake_board = (struct board){.mhz = 168};
}

/* --- the debug port --- */

void board_reset(struct board *b, enum board_reset_cause cause) {
    b->pin_resets += cause == BOARD_RESET_PIN;
}

bool board_debug_read(struct board *b, uint32_t address, unsigned size, uint32_t *value) {
    assert(address % size == 0);
    if (address >= RAM && address < RAM + RAM_SIZE)
        *value = bytes_get(b->ram + (address - RAM), size);
    else if (address == 0xe000edf0)
        *value = (uint32_t)b->halted << 17 | (uint32_t)b->ready << 16;
    else if (address == 0xe000edf8)
        *value = b->dcrdr;
    else
        return false;
    return true;
}

bool board_debug_write(struct board *b, uint32_t address, unsigned size, uint32_t value) {
    assert(address % size == 0);
    if (address >= RAM && address < RAM + RAM_SIZE) {
        for (unsigned i = 0; i < size; i++)
            b->ram[address - RAM + i] = (uint8_t)(value >> (8 * i));
    } else if (address == 0xe000edf0) {
        b->halted = value & 2;
    } else if (address == 0xe000edf4) {
        b->ready = b->halted;
        if (b->halted && value >> 16)
            b->core[value & 127] = b->dcrdr;
        else if (b->halted)
            b->dcrdr = b->core[value & 127];
    } else if (address == 0xe000edf8) {
        b->dcrdr = value;
    } else if (address == 0xe000ed0c) {
        b->aircr = value;
    } else {
        return false;
    }
    return true;
}

/* --- surroundings --- */

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    size_t used = strlen(fake_board.log);
    va_list args;

    va_start(args, format);
    vsnprintf(fake_board.log + used, sizeof(fake_board.log) - used, format, args);
    va_end(args);
}

uint64_t board_cycles(const struct board *b) {
    return b->cycles;
}

uint64_t board_ns(const struct board *b) {
    return b->cycles * 1000 / b->mhz;
}

void board_serial_send(struct board *b, unsigned usart, uint8_t byte) {
    note("%u:%02x ", usart, byte);
    b->pending++;
}

size_t board_serial_pending(const struct board *b, unsigned usart) {
    (void)usart;
    return b->pending;
}

void board_pin_drive(struct board *b, unsigned port, unsigned pin, bool level) {
    b->pins[port][pin] = level;
    note("P%c%u=%d@%llu ", 'A' + port, pin, level, (unsigned long long)b->cycles);
}

void board_pin_release(struct board *b, unsigned port, unsigned pin) {
    (void)b;
    note("P%c%u open ", 'A' + port, pin);
}

bool board_pin_level(const struct board *b, unsigned port, unsigned pin) {
    return b->pins[port][pin];
}

void board_accel(struct board *b, const int16_t mg[3]) {
    (void)b;
    note("accel %d %d %d ", mg[0], mg[1], mg[2]);
}

void board_encoder_turn(struct board *b, int32_t steps) {
    note("turn %d@%llu ", steps, (unsigned long long)b->cycles);
}

double board_pwm(const struct board *b, unsigned port, unsigned pin) {
    return b->pwm[port][pin] - 1;
}

void terminal_flush(void) {
}
