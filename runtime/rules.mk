# Compiled natively into libbpf2thumb.a, and for Cortex-M4 into the library that programs call.
runtime_SHARED := crc32.c div64.c format.c helper_call.c helpers.c map.c map_hash.c map_ops.c \
                  map_ringbuf.c vm.c
runtime_SRCS        := arena.c blob.c grant.c insn.c map_repair.c place.c scan.c tables.c timer.c \
                       store/log.c store/mount.c store/state.c store/store.c \
                       native/disasm.c native/host.c native/pause.c native/port.c $(runtime_SHARED)
runtime_MAY_INCLUDE := runtime/include
runtime_CFLAGS := -Iruntime/native
runtime/native_CFLAGS := -Iruntime/native

# Of the loader, not in a firmware yet: they compile for it.
ALL += $(addprefix $(BUILD)/target/runtime/,grant.o scan.o)

# The library: a link unit of its own, nothing but its own code (no libgcc, which may use r9).
LIBRARY := $(BUILD)/target/library
LIBRARY_OBJECTS := $(patsubst %.c,$(BUILD)/target/runtime/%.o,$(filter-out crc32.c,$(runtime_SHARED)) \
                     cortexm/library.c cortexm/memory.c) $(BUILD)/target/runtime/cortexm/svc.o
runtime_TARGET_CFLAGS := -Iruntime/cortexm -Iruntime -fno-tree-loop-distribute-patterns -fno-common
# The interpreter jumps to a label per instruction: one at an odd halfword costs a cycle.
$(BUILD)/target/runtime/vm.o: TARGET_CFLAGS += -falign-labels=4
runtime/cortexm_TARGET_CFLAGS := $(runtime_TARGET_CFLAGS)
ALL += $(LIBRARY).bin
INSTALL_DATA += $(LIBRARY).bin:lib/bpf2thumb $(LIBRARY).elf:lib/bpf2thumb

$(LIBRARY).elf: $(LIBRARY_OBJECTS) ld/library.ld
	@echo "  link $@"
	$(Q)$(TARGET)gcc -mcpu=cortex-m4 -mthumb -nostdlib -Wl,--gc-sections -Wl,-T,ld/library.ld \
	    -Wl,-Map,$(LIBRARY).map $(LIBRARY_OBJECTS) -o $@
$(LIBRARY).bin: $(LIBRARY).elf
	$(Q)$(TARGET)objcopy -O binary $< $@

CHECKS += library
library_CHECK := scripts/check-library $(LIBRARY).elf
library_NEEDS := $(LIBRARY).elf
