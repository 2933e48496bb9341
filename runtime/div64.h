/* SPDX-License-Identifier: MIT */
/* 64-bit division with eBPF's results (RFC 9669 4.1); words as in uint64_t, signed ones too. */
#ifndef RUNTIME_DIV64_H
#define RUNTIME_DIV64_H

#include <stdint.h>

uint64_t bpf_udivmod64(uint64_t n, uint64_t d, uint64_t *rest);
uint64_t bpf_h_udiv64(uint64_t n, uint64_t d);
uint64_t bpf_h_umod64(uint64_t n, uint64_t d);
uint64_t bpf_h_sdiv64(uint64_t n, uint64_t d);
uint64_t bpf_h_smod64(uint64_t n, uint64_t d);

#endif
