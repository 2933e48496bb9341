/* SPDX-License-Identifier: MIT */
/* The commands of bpf2thumb-emu; cmd_NAME lies in cmd_NAME.c. */
#ifndef EMULATOR_COMMANDS_H
#define EMULATOR_COMMANDS_H

#include "util/cmd.h"

extern const struct cmd cmd_board;
extern const struct cmd cmd_native;
extern const struct cmd cmd_run;

#endif
