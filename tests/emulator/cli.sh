#!/bin/bash
# SPDX-License-Identifier: MIT
# bpf2thumb-emu from outside: exit status, output, JSON. usage: cli.sh bpf2thumb-emu native.elf
. "$(dirname "$0")/../scripts/lib.sh"
emu=$(realpath "$1") elf=$(realpath "$2")
cd "$scratch" || exit 1

# json WHAT STATUS EXPRESSION COMMAND...: stdout is one JSON object `j` for which a Python expression holds.
json() {
    local what=$1 status=$2 expression=$3
    shift 3
    expect "$what" "$status" '^True' bash -c \
        '"$@" 2>/dev/null >out.json; s=$?; python3 -c "import json,sys; j=json.load(open(\"out.json\")); print(bool('"$expression"'), j)"; exit $s' \
        - "$@" --json
}

expect 'help lists the commands' 0 'commands:.*native' "$emu" --help

# Native code. 1*1 + 2*2 + 3*3 = 14, and memory is printed because it changed.
expect 'native: result, cycles, size, memory' 0 \
    'r0 = 0xe \(14\).*cycles: [0-9]+ \(program [0-9]+, library 0,.*text [0-9]+ bytes.*memory 0000: fe 02 03' \
    "$emu" native --entry sum --mem 010203 "$elf"
expect 'native: data keep their values over runs' 0 'r0 = 0x8 \(8\)' "$emu" native --entry count --runs 3 "$elf"
expect 'native: 64-bit division of the compiler' 0 'r0 = 0x48d159e26af' "$emu" native --entry arithmetic --mem 00 "$elf"
expect 'native: a fault is refused' 1 'write outside the program.s memory.*at 0x080c.*address 0x40020000' \
    "$emu" native --entry crash "$elf"
json 'native: JSON' 0 \
    'j[\"ok\"] and j[\"r0\"] == \"0xe\" and j[\"cycles\"][\"total\"] > 20 and j[\"text\"] > 50 and j[\"memory\"] == \"fe0203\"' \
    "$emu" native --entry sum --mem 010203 "$elf"
json 'native: JSON of a fault' 1 'not j[\"ok\"] and j[\"fault\"][\"status\"] == 121 and j[\"fault\"][\"address\"] == 0x40020000' \
    "$emu" native --entry crash "$elf"
expect 'native: unknown function' 1 "has no function 'bench'" "$emu" native "$elf"
echo text >file
expect 'native: no ELF file' 1 'not an ELF file' "$emu" native file
expect 'native: a host executable' 1 'not a linked ARM executable' "$emu" native "$emu"
expect 'native: missing file' 2 'missing.elf' "$emu" native missing.elf
expect 'native: odd hex' 2 "'123' is no memory.*fix: give pairs" "$emu" native --mem 123 "$elf"
expect 'native: too much memory' 2 'has 3 bytes; there is room for 2' "$emu" native --mem 010203 --mem-size 2 "$elf"
expect 'native: budget' 1 'budget used up' "$emu" native --entry sum --mem 010203 --budget 20 "$elf"

finish
