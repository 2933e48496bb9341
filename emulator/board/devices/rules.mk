emulator/board/devices_SRCS := stub.c
emulator/board/devices_MAY_INCLUDE := emulator
emulator/board/devices_CFLAGS := -Iemulator -Iemulator/board
