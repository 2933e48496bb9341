/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: grants, as text and as the bytes that come over a wire. A text is refused at a place
 * inside it, or makes a grant that passes the check; a grant that passes is the same after text and back.
 */
#include "bpf/grant.h"
#include "libfuzzer/target.h"

#include <stdlib.h>
#include <string.h>

static void round_trip(const struct bpf_grant *grant) {
    char text[BPF_GRANT_TEXT];
    struct bpf_grant again = bpf_grant_default;
    struct bpf_grant_error error;
    size_t length = bpf_grant_print(grant, text, sizeof(text));

    if (length >= sizeof(text) || !bpf_grant_parse(text, length, &again, &error) ||
        memcmp(&again, grant, sizeof(again)) != 0)
        abort();
}

static void read_text(const char *text, size_t size) {
    struct bpf_grant grant = bpf_grant_default;
    struct bpf_grant_error error;

    if (!bpf_grant_parse(text, size, &grant, &error)) {
        if (error.at > size || !error.expected ||
            memcmp(&grant, &bpf_grant_default, sizeof(grant)) != 0)
            abort();
        return;
    }
    if (bpf_grant_check(&grant, sizeof(grant)))
        abort();
    round_trip(&grant);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct bpf_grant grant;

    read_text((const char *)bytes, size);
    if (bpf_grant_check(bytes, size))
        return 0;
    memcpy(&grant, bytes, sizeof(grant));
    round_trip(&grant);
    return 0;
}
