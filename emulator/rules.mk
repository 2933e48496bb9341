# The emulator (1): the bare machine that runs one blob with a cycle model.
emulator_SRCS := context.c cycles.c devices.c library.c load.c machine.c maps.c native.c report.c \
                 script.c trace.c
emulator_MAY_INCLUDE := compiler runtime/include emulator/board emulator/desk
emulator_CFLAGS := -Iemulator

# library.c takes the library in as it is built for the board.
$(BUILD)/host/emulator/library.o $(BUILD)/asan/emulator/library.o: $(BUILD)/target/library.bin

PROGRAMS += bpf2thumb-emu
TOOLS += bpf2thumb-emu
bpf2thumb-emu_MAIN := emulator/main.c emulator/cmd_board.c emulator/cmd_native.c emulator/cmd_run.c
bpf2thumb-emu_DIRS := emulator emulator/board emulator/board/devices emulator/desk
bpf2thumb-emu_LIBS := -lunicorn -lm
