# What stands around the virtual board on the PC: probe, serial lines, view, stimuli.
emulator/host_SRCS := socket.c stlink.c stlink_tcp.c
emulator/host_MAY_INCLUDE := emulator
emulator/host_CFLAGS := -Iemulator
