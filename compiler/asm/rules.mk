# Text form of eBPF, in uBPF's syntax: for test vectors and dumps, not for clang's output.
compiler/asm_SRCS := asm.c asm_print.c asm_table.c
compiler/asm_MAY_INCLUDE := compiler/util compiler/program runtime/include
