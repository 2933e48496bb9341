rtos/kernel_SRCS := event.c mutex.c offsets.c queue.c sandbox.c sched.c sem.c task.c time.c timer.c watchdog.c
rtos/kernel_MAY_INCLUDE := rtos/include rtos/arch
# gcc keeps the 0 of a passed test in a register to return it at the end, which takes one more register than a
# call without a stack frame has.
KERNEL_CFLAGS := -fno-cse-follow-jumps
rtos/kernel_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Irtos/arch/armv7m $(KERNEL_CFLAGS)
