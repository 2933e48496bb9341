# What stands around the virtual board on the PC: probe, serial lines, view, stimuli.
emulator/host_SRCS := serial.c socket.c stimuli.c stlink.c stlink_tcp.c view.c
emulator/host_MAY_INCLUDE := compiler emulator
emulator/host_CFLAGS := -Iemulator
