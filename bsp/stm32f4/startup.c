/* SPDX-License-Identifier: MIT
 *
 * From reset to main(): the vector table (RM0090 12.2, PM0214 2.3.4), .data and .bss. A debugger that
 * flashed before has left its loader's garbage in RAM, so .bss is always cleared.
 */
#include "bsp.h"
#include "hal/board.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "stm32f4.h"

extern uint32_t _main_stack_bottom[], _main_stack_top[];
extern const uint32_t _data_load[];
extern uint32_t _data_start[], _data_end[], _bss_start[], _bss_end[];

void Reset_Handler(void);
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

/* The table that reset and faults of start-up use. */
__attribute__((section(".vectors"), used)) static const union vector vectors[16] = {
    [0].stack = _main_stack_top,      [1].handler = Reset_Handler,
    [2].handler = clock_failed, /* NMI */
    [3].handler = HardFault_Handler,  [4].handler = MemManage_Handler,
    [5].handler = BusFault_Handler,   [6].handler = UsageFault_Handler,
    [7 ... 10].handler = unexpected,  [11].handler = SVC_Handler,
    [12 ... 13].handler = unexpected, [14].handler = PendSV_Handler,
    [15].handler = SysTick_Handler,
};

/* For board_memory(). A margin below the frame of this function, which the compiler may still use. */
static void fill_main_stack(void) {
    uint32_t *end = (uint32_t *)__builtin_frame_address(0) - 32;
    for (uint32_t *to = _main_stack_bottom; to < end;)
        *to++ = STACK_FILL;
}

static const struct {
    uint8_t irq;
    void (*handler)(void);
} handlers[] = {
    {IRQ_EXTI0, EXTI_Handler},     {IRQ_EXTI0 + 1, EXTI_Handler},
    {IRQ_EXTI0 + 2, EXTI_Handler}, {IRQ_EXTI0 + 3, EXTI_Handler},
    {IRQ_EXTI0 + 4, EXTI_Handler}, {IRQ_DMA1_STREAM5, DMA1_Stream5_Handler},
    {IRQ_ADC, ADC_Handler},        {IRQ_EXTI9_5, EXTI_Handler},
    {IRQ_TIM2, TIM2_Handler},      {IRQ_USART2, USART2_Handler},
    {IRQ_USART3, USART3_Handler},  {IRQ_EXTI15_10, EXTI_Handler},
    {IRQ_TIM5, TIM5_Handler},      {IRQ_DMA2_STREAM0, DMA2_Stream0_Handler},
};

static void vector_set(unsigned irq, void (*handler)(void)) {
    board_vectors[16 + irq].handler = handler;
}

/* The table that is used from then on. In RAM, because while the flash is written it cannot be read, and
 * a zero-latency interrupt must get to its handler. */
static void vectors_init(void) {
    for (unsigned i = 0; i < 16u + board_config.irq_count; i++)
        if (i < 16)
            board_vectors[i] = vectors[i];
        else
            board_vectors[i].handler = unexpected;
    for (unsigned i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        vector_set(handlers[i].irq, handlers[i].handler);
    vector_set(board_config.spare_irq[BOARD_SPARE_KERNEL], spare_kernel);
    vector_set(board_config.spare_irq[BOARD_SPARE_ZERO_LATENCY], spare_zero_latency);
    core_init(board_vectors);
}

void Reset_Handler(void) {
    core_init(vectors);
    fill_main_stack();
    const uint32_t *from = _data_load;
    for (uint32_t *to = _data_start; to < _data_end;)
        *to++ = *from++;
    for (uint32_t *to = _bss_start; to < _bss_end;)
        *to++ = 0;
    vectors_init();
    main();
    fault_panic("main() returned");
}
