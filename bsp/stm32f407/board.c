/* SPDX-License-Identifier: MIT */
#include "hal/board.h"
#include "bsp.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "stm32f407.h"

const char board_name[] = "STM32F407 Discovery";

/* From the linker script: addresses, and sizes in the form of addresses. */
extern const char _flash_start[], _flash_size[], _flash_end[];
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
         (uint32_t)(_flash_end - _flash_start)},
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

void board_spare_pend(enum board_spare spare) {
    irq_pend(spare == BOARD_SPARE_KERNEL ? IRQ_CAN2_TX : IRQ_CAN2_RX0);
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
