# What boards with a chip of the STM32F4 family have in common. accel.c and random.c are linked by boards that have
# the hardware (NAME_MAIN); the others get absent.c.
bsp/stm32f4_SRCS := absent.c adc.c board.c chip.c clock.c counter.c exti.c flash.c gpio.c line.c parts.c startup.c timers.c \
                    uart.c watchdog.c
bsp/stm32f4_MAY_INCLUDE := rtos/include
bsp/stm32f4_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)

# All of a firmware but its board and main().
STM32F4_DIRS := bsp/stm32f4 rtos/arch/armv7m rtos/console rtos/driver rtos/kernel rtos/lib
