# The virtual STM32F407: the core and what surrounds the board. The chip's devices are in devices/.
emulator/board_SRCS := art.c board.c bus.c cpu.c debug.c decode.c event.c exception.c host.c image.c \
                       masked.c mpu.c nvic.c scb.c semihost.c systick.c terminal.c
emulator/board_MAY_INCLUDE := emulator compiler runtime/include
emulator/board_CFLAGS := -Iemulator -Iemulator/board
