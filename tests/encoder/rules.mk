# The encoder against the GNU assembler and disassembler.
tests/encoder_SRCS := fields.c
tests/encoder_CFLAGS := -Itests
tests/encoder_MAY_INCLUDE := compiler/thumb2

$(BUILD)/tests/encoder_samples: $(addprefix $(BUILD)/host/tests/encoder/,samples.o fields.o) \
    $(BUILD)/host/libbpf2thumb.a
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^

test_encode_DIRS := tests/encoder
test_scan_DIRS := tests/encoder
test_scan_LIBS := -lcapstone

CHECKS += encoder
encoder_CHECK := tests/encoder/roundtrip $(BUILD)/tests/encoder_samples
encoder_NEEDS := $(BUILD)/tests/encoder_samples
