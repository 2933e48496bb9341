/* SPDX-License-Identifier: MIT */
/* Names of Linux's helpers from its own header, for messages about those that this board does not have.
 * A file of its own, because that header brings in another struct bpf_insn than runtime/'s. */
#include <linux/bpf.h>
#include <stddef.h>

const char *linux_helper_name(__u32 id);

static const char *const names[] = {
#define NAME(name) [BPF_FUNC_##name] = #name
    __BPF_FUNC_MAPPER(NAME)
#undef NAME
};

const char *linux_helper_name(__u32 id) {
    return id > 0 && id < sizeof(names) / sizeof(names[0]) ? names[id] : NULL;
}
