# The protocol between host and board: vectors by another implementation.
tests/wire_MAY_INCLUDE :=

WIRE_VECTORS := $(BUILD)/gen/wire_vectors.inc
$(WIRE_VECTORS): tests/wire/make-vectors
	@mkdir -p $(@D)
	@echo '  gen  $@'
	@$< table > $@
$(BUILD)/asan/tests/unit/test_wire.o: $(WIRE_VECTORS)

# Seeds of the libFuzzer targets.
$(FUZZ)/seeds/wire.stamp $(FUZZ)/seeds/cbor.stamp: $(FUZZ)/seeds/%.stamp: tests/wire/make-vectors
	@mkdir -p $(FUZZ)/seeds/$*
	@$< seeds $* $(FUZZ)/seeds/$*
	@touch $@
