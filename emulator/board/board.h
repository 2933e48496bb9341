/* SPDX-License-Identifier: MIT */
/*
 * The virtual STM32F407: one Cortex-M4F with its system peripherals (board.c and its neighbours) and
 * the chip's devices (devices/). This header is what its users see: the command, the ST-LINK server,
 * tests.
 *
 *     struct board *b = board_new(&(struct board_config){.flash = bytes});
 *     board_reset(b, BOARD_RESET_POWER);
 *     while (board_run(b, 168000) == BOARD_RAN)
 *         ... serve sockets, keys, serial lines ...
 *
 * Time is the core's cycles since power came (model R or F, docs/emulator.md), turned into nanoseconds by
 * the clock that the guest has set. The same firmware and the same stimuli at the same cycles give
 * the same run.
 */
#ifndef EMULATOR_BOARD_BOARD_H
#define EMULATOR_BOARD_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BOARD_FLASH_SIZE = 1024 * 1024,
    BOARD_USARTS = 6, /* named by 1 to 6 as on the chip */
    BOARD_PORTS = 9,  /* GPIO A to I */
};

struct board;

enum board_reset_cause { /* what RCC_CSR shows afterwards */
                         BOARD_RESET_POWER,
                         BOARD_RESET_PIN,
                         BOARD_RESET_SOFTWARE,
                         BOARD_RESET_WATCHDOG,
                         BOARD_RESET_WINDOW_WATCHDOG,
};

/* What the board tells its surroundings, from inside board_run(). Null members: nobody listens. */
struct board_listener {
    void *user;
    void (*serial)(void *user, unsigned usart, uint8_t byte);         /* sent, at its stop bit */
    void (*pin)(void *user, unsigned port, unsigned pin, bool level); /* an output has changed */
    void (*semihost)(void *user, const char *text, size_t length);    /* SYS_WRITE0, SYS_WRITEC */
    void (*note)(void *user, const char *text); /* the guest did what a chip would not forgive */
};

struct board_config {
    uint8_t
        *flash; /* BOARD_FLASH_SIZE bytes that the board reads and writes in place; the caller's */
    bool model_f;    /* charge wait states of the flash (ART); else zero wait states */
    bool no_crystal; /* HSERDY never comes */
    uint64_t
        cut_power_at; /* cycle at which power goes, in the middle of whatever happens; 0: never */
    uint64_t cut_flash_at; /* the flash's operation since power came in the middle of which it goes,
                              from 1 on; 0: never */
    uint64_t
        irq_every; /* soak: an empty interrupt every so many instructions of thread code; 0: none */
    const char *adc_file; /* values of the ADC channels: devices/adc.c; null: all 0 */
    bool lis302dl;        /* the accelerometer of early Discovery boards instead of the LIS3DSH */
    struct board_listener listener;
};

struct board *board_new(const struct board_config *config); /* never null; aborts without memory */
void board_free(struct board *b);                           /* null is allowed */

void board_reset(struct board *b, enum board_reset_cause cause);

enum board_stop {
    BOARD_RAN,       /* the cycles are used up */
    BOARD_HALTED,    /* a debugger holds the core */
    BOARD_EXITED,    /* SYS_EXIT, SYS_EXIT_EXTENDED: board_exit_code() */
    BOARD_LOCKED_UP, /* a fault at priority -1 or above */
    BOARD_NO_POWER,  /* cut_power_at or cut_flash_at has come */
};

/* Runs for at least `cycles` (one instruction or one sleep may overshoot); WFI passes time at once. */
enum board_stop board_run(struct board *b, uint64_t cycles);
int board_exit_code(const struct board *b);

uint32_t board_pc(const struct board *b);     /* where the core stands, also locked up */
uint64_t board_cycles(const struct board *b); /* since power came */
uint64_t board_instructions(const struct board *b);
uint64_t board_ns(const struct board *b);
uint64_t board_flash_operations(const struct board *b); /* words and sectors, since power came */

/* How long interrupts were masked since power came (masked.c): of each place that masks, up to some number of
 * them, the longest time, the longest of all with rank 0. 0 cycles: there are no more. */
struct board_masked {
    uint64_t cycles;
    uint32_t from, to; /* instructions behind the one that masks, and that which opens */
    uint32_t
        caller; /* LR when it was masked: where it was called from, if a function does nothing else */
};
struct board_masked board_longest_masked(const struct board *b, unsigned rank);

/* The surroundings of the board. Inputs that nobody drives follow the pin's pull. */
void board_serial_send(struct board *b, unsigned usart,
                       uint8_t byte); /* arrives at the next frame time */
size_t board_serial_pending(const struct board *b, unsigned usart); /* sent but not arrived yet */
void board_pin_drive(struct board *b, unsigned port, unsigned pin, bool level);
void board_pin_release(struct board *b, unsigned port, unsigned pin);
bool board_pin_level(const struct board *b, unsigned port, unsigned pin);
void board_accel(struct board *b, const int16_t mg[3]);  /* acceleration, thousandths of g */
void board_encoder_turn(struct board *b, int32_t steps); /* the motor's shaft, quadrature steps */
double board_pwm(const struct board *b, unsigned port,
                 unsigned pin); /* duty 0 to 1; -1: no PWM there */

/*
 * The debug port's view: AHB-AP accesses, which see the memory map without MPU and reach the debug
 * registers (DHCSR, DCRSR, DCRDR, DEMCR, FPB, DWT), in any state of the core. size is 1, 2 or 4 and
 * the address is aligned to it. False: a bus error.
 */
bool board_debug_read(struct board *b, uint32_t address, unsigned size, uint32_t *value);
bool board_debug_write(struct board *b, uint32_t address, unsigned size, uint32_t value);

#endif
