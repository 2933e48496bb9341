# The protocol's server on the host: the board's side is the shell's mock, programs are another one.
tests/smp_SRCS := programs_mock.c
tests/smp_CFLAGS := -Irtos/include -Itests
tests/smp_MAY_INCLUDE := rtos/include runtime/include

# What the session with the firmware installs.
SMP_BLOB := $(BUILD)/smp/counter.blob
$(SMP_BLOB): $(BUILD)/bpf/tests/smp/counter.bpf.o $(BUILD)/bpf2thumb
	@mkdir -p $(@D)
	@$(BUILD)/bpf2thumb compile -o $@ $< > /dev/null

SMP_DIRS := rtos/console rtos/driver rtos/shell rtos/smp tests/shell tests/smp tests/wire
test_smp_server_DIRS := $(SMP_DIRS)
test_smp_console_DIRS := $(SMP_DIRS)
$(addprefix $(BUILD)/tests/,test_smp_server test_smp_console): $(SHELL_PARTS:%=$(BUILD)/asan/%)

$(FUZZ)/fuzz_smp: $(foreach d,$(SMP_DIRS),$(call objs,fuzz,$(d))) $(SHELL_PARTS:%=$(FUZZ)/%)
