# Random programs on every engine. `make fuzz-programs N=20000 FIRST=1` runs more than `make check` does.
tests/fuzz_SRCS := compiled.c coverage.c jobs.c
tests/fuzz_CFLAGS := -Itests -Iemulator
tests/fuzz_MAY_INCLUDE := compiler runtime/include emulator tests/ir

N ?= 20000
FIRST ?= 100000
FUZZ_COMPILED := $(BUILD)/tests/fuzz-compiled

$(FUZZ_COMPILED): $(call objs,host,tests/fuzz) $(addprefix $(BUILD)/host/tests/ir/,random.o random_idioms.o random_maps.o random_shapes.o) $(call objs,host,emulator) \
                  $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS) -lunicorn

COVERAGE := tests/fuzz/coverage.list

CHECKS += fuzz-compiled fuzz-found fuzz-shrinker
fuzz-compiled_CHECK := $(FUZZ_COMPILED) --jobs 2 --coverage $(COVERAGE) --save $(BUILD) 1 500
fuzz-compiled_NEEDS := $(FUZZ_COMPILED)
fuzz-found_CHECK := $(FUZZ_COMPILED) --replay $(sort $(wildcard tests/fuzz/found/*.prog))
fuzz-found_NEEDS := $(FUZZ_COMPILED)
fuzz-shrinker_CHECK := tests/fuzz/shrinker.sh $(FUZZ_COMPILED)
fuzz-shrinker_NEEDS := $(FUZZ_COMPILED)

## fuzz-programs N=20000 FIRST=1: random programs on all engines and levels, and what they reach (ALL_HITS=1: every figure)
.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_COMPILED)
	$(FUZZ_COMPILED) --jobs $$(nproc) --coverage $(COVERAGE) $(if $(ALL_HITS),--all) --save $(BUILD) $(FIRST) $(N)
