tests/desk_SRCS := fake_board.c
tests/desk_CFLAGS := -I. -Iemulator
tests/desk_MAY_INCLUDE := emulator

test_desk_DIRS := emulator/desk tests/desk
test_desk_LIBS := -lm
test_stlink_DIRS := emulator/desk tests/desk
test_stlink_LIBS := -lm
test_stlink_hostile_DIRS := emulator emulator/board emulator/board/devices emulator/desk
test_stlink_hostile_LIBS := -lunicorn -lm
