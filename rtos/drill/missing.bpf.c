// SPDX-License-Identifier: MIT
/* A port that the board does not bring out. */
#include "bpf_mcu.h"

SEC("uart/6")
int nobody(void) {
    return 0;
}
