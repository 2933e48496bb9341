rtos/selftest_SRCS := console.c crash.c drivers.c event.c fault.c fpu.c fpu_pattern.S isr.c mutex.c queue.c \
                      run.c sched.c sem.c stack.c stack_edge.S timer.c
rtos/selftest_MAY_INCLUDE := rtos/include
rtos/selftest_TARGET_CFLAGS = $(FIRMWARE_CFLAGS)
