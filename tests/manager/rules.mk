# A board for the manager of programs on the host: flash that loses power, domains that run nothing.
tests/manager_SRCS := board.c use.c
tests/manager_CFLAGS := -Irtos/include -Itests -I.
tests/manager_MAY_INCLUDE := rtos/include rtos/bpf runtime/include tests/runtime tests/store

MANAGER := $(patsubst %,$(BUILD)/asan/rtos/bpf/%.o,access exchange health install programs table)
$(foreach t,test_programs test_programs_power,\
    $(eval $(t)_DIRS := tests/manager tests/runtime tests/store) \
    $(eval $(t)_LIBS := $(BUILD)/asan/libbpf2thumb.a) \
    $(eval $(BUILD)/tests/$(t): $(MANAGER))) # the library once more, for these
rtos/bpf_CFLAGS := -Irtos/include
