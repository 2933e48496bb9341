bsp/stm32f407_SRCS := accel.c adc.c board.c chip.c clock.c counter.c exti.c flash.c gpio.c main.c parts.c \
                      startup.c timers.c uart.c watchdog.c
bsp/stm32f407_MAY_INCLUDE := rtos/include
bsp/stm32f407_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)

FIRMWARES += stm32f407
stm32f407_DIRS := bsp/stm32f407 rtos/arch/armv7m rtos/console rtos/driver rtos/kernel rtos/lib rtos/selftest \
                  rtos/shell
stm32f407_LD := ld/stm32f407.ld
ALL += $(BUILD)/firmware/stm32f407.elf

# The STM32F405 model of QEMU: the n-th -serial is USARTn (docs/kernel.md).
QEMU := qemu-system-arm -M netduinoplus2 -display none -monitor none -serial null -serial stdio \
        -semihosting-config enable=on,target=native -icount shift=3,sleep=off

.PHONY: firmware run-qemu selftest size

## firmware: build the firmware of the board: build/firmware/stm32f407.elf
firmware: $(SETUP)
	@$(MAKE) $(PARALLEL) $(FIRMWARES:%=$(BUILD)/firmware/%.elf)
	@$(TARGET)size $(FIRMWARES:%=$(BUILD)/firmware/%.elf)

## run-qemu: run the firmware in QEMU, its shell on the terminal (`exit` leaves)
run-qemu: $(SETUP) $(BUILD)/firmware/stm32f407.elf
	@$(QEMU) -kernel $(BUILD)/firmware/stm32f407.elf

## selftest: run the firmware's own tests in QEMU
selftest: $(SETUP) $(BUILD)/firmware/stm32f407.elf
	@scripts/selftest --show --skips tests/board/selftest-qemu-skips.list tests/board/selftest.list $(BUILD)/firmware/stm32f407.elf $(QEMU)

## size: the kernel's share of the firmware, from the linker map
size: $(SETUP) $(BUILD)/firmware/stm32f407.elf
	@scripts/kernel-size $(BUILD)/firmware/stm32f407.map

CHECKS += selftest-qemu shell-qemu kernel-size
shell-qemu_CHECK := scripts/board-session tests/board/shell.session $(BUILD)/firmware/stm32f407.elf $(QEMU)
shell-qemu_NEEDS := $(BUILD)/firmware/stm32f407.elf
selftest-qemu_CHECK := scripts/selftest --skips tests/board/selftest-qemu-skips.list \
                       tests/board/selftest.list $(BUILD)/firmware/stm32f407.elf $(QEMU)
selftest-qemu_NEEDS := $(BUILD)/firmware/stm32f407.elf
kernel-size_CHECK := scripts/kernel-size $(BUILD)/firmware/stm32f407.map
kernel-size_NEEDS := $(BUILD)/firmware/stm32f407.elf
