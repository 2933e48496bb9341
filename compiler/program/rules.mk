# The linked program, program types and their table: what stands between the stages.
compiler/program_SRCS := program.c hook.c
compiler/program_MAY_INCLUDE := compiler/util runtime/include
