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
