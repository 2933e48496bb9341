# Selection, register allocation and encoding of Thumb-2.
compiler/thumb2_SRCS := decode.c disasm.c encode.c mir.c rows.c
compiler/thumb2_MAY_INCLUDE := compiler/util compiler/program compiler/ir runtime/include
