# The emulator (1): the bare machine that runs one blob with a cycle model.
emulator_SRCS := cycles.c machine.c
emulator_MAY_INCLUDE := compiler runtime/include
