/* SPDX-License-Identifier: MIT
 *
 * What the two files of the command `bpf` have in common.
 */
#ifndef COMMAND_BPF_H
#define COMMAND_BPF_H

#include "rtos/programs.h"
#include "rtos/shell.h"

/* SHELL_DONE, or says in words what the status is and returns SHELL_FAILED. */
int bpf_result(struct shell *shell, enum bpf_status status);

/* command_bpf_map.c: argv[0] is "map" */
int bpf_map(struct shell *shell, int argc, char **argv);

#endif
