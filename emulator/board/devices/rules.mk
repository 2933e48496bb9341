# The devices of the STM32F407, one a file; devices.def lists them.
emulator/board/devices_SRCS := accel.c adc.c crc.c dbgmcu.c dma.c exti.c flash.c gpio.c iwdg.c pwr.c \
                               rcc.c regs.c rng.c spi.c tim.c tim_pins.c usart.c wwdg.c
emulator/board/devices_MAY_INCLUDE := emulator/board
emulator/board/devices_CFLAGS := -Iemulator
