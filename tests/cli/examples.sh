#!/bin/bash
# SPDX-License-Identifier: MIT
# The example of every --help, as it stands there, in a directory with the files that it names. What is for a
# board has a mock of one instead of /dev/ttyACM0.
# usage: examples.sh BPF2THUMB BPF2THUMB-EMU NATIVE.ELF FIRMWARE.ELF
. "$(dirname "$0")/../scripts/lib.sh"
tool=$(realpath "$1") emu=$(realpath "$2")
cp "$3" "$scratch/sum.elf"
mkdir -p "$scratch/build/firmware"
cp "$4" "$scratch/build/firmware/stm32f407.elf" # one that comes to an end
cp "$top/programs/blink.bpf.c" "$scratch"
cd "$scratch" || exit 1
unset MAKEFLAGS MAKELEVEL
export PATH=$(dirname "$tool"):$PATH MANPAGER=cat
"$tool" build blink.bpf.c && "$tool" compile --unverified blink.bpf.o >/dev/null
board=("$top/tests/device/mock-board")
for name in blink pid_motor event_log blink; do # blink has a predecessor
    "$tool" compile -o $name.blob "$top/programs/$name.bpf.c" >/dev/null
    board+=(--install $name.blob)
done
"$tool" new --type raw sum >/dev/null && "$tool" build -o sum.bpf.o sum/sum.bpf.c

for program in "$tool" "$emu"; do
    name=$(basename "$program")
    "$program" --help --json >table.json
    while IFS=$'\t' read -r command line; do
        with=(env)
        [[ $line != *' --port /dev/ttyACM0'* ]] || with=("${board[@]}" --)
        line=${line// --port \/dev\/ttyACM0/}
        expect "$name $command: $line" 0 '' "${with[@]}" bash -c "set -o pipefail; $line"
    done < <(jq -r '.commands[] | select(.examples) | .name as $n | .examples[] | [$n, .] | @tsv' table.json)
    expect "$name: every command has an example" 0 '^true$' \
        jq '[.commands[] | select(has("program") | not) | .examples | length > 0] | all' table.json
done
finish
