# The command line: main.c and one cmd_NAME.c per command. What the commands call is library code.
compiler_SRCS := asm_listing.c blob_file.c blob_listing.c board.c board_watch.c bpf_listing.c clang.c clang_messages.c compile.c map_value.c
compiler_MAY_INCLUDE := compiler runtime/include

PROGRAMS += bpf2thumb
TOOLS += bpf2thumb
bpf2thumb_MAIN := compiler/main.c $(sort $(wildcard compiler/cmd_*.c))
# The client of a board is the only part of the library that needs these.
bpf2thumb_LIBS := -lcbor -lserialport
