# A NOR flash for tests of the store, whose power fails anywhere.
tests/store_SRCS := nor.c
tests/store_CFLAGS := -Itests
tests/store_MAY_INCLUDE := runtime/include

test_store_DIRS := tests/store
