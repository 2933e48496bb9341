#!/bin/bash
# SPDX-License-Identifier: MIT
# make demo: example programs, compiled and run in the emulator. Each command is shown before it runs.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/build:$PATH

show() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
    "$@"
}
[ -t 1 ] || show() { printf '\n$ %s\n' "$*" && "$@"; }

echo 'A light runs round the four LEDs of the board: a timer program, five periods of 100 ms.'
show bpf2thumb run --runs 5 programs/blink.bpf.c

echo
echo 'A button bounces, the program takes the press as real after four equal samples.'
show bpf2thumb run --runs 12 --gpio PA0=0,1,0,1,1,1,1,1,1,0 programs/debounce.bpf.c

echo
echo 'A frame arrives on the serial line: it sets LEDs and is answered.'
show bpf2thumb run --mem '7e 01 01 05 f9' programs/uart_frame.bpf.c

echo
echo 'Compiled code against the interpreter, both on the Cortex-M4 of the emulator: CRC-32 of 9 bytes.'
show bpf2thumb run --text 123456789 --cycles programs/crc32.bpf.c
show bpf2thumb run --text 123456789 --cycles --engine interp programs/crc32.bpf.c

echo
echo 'Source, eBPF and Thumb-2 as they execute.'
show bpf2thumb run --trace programs/blink.bpf.c
