# The devices of the STM32F407, one a file; devices.def lists them.
emulator/board/devices_SRCS := exti.c flash.c gpio.c pwr.c rcc.c regs.c usart.c
emulator/board/devices_MAY_INCLUDE := emulator/board
emulator/board/devices_CFLAGS := -Iemulator
