# Every example program on every engine and at every level, with its expected output.
CHECKS += programs
programs_CHECK := tests/programs/run-tests $(BUILD)/bpf2thumb $(BUILD)/bpf/programs tests/programs
programs_NEEDS := $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(PROGRAM_OBJECTS)

DEMO := scripts/demo
DEMO_NEEDS := $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu

CHECKS += demo
demo_CHECK := tests/programs/demo.sh
demo_NEEDS := $(DEMO_NEEDS)
