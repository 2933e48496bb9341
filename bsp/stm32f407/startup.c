/* SPDX-License-Identifier: MIT
 *
 * From reset to main(): the vector table (RM0090 12.2, PM0214 2.3.4), .data and .bss. A debugger that
 * flashed before has left its loader's garbage in RAM, so .bss is always cleared.
 */
#include "bsp.h"
#include "hal/board.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "stm32f407.h"

extern uint32_t _main_stack_top[];
extern const uint32_t _data_load[];
extern uint32_t _data_start[], _data_end[], _bss_start[], _bss_end[];

void Reset_Handler(void);
void USART2_Handler(void);
void TIM2_Handler(void);
void (*volatile board_spare_handler[BOARD_SPARES])(void);

static void unexpected(void) {
    fault_panic("interrupt without a handler");
}

static void spare_kernel(void) {
    board_spare_handler[BOARD_SPARE_KERNEL]();
}

static void spare_zero_latency(void) {
    board_spare_handler[BOARD_SPARE_ZERO_LATENCY]();
}

union vector {
    uint32_t *stack;
    void (*handler)(void);
};

#define IRQS(first, last) [16 + (first)... 16 + (last)].handler
#define IRQ(n) [16 + (n)].handler
__attribute__((section(".vectors"), used)) static const union vector vectors[16 + IRQ_COUNT] = {
    [0].stack = _main_stack_top,
    [1].handler = Reset_Handler,
    [2].handler = unexpected, /* NMI: clock security, not in use */
    [3].handler = HardFault_Handler,
    [4].handler = MemManage_Handler,
    [5].handler = BusFault_Handler,
    [6].handler = UsageFault_Handler,
    [7 ... 10].handler = unexpected,
    [11].handler = SVC_Handler,
    [12 ... 13].handler = unexpected,
    [14].handler = PendSV_Handler,
    [15].handler = SysTick_Handler,
    IRQS(0, IRQ_TIM2 - 1) = unexpected,
    IRQ(IRQ_TIM2) = TIM2_Handler,
    IRQS(IRQ_TIM2 + 1, IRQ_USART2 - 1) = unexpected,
    IRQ(IRQ_USART2) = USART2_Handler,
    IRQS(IRQ_USART2 + 1, IRQ_CAN2_TX - 1) = unexpected,
    IRQ(IRQ_CAN2_TX) = spare_kernel,
    IRQ(IRQ_CAN2_RX0) = spare_zero_latency,
    IRQS(IRQ_CAN2_RX0 + 1, IRQ_COUNT - 1) = unexpected,
};

void Reset_Handler(void) {
    core_init(vectors);
    const uint32_t *from = _data_load;
    for (uint32_t *to = _data_start; to < _data_end;)
        *to++ = *from++;
    for (uint32_t *to = _bss_start; to < _bss_end;)
        *to++ = 0;
    main();
    fault_panic("main() returned");
}
