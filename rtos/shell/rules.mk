rtos/shell_SRCS := command_bpf.c command_bpf_load.c command_bpf_map.c command_pin.c command_system.c command_value.c complete.c expression.c history.c line.c \
                   session.c shell.c text.c variable.c
rtos/shell_MAY_INCLUDE := rtos/include runtime/include
# Host and board have one version; the layers know no other way for it.
rtos/shell_CFLAGS := -Irtos/include -include compiler/version.h
rtos/shell_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os -include compiler/version.h
