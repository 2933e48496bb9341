/* SPDX-License-Identifier: MIT */
#include "bpf/pause.h"

void bpf_pause(void) {
}
