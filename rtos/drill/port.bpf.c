// SPDX-License-Identifier: MIT
/* The console's port, which no program gets. */
#include "bpf_mcu.h"

SEC("uart/2")
int console(void) {
    return 0;
}
