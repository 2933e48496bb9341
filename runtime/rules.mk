# Compiled natively into libbpf2thumb.a, and for Cortex-M4 into the library that programs call.
runtime_SRCS := crc32.c insn.c tables.c
runtime_MAY_INCLUDE := runtime/include
