/* SPDX-License-Identifier: MIT */
/* Silences libbpf, which would print to stderr beside our messages. A file of its own, because libbpf.h
 * brings in the kernel's struct bpf_insn, and runtime/ has its own. */
#include <bpf/libbpf.h>
#include <stddef.h>

void libbpf_quiet(void);

void libbpf_quiet(void) {
    libbpf_set_print(NULL);
}
