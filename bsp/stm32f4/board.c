/* SPDX-License-Identifier: MIT */
#include "hal/board.h"
#include "bsp.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/priority.h"

/* ----- start -------------------------------------------------------------------------------------- */

void board_init(void) {
    clock_init();
}

void board_start(void) {
    uart_init(clock_now()->apb1_hz);
    uart_irq_enable();
    irq_enable(board_config.spare_irq[BOARD_SPARE_KERNEL], PRIORITY_DEVICE);
    irq_enable(board_config.spare_irq[BOARD_SPARE_ZERO_LATENCY], PRIORITY_ZERO_LATENCY);
}

uint32_t board_core_hz(void) {
    return clock_now()->core_hz;
}

const char *board_clock_source(void) {
    switch (clock_now()->source) {
    case CLOCK_NONE: return "no RCC: an emulator";
    case CLOCK_HSE_PLL: return "HSE, PLL";
    default: return board_config.clock.bypass ? "HSI: no clock at HSE" : "HSI: no crystal";
    }
}

/* ----- memory ------------------------------------------------------------------------------------- */

/* From the linker script: addresses, and sizes in the form of addresses. */
extern const char _flash_start[], _flash_size[], _firmware_end[];
extern char _ram_start[], _ram_size[], _bss_end[], _keep_start[], _keep_size[], _keep_end[];
extern uint32_t _main_stack_bottom[], _main_stack_top[];

/* The main stack below its deepest use; start-up has filled it. */
static uint32_t main_stack_unused(void) {
    const uint32_t *first = _main_stack_bottom + KERNEL_GUARD / 4, *word = first;
    while (word < _main_stack_top && *word == STACK_FILL)
        word++;
    return (uint32_t)(word - first) * 4;
}

bool board_memory(unsigned index, struct board_memory *out) {
    const struct board_memory parts[] = {
        {"flash", (uint32_t)_flash_start, (uint32_t)_flash_size,
         (uint32_t)(_firmware_end - _flash_start)},
        {"RAM", (uint32_t)_ram_start, (uint32_t)_ram_size, (uint32_t)(_bss_end - _ram_start)},
        {"kept RAM", (uint32_t)_keep_start, (uint32_t)_keep_size,
         (uint32_t)(_keep_end - _keep_start)},
        {"main stack", (uint32_t)_main_stack_bottom,
         (uint32_t)(_main_stack_top - _main_stack_bottom) * 4, 0},
    };
    if (index >= sizeof(parts) / sizeof(parts[0]))
        return false;
    *out = parts[index];
    if (out->used == 0)
        out->used = out->size - main_stack_unused();
    return true;
}

/* ----- ends, and interrupts for tests --------------------------------------------------------------- */

void board_spare_pend(enum board_spare spare) {
    irq_pend(board_config.spare_irq[spare]);
}

_Noreturn void board_reset(void) {
    board_flush();
    core_reset();
}

_Noreturn void board_panic(const struct fault_record *record) {
    board_flush();
    fault_print(record);
    board_reset();
}

/* SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit (Arm's semihosting specification, 2.8). */
void board_exit(int code) {
    const uint32_t block[2] = {0x20026, (uint32_t)code};
    board_flush();
    core_semihost(0x20, block);
}
