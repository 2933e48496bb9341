# libFuzzer targets: for each fuzz_NAME.c a program build/fuzz/fuzz_NAME from the sources that it needs,
# compiled by clang with coverage and sanitizers. `make fuzz-NAME TIME=600` looks for new inputs;
# `make check` runs the seeds, the inputs in found/NAME that once did harm, and some thousand more.
FUZZ_NAMES := asm blob cbor device elf grant map scan shell smp store wire
tests/libfuzzer_SRCS := $(FUZZ_NAMES:%=fuzz_%.c)
tests/libfuzzer_CFLAGS := -I. -Itests -Irtos/include -Iruntime
tests/libfuzzer_MAY_INCLUDE := compiler runtime runtime/include rtos/shell rtos/include tests/device tests/maps tests/shell tests/smp tests/store

FUZZ       := $(BUILD)/fuzz
TIME       ?= 600
FUZZ_CC    := $(CLANG) -std=c11 -D_GNU_SOURCE -O1 -g -w -fno-omit-frame-pointer \
              -fsanitize=address,undefined -fno-sanitize-recover=undefined
# An input that takes 10 s or 1 GiB is a finding too.
FUZZ_FLAGS := -timeout=10 -rss_limit_mb=1024 -max_len=65536

$(FUZZ)/%.o: %.c | $(SETUP) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link $(INCLUDES) $($(*D)_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(FUZZ)/fuzz_%: $(FUZZ)/tests/libfuzzer/fuzz_%.o $(FUZZ)/libbpf2thumb.a
	@echo '  link $@'
	@$(FUZZ_CC) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) $(fuzz_$*_LIBS) $(HOST_LIBS)

# Seeds: every object and blob that other tests build, and the text of the vectors.
FUZZ_ELF_SEEDS = $(ELF_GOOD_OBJECTS) $(ELF_BAD_OBJECTS) $(PROGRAM_OBJECTS)
$(FUZZ)/seeds/elf.stamp: $(FUZZ_ELF_SEEDS)
	@mkdir -p $(FUZZ)/seeds/elf
	@for f in $(FUZZ_ELF_SEEDS); do cp $$f $(FUZZ)/seeds/elf/$$(echo $$f | tr / -); done
	@touch $@
$(FUZZ)/seeds/blob.stamp: $(FUZZ)/seeds/elf.stamp $(BUILD)/bpf2thumb
	@mkdir -p $(FUZZ)/seeds/blob
	@for f in $(PROGRAM_OBJECTS) $(filter %.19.v4.o,$(ELF_GOOD_OBJECTS)); do \
	    $(BUILD)/bpf2thumb compile --unverified --with-bytecode \
	        -o $(FUZZ)/seeds/blob/$$(echo $$f | tr / -).blob $$f >/dev/null || exit 1; done
	@touch $@
