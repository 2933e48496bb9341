# Example programs, and the header they include, which is generated from the runtime's tables.
programs_MAY_INCLUDE := runtime/include

PROGRAM_NAMES   := $(patsubst programs/%.bpf.c,%,$(sort $(wildcard programs/*.bpf.c)))
PROGRAM_OBJECTS := $(PROGRAM_NAMES:%=$(BUILD)/bpf/programs/%.bpf.o)
MCU_HEADER      := $(BUILD)/gen/bpf_mcu.h

GENERATED    += $(MCU_HEADER)
ALL          += $(PROGRAM_OBJECTS)
INSTALL_DATA += $(MCU_HEADER):share/bpf2thumb/include
INSTALL_DATA += $(PROGRAM_NAMES:%=programs/%.bpf.c:share/doc/bpf2thumb/examples)

$(MCU_HEADER): programs/gen_header.c runtime/tables.c $(wildcard runtime/include/bpf/*)
	$(Q)mkdir -p $(@D)
	@echo "  gen  $@"
	$(Q)$(CC) $(WARNINGS) -Iruntime/include programs/gen_header.c runtime/tables.c -o $(@D)/gen_header
	$(Q)$(@D)/gen_header > $@.tmp && mv $@.tmp $@

CHECKS += tables-doc
tables-doc_CHECK := scripts/check-tables-doc

CHECKS += limits-doc
limits-doc_CHECK := scripts/check-limits

# The tables of the programming guide.
GEN_GUIDE := $(BUILD)/gen/gen_guide
$(GEN_GUIDE): programs/gen_guide.c $(LIBBPF2THUMB)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(WARNINGS) -Iruntime/include programs/gen_guide.c $(LIBBPF2THUMB) $(HOST_LIBS) -o $@

CHECKS += generated-doc
generated-doc_CHECK = scripts/doc-tables $(GEN_GUIDE) docs/programming.md
generated-doc_NEEDS = $(GEN_GUIDE)
