/* SPDX-License-Identifier: MIT
 *
 * SEC("uart/<port>"): this firmware has one serial line, the console's, and gives none to programs yet.
 */
#include "hook_text.h"

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    (void)entry, (void)pattern, (void)grant;
    return BPF_NOT_THERE;
}

static enum bpf_status start(struct domain_entry *entry) {
    (void)entry;
    return BPF_NOT_THERE;
}

static void stop(struct domain_entry *entry) {
    (void)entry;
}

const struct hook_kind hook_uart = {check, start, stop, NULL, 0};
