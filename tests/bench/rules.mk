# Benchmark: every program as compiled eBPF, in the interpreter and as native code, in one process.
tests/bench_SRCS := input.c measure.c report.c
tests/bench_CFLAGS := -Itests -Iemulator
tests/bench_MAY_INCLUDE := compiler runtime/include emulator

# The programs that bench.def names: tail calls and callbacks have no native form of their own.
BENCH_NAMES   := $(shell sed -n 's/^BENCH.\([a-z0-9_]*\),.*/\1/p' tests/bench/bench.def)
BENCH_SOURCES := $(BENCH_NAMES:%=programs/%.bpf.c)
BENCH_BPF     := $(BENCH_SOURCES:%.bpf.c=$(BUILD)/bpf/%.bpf.o)
BENCH_NATIVE  := $(BENCH_SOURCES:%.bpf.c=$(BUILD)/native/%.elf)

# Native code as firmware would have it: gcc -O2 with newlib. Only the size of X.o counts.
BENCH_CFLAGS := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -std=gnu11 -Wall -Wextra -Werror \
                -Wno-unused-variable -Itests/bench/native -I$(BUILD)/gen

$(BUILD)/native/%.o: %.bpf.c | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(TARGET)gcc $(BENCH_CFLAGS) $(DEPFLAGS) -c -o $@ $<

# The library's entries at their addresses, without what the C library has as well (memcpy).
$(BUILD)/native/library.elf: $(LIBRARY).elf
	@mkdir -p $(@D)
	$(Q)$(TARGET)objcopy --wildcard --keep-global-symbol='bpf_h_*' $< $@

BENCH_SETUP := $(BUILD)/target/tests/bench/native/setup.o \
               $(addprefix $(BUILD)/target/runtime/,map.o map_hash.o)

$(BUILD)/native/%.elf: $(BUILD)/native/%.o $(BENCH_SETUP) $(BUILD)/native/library.elf
	@echo "  link $@"
	@$(TARGET)gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -nostdlib -Wl,-Ttext=0x080c0000 \
	    -Wl,-Tdata=0x20012000 -Wl,-e,0 -Wl,--just-symbols=$(BUILD)/native/library.elf \
	    -o $@ $< $(BENCH_SETUP) -lc -lgcc

PROGRAMS += bpf2thumb-bench
NOT_INSTALLED += bpf2thumb-bench
bpf2thumb-bench_MAIN := tests/bench/main.c
bpf2thumb-bench_DIRS := tests/bench emulator
bpf2thumb-bench_LIBS := -lunicorn -lm

BENCH_NEEDS = $(BUILD)/bpf2thumb-bench $(BENCH_BPF) $(BENCH_NATIVE)
BENCH := $(BUILD)/bpf2thumb-bench --json $(BUILD)/bench.json $(BUILD)
BENCH_COMPILE = tests/scale/compile-time --json $(BUILD)/compile-time.json $(SCALE)
BENCH_VERIFY = tests/scale/verify-speed --json $(BUILD)/verify-speed.json $(SCALE_VERIFY) $(PROGRAM_OBJECTS)

# The limit of the first version: at most 2.0 times the cycles of native code.
CHECKS += bench-limit
bench-limit_CHECK := $(BUILD)/bpf2thumb-bench --check --limit 2.0 $(BUILD)
bench-limit_NEEDS := $(BENCH_NEEDS)

# And the same results at the other levels, with maps and devices.
define bench_level
CHECKS += bench-O$(1)
bench-O$(1)_CHECK := $(BUILD)/bpf2thumb-bench --check -O$(1) $(BUILD)
bench-O$(1)_NEEDS := $(BENCH_NEEDS)
endef
$(foreach o,0 1 s,$(eval $(call bench_level,$(o))))

# Against the committed baseline: not part of make check, whoever changes code decides what is worth it.
BENCH_BASELINE := tests/bench/baseline.json

## bench-check: run the benchmark; fail if it is worse than the committed baseline (2 % mean, 5 % a program)
## bench-baseline: run the benchmark and make its figures the baseline
.PHONY: bench-check bench-baseline
bench-check bench-baseline: BENCH_COMPILE :=
bench-check bench-baseline: BENCH_VERIFY :=
bench-check: bench
	@scripts/bench-check $(BENCH_BASELINE) $(BUILD)/bench.json
bench-baseline: bench
	cp $(BUILD)/bench.json $(BENCH_BASELINE)

CHECKS += bench-check-script
bench-check-script_CHECK := tests/bench/bench-check.sh
