rtos/selftest_SRCS := attack.c attack_code.S attack_run.c console.c crash.c drivers.c event.c fault.c fpu.c \
                      fpu_pattern.S idle.c isr.c mailbox.c mutex.c queue.c run.c sandbox.c sandbox_fpu.S sched.c \
                      sem.c stack.c stack_edge.S timer.c watchdog.c
rtos/selftest_MAY_INCLUDE := rtos/include
# Much text and no hurry.
rtos/selftest_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os
