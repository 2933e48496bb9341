rtos/trace_SRCS := clock.c trace.c vectors.S
rtos/trace_MAY_INCLUDE := rtos/include rtos/arch/armv7m
rtos/trace_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/arch/armv7m
