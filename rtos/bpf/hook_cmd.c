/* SPDX-License-Identifier: MIT
 *
 * SEC("cmd/<name>"): a run when somebody asks for it, the shell or the protocol (programs_run()). Nothing
 * happens by itself.
 */
#include "hook_text.h"

#include <string.h>

enum { DATA = 128 };

struct cmd_context {
    uint64_t time_ns;
    uint32_t reserved, len;
    uint8_t data[DATA];
};
_Static_assert(sizeof(struct cmd_context) == CTX_SIZE_CMD, "hook.def");

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    (void)grant;
    if (!*pattern)
        return BPF_BLOB_SECTION;
    entry->hook.name = pattern;
    return BPF_OK;
}

static enum bpf_status start(struct domain_entry *entry) {
    (void)entry;
    return BPF_OK;
}

static void stop(struct domain_entry *entry) {
    (void)entry;
}

const struct hook_kind hook_cmd = {check, start, stop, NULL, 0};

uint32_t hook_cmd_context(void *out, const void *data, uint32_t size) {
    struct cmd_context *context = out;
    if (size > DATA)
        return UINT32_MAX;
    *context = (struct cmd_context){.time_ns = clock_ns(), .len = size};
    memcpy(context->data, data, size);
    return sizeof(*context);
}
