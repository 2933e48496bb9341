/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb: the list of commands. Each is described and done in its own cmd_NAME.c; `run` and `board`
 * are in bpf2thumb-emu, because the emulator's licence and weight stay out of this executable.
 */
#include "commands.h"
#include "util/cmd.h"
#include "version.h"

#include <stddef.h>

static const struct cmd cmd_run = {
    .name = "run",
    .brief = "run a program in the emulator",
    .program = "bpf2thumb-emu",
};

static const struct cmd *const commands[] = {
#define COMMAND(name) &cmd_##name,
    COMMAND_LIST(COMMAND)
#undef COMMAND
        & cmd_run,
    NULL,
};

static const struct cmd_program program = {
    .name = "bpf2thumb",
    .brief = "Compiles eBPF ahead of time to Thumb-2 for Cortex-M4.",
    .version = BPF2THUMB_VERSION,
    .commands = commands,
};

int main(int argc, char **argv) {
    return cmd_main(&program, argc, argv);
}
