/* SPDX-License-Identifier: MIT */
/* Program types and their context structures, from hook.def. */
#ifndef BPF_HOOK_H
#define BPF_HOOK_H

#include <stdint.h>

enum bpf_hook {
#define BPF_HOOK(NAME, ...) BPF_HOOK_##NAME,
#include "bpf/hook.def"
    BPF_HOOK_COUNT
};

/* raw programs get as many bytes as the verifier was told; this many by default. */
#define BPF_RAW_MEM_DEFAULT 4096
#define BPF_RAW_MEM_MAX 65536 /* what --mem-size may be */

#endif
