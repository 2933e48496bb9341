# Tests of the IR and the optimiser: text cases (*.ir), and random programs run as IR before and
# after every pass. eval.c is the IR interpreter, for other tests too.
tests/ir_SRCS := differential.c eval.c main.c random.c random_idioms.c random_maps.c random_shapes.c text.c
tests/ir_CFLAGS := -Itests
tests/ir_MAY_INCLUDE := compiler runtime/include

$(BUILD)/tests/ir-tests: $(call objs,asan,tests/ir) $(BUILD)/asan/libbpf2thumb.a
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -fsanitize=address,undefined -o $@ $^ $(HOST_LIBS)

CHECKS += ir-text ir-random
ir-text_CHECK := $(BUILD)/tests/ir-tests text $(sort $(wildcard tests/ir/*.ir))
ir-text_NEEDS := $(BUILD)/tests/ir-tests
ir-random_CHECK := $(BUILD)/tests/ir-tests random 1 300
ir-random_NEEDS := $(BUILD)/tests/ir-tests
