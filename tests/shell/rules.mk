# The firmware's shell and console on the host: the board's side of them is mock.c.
tests/shell_SRCS := mock.c
tests/shell_CFLAGS := -Irtos/include -Itests
tests/shell_MAY_INCLUDE := rtos/include

test_console_DIRS := rtos/console tests/shell
test_shell_bpf_DIRS := rtos/console rtos/driver rtos/shell tests/shell tests/smp
test_shell_command_DIRS := rtos/console rtos/driver rtos/shell tests/shell tests/smp
test_shell_expression_DIRS := rtos/console rtos/driver rtos/shell tests/shell tests/smp
test_shell_line_DIRS := rtos/console rtos/driver rtos/shell tests/shell tests/smp

# Not the whole of their directories: those also have a memcpy() and a scheduler.
SHELL_PARTS := rtos/lib/format.o rtos/lib/status.o rtos/lib/tasks.o
$(addprefix $(BUILD)/tests/,test_console test_shell_bpf test_shell_command test_shell_expression test_shell_line): \
    $(SHELL_PARTS:%=$(BUILD)/asan/%)
$(BUILD)/tests/test_print: $(BUILD)/asan/rtos/lib/format.o

# The libFuzzer target's other parts, and its seeds: a line of seeds.txt each, as printf reads it.
SHELL_FUZZED := $(foreach d,rtos/console rtos/driver rtos/shell tests/shell,$(call objs,fuzz,$(d))) $(FUZZ)/tests/smp/programs_mock.o $(SHELL_PARTS:%=$(FUZZ)/%)
$(FUZZ)/fuzz_shell: $(SHELL_FUZZED)
$(FUZZ)/seeds/shell.stamp: tests/shell/seeds.txt
	@mkdir -p $(FUZZ)/seeds/shell
	@n=0; while IFS= read -r line; do n=$$((n + 1)); printf "$$line" > $(FUZZ)/seeds/shell/$$n; done < $<
	@touch $@
