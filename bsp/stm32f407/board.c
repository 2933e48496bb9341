/* SPDX-License-Identifier: MIT */
#include "hal/board.h"
#include "bsp.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "stm32f407.h"

const char board_name[] = "STM32F407 Discovery";

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
