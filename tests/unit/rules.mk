# Every test_NAME.c here is a Criterion program of its own, built with sanitizers. A test that needs
# more than libbpf2thumb.a says so here: test_NAME_DIRS := emulator, test_NAME_LIBS := -lunicorn.
tests/unit_CFLAGS := -I. -Iemulator -Itests -Irtos/include -Ibsp/stm32f4 -Irtos/arch/armv7m
tests/unit_MAY_INCLUDE := compiler runtime runtime/include emulator tests/encoder tests/regalloc tests/elf tests/runtime tests/soundness tests/store tests/devices tests/desk tests/device \
                          tests/driver tests/manager tests/maps tests/shell tests/smp tests/wire rtos bsp/stm32f4 bsp/stm32f407 bsp/stm32f446

# The devices of the virtual board, on a board without a core.
$(foreach t,basic dma flash misc noise tim,$(eval test_board_devices_$(t)_DIRS := emulator/board/devices tests/devices))

# The core of the virtual board, with its devices.
test_board_core_DIRS := emulator emulator/board emulator/board/devices
test_board_core_LIBS := -lunicorn
