#!/bin/bash
# SPDX-License-Identifier: MIT
# make demo as a user sees it: every example has a section with output, and a pipe gets no colour.
. "$(dirname "$0")/../scripts/lib.sh"
"$top/scripts/demo" >"$scratch/out" 2>&1
status=$?
expect 'it runs to its end' 0 'Next: README.md' bash -c 'tail -n 2 "$1"; exit "$2"' - "$scratch/out" $status
expect 'no colour in a pipe' 1 '^$' grep $'\e' "$scratch/out"
expect 'no error' 1 '^$' grep -E ' (error|warning): ' "$scratch/out"
for source in "$top"/programs/*.bpf.c; do
    name=$(basename "$source" .bpf.c)
    expect "a section for $name" 0 "== $name:.*\\\$ build/bpf2thumb run.*programs/$name.bpf.c.*r0 = " \
        sed -n "/^== $name:/,/^==/p" "$scratch/out"
done
finish
