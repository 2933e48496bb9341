# Hostile blobs against domains, in a firmware of their own, whose loader has no scan.
rtos/attack_SRCS := attack.c blob.c canary.c code.S scan.c storm.c storms.S
rtos/attack_MAY_INCLUDE := rtos/include rtos/bpf runtime/include
STORM := $(BUILD)/target/rtos/attack
rtos/attack_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/bpf -Os -Wa,-I$(STORM)

STORM_BLOBS := $(patsubst %,$(STORM)/storm_%.blob,edges faults line log ring steady switches ticks timers)
$(STORM)/storm_faults.blob: COMPILE_FLAGS := --unverified
$(STORM_BLOBS): $(STORM)/%.blob: $(BUILD)/bpf/rtos/attack/%.bpf.o $(BUILD)/bpf2thumb
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bpf2thumb compile $(COMPILE_FLAGS) -o $@ $< >/dev/null
$(STORM)/storms.o: $(STORM_BLOBS)

FIRMWARES += stm32f407-attack
stm32f407-attack_DIRS = $(STM32F4_DIRS) $(APP_DIRS) rtos/attack bsp/stm32f407
stm32f407-attack_MAIN = bsp/stm32f4/accel.c bsp/stm32f4/random.c $(filter-out runtime/scan.c,$(FIRMWARE_RUNTIME))
stm32f407-attack_LD := ld/stm32f407.ld ld/stm32f4.ld

ATTACK := $(BUILD)/firmware/stm32f407-attack.elf
ATTACK_CHECK := --command attack tests/board/attack.list $(ATTACK)
CHECKS += attack-board attack-qemu
attack-board_CHECK = scripts/selftest $(ATTACK_CHECK) $(VIRTUAL) --uart 3=loop
attack-board_NEEDS = $(ATTACK) $(BUILD)/bpf2thumb-emu
attack-qemu_CHECK = scripts/selftest --skips tests/board/attack-qemu-skips.list $(ATTACK_CHECK) $(QEMU)
attack-qemu_NEEDS = $(ATTACK)
