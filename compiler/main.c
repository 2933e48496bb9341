/* SPDX-License-Identifier: MIT */
/* bpf2thumb: the commands. */
#include <stdio.h>

int main(void) {
    fprintf(stderr, "usage: bpf2thumb COMMAND\n");
    return 2;
}