$(FUZZ)/seeds/asm.stamp: tests/libfuzzer/rules.mk
	@mkdir -p $(FUZZ)/seeds/asm
	@for f in tests/conformance/vectors/*.data; do \
	    sed -n '/^-- asm/,/^-- /p' $$f | grep -v '^--' | head -c 4000 > $(FUZZ)/seeds/asm/$$(basename $$f); done
	@touch $@

# Compiled code alone: no bytecode to change.
$(FUZZ)/seeds/scan.stamp: $(FUZZ)/seeds/elf.stamp $(BUILD)/bpf2thumb
	@mkdir -p $(FUZZ)/seeds/scan
	@for f in $(PROGRAM_OBJECTS); do for level in 0 2 s; do $(BUILD)/bpf2thumb compile -O$$level \
	    -o $(FUZZ)/seeds/scan/$$(basename $$f).$$level $$f >/dev/null || exit 1; done; done
	@touch $@

# What the programs ask for, one text each, and one grant as bytes.
$(FUZZ)/seeds/grant.stamp: $(wildcard programs/*.bpf.c) tests/libfuzzer/rules.mk
	@mkdir -p $(FUZZ)/seeds/grant
	@for f in programs/*.bpf.c; do \
	    sed -n 's/^BPF_GRANT("\(.*\)");/\1/p' $$f > $(FUZZ)/seeds/grant/$$(basename $$f); done
	@{ printf '\1\0\3\1\350\3\0\0\20\47\0\0\0\40\0\0\20\47\0\0\3\10\0\0'; \
	    head -c 84 /dev/zero; } > $(FUZZ)/seeds/grant/default
	@touch $@

# One input for each kind of map and each manner of forging it; the bytes are the C library's rand().
$(FUZZ)/fuzz_map: $(FUZZ)/tests/maps/forge.o $(FUZZ)/tests/maps/model.o
$(FUZZ)/seeds/map.stamp: tests/libfuzzer/rules.mk
	@mkdir -p $(FUZZ)/seeds/map
	@for kind in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do for manners in 1 3 7; do \
	    awk "BEGIN { srand($$kind); printf \"%c%c%c\", $$kind, $$manners, 100; \
	                 for (i = 0; i < 500; i++) printf \"%c\", 1 + int(rand() * 127) }" \
	        > $(FUZZ)/seeds/map/$$kind-$$manners; done; done
	@touch $@

# The client of a board; the seeds are one a line, as printf takes them.
fuzz_device_LIBS := -lcbor
$(FUZZ)/fuzz_device: $(call objs,fuzz,tests/device)
$(FUZZ)/seeds/device.stamp: tests/device/seeds.txt
	@mkdir -p $(FUZZ)/seeds/device
	@n=0; while IFS= read -r line; do n=$$((n + 1)); printf "$$line" > $(FUZZ)/seeds/device/$$n; done < $<
	@touch $@

# Every store that it can begin from with every permission; then some with a word that is set, and one that is flipped.
$(FUZZ)/fuzz_store: $(FUZZ)/tests/store/nor.o
$(FUZZ)/seeds/store.stamp: tests/libfuzzer/rules.mk
	@mkdir -p $(FUZZ)/seeds/store
	@for flags in $$(seq 0 39); do flag=$$(printf %o $$flags); printf "\\$$flag" > $(FUZZ)/seeds/store/$$flags; done
	@for flags in 3 7 11 15; do flag=$$(printf %o $$flags); for place in 20 60 120; do \
	    printf "\\$$flag\\$$place\0\0\0\0\0" > $(FUZZ)/seeds/store/$$flags-set-$$place; \
	    printf "\\$$flag\\$$place\200\1\0\0\0" > $(FUZZ)/seeds/store/$$flags-flip-$$place; done; done
	@touch $@

# A finding stays in build/fuzz/found; copied to tests/libfuzzer/found/NAME it becomes a test.
define fuzz_target
.PHONY: fuzz-$(1)
fuzz-$(1): $(FUZZ)/fuzz_$(1) $(FUZZ)/seeds/$(1).stamp
	@mkdir -p $(FUZZ)/corpus/$(1) $(FUZZ)/found
	$(FUZZ)/fuzz_$(1) $(FUZZ_FLAGS) -max_total_time=$(TIME) -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ)/found/$(1)- $(FUZZ)/corpus/$(1) $(FUZZ)/seeds/$(1) tests/libfuzzer/found/$(1) || \
	    { echo "the input is $(FUZZ)/found/$(1)-*: run $(FUZZ)/fuzz_$(1) with it;" \
	           "copy it to tests/libfuzzer/found/$(1) to keep it as a test"; exit 1; }

CHECKS += libfuzzer-$(1)
libfuzzer-$(1)_CHECK = tests/libfuzzer/quick $(FUZZ)/fuzz_$(1) $(FUZZ)/seeds/$(1) tests/libfuzzer/found/$(1)
libfuzzer-$(1)_NEEDS = $(FUZZ)/fuzz_$(1) $(FUZZ)/seeds/$(1).stamp
endef
$(foreach n,$(FUZZ_NAMES),$(eval $(call fuzz_target,$(n))))

## fuzz TIME=600: fuzz-programs, fuzz-verifier, and libFuzzer on everything for TIME seconds each
.PHONY: fuzz
fuzz: fuzz-programs fuzz-verifier $(FUZZ_NAMES:%=fuzz-%)

## fuzz-asm, fuzz-blob, fuzz-cbor, fuzz-device, fuzz-elf, fuzz-grant, fuzz-map, fuzz-scan, fuzz-shell, fuzz-smp, fuzz-store, fuzz-wire: libFuzzer on what the name says, for TIME seconds (600)
