rtos/bench_SRCS := bench.c
rtos/bench_MAY_INCLUDE := rtos/include rtos/arch/armv7m
rtos/bench_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/arch/armv7m
