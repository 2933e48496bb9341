bsp/stm32f446_SRCS := config.c
bsp/stm32f446_MAY_INCLUDE := rtos/include bsp/stm32f4
bsp/stm32f446_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Ibsp/stm32f4

FIRMWARES += stm32f446
stm32f446_DIRS = $(STM32F4_DIRS) $(APP_DIRS) bsp/stm32f446
stm32f446_MAIN = $(FIRMWARE_RUNTIME)
stm32f446_LD := ld/stm32f446.ld ld/stm32f4.ld

# There is no model of this chip. The image is looked at, and run where the models of its relatives are the same: in
# QEMU, and on the virtual board, which has no clock at HSE for it, so that it stays on HSI.
NUCLEO := $(BUILD)/firmware/stm32f446.elf
CHECKS += nucleo-image nucleo-qemu nucleo-board selftest-nucleo
nucleo-image_CHECK := tests/board/image-check $(NUCLEO) 512 128 97 bsp/stm32f4/accel.o bsp/stm32f4/random.o
nucleo-qemu_CHECK = scripts/board-session tests/board/nucleo.session $(NUCLEO) $(QEMU)
nucleo-board_CHECK = scripts/board-session tests/board/nucleo.session $(NUCLEO) $(VIRTUAL)
selftest-nucleo_CHECK = scripts/selftest --skips tests/board/selftest-nucleo-skips.list tests/board/selftest.list $(NUCLEO) \
                         $(VIRTUAL)
nucleo-image_NEEDS := $(NUCLEO)
nucleo-qemu_NEEDS := $(NUCLEO)
nucleo-board_NEEDS := $(NUCLEO) $(BUILD)/bpf2thumb-emu
selftest-nucleo_NEEDS := $(NUCLEO) $(BUILD)/bpf2thumb-emu
