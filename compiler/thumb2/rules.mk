# Selection, register allocation and encoding of Thumb-2.
compiler/thumb2_SRCS := abi.c assemble.c decode.c disasm.c edges.c encode.c expand.c \
                         ifconvert.c isel.c isel_arith.c isel_memory.c layout.c legalize.c literal.c liveness.c mir.c order.c \
                         regalloc.c regalloc_build.c regalloc_coalesce.c regalloc_select.c \
                         regalloc_slots.c regalloc_spill.c rows.c trim.c writeback.c
compiler/thumb2_MAY_INCLUDE := compiler/util compiler/program compiler/ir runtime/include

# What the loader admits, from the compiler's table.
ADMITTED     := $(BUILD)/gen/admitted.h
GENERATED    += $(ADMITTED)
ADMITTED_SRC := $(addprefix compiler/thumb2/,gen_admitted.c rows.c)
$(ADMITTED): $(ADMITTED_SRC) compiler/thumb2/thumb2.def compiler/thumb2/encoding.h runtime/include/bpf/scan.h
	$(Q)mkdir -p $(@D)
	@echo "  gen  $@"
	$(Q)$(CC) $(WARNINGS) -Icompiler -Iruntime/include $(ADMITTED_SRC) -o $(@D)/gen_admitted
	$(Q)$(@D)/gen_admitted > $@.tmp && mv $@.tmp $@
