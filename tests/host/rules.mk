tests/host_SRCS := fake_board.c
tests/host_CFLAGS := -I. -Iemulator
tests/host_MAY_INCLUDE := emulator

test_host_DIRS := emulator/host tests/host
test_stlink_DIRS := emulator/host tests/host
