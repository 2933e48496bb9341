# mcumgr's simple management protocol: the server, and the console that it shares with the shell.
rtos/smp_SRCS := console.c maps.c os.c programs.c server.c shell.c upload.c
rtos/smp_MAY_INCLUDE := rtos/include runtime/include
rtos/smp_CFLAGS := -Irtos/include -include compiler/version.h
rtos/smp_TARGET_CFLAGS = $(FIRMWARE_CFLAGS) -Os -include compiler/version.h

# The protocol as a client sees it, on every line that a client can have.
SMP_SESSION = tests/board/smp $(1) $(SMP_BLOB) $(FIRMWARE)
CHECKS += smp-qemu smp-tcp smp-pty smp-rtt
smp-qemu_CHECK = $(call SMP_SESSION,qemu) $(QEMU)
smp-tcp_CHECK = $(call SMP_SESSION,tcp) $(VIRTUAL)
smp-pty_CHECK = $(call SMP_SESSION,pty) $(VIRTUAL)
smp-rtt_CHECK = $(call SMP_SESSION,rtt) $(VIRTUAL)
smp-qemu_NEEDS = $(SMP_BLOB) $(FIRMWARE)
smp-tcp_NEEDS = $(SMP_BLOB) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
smp-pty_NEEDS = $(SMP_BLOB) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
smp-rtt_NEEDS = $(SMP_BLOB) $(FIRMWARE) $(BUILD)/bpf2thumb-emu
