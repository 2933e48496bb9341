# Programs killed inside the operations of their maps. `make kill-maps ROUNDS=2000` does more than `make check`.
tests/maps_SRCS := forge.c model.c
tests/maps_CFLAGS := -Itests -Iemulator -Iruntime
tests/maps_MAY_INCLUDE := runtime runtime/include emulator

KILL_MAPS := $(BUILD)/tests/kill-maps
$(KILL_MAPS): $(call objs,host,tests/maps) $(addprefix $(BUILD)/host/tests/maps/,kill.o main.o) $(call objs,host,emulator) $(LIBBPF2THUMB)
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(CC) -o $@ $^ $(HOST_LIBS) -lunicorn

CHECKS += kill-maps
kill-maps_CHECK := $(KILL_MAPS)
kill-maps_NEEDS := $(KILL_MAPS)

ROUNDS ?= 1000
## kill-maps ROUNDS=1000: programs killed at every instruction of map operations, in many states of the maps
.PHONY: kill-maps
kill-maps: $(KILL_MAPS)
	$(KILL_MAPS) $(ROUNDS)

test_map_repair_DIRS := tests/maps
