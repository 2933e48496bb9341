# Blobs made in a test: from assembler text with maps and data, and bytecode that no compiler would write.
tests/runtime_SRCS := guest.c
tests/runtime_CFLAGS := -Itests
tests/runtime_MAY_INCLUDE := compiler runtime/include

test_blob_DIRS := tests/runtime
test_vm_DIRS := tests/runtime
test_vm_fuzz_DIRS := tests/runtime
test_helpers_DIRS := tests/runtime
test_blob_NEEDS := $(PROGRAM_OBJECTS)
