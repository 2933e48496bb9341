# C that eBPF cannot express: each source names the message that must explain it, and holds its mend.
tests/traps_MAY_INCLUDE :=

CHECKS += traps
traps_CHECK := tests/traps/run-traps $(BUILD)/bpf2thumb $(sort $(wildcard tests/traps/*.bpf.c))
traps_NEEDS := $(BUILD)/bpf2thumb
