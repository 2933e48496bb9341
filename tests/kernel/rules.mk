# Our verifier's verdicts beside those of this machine's Linux. Not part of make check: few machines let
# programs be loaded.
tests/kernel_SRCS := compare.c generate.c kernel.c main.c reasons.c run.c translate.c
tests/kernel_CFLAGS := -Itests
tests/kernel_MAY_INCLUDE := compiler runtime/include tests/conformance tests/ir tests/verifier

COMPARE_KERNEL := $(BUILD)/tests/compare-kernel
$(COMPARE_KERNEL): $(call objs,host,tests/kernel) $(addprefix $(BUILD)/host/tests/,conformance/data.o verifier/build.o verifier/read.o) \
    $(addprefix $(BUILD)/host/tests/ir/,random.o random_idioms.o random_maps.o random_shapes.o) $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS)

# Of each kind of random program.
KERNEL_RANDOM ?= 300

## compare-kernel: our verifier's verdicts beside Linux's, where root may load programs (KERNEL_RANDOM=300)
.PHONY: compare-kernel
compare-kernel: $(SETUP)
	@$(MAKE) $(PARALLEL) $(COMPARE_KERNEL) $(PROGRAM_OBJECTS)
	@$(COMPARE_KERNEL) --json $(BUILD)/compare-kernel.json --random $(KERNEL_RANDOM) \
	    --include $(BUILD)/gen $(PROGRAM_OBJECTS) \
	    $(sort $(wildcard tests/conformance/vectors/*.data tests/conformance/found/*.data tests/verifier/*.cases))
