# What the tests of the board's devices share: a board without a core.
tests/devices_SRCS := fake_board.c
tests/devices_CFLAGS := -Iemulator
tests/devices_MAY_INCLUDE := emulator
