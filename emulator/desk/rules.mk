# What lies on the desk around the virtual board: probe, serial lines, view, stimuli.
emulator/desk_SRCS := desk.c serial.c socket.c stimuli.c stlink.c stlink_tcp.c view.c
emulator/desk_MAY_INCLUDE := compiler/util emulator/board
emulator/desk_CFLAGS := -Iemulator
