# The protocol between host and board: CBOR as text, vectors by another implementation.
tests/wire_SRCS := notation.c
tests/wire_CFLAGS := -Itests
tests/wire_MAY_INCLUDE := runtime/include

test_cbor_DIRS := tests/wire

WIRE_VECTORS := $(BUILD)/gen/wire_vectors.inc
$(WIRE_VECTORS): tests/wire/make-vectors
	@mkdir -p $(@D)
	@echo '  gen  $@'
	@$< table > $@
$(BUILD)/asan/tests/unit/test_wire.o: $(WIRE_VECTORS)

# Seeds of the libFuzzer targets.
WIRE_FUZZED := cbor smp wire
$(WIRE_FUZZED:%=$(FUZZ)/seeds/%.stamp): $(FUZZ)/seeds/%.stamp: tests/wire/make-vectors
	@mkdir -p $(FUZZ)/seeds/$*
	@$< seeds $* $(FUZZ)/seeds/$*
	@touch $@
