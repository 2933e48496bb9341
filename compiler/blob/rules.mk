# Blob and ARM ELF output.
compiler/blob_SRCS := blob_write.c dwarf.c elf_write.c
compiler/blob_MAY_INCLUDE := compiler/util compiler/program compiler/ir compiler/thumb2 runtime/include
