# Random programs against the verifier's states. `make fuzz-verifier N=100000 FIRST=1` runs more than `make check`.
tests/soundness_SRCS := coverage.c generate.c generate_code.c generate_helper.c generate_loop.c generate_memory.c machine.c \
    machine_helper.c machine_memory.c member.c shrink.c source.c trial.c
tests/soundness_CFLAGS := -Itests
tests/soundness_MAY_INCLUDE := compiler runtime/include tests/fuzz

SOUNDNESS := $(BUILD)/tests/soundness
$(SOUNDNESS): $(call objs,host,tests/soundness) $(BUILD)/host/tests/soundness/main.o $(BUILD)/host/tests/fuzz/jobs.o $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS)

CHECKS += soundness soundness-found
soundness_CHECK := $(SOUNDNESS) --save $(BUILD) 1 2000
soundness_NEEDS := $(SOUNDNESS)
soundness-found_CHECK := $(SOUNDNESS) --replay $(sort $(wildcard tests/soundness/found/*.prog))
soundness-found_NEEDS := $(SOUNDNESS)

## fuzz-verifier N=100000 FIRST=1: random programs against the verifier's states
.PHONY: fuzz-verifier
fuzz-verifier: $(SOUNDNESS)
	$(SOUNDNESS) --jobs $$(nproc) --save $(BUILD) $(FIRST) $(if $(filter command line,$(origin N)),$(N),100000)

test_soundness_DIRS := tests/soundness
