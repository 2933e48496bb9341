# Blobs made in a test: from assembler text with maps and data, and bytecode that no compiler would write;
# and one made by hand with one of everything.
tests/runtime_SRCS := guest.c sample.c
tests/runtime_CFLAGS := -Itests
tests/runtime_MAY_INCLUDE := compiler runtime/include

test_arena_init_DIRS := tests/runtime
test_blob_DIRS := tests/runtime
test_blob_rules_DIRS := tests/runtime
test_vm_DIRS := tests/runtime
test_vm_fuzz_DIRS := tests/runtime
test_forged_DIRS := tests/runtime
test_helpers_DIRS := tests/runtime
test_blob_NEEDS := $(PROGRAM_OBJECTS)
test_grant_NEEDS := $(PROGRAM_OBJECTS)
