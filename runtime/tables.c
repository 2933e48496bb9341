/* SPDX-License-Identifier: MIT */
/* The helper and status tables as data, for the host. */
#include "bpf/error.h"
#include "bpf/helper.h"

#define ARGS(a, b, c, d, e)                                                                        \
    {BPF_ARG_##a, BPF_ARG_##b, BPF_ARG_##c, BPF_ARG_##d, BPF_ARG_##e},                             \
        (BPF_ARG_##a != 0) + (BPF_ARG_##b != 0) + (BPF_ARG_##c != 0) + (BPF_ARG_##d != 0) +        \
            (BPF_ARG_##e != 0)

static const struct bpf_helper helpers[] = {
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, stack, cycles, prototype)       \
    {id, BPF_RET_##RET, ARGS(A1, A2, A3, A4, A5), BPF_##WHERE, stack, cycles, name, prototype},
#include "bpf/helper.def"
};

const struct bpf_helper *bpf_helpers(size_t *count) {
    *count = sizeof(helpers) / sizeof(helpers[0]);
    return helpers;
}

const struct bpf_helper *bpf_helper_by_id(uint32_t id) {
    size_t low = 0, high = sizeof(helpers) / sizeof(helpers[0]);
    while (low < high) { /* rows are in id order: the unit test holds that */
        size_t middle = (low + high) / 2;
        if (helpers[middle].id == id)
            return &helpers[middle];
        if (helpers[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *bpf_status_text(enum bpf_status status) {
    static const struct {
        enum bpf_status status;
        const char *text;
    } texts[] = {
#define BPF_ERROR(NAME, code, text) {BPF_##NAME, text},
#include "bpf/error.def"
#undef BPF_ERROR
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "unknown status";
}
