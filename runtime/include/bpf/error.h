/* SPDX-License-Identifier: MIT */
/* Status codes, from error.def. */
#ifndef BPF_ERROR_H
#define BPF_ERROR_H

enum bpf_status {
#define BPF_ERROR(NAME, code, text) BPF_##NAME = code,
#include "bpf/error.def"
#undef BPF_ERROR
};

/* The text of a status; never NULL. */
const char *bpf_status_text(enum bpf_status status);

#endif
