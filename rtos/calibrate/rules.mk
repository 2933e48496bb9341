rtos/calibrate_SRCS := calibrate.c main.c
rtos/calibrate_MAY_INCLUDE := rtos/include rtos/arch/armv7m
rtos/calibrate_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/arch/armv7m

# Linked without the model's column, and filled by a run on the virtual board.
FIRMWARES += stm32f407-uncalibrated
stm32f407-uncalibrated_DIRS = $(STM32F4_DIRS) bsp/stm32f407 rtos/calibrate
stm32f407-uncalibrated_LD := ld/stm32f407.ld ld/stm32f4.ld
CALIBRATED := $(BUILD)/firmware/stm32f407-calibrate.elf

$(CALIBRATED): $(BUILD)/firmware/stm32f407-uncalibrated.elf $(BUILD)/bpf2thumb-emu scripts/calibrate
	@echo '  model $@'
	@scripts/calibrate fill $< $@ $(VIRTUAL)

.PHONY: calibrate

## calibrate: a firmware that measures cycles per instruction on a chip, beside those of the model
calibrate: $(SETUP)
	@$(MAKE) $(PARALLEL) $(CALIBRATED)
	@scripts/calibrate show $(CALIBRATED) $(VIRTUAL)
	@echo 'This was the virtual board. On a Discovery: scripts/probe flash $(CALIBRATED), then scripts/probe console'

CHECKS += calibrate
calibrate_CHECK = scripts/calibrate check $(CALIBRATED) $(VIRTUAL)
calibrate_NEEDS := $(CALIBRATED)
