rtos/arch/armv7m_SRCS := arch.c fault.c switch.S semihost.S
rtos/arch/armv7m_MAY_INCLUDE := rtos/include
rtos/arch/armv7m_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)
