#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line: exit status, help, suggestions, and what `build` says about C that eBPF lacks.
. "$(dirname "$0")/lib.sh"
tool=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$scratch" || exit 1

expect 'no command' 2 'usage: bpf2thumb COMMAND' "$tool"
expect 'help' 0 'commands:.*build' "$tool" --help
expect 'version' 0 '^bpf2thumb [0-9]+\.[0-9]' "$tool" --version
expect 'unknown command' 2 'unknown command biuld; did you mean build\?' "$tool" biuld
expect 'nothing like it' 2 'unknown command xyzzy.*fix:' "$tool" xyzzy
expect 'unknown option' 2 'unknown option --cup; did you mean --cpu\?' "$tool" build --cup v3
expect 'unknown letter' 2 'unknown option -z' "$tool" build -z
expect 'unknown letter after a long option' 2 'unknown option -z' "$tool" build --cpu v3 -z
expect 'a long option with one dash' 2 'unknown option -c; did you mean --cpu\?' "$tool" build -cpu v3 x.c
expect 'letters that are like nothing' 2 'unknown option -z.  fix' "$tool" build -zzz x.c
expect 'missing argument' 2 'option -o needs an argument' "$tool" build -o
expect 'superfluous argument' 2 'option --json takes no argument' "$tool" build --json=1
expect 'missing operand' 2 'operand is missing.*usage: bpf2thumb build' "$tool" build
expect 'superfluous operand' 2 'unexpected operand b\.c' "$tool" build a.c b.c
expect 'output that cannot be written' 2 'cannot write to standard output' sh -c "$tool --help >/dev/full"
expect 'output that cannot be written, longer than a buffer' 2 'cannot write to standard output' sh -c "$tool man >/dev/full"

# Every command that is done here has a help text with usage, options and an example.
for command in $("$tool" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    case $command in run | board) continue ;; esac
    expect "$command --help" 0 "usage: bpf2thumb $command .*options:.*--json.*example:.*bpf2thumb $command" \
        "$tool" "$command" --help
done

# try WHAT STATUS PATTERN C-SOURCE [OPTIONS]
try() {
    local what=$1 status=$2 pattern=$3
    echo "$4" >t.bpf.c
    shift 4
    expect "$what" "$status" "$pattern" "$tool" build "$@" t.bpf.c
}
try 'a good program' 0 '^$' 'int f(void) { return 1; }'
expect 'its object lies beside it' 0 '' test -s t.bpf.o
rm -f t.bpf.o
mv t.bpf.c t.blob
expect 'a source whose name is none of C' 0 '^$' "$tool" build -o t.o t.blob
expect 'its object is there' 0 '' test -s t.o
rm -f t.o t.blob
try 'a syntax error' 1 "t\.bpf\.c:1:23: error: expected ';'.*    1 \| int f.* +\| {23}\^" 'int f(void) { return 1 }'
expect 'leaves no object' 1 '' test -e t.bpf.o
try 'signed division' 1 'fix: .*--cpu v4' 'int f(int a, int b) { return a / b; }' --cpu v3
try 'is fine with v4' 0 '' 'int f(int a, int b) { return a / b; }'
try 'six arguments' 1 'at most 5 arguments.*fix: pass a pointer' \
    '__attribute__((noinline)) int g(int a,int b,int c,int d,int e,int h) { return a+h; }
     int f(int a) { return g(a,1,2,3,4,a); }'
try 'large stack' 1 '512 bytes of stack.*fix: move large' 'int f(int i) { volatile char x[600]; x[i] = 1; return x[0]; }'
try 'floats' 1 'eBPF has no floating point.*fix: use integers' 'int f(int i) { float x = i; return x * i; }'
try 'large copy' 1 'memcpy\(\) of many bytes.*fix: write a loop' 'struct s { char c[4000]; } a, b; void f(void) { a = b; }'
try 'variable array' 1 'the size of a local array.*fix: give it' 'int f(int n) { volatile char x[n]; x[n-1] = 1; return x[0]; }'
try 'function named like its section' 1 '1:23: error: the function timer has the name of its section.*fix: rename' \
    '__attribute__((section("timer"), used)) int timer(void *c) { return 0; }'
try 'Linux headers' 1 'fix: include bpf_mcu\.h' '#include <linux/bpf.h>'
try 'a macro' 0 '' 'int f(void) { return N; }' -D N=3
try 'unknown version' 2 'use v1, v2, v3 or v4' '' --cpu v9
try 'messages as JSON' 1 '"ok":.false.*"category":."clang".*"line":.1' 'int f(void) { return x; }' --json
expect 'source that is not there' 2 'none\.c: cannot read' "$tool" build none.c
expect 'object that cannot be written' 2 'unable to open output file' "$tool" build -o none/t.o t.bpf.c
CLANG=clang-14 try 'clang-14 crashes on signed division' 1 't\.bpf\.c:1:32: error.*fix: .*--cpu v4' \
    'int f(int a, int b) { return a / b; }' --cpu v3
expect 'no clang' 2 'cannot start the C compiler /none.*fix: install it' env CLANG=/none "$tool" build t.bpf.c
finish
