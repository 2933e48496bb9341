# Every example program on every engine and at every level, with its expected output.
CHECKS += programs
programs_CHECK := tests/programs/run-tests $(BUILD)/bpf2thumb $(BUILD)/bpf/programs tests/programs
programs_NEEDS := $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(PROGRAM_OBJECTS)

# In the emulator, then on the virtual board; the second part alone is `make demo-board`.
DEMO := scripts/demo && scripts/demo-board
DEMO_NEEDS = $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(FIRMWARE)

## demo-board: install, tune, replace and stop programs on the virtual board, cut its power
.PHONY: demo-board
demo-board: $(SETUP)
	@$(MAKE) $(PARALLEL) $(DEMO_NEEDS)
	@scripts/demo-board

CHECKS += demo
demo_CHECK := tests/programs/demo.sh
demo_NEEDS = $(DEMO_NEEDS)
