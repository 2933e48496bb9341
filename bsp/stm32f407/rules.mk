bsp/stm32f407_SRCS := board.c clock.c main.c startup.c uart.c
bsp/stm32f407_MAY_INCLUDE := rtos/include
bsp/stm32f407_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)

FIRMWARES += stm32f407
stm32f407_DIRS := bsp/stm32f407 rtos/arch/armv7m rtos/kernel rtos/lib rtos/selftest
stm32f407_LD := ld/stm32f407.ld
ALL += $(BUILD)/firmware/stm32f407.elf

# The STM32F405 model of QEMU: the n-th -serial is USARTn (docs/kernel.md).
QEMU := qemu-system-arm -M netduinoplus2 -display none -monitor none -serial null -serial stdio \
        -semihosting-config enable=on,target=native -icount shift=3,sleep=off -kernel
VIRTUAL := $(BUILD)/bpf2thumb-emu board
FIRMWARE := $(BUILD)/firmware/stm32f407.elf
SELFTEST := scripts/selftest tests/board/selftest.list $(FIRMWARE)

.PHONY: firmware run run-qemu selftest size

## firmware: build the firmware of the board: build/firmware/stm32f407.elf
firmware: $(SETUP)
	@$(MAKE) $(PARALLEL) $(FIRMWARES:%=$(BUILD)/firmware/%.elf)
	@$(TARGET)size $(FIRMWARES:%=$(BUILD)/firmware/%.elf)

## run: run the firmware on the virtual board, its console on the terminal (Ctrl-A x leaves)
run: $(SETUP) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
	@$(VIRTUAL) $(FIRMWARE)

## run-qemu: run the firmware in QEMU, its console on the terminal (key x leaves)
run-qemu: $(SETUP) $(FIRMWARE)
	@$(QEMU) $(FIRMWARE)

## selftest: run the firmware's own tests in QEMU and on the virtual board
selftest: $(SETUP) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
	@scripts/selftest --show $(filter-out scripts/selftest,$(SELFTEST)) $(QEMU)
	@scripts/selftest --show $(filter-out scripts/selftest,$(SELFTEST)) $(VIRTUAL)

## size: the kernel's share of the firmware, from the linker map
size: $(SETUP) $(BUILD)/firmware/stm32f407.elf
	@scripts/kernel-size $(BUILD)/firmware/stm32f407.map

# In both emulators the same lines; on the board also with wait states, and with an empty interrupt every 97
# instructions of thread code, which changes no result.
CHECKS += selftest-qemu selftest-board selftest-model-f selftest-soak kernel-size
selftest-qemu_CHECK := $(SELFTEST) $(QEMU)
selftest-qemu_NEEDS := $(FIRMWARE)
selftest-board_CHECK := $(SELFTEST) $(VIRTUAL)
selftest-model-f_CHECK := $(SELFTEST) $(VIRTUAL) --model f
selftest-soak_CHECK := $(SELFTEST) $(VIRTUAL) --irq-every 97
selftest-board_NEEDS := $(FIRMWARE) $(BUILD)/bpf2thumb-emu
selftest-model-f_NEEDS := $(selftest-board_NEEDS)
selftest-soak_NEEDS := $(selftest-board_NEEDS)
kernel-size_CHECK := scripts/kernel-size $(BUILD)/firmware/stm32f407.map
kernel-size_NEEDS := $(FIRMWARE)
