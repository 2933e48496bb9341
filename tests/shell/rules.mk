# The firmware's shell and console on the host: the board's side of them is mock.c.
tests/shell_SRCS := mock.c
tests/shell_CFLAGS := -Irtos/include -Itests
tests/shell_MAY_INCLUDE := rtos/include

test_console_DIRS := rtos/console tests/shell
test_shell_command_DIRS := rtos/console rtos/shell tests/shell
test_shell_expression_DIRS := rtos/console rtos/shell tests/shell
test_shell_line_DIRS := rtos/console rtos/shell tests/shell

# Not the whole of their directories: those also have a memcpy() and a scheduler.
SHELL_PARTS := rtos/lib/format.o rtos/kernel/status.o
rtos/kernel_CFLAGS := -Irtos/include
$(addprefix $(BUILD)/tests/,test_console test_print test_shell_command test_shell_expression test_shell_line): \
    $(SHELL_PARTS:%=$(BUILD)/asan/%)
