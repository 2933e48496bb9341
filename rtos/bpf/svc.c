/* SPDX-License-Identifier: MIT
 *
 * What programs may ask the kernel for: one supervisor call, whose r12 says which helper it is (bpf/library.h).
 * The kernel reads the arguments from the exception frame, whose place it has checked; what is wrong about a call
 * costs the program its run and nobody else anything.
 */
#include "domain.h"

#include "rtos/fault.h"

static uint64_t helper_call(struct sandbox *box, const uint32_t *frame) {
    struct domain *domain = (struct domain *)box;
    device_call *call = device_call_of(frame[FRAME_R12]);
    if (!call) {
        sandbox_kill(box);
        return 0;
    }
    return (uint64_t)call(domain, frame);
}

sandbox_call *const domain_calls[] = {helper_call};
const uint32_t domain_call_count = sizeof(domain_calls) / sizeof(domain_calls[0]);

bool domain_stack_words(const struct domain *domain, const uint32_t *words, uint32_t out[2]) {
    enum { ALIGNED = 1 << 9 }; /* of xPSR: the frame has one more word (ARM DDI0403, B1.5.6) */
    const uint32_t *behind = words + FAULT_FRAME + (words[FRAME_PSR] & ALIGNED ? 1 : 0);
    if (!sandbox_reaches(&domain->box, (uint32_t)behind, 2 * sizeof(*behind)))
        return false;
    out[0] = behind[0];
    out[1] = behind[1];
    return true;
}

bool domain_reads(const struct domain *domain, uint32_t address, uint32_t size) {
    uint32_t blob = (uint32_t)domain->blob, blob_size = domain->blob->size;
    if (size <= blob_size && address - blob <= blob_size - size)
        return true;
    return sandbox_reaches(&domain->box, address, size);
}
