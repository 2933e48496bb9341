/* SPDX-License-Identifier: MIT */
/* The commands of bpf2thumb in the order of --help; cmd_NAME lies in cmd_NAME.c. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "util/cmd.h"

#define COMMAND_LIST(_) _(new) _(build) _(verify) _(compile) _(dump)

#define COMMAND(name) extern const struct cmd cmd_##name;
COMMAND_LIST(COMMAND)
#undef COMMAND

#endif
