rtos/lib_SRCS := format.c memory.c print.c report.c status.c tasks.c
rtos/lib_MAY_INCLUDE := rtos/include
rtos/lib_CFLAGS := -Irtos/include
# Its loops are memcpy() and memset(): they must not become calls of themselves.
rtos/lib_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os -fno-tree-loop-distribute-patterns
$(BUILD)/target/rtos/lib/memory.o: rtos/lib_TARGET_CFLAGS += -O2
