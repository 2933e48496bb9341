/* SPDX-License-Identifier: MIT */
/*
 * Blobs on the bare machine: what the board's loader and hooks do, up to the call. Tests and benches
 * use it as the commands do:
 *
 *     struct machine *m = machine_new();
 *     load_library(m);
 *     load_blob(m, bytes, size, BPF_ENGINE_THUMB, &loaded, &where);
 *     load_run(&loaded, 0, memory, length, &result);      // as often as one likes
 */
#ifndef EMULATOR_LOAD_H
#define EMULATOR_LOAD_H

#include "machine.h"

#include "bpf/arena.h"
#include "bpf/blob.h"
#include "bpf/host.h"

struct loaded {
    struct machine *m;
    enum bpf_engine engine;
    struct bpf_host *host; /* it is interpreted on this PC, outside the machine; else null */
    struct blob blob;      /* in the machine's memory: valid until another program is set */
    uint32_t r9;
    uint8_t *context; /* of ctx_size bytes, in the arena */
    uint32_t context_address;
};

/* Puts the library that is built into this executable in its place. Once for a machine, unless
 * something else (native_load()) has replaced it. */
void load_library(struct machine *m);

/* Checks a blob and scans its code, puts it in its place and builds its arena. Not BPF_OK: why it was refused, and
 * *where is the offset of the offending field. */
enum bpf_status load_blob(struct machine *m, const void *bytes, size_t size, enum bpf_engine engine,
                          struct loaded *loaded, uint32_t *where);

/* The same for the interpreter as it is built for this PC; its devices and its log are bpf/host.h's. */
enum bpf_status load_native(const void *bytes, size_t size, bpf_device_fn *device, bpf_log_fn *log,
                            void *user, struct loaded *loaded);
void load_native_end(struct loaded *loaded); /* without load_native() nothing happens */

/* The program's memory as the machine or the host has it; null: it may not write (read) there. */
void *load_memory(const struct loaded *loaded, uint32_t address, uint32_t size, bool write);

/*
 * Runs a program with a context of `length` bytes, zero-padded to what the program was verified with
 * (length is at most that). r1 is its address and r2 its length; without a context (null) both are 0.
 */
void load_run(struct loaded *loaded, uint32_t program, const void *context, uint32_t length,
              struct machine_result *result);

/* The helper or other entry that lies at an address of the library, or null. */
const char *load_library_name(uint32_t address);

#endif
