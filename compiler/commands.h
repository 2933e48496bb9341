/* SPDX-License-Identifier: MIT */
/* The commands of bpf2thumb in the order of --help; cmd_NAME lies in cmd_NAME.c. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "util/cmd.h"

/* clang-format off */
/* Those that make programs, and those of a board that runs them. */
#define COMMAND_LIST(_)                                                                            \
    _(new) _(build) _(verify) _(compile) _(dump) BOARD_COMMAND_LIST(_)
#define BOARD_COMMAND_LIST(_)                                                                      \
    _(install) _(list) _(info) _(enable) _(disable) _(remove) _(grant) _(rollback) _(compact)      \
        _(stats) _(call) _(map) _(ring) _(log) _(shell) _(doctor) _(reset)
/* clang-format on */

#define COMMAND(name) extern const struct cmd cmd_##name;
COMMAND_LIST(COMMAND)
#undef COMMAND

#endif
