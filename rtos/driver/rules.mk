rtos/driver_SRCS := blocks.c crc.c debounce.c divide.c ring.c
rtos/driver_MAY_INCLUDE := rtos/include
rtos/driver_CFLAGS := -Irtos/include
rtos/driver_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)
