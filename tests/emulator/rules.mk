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
