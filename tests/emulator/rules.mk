# Snippets for tests/unit/test_machine.c: NAME.s becomes NAME.text, the program, and NAME.cases, the
# table of its cases.
$(BUILD)/tests/emulator/%.text: tests/emulator/%.s tests/emulator/snippets.inc
	@mkdir -p $(@D)
	@echo '  assemble $<'
	@$(TARGET)as -mcpu=cortex-m4 -mthumb -o $(@:.text=.o) $<
	@$(TARGET)ld -Ttext=0x080c0000 --section-start=.cases=0 -e 0 -o $(@:.text=.elf) $(@:.text=.o)
	@$(TARGET)objcopy -O binary -j .cases $(@:.text=.elf) $(@:.text=.cases)
	@$(TARGET)objcopy -O binary -j .text $(@:.text=.elf) $@

test_machine_DIRS := emulator
test_machine_LIBS := -lunicorn
test_machine_NEEDS := $(foreach s,cycles stops,$(BUILD)/tests/emulator/$(s).text)

$(BUILD)/tests/emulator/native.elf: tests/emulator/native.c
	@mkdir -p $(@D)
	@echo '  link $@'
	@$(TARGET)gcc $(WARNINGS) -mcpu=cortex-m4 -mthumb -O2 -nostdlib -Wl,-Ttext=0x080c0000 \
	    -Wl,-Tdata=0x20012000 -Wl,-e,0 -o $@ $< -lgcc

CHECKS += emulator-cli
emulator-cli_NEEDS := $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(BUILD)/tests/emulator/native.elf
emulator-cli_CHECK := tests/emulator/cli.sh $(emulator-cli_NEEDS)
emulator-cli_NEEDS += $(addprefix $(BUILD)/bpf/programs/,$(addsuffix .bpf.o,blink crc32 debounce event_log \
                        histogram uart_frame))

test_devices_DIRS := emulator
test_devices_LIBS := -lunicorn

test_context_DIRS := emulator
test_context_LIBS := -lunicorn

test_load_DIRS := emulator
test_load_LIBS := -lunicorn
test_load_NEEDS := $(addprefix $(BUILD)/bpf/programs/,histogram.bpf.o event_log.bpf.o)
