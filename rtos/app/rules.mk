# main() of the firmware, and what it needs besides kernel and board.
rtos/app_SRCS := main.c
rtos/app_MAY_INCLUDE := rtos/include runtime/include
rtos/app_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)
APP_DIRS := rtos/app rtos/bench rtos/bpf rtos/selftest rtos/shell rtos/smp rtos/trace runtime/wire
