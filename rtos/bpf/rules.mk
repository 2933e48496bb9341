# Programs on the board: domains, hooks, loader, store.
rtos/bpf_SRCS := access.c budget.c devices.c domain.c events.c exchange.c health.c hook_adc.c hook_cmd.c \
                 hook_gpio.c hook_text.c hook_timer.c hook_trace.c hook_uart.c install.c library.S load.c \
                 log.c pause.c pool.c programs.c store_flash.c svc.c table.c timers.c
rtos/bpf_MAY_INCLUDE := rtos/include runtime/include
rtos/bpf_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os -DLIBRARY_IMAGE='"$(BUILD)/target/library.bin"'
# On the way from an event to its run: every cycle counts.
$(patsubst %,$(BUILD)/target/rtos/bpf/%.o,budget domain events hook_adc hook_gpio hook_timer hook_uart): \
  rtos/bpf_TARGET_CFLAGS += -O2
$(BUILD)/target/rtos/bpf/library.o: $(BUILD)/target/library.bin

# What of runtime/ the firmware itself needs.
FIRMWARE_RUNTIME := $(patsubst %,runtime/%,arena.c blob.c crc32.c format.c grant.c map.c map_hash.c map_ops.c \
                      map_repair.c map_ringbuf.c place.c scan.c timer.c store/log.c store/mount.c store/state.c store/store.c tables.c)

# What the library does not have as well: it is asked once a program, and may be small.
$(patsubst %,$(BUILD)/target/runtime/%.o,arena blob grant map_repair place scan store/log store/mount store/state \
  store/store tables timer): TARGET_CFLAGS += -Os
