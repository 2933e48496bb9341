/* SPDX-License-Identifier: MIT */
/* bpf2thumb-emu: the commands that need a processor. `bpf2thumb run` starts this executable. */
#include "commands.h"

#include "version.h"

#include <stddef.h>

static const struct cmd *const commands[] = {&cmd_run,        &cmd_board, &cmd_native,
                                             &cmd_completion, &cmd_man,   NULL};

static const struct cmd_program program = {
    .name = "bpf2thumb-emu",
    .brief = "Runs eBPF programs and native code on an emulated Cortex-M4.",
    .version = BPF2THUMB_VERSION,
    .commands = commands,
    .see_also = "bpf2thumb(1)",
};

int main(int argc, char **argv) {
    return cmd_main(&program, argc, argv);
}
