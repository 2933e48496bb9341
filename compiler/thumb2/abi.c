/* SPDX-License-Identifier: MIT */
/* Argument words of functions: see abi.h. */
#include "thumb2/abi.h"

#include <assert.h>
#include <string.h>

void abi_init(struct fn_abi *abi, enum abi_kind kind, enum bpf_hook hook) {
    abi->kind = kind;
    memset(abi->position, -1, sizeof(abi->position));
    if (kind == ABI_ENTRY) {
        abi->position[0] = 0;
        abi->npositions = 1;
        if (hook == BPF_HOOK_RAW) {
            abi->position[2] = 1;
            abi->npositions = 2;
        }
        return;
    }
    for (int word = 0; word < ABI_WORDS; word++)
        abi->position[word] = (int8_t)word;
    abi->npositions = ABI_WORDS;
}

void abi_narrow(struct fn_abi *abi, const struct ir_fn *fn) {
    assert(fn->level == IR_LEVEL_32);
    if (abi->kind == ABI_ENTRY)
        return;
    bool used[ABI_WORDS] = {0};
    for (uint32_t i = 0; i < fn->nblocks; i++)
        for (struct ir_inst *inst = fn->blocks[i] ? fn->blocks[i]->first : NULL; inst;
             inst = inst->next)
            if (inst->op == IR_PARAM)
                used[inst->imm - 2] = true;
    int next = 0, last = 0;
    for (int word = 0; word < ABI_WORDS; word++) {
        if (!used[word]) {
            abi->position[word] = -1;
            continue;
        }
        if (abi->kind == ABI_DIRECT)
            abi->position[word] = (int8_t)next++;
        last = abi->position[word] + 1;
    }
    abi->npositions = (uint8_t)last;
}
