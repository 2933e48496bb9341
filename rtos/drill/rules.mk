# Programs at work on the board, hooks and timers: a firmware of its own, with their blobs in it.
rtos/drill_SRCS := blobs.S drill.c latency.c line.c load.c outputs.c share.c timers.c
rtos/drill_MAY_INCLUDE := rtos/include rtos/arch/armv7m rtos/bpf runtime/include
DRILL := $(BUILD)/target/rtos/drill
rtos/drill_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/bpf -Irtos/arch/armv7m -Os -Wa,-I$(DRILL)

DRILL_BLOBS := $(patsubst %,$(DRILL)/%.blob,adc crowd empty faulty line missing often port samples spin timers wild)
$(DRILL)/faulty.blob $(DRILL)/wild.blob: COMPILE_FLAGS := --unverified
$(DRILL_BLOBS): $(DRILL)/%.blob: $(BUILD)/bpf/rtos/drill/%.bpf.o $(BUILD)/bpf2thumb
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bpf2thumb compile --with-bytecode $(COMPILE_FLAGS) -o $@ $< >/dev/null
$(DRILL)/blobs.o: $(DRILL_BLOBS)

FIRMWARES += stm32f407-drill
stm32f407-drill_DIRS = $(STM32F4_DIRS) $(APP_DIRS) rtos/drill bsp/stm32f407
stm32f407-drill_MAIN = bsp/stm32f4/accel.c bsp/stm32f4/random.c $(FIRMWARE_RUNTIME)
# latency.c
stm32f407-drill_LDFLAGS := -Wl,--wrap=sandbox_run
stm32f407-drill_LD := ld/stm32f407.ld ld/stm32f4.ld

# The line leads back to itself on the virtual board; in QEMU it leads nowhere.
DRILL_FIRMWARE := $(BUILD)/firmware/stm32f407-drill.elf
DRILL_LIST := --command drill tests/board/drill.list $(DRILL_FIRMWARE)
CHECKS += drill-board drill-qemu
drill-board_CHECK := scripts/selftest $(DRILL_LIST) $(VIRTUAL) --uart 3=loop
drill-board_NEEDS := $(DRILL_FIRMWARE) $(BUILD)/bpf2thumb-emu
drill-qemu_CHECK = scripts/selftest --skips tests/board/drill-qemu-skips.list $(DRILL_LIST) $(QEMU)
drill-qemu_NEEDS := $(DRILL_FIRMWARE)
