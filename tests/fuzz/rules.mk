# Random programs on every engine. `make fuzz N=20000 FIRST=1` runs more than `make check` does.
tests/fuzz_SRCS := compiled.c
tests/fuzz_CFLAGS := -Itests -Iemulator
tests/fuzz_MAY_INCLUDE := compiler runtime/include emulator tests/ir

N ?= 20000
FIRST ?= 100000
FUZZ_COMPILED := $(BUILD)/tests/fuzz-compiled

$(FUZZ_COMPILED): $(call objs,host,tests/fuzz) $(addprefix $(BUILD)/host/tests/ir/,random.o random_maps.o) $(call objs,host,emulator) \
                  $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS) -lunicorn

CHECKS += fuzz-compiled
fuzz-compiled_CHECK := $(FUZZ_COMPILED) 1 500
fuzz-compiled_NEEDS := $(FUZZ_COMPILED)

.PHONY: fuzz
## fuzz: run N random programs from seed FIRST on, interpreter against compiled code
fuzz: $(FUZZ_COMPILED)
	$(FUZZ_COMPILED) $(FIRST) $(N)
