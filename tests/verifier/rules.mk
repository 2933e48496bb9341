# The verifier's cases: programs as data, with the verdict and the message that each must get. What is
# accepted runs, interpreted and compiled. `build/tests/verifier-cases --only TEXT` runs some of them.
tests/verifier_SRCS := build.c engines.c main.c read.c
tests/verifier_CFLAGS := -Itests -Iemulator
tests/verifier_MAY_INCLUDE := compiler runtime/include emulator

VERIFIER_CASES := $(BUILD)/tests/verifier-cases

$(VERIFIER_CASES): $(call objs,asan,tests/verifier) $(call objs,asan,emulator) $(BUILD)/asan/libbpf2thumb.a
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS) -lunicorn

CHECKS += verifier-cases
verifier-cases_CHECK := $(VERIFIER_CASES) --include $(BUILD)/gen $(sort $(wildcard tests/verifier/*.cases))
verifier-cases_NEEDS := $(VERIFIER_CASES)
