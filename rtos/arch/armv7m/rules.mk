rtos/arch/armv7m_SRCS := arch.c enter.S fault.c mpu.c switch.S semihost.S
rtos/arch/armv7m_MAY_INCLUDE := rtos/include
# Start-up and faults; what is in a hurry is in switch.S and arch.h.
rtos/arch/armv7m_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os
