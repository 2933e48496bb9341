# Compile time of programs of named shapes and growing size (scripts in docs/benchmark.md).
tests/scale_SRCS := main.c shapes.c verify.c
tests/scale_CFLAGS := -Itests
tests/scale_MAY_INCLUDE := compiler runtime/include

SCALE := $(BUILD)/tests/scale
SCALE_VERIFY := $(BUILD)/tests/scale-verify
$(SCALE): $(addprefix $(BUILD)/host/tests/scale/,main.o shapes.o) $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS)

$(SCALE_VERIFY): $(addprefix $(BUILD)/host/tests/scale/,verify.o shapes.o) $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS)

## bench-verify: how fast the verifier is, by shape and size of the program, and on the example programs
.PHONY: bench-verify
bench-verify: $(SETUP)
	@$(MAKE) $(PARALLEL) $(SCALE_VERIFY) $(PROGRAM_OBJECTS)
	@tests/scale/verify-speed --json $(BUILD)/verify-speed.json $(SCALE_VERIFY) $(PROGRAM_OBJECTS)

CHECKS += compile-time verify-hostile
verify-hostile_CHECK := tests/scale/verify-speed --hostile $(SCALE_VERIFY)
verify-hostile_NEEDS := $(SCALE_VERIFY)
compile-time_CHECK := tests/scale/compile-time --quick $(SCALE)
compile-time_NEEDS := $(SCALE)

# `make bench` measures it too; `make bench-compile` counts instructions at 100,000 as well, which takes minutes.
## bench-compile: compile time of programs up to 100,000 instructions, instructions executed included
.PHONY: bench-compile
bench-compile: $(SETUP)
	@$(MAKE) $(PARALLEL) $(SCALE)
	@tests/scale/compile-time --full --json $(BUILD)/compile-time.json $(SCALE)
