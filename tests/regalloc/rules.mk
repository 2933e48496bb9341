# Random machine IR and a checker of allocations, for tests/unit/test_regalloc.c.
tests/regalloc_SRCS := check.c random_mir.c
tests/regalloc_CFLAGS := -Itests
tests/regalloc_MAY_INCLUDE := compiler
test_regalloc_DIRS := tests/regalloc
