#!/bin/bash
# SPDX-License-Identifier: MIT
# The shrinker, with an error put in: it finds it, leaves little but the instruction at fault, saves the
# program, and the saved program shows the error again, but not without it.
#
# usage: tests/fuzz/shrinker.sh build/tests/fuzz-compiled
. "$(dirname "$0")/../scripts/lib.sh"
fuzz=$1

expect 'an injected error is found' 1 'differs|seed [0-9]+: compiled.*[1-9] failed' \
    "$fuzz" --inject-error --save "$scratch" 1 40
saved=("$scratch"/seed-*.prog)
expect 'it is saved' 0 '' test -f "${saved[0]}"
# What is left, apart from `ja +0`, what fills the stack, and addresses of functions: a few instructions.
for program in "${saved[@]}"; do
    left=$(grep -v -e '^#' -e '^flags' -e '^context' -e ' ja +0$' -e 'stdw \[%r10' -e ' lddw ' -e ' mov' -e ' add %r[0-9], -' "$program" | wc -l)
    expect "$(basename "$program") is small ($left instructions)" 0 '' test "$left" -le 12
    expect 'the instruction at fault is there' 0 '2f # ' grep -E '^[0-9a-f]{14}2f #|mul %r[0-9], %r' "$program"
done
expect 'without the error they pass' 0 "${#saved[@]} passed, 0 failed" "$fuzz" --replay "${saved[@]}"
expect 'a file that is none' 1 'no program' "$fuzz" --replay /dev/null
expect 'usage' 2 'usage: fuzz-compiled' "$fuzz" 1
expect 'help' 0 'example: ' "$fuzz" --help
finish
