/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb: the list of commands. Each is described and done in its own cmd_NAME.c; `run` and `board` are
 * in bpf2thumb-emu, because the emulator's licence and weight stay out of this executable.
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

static const struct cmd cmd_board = {
    .name = "board",
    .brief = "run firmware on a virtual STM32F407 Discovery board",
    .program = "bpf2thumb-emu",
};

static const struct cmd *const commands[] = {
#define COMMAND(name) &cmd_##name,
    COMMAND_LIST(COMMAND)
#undef COMMAND
        & cmd_run,
    &cmd_board,
    &cmd_completion,
    &cmd_man,
    NULL,
};

static const struct cmd_note files[] = {
    {"../share/bpf2thumb/include/bpf_mcu.h",
     "the header that programs include; build knows its place"},
    {"../share/bpf2thumb/templates", "what new makes projects from"},
    {"../lib/bpf2thumb/library.elf", "what programs call on the board; the emulator holds a copy"},
    {"../share/doc/bpf2thumb", "the documentation"},
    {0},
};

static const struct cmd_note environment[] = {
    {"CLANG", "the C compiler, instead of clang-19 or clang"},
    {"TMPDIR", "where sources are compiled that are given in place of an object; else /tmp"},
    {0},
};

static const struct cmd_program program = {
    .name = "bpf2thumb",
    .brief = "Compiles eBPF ahead of time to Thumb-2 for Cortex-M4.",
    .version = BPF2THUMB_VERSION,
    .commands = commands,
    .files = files,
    .environment = environment,
    .see_also = "bpf2thumb-emu(1), clang(1)",
};

int main(int argc, char **argv) {
    return cmd_main(&program, argc, argv);
}
