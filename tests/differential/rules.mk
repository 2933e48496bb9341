# Random programs (tests/ir/random.c) on every engine: interpreter against compiled code.
tests/differential_CFLAGS := -Itests -Iemulator
tests/differential_MAY_INCLUDE := compiler runtime/include emulator tests/conformance tests/ir

$(BUILD)/tests/differential: $(BUILD)/host/tests/differential/main.o $(BUILD)/host/tests/ir/random.o \
    $(call objs,host,tests/conformance) $(call objs,host,emulator) $(BUILD)/host/libbpf2thumb.a
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ -lunicorn $(HOST_LIBS)

CHECKS += differential
differential_CHECK := $(BUILD)/tests/differential --seed 1 --count 300
differential_NEEDS := $(BUILD)/tests/differential
