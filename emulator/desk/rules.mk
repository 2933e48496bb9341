# What lies on the desk around the virtual board: probe, serial lines, view, stimuli.
emulator/desk_SRCS := desk.c motor.c serial.c socket.c stimuli.c stlink.c stlink_tcp.c view.c
emulator/desk_MAY_INCLUDE := compiler/util emulator/board
emulator/desk_CFLAGS := -Iemulator

# A board for OpenOCD: the chip on USB, or the virtual one (scripts/probe says which).
BOARD ?= chip
BLOB  ?=
PROBE  = scripts/probe $(if $(filter virtual,$(BOARD)),--virtual)
PROBE_NEEDS = $(SETUP) $(if $(filter virtual,$(BOARD)),$(BUILD)/bpf2thumb-emu)
ifeq ($(filter chip virtual,$(BOARD)),)
$(error BOARD is chip or virtual, not '$(BOARD)')
endif

.PHONY: flash debug program console

## flash [BOARD=virtual]: program the firmware with OpenOCD and start it, on the chip or the virtual board
flash: $(PROBE_NEEDS) $(BUILD)/firmware/stm32f407.elf
	@BUILD=$(BUILD) $(PROBE) flash $(BUILD)/firmware/stm32f407.elf

## debug [BOARD=virtual]: gdb on the firmware, through OpenOCD, on the chip or the virtual board
debug: $(PROBE_NEEDS) $(BUILD)/firmware/stm32f407.elf
	@BUILD=$(BUILD) $(PROBE) debug $(BUILD)/firmware/stm32f407.elf

## program BLOB=x.hex [BOARD=virtual]: program an Intel HEX file, beside the firmware
program: $(PROBE_NEEDS)
	@test -n '$(BLOB)' || { echo 'usage: make program BLOB=file.hex [BOARD=virtual]' >&2; exit 2; }
	@BUILD=$(BUILD) $(PROBE) flash '$(BLOB)'

## console [BOARD=virtual]: the firmware's shell over the debug cable, without a serial line (Ctrl-A x leaves)
console: $(PROBE_NEEDS)
	@BUILD=$(BUILD) $(PROBE) console

CHECKS += openocd
openocd_CHECK := tests/board/openocd $(BUILD)/bpf2thumb-emu $(BUILD)/firmware/stm32f407.elf
openocd_NEEDS := $(BUILD)/bpf2thumb-emu $(BUILD)/firmware/stm32f407.elf

CHECKS += desk
desk_CHECK := tests/board/desk $(BUILD)/bpf2thumb-emu $(BUILD)/firmware/stm32f407.elf
desk_NEEDS := $(openocd_NEEDS)
