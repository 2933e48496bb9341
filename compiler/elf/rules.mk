# ELF objects to linked programs.
compiler/elf_SRCS := btf.c fields.c funcs.c lines.c link.c maps.c object.c quiet.c reader.c resolve.c
compiler/elf_MAY_INCLUDE := compiler/util compiler/program runtime/include
