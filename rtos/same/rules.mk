# The programs of programs/ on the board, with the same events as on the PC: a firmware of its own, with both in it.
rtos/same_SRCS := cases.S same.c seam.c
rtos/same_MAY_INCLUDE := rtos/include rtos/bpf rtos/drill runtime/include
SAME := $(BUILD)/target/rtos/same
rtos/same_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos -Irtos/bpf -Os -Wa,-I$(SAME)

# Compiled code and bytecode in one blob: rtos/drill/load.c makes a bytecode-only one of it.
define same_blobs
$(patsubst $(1)/%.bpf.c,$(SAME)/%.blob,$(wildcard $(1)/*.bpf.c)): $(SAME)/%.blob: $(BUILD)/bpf/$(1)/%.bpf.o \
    $(BUILD)/bpf2thumb
	@mkdir -p $$(@D)
	$$(Q)$(BUILD)/bpf2thumb compile --with-bytecode $$(COMPILE_FLAGS) -o $$@ $$< >/dev/null
endef
SAME_SOURCES := $(wildcard programs/*.bpf.c tests/same/*.bpf.c)
$(foreach d,programs tests/same,$(eval $(call same_blobs,$(d))))
$(SAME)/matmul.blob: COMPILE_FLAGS := --mem-size 4800
$(SAME)/cases.bin: tests/same/same $(SAME_SOURCES) $(wildcard tests/programs/*.test tests/same/*.test) \
    $(patsubst %.bpf.c,$(SAME)/%.blob,$(notdir $(SAME_SOURCES)))
	@mkdir -p $(@D)
	$(Q)tests/same/same pack $@ $(SAME)
$(SAME)/cases.o: $(SAME)/cases.bin

# What seam.c takes the place of.
SAME_SEAM := clock_ns gpio_read encoder_read adc_latest accel_read adc_start uart_start exti_start device_call_of
FIRMWARES += stm32f407-same
stm32f407-same_DIRS = $(STM32F4_DIRS) $(APP_DIRS) rtos/same bsp/stm32f407
stm32f407-same_MAIN = bsp/stm32f4/accel.c bsp/stm32f4/random.c rtos/drill/load.c $(FIRMWARE_RUNTIME)
stm32f407-same_LD := ld/stm32f407.ld ld/stm32f4.ld
stm32f407-same_LDFLAGS := $(SAME_SEAM:%=-Wl,--wrap=%)

SAME_FIRMWARE := $(BUILD)/firmware/stm32f407-same.elf
# An interrupt every so often, so that all of this does not depend on where they come.
CHECKS += same
same_CHECK = tests/same/same check $(SAME) $(BUILD)/bpf2thumb-emu $(VIRTUAL) --irq-every 97 $(SAME_FIRMWARE)
same_NEEDS = $(SAME_FIRMWARE) $(BUILD)/bpf2thumb-emu $(SAME)/cases.bin
