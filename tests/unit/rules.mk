# Every test_NAME.c here is a Criterion program of its own, built with sanitizers. A test that needs
# more than libbpf2thumb.a says so here: test_NAME_DIRS := emulator, test_NAME_LIBS := -lunicorn.
tests/unit_CFLAGS := -I. -Iemulator -Itests -Irtos/include
tests/unit_MAY_INCLUDE := compiler runtime runtime/include emulator tests/desk tests/devices tests/encoder tests/regalloc tests/elf tests/runtime tests/soundness \
                          tests/driver tests/shell tests/store rtos bsp/stm32f407

# The devices of the virtual board, on a board without a core.
$(foreach t,basic dma flash misc noise tim,$(eval test_board_devices_$(t)_DIRS := emulator/board/devices tests/devices))

# The core of the virtual board, with its devices.
test_board_core_DIRS := emulator emulator/board emulator/board/devices
test_board_core_LIBS := -lunicorn
