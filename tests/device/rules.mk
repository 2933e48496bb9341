# The client of a board against a line that is made up, and against a mock of a board with a codec of its own.
tests/device_SRCS := fake_line.c
tests/device_CFLAGS := -I.
tests/device_MAY_INCLUDE := compiler/device runtime/include

test_device_DIRS := tests/device
test_device_LIBS := -lcbor -lserialport

CHECKS += device
device_CHECK = tests/device/check-client $(BUILD)
device_NEEDS = $(BUILD)/bpf2thumb

CHECKS += device-board
device-board_CHECK = tests/device/check-board $(BUILD)
device-board_NEEDS = $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(BUILD)/firmware/stm32f407.elf

# Power cuts, sampled: `make check` has few of them, always the same.
CHECKS += power-cuts
power-cuts_CHECK = tests/device/power-cuts --samples 16 $(BUILD)
power-cuts_NEEDS = $(device-board_NEEDS)

SAMPLES ?= 400
## power-cuts SAMPLES=400 SEED=1: the virtual board loses power in the middle of what the client asks of it
.PHONY: power-cuts
power-cuts: $(power-cuts_NEEDS)
	tests/device/power-cuts --samples $(SAMPLES) $(if $(SEED),--seed $(SEED)) $(BUILD)
