# A control loop of 1 kHz, and what it sees of an installation.
CHECKS += latency
latency_CHECK = tests/latency/check $(BUILD)
latency_NEEDS = $(BUILD)/bpf2thumb $(BUILD)/bpf2thumb-emu $(BUILD)/firmware/stm32f407.elf
