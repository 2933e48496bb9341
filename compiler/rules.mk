# The command line: main.c and one cmd_NAME.c per command. What they call (compile.c) is library code.
compiler_SRCS := $(notdir $(wildcard compiler/compile.c))
compiler_MAY_INCLUDE := compiler runtime/include

PROGRAMS += bpf2thumb
bpf2thumb_MAIN := compiler/main.c
