compiler/util_SRCS := arena.c bitset.c cmd.c diag.c file.c hash.c
compiler/util_MAY_INCLUDE :=
