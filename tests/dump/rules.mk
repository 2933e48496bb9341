# Tests of what the compiler writes and shows: code-valid reads compiled code back; elf-check reads the
# ELF output with the GNU tools; cli.sh tests the dump command, bad-input.sh bad input of all commands.
tests/dump_SRCS := code_valid.c
tests/dump_CFLAGS := -Itests
tests/dump_MAY_INCLUDE := compiler runtime/include tests/conformance tests/ir

# Without sanitizers, which other checks have: these are many programs.
CODE_VALID := $(BUILD)/tests/code-valid
$(CODE_VALID): $(call objs,host,tests/dump) $(BUILD)/host/tests/conformance/data.o \
    $(addprefix $(BUILD)/host/tests/ir/,random.o random_idioms.o random_maps.o random_shapes.o) $(BUILD)/host/libbpf2thumb.a
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS)

# Compiled from good sources by clang: what every test below is run on.
DUMP_OBJECTS = $(patsubst %.c,$(BUILD)/bpf/%.o,$(wildcard tests/dump/*.bpf.c)) \
               $(PROGRAM_OBJECTS) $(ELF_GOOD_OBJECTS)

CHECKS += code-vectors code-objects code-random
code-vectors_CHECK := $(CODE_VALID) $(sort $(wildcard tests/conformance/vectors/*.data))
code-vectors_NEEDS := $(CODE_VALID)
code-objects_CHECK = $(CODE_VALID) $(DUMP_OBJECTS)
code-objects_NEEDS = $(CODE_VALID) $(DUMP_OBJECTS)
code-random_CHECK := $(CODE_VALID) random 1 400
code-random_NEEDS := $(CODE_VALID)

CHECKS += elf-output
elf-output_CHECK = tests/dump/elf-check $(BUILD)/bpf2thumb $(DUMP_OBJECTS)
elf-output_NEEDS = $(BUILD)/bpf2thumb $(DUMP_OBJECTS)

CHECKS += dump bad-input
dump_CHECK = tests/dump/cli.sh $(BUILD)/bpf2thumb
dump_NEEDS = $(BUILD)/bpf2thumb
bad-input_CHECK = tests/dump/bad-input.sh $(BUILD)/bpf2thumb
bad-input_NEEDS = $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu
