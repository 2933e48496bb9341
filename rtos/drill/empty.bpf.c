// SPDX-License-Identifier: MIT
/* Programs that do nothing, to see what a run costs: of a hook that makes the context when its turn has come, and
 * of one whose events are queued. */
#include "bpf_mcu.h"

SEC("timer/1s")
int periodic(void) {
    return 0;
}

SEC("gpio/PA0/rising")
int queued(void) {
    return 0;
}
