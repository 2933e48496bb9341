# Both tools as their user meets them: JSON of every command and every way to fail, completion, manual pages.
tests/cli_MAY_INCLUDE :=

CHECKS += json completion man
CLI_TOOLS := $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu
json_CHECK = tests/cli/json-check docs/json.md $(json_NEEDS)
json_NEEDS = $(CLI_TOOLS) $(BUILD)/tests/emulator/native.elf $(BUILD)/firmware/core.elf
completion_CHECK = tests/cli/completion.sh $(CLI_TOOLS)
completion_NEEDS = $(CLI_TOOLS)
man_CHECK = tests/cli/man-check $(CLI_TOOLS)
man_NEEDS = $(CLI_TOOLS)

CHECKS += install
install_CHECK = tests/cli/install.sh '$(MAKE)'
install_NEEDS = $(addprefix $(BUILD)/,$(PROGRAMS)) $(ALL)

CHECKS += terminal
terminal_CHECK = tests/cli/terminal-check $(BUILD)/bpf2thumb $(BUILD)
terminal_NEEDS = $(CLI_TOOLS)

CHECKS += examples
examples_CHECK = tests/cli/examples.sh $(examples_NEEDS)
examples_NEEDS = $(CLI_TOOLS) $(BUILD)/tests/emulator/native.elf $(BUILD)/firmware/core.elf
