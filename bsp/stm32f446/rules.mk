bsp/stm32f446_SRCS := config.c
bsp/stm32f446_MAY_INCLUDE := rtos/include bsp/stm32f4
bsp/stm32f446_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Ibsp/stm32f4

FIRMWARES += stm32f446
stm32f446_DIRS = $(STM32F4_DIRS) $(APP_DIRS) bsp/stm32f446
stm32f446_LD := ld/stm32f446.ld ld/stm32f4.ld
