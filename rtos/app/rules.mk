# main() of the firmware, and what it needs besides kernel and board.
rtos/app_SRCS := main.c
rtos/app_MAY_INCLUDE := rtos/include
rtos/app_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)
APP_DIRS := rtos/app rtos/bench rtos/selftest rtos/shell rtos/smp runtime/wire
