# What the core does, in QEMU and on the virtual board: one firmware, the same lines.
tests/board/core_SRCS := core.c
tests/board/core_TARGET_CFLAGS := -O1 -fno-builtin -fcall-saved-r9

FIRMWARES += core
core_DIRS := tests/board/core
core_LD := tests/board/core/core.ld

CHECKS += board-core
board-core_CHECK = tests/board/core/core-check $(BUILD)/firmware/core.elf 2754 $(QEMU) -- $(VIRTUAL)
board-core_NEEDS = $(BUILD)/firmware/core.elf $(BUILD)/bpf2thumb-emu
