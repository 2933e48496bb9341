bsp/stm32f407_SRCS := config.c
bsp/stm32f407_MAY_INCLUDE := rtos/include bsp/stm32f4
bsp/stm32f407_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Ibsp/stm32f4

FIRMWARES += stm32f407
stm32f407_DIRS = $(STM32F4_DIRS) $(APP_DIRS) bsp/stm32f407
stm32f407_MAIN = bsp/stm32f4/accel.c bsp/stm32f4/random.c $(FIRMWARE_RUNTIME)
stm32f407_LD := ld/stm32f407.ld ld/stm32f4.ld
ALL += $(BUILD)/firmware/stm32f407.elf

# The STM32F405 model of QEMU: the n-th -serial is USARTn (docs/kernel.md).
QEMU := qemu-system-arm -M netduinoplus2 -display none -monitor none -serial null -serial stdio \
        -semihosting-config enable=on,target=native -icount shift=3,sleep=off -kernel
VIRTUAL := $(BUILD)/bpf2thumb-emu board
FIRMWARE := $(BUILD)/firmware/stm32f407.elf
SELFTEST_BOARD := tests/board/selftest.list $(FIRMWARE)
SELFTEST_QEMU := --skips tests/board/selftest-qemu-skips.list $(SELFTEST_BOARD)

.PHONY: firmware allboards run run-qemu selftest size

## firmware: build the firmware of the Discovery board: build/firmware/stm32f407.elf
firmware: $(SETUP)
	@$(MAKE) $(PARALLEL) $(FIRMWARE)
	@$(TARGET)size $(FIRMWARE)

## allboards: build the firmware of all boards: build/firmware/NAME.elf for each bsp/NAME/config.c
BOARDS := $(patsubst bsp/%/config.c,$(BUILD)/firmware/%.elf,$(wildcard bsp/*/config.c))
allboards: $(SETUP)
	@$(MAKE) $(PARALLEL) $(BOARDS)
	@$(TARGET)size $(BOARDS)

## run: run the firmware on the virtual board, its shell on the terminal (Ctrl-A x leaves)
run: $(SETUP) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
	@$(VIRTUAL) $(FIRMWARE)

## run-qemu: run the firmware in QEMU, its shell on the terminal (`exit` leaves)
run-qemu: $(SETUP) $(FIRMWARE)
	@$(QEMU) $(FIRMWARE)

## selftest: run the firmware's own tests in QEMU and on the virtual board
selftest: $(SETUP) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
	@scripts/selftest --show $(SELFTEST_QEMU) $(QEMU)
	@scripts/selftest --show $(SELFTEST_BOARD) $(VIRTUAL)

## size: the kernel's share of the firmware, from the linker map
size: $(SETUP) $(BUILD)/firmware/stm32f407.elf
	@scripts/kernel-size $(BUILD)/firmware/stm32f407.map

# In both emulators the same lines; on the board also with wait states, and with an empty interrupt every 97
# instructions of thread code, which changes no result.
CHECKS += selftest-qemu selftest-board selftest-model-f selftest-soak selftest-no-crystal shell-qemu shell-board kernel-size
selftest-qemu_CHECK := scripts/selftest $(SELFTEST_QEMU) $(QEMU)
selftest-board_CHECK := scripts/selftest $(SELFTEST_BOARD) $(VIRTUAL)
selftest-model-f_CHECK := scripts/selftest $(SELFTEST_BOARD) $(VIRTUAL) --model f
selftest-soak_CHECK := scripts/selftest $(SELFTEST_BOARD) $(VIRTUAL) --irq-every 97
selftest-no-crystal_CHECK := scripts/selftest --skips tests/board/selftest-no-crystal-skips.list $(SELFTEST_BOARD) \
                             $(VIRTUAL) --no-crystal
shell-qemu_CHECK := scripts/board-session tests/board/shell.session $(FIRMWARE) $(QEMU)
shell-board_CHECK := scripts/board-session tests/board/shell.session $(FIRMWARE) $(VIRTUAL)
$(foreach c,selftest shell,$(eval $(c)-qemu_NEEDS := $(FIRMWARE)))
$(foreach c,selftest-board selftest-model-f selftest-soak selftest-no-crystal shell-board,\
    $(eval $(c)_NEEDS := $(FIRMWARE) $(BUILD)/bpf2thumb-emu))

# The firmware at random, for SECONDS; the check is the beginning of always the same run.
SECONDS ?= 600
SOAK := scripts/soak
SOAK_OF := $(FIRMWARE) $(BUILD)/bpf2thumb-emu $(BUILD)/bpf2thumb
CHECKS += soak
soak_CHECK := $(SOAK) --seconds 10 --seed 4 $(SOAK_OF)
soak_NEEDS := $(SOAK_OF)

## soak: the firmware on the virtual board, with programs, under noise, tests, interrupts, restarts and power cuts at random, SECONDS=600
.PHONY: soak
soak: $(SETUP) $(SOAK_OF)
	@$(SOAK) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(SOAK_OF)

kernel-size_CHECK := scripts/kernel-size $(BUILD)/firmware/stm32f407.map
kernel-size_NEEDS := $(FIRMWARE)

# What the kernel's calls cost in model R must not grow; KERNEL_BASELINE is what was reached.
KERNEL_BASELINE := tests/bench/kernel.json
BENCH_KERNEL := scripts/bench-kernel --json $(BUILD)/bench-kernel.json
BENCH_KERNEL_OF := $(BUILD)/bpf2thumb-emu $(BUILD)/firmware/stm32f407.elf $(BUILD)/firmware/stm32f407-drill.elf
CHECKS += bench-kernel
bench-kernel_CHECK := $(BENCH_KERNEL) --check $(KERNEL_BASELINE) $(BENCH_KERNEL_OF)
bench-kernel_NEEDS := $(BENCH_KERNEL_OF)

## bench-kernel: cycles of the kernel's calls on the virtual board, goals and published figures; build/bench-kernel.json
## bench-kernel-baseline: the same, and make the figures the baseline of check-bench-kernel
.PHONY: bench-kernel bench-kernel-baseline
bench-kernel: $(SETUP) $(BENCH_KERNEL_OF)
	@$(BENCH_KERNEL) $(BENCH_KERNEL_OF)
bench-kernel-baseline: $(SETUP) $(BENCH_KERNEL_OF)
	@$(BENCH_KERNEL) --baseline $(KERNEL_BASELINE) $(BENCH_KERNEL_OF)
