# The emulator (1): the bare machine that runs one blob with a cycle model.
emulator_SRCS := cycles.c machine.c native.c devices.c report.c trace.c context.c
emulator_MAY_INCLUDE := compiler runtime/include

PROGRAMS += bpf2thumb-emu
bpf2thumb-emu_MAIN := emulator/main.c emulator/cmd_native.c
bpf2thumb-emu_DIRS := emulator
bpf2thumb-emu_LIBS := -lunicorn -lcapstone
