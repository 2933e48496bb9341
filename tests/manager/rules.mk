# A board for the manager of programs on the host: flash that loses power, domains that run nothing.
tests/manager_SRCS := board.c
tests/manager_CFLAGS := -Irtos/include -Itests -I.
tests/manager_MAY_INCLUDE := rtos/include rtos/bpf runtime/include tests/store

test_programs_DIRS := tests/manager tests/runtime tests/store
$(BUILD)/tests/test_programs: $(patsubst %,$(BUILD)/asan/rtos/bpf/%.o,access exchange health install programs)
test_programs_LIBS := $(BUILD)/asan/libbpf2thumb.a # once more, for these
rtos/bpf_CFLAGS := -Irtos/include
