rtos/console_SRCS := console.c ramlog.c rtt.c semihost.c
rtos/console_MAY_INCLUDE := rtos/include
rtos/console_CFLAGS := -Irtos/include
rtos/console_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)
