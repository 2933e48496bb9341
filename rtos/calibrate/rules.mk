rtos/calibrate_SRCS := calibrate.c
rtos/calibrate_MAY_INCLUDE := rtos/include rtos/arch/armv7m
rtos/calibrate_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/arch/armv7m
