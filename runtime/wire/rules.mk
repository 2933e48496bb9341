# The protocol between host and board, below what it says: frames, CBOR, SMP's header.
runtime/wire_SRCS := crc16.c decode.c encode.c read.c smp.c write.c
runtime/wire_MAY_INCLUDE := runtime/include
runtime/wire_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os
