#!/bin/bash
# SPDX-License-Identifier: MIT
# Bad input of compile, verify, dump and run: a message that says what to do, the right exit status, and no
# file left behind. usage: bad-input.sh bpf2thumb
. "$(dirname "$0")/../scripts/lib.sh"
tool=$(realpath "$1")
cd "$scratch" || exit 1
cp "$top/programs/blink.bpf.c" good.bpf.c
mkdir directory directory.c
: >empty.bpf.c
: >empty.o
: >empty.blob
head -c 3000 "$tool" | tail -c 2900 | tr -d '\n' >junk.bpf.c
head -c 3000 "$tool" | tail -c 2900 >junk.o
cp junk.o junk.blob
cp "$tool" host.o
export TMPDIR=$scratch/tmp
mkdir tmp
before=$(ls -R)

# Inputs that no command can read. A message names the file that the user named.
for command in compile verify dump 'dump --ssa' 'dump --asm' 'dump --blob' run; do
    expect "$command: a directory" 2 'directory: cannot read: Is a directory' $tool $command directory
    expect "$command: a directory with the name of a source" 2 'directory.c: cannot read: Is a directory' $tool $command directory.c
    expect "$command: no such object" 2 'none.o: cannot open: No such file' $tool $command none.o
    expect "$command: no such source" 2 'none.bpf.c: cannot read: No such file' $tool $command none.bpf.c
    expect "$command: an empty source" 1 '^empty.bpf.c: error: the object has no program.*fix: ' $tool $command empty.bpf.c
    expect "$command: a source of binary junk" 1 'junk.bpf.c:1:[0-9]+: error: ' $tool $command junk.bpf.c
    expect "$command: no operand" 2 'operand is missing.*fix: usage: bpf2thumb' $tool $command
    expect "$command: two operands" 2 'unexpected operand b' $tool $command a b
    expect "$command: unknown option" 2 'unknown option --frobnicate.*fix: see the options' $tool $command --frobnicate good.bpf.c
    expect "$command: an empty name" 2 'cannot open: No such file' $tool $command ''
    for size in 0 -1 65537 99999999999999999999 4k ''; do
        expect "$command: --mem-size '$size'" 2 'mem-size: .*is not a number from 1 to 65536' $tool $command --mem-size "$size" good.bpf.c
    done
    expect "$command: unknown type" 2 'no program type.*fix: use one of raw, timer' $tool $command --type nonsense good.bpf.c
done
for command in compile verify dump 'dump --asm' run; do
    expect "$command: an empty object" 1 'empty.o: error: not an ELF file \(it is empty\).*fix: ' $tool $command empty.o
    expect "$command: an object of junk" 1 'junk.o: error: not an ELF file.*fix: ' $tool $command junk.o
    expect "$command: an executable of this machine" 1 'host.o: error: .*fix: ' $tool $command host.o
done
for command in dump 'dump --asm' 'dump --bpf' 'dump --blob' run 'run --engine interp'; do
    expect "$command: an empty blob" 1 'empty.blob: error: the blob is shorter.*at offset 0.*fix: ' $tool $command empty.blob
    expect "$command: a blob of junk" 1 'junk.blob: error: not a bpf2thumb blob.*at offset 0.*fix: ' $tool $command junk.blob
done
for command in compile dump 'dump --asm' run; do
    for level in 9 3 x fast 02; do
        expect "$command: -O$level" 2 "unknown level -O$level.*fix: use -O0, -O1, -O2 or -Os" $tool $command -O$level good.bpf.c
    done
done
expect 'verify: no such program' 2 'there is no program x.*fix: ' $tool verify --prog x good.bpf.c
expect 'compile: more memory than the board has' 1 'the limit of both is 65536.*fix: ' \
    $tool compile --type raw --mem-size 65536 good.bpf.c
expect 'nothing was written' 0 '^$' diff <(echo "$before") <(ls -R)

# Outputs that cannot be written.
compile="$tool compile --unverified"
expect 'output directory missing' 2 'none/x.blob: cannot create: No such file' $compile -o none/x.blob good.bpf.c
expect 'output is a directory' 2 'directory: cannot open: Is a directory' $compile -o directory good.bpf.c
expect 'output below a file' 2 'good.bpf.c/x.blob: cannot .*Not a directory' $compile -o good.bpf.c/x.blob good.bpf.c
expect 'full disk' 2 '/dev/full: cannot write: No space left' $compile -o /dev/full good.bpf.c
expect 'no name' 2 'cannot' $compile -o '' good.bpf.c
expect 'ELF directory missing' 2 'none/x.elf: cannot create' $compile -o x.blob --elf none/x.elf good.bpf.c
expect 'ELF on a full disk' 2 '/dev/full: cannot write' $compile -o x.blob --elf /dev/full good.bpf.c
expect 'blob directory missing, ELF fine' 2 'none/x.blob: cannot create' $compile -o none/x.blob --elf x.elf good.bpf.c
echo old >old.elf
expect 'blob directory missing, an ELF file was there' 2 'none/x.blob: cannot create' $compile -o none/x.blob --elf old.elf good.bpf.c
expect 'blob on a full disk, an ELF file was there' 2 '/dev/full: cannot write' $compile -o /dev/full --elf old.elf good.bpf.c
expect 'it is still there' 0 '^old$' cat old.elf
rm -f old.elf
expect 'the output is the input' 2 'the output would overwrite good.bpf.c.*fix: name' $compile -o ./good.bpf.c good.bpf.c
cp good.bpf.c kept.bpf.c
expect 'both outputs are one new file' 2 'blob and ELF file are both ./new.out' $compile -o ./new.out --elf new.out good.bpf.c
expect 'nothing is there' 1 '' test -e new.out
expect 'the object is the source' 2 'the output would overwrite kept.bpf.c.*fix: name' $tool build -o ./kept.bpf.c kept.bpf.c
expect 'the source is still there' 0 '' cmp good.bpf.c kept.bpf.c
rm -f kept.bpf.c
expect 'the ELF file is the input' 2 'the output would overwrite good.bpf.c' $compile -o x.blob --elf good.bpf.c good.bpf.c
expect 'both outputs are one' 2 'blob and ELF file are both x.file' $compile -o x.file --elf x.file good.bpf.c
expect 'no directory for temporary files' 2 'cannot create /none/.*fix: set TMPDIR' env TMPDIR=/none $compile -o x.blob good.bpf.c
if [ "$(id -u)" -ne 0 ]; then
    mkdir -m 555 locked
    expect 'directory without permission' 2 'locked/x.blob: cannot create: Permission denied' $compile -o locked/x.blob good.bpf.c
    rmdir locked
fi
expect 'nothing of them is left' 0 '^$' diff <(echo "$before") <(ls -R)

# What fails to compile does not touch the output that was there.
echo old >x.blob
expect 'a program that is refused' 1 'error: ' $compile -o x.blob junk.o
expect 'the old blob is untouched' 0 '^old$' cat x.blob
finish
