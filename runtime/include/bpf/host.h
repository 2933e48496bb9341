/* SPDX-License-Identifier: MIT */
/*
 * The interpreter on the host: a blob in a guest space at the board's addresses, for conformance, tests
 * and comparisons. Not part of the library for the board.
 */
#ifndef BPF_HOST_H
#define BPF_HOST_H

#include "bpf/vm.h"

struct bpf_host;

/* Loads a blob with bytecode; the bytes are copied. NULL, with the reason in *status. */
struct bpf_host *bpf_host_new(const void *blob, size_t size, enum bpf_status *status);
void bpf_host_free(struct bpf_host *host); /* NULL is allowed */

/* Helpers behind SVC end up here; NULL: they return 0. */
void bpf_host_set_device(struct bpf_host *host, bpf_device_fn *device, void *user);
/* Lines of bpf_printk(), with the same user; NULL: nobody reads them. */
void bpf_host_set_log(struct bpf_host *host, bpf_log_fn *log);
/* Most instructions of one run, 0: no limit. */
void bpf_host_set_budget(struct bpf_host *host, uint64_t instructions);

/*
 * Runs a program with `length` bytes of context (padded with zeros to what the program may use): r1 =
 * their address, r2 = length; both 0 if mem is NULL. Maps and data keep what earlier runs left.
 */
enum bpf_status bpf_host_run(struct bpf_host *host, uint32_t program, const void *mem,
                             uint32_t length, uint64_t *r0);

/* Guest memory, as the program may reach it: NULL, it may not. */
void *bpf_host_memory(const struct bpf_host *host, uint32_t address, uint32_t size, bool write);

/* After a run: the context's bytes, the machine with fault details and the instruction count. */
const uint8_t *bpf_host_context(const struct bpf_host *host);
const struct bpf_vm *bpf_host_vm(const struct bpf_host *host);

#endif
