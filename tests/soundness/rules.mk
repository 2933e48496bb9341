# Random programs against the verifier's states. `make fuzz-verifier N=100000 FIRST=1` runs more than `make check`.
tests/soundness_SRCS := generate.c machine.c member.c main.c
tests/soundness_CFLAGS := -Itests
tests/soundness_MAY_INCLUDE := compiler runtime/include

SOUNDNESS := $(BUILD)/tests/soundness
$(SOUNDNESS): $(call objs,host,tests/soundness) $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS)

CHECKS += soundness
soundness_CHECK := $(SOUNDNESS) 1 2000
soundness_NEEDS := $(SOUNDNESS)

## fuzz-verifier N=100000 FIRST=1: random programs against the verifier's states
.PHONY: fuzz-verifier
fuzz-verifier: $(SOUNDNESS)
	$(SOUNDNESS) $(FIRST) $(if $(filter command line,$(origin N)),$(N),100000)
