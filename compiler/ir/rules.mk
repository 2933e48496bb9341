# The SSA intermediate representation: construction, text, checks, analyses, folding.
compiler/ir_SRCS := analyze.c build.c check.c fold.c ir.c parse.c phi.c print.c
compiler/ir_MAY_INCLUDE := compiler/util compiler/program runtime/include
