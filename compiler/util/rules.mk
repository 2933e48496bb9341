compiler/util_SRCS := arena.c bitset.c clock.c cmd.c cmd_completion.c cmd_help.c cmd_man.c diag.c file.c hash.c progress.c
compiler/util_MAY_INCLUDE :=
