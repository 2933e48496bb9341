rtos/kernel_SRCS := event.c mutex.c queue.c sandbox.c sched.c sem.c task.c time.c timer.c watchdog.c
rtos/kernel_MAY_INCLUDE := rtos/include rtos/arch
rtos/kernel_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/arch/armv7m
