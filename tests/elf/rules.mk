# Objects for the tests of the ELF reader: good ones by two clangs at every level of instructions, and bad
# ones, each with its message in its first line. tests/unit/test_elf*.c reads them.
tests/elf_MAY_INCLUDE :=

ELF_DIR := $(BUILD)/elf
ELF_VARIANTS := 14.v1 14.v2 14.v3 19.v1 19.v2 19.v3 19.v4
ELF_GOOD := $(basename $(basename $(notdir $(wildcard tests/elf/*.bpf.c))))
ELF_BAD := $(basename $(basename $(notdir $(wildcard tests/elf/bad/*.bpf.c))))
# Flags beyond -target bpf -O2 -g: -fcommon for the one object with common symbols.
ELF_FLAGS := -O2 -g -fcommon -Wno-unused-variable -Wno-visibility

define elf_object
$(ELF_DIR)/$(1).$(2).o: tests/elf/$(1).bpf.c tests/elf/common.h | $(SETUP)
	@mkdir -p $$(@D)
	@echo '  bpf $$@'
	@clang-$(basename $(2)) -target bpf -mcpu=$(patsubst .%,%,$(suffix $(2))) $(ELF_FLAGS) -c -o $$@ $$<
endef
$(foreach o,$(ELF_GOOD),$(foreach v,$(ELF_VARIANTS),$(eval $(call elf_object,$(o),$(v)))))

# A bad source may name flags of its own, another target among them.
$(ELF_DIR)/bad/%.o: tests/elf/bad/%.bpf.c tests/elf/common.h | $(SETUP)
	@mkdir -p $(@D)
	@echo '  bpf $@'
	@flags=$$(sed -n 's,^// flags: ,,p' $<); case "$$flags" in \
	    *-target*) ;; *) flags="-target bpf -mcpu=v4 $$flags" ;; esac; \
	    clang-19 $(ELF_FLAGS) -Itests/elf $$flags -w -c -o $@ $<

ELF_GOOD_OBJECTS := $(foreach o,$(ELF_GOOD),$(ELF_VARIANTS:%=$(ELF_DIR)/$(o).%.o))
ELF_BAD_OBJECTS := $(ELF_BAD:%=$(ELF_DIR)/bad/%.o)

test_elf_objects_NEEDS := $(ELF_GOOD_OBJECTS)
test_elf_bad_NEEDS := $(ELF_BAD_OBJECTS) $(ELF_DIR)/calls.19.v4.o $(ELF_DIR)/data.19.v4.o $(ELF_DIR)/maps.19.v4.o
test_elf_fuzz_NEEDS := $(ELF_GOOD_OBJECTS)
