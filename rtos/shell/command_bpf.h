/* SPDX-License-Identifier: MIT
 *
 * What the files of the command `bpf` have in common.
 */
#ifndef COMMAND_BPF_H
#define COMMAND_BPF_H

#include "rtos/programs.h"
#include "rtos/shell.h"

/* SHELL_DONE, or says in words what the status is and returns SHELL_FAILED. */
int bpf_result(struct shell *shell, enum bpf_status status);

/* Adds the items of a grant that are typed to *grant. False: the shell has said what is wrong. */
bool bpf_grant_items(struct shell *shell, int count, char **items, struct bpf_grant *grant);

/* command_bpf_load.c: argv[0] is "load" */
int bpf_load(struct shell *shell, int argc, char **argv);
/* command_bpf_map.c: argv[0] is "map" */
int bpf_map(struct shell *shell, int argc, char **argv);

#endif
