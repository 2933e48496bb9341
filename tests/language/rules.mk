# What a program may use of the language and the helpers, on every engine and at every level.
tests/language_MAY_INCLUDE :=

LANGUAGE_OBJECTS := $(patsubst %.c,$(BUILD)/bpf/%.o,$(sort $(wildcard tests/language/*.bpf.c)))

CHECKS += language
language_CHECK := tests/programs/run-tests $(BUILD)/bpf2thumb $(BUILD)/bpf/tests/language tests/language
language_NEEDS := $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(LANGUAGE_OBJECTS)
