#!/bin/bash
# SPDX-License-Identifier: MIT
# make install into a directory, moved elsewhere and used there while the source tree cannot be seen: tools,
# manual pages, completion, a project of each type with `new`; then make uninstall. usage: install.sh MAKE
. "$(dirname "$0")/../scripts/lib.sh"
unset MAKEFLAGS MAKELEVEL
make=$1 stage=$scratch/stage prefix=$scratch/moved

# hidden COMMAND...: runs it with an empty directory in the place of the source tree, where that is allowed.
if unshare -rm true 2>/dev/null; then
    hidden() { unshare -rm bash -c 'mount -t tmpfs none "$0" && exec "$@"' "$top" "$@"; }
    expect 'the source tree is out of sight' 0 '^$' hidden ls "$top"
else
    hidden() { "$@"; }
    echo 'the source tree stays in sight: no rights for unshare'
fi

"$make" -s -C "$top" install-files DESTDIR="$stage" PREFIX=/usr >"$scratch/log" 2>&1
expect 'make install' 0 '^$' cat "$scratch/log"
for file in bin/bpf2thumb bin/bpf2thumb-emu share/bpf2thumb/include/bpf_mcu.h share/bpf2thumb/templates/timer.bpf.c.in \
    share/man/man1/bpf2thumb.1 share/man/man1/bpf2thumb-emu.1 share/bash-completion/completions/bpf2thumb \
    share/bash-completion/completions/bpf2thumb-emu share/doc/bpf2thumb/docs/json.md share/doc/bpf2thumb/LICENSE \
    share/doc/bpf2thumb/examples/blink.bpf.c lib/bpf2thumb/library.elf lib/bpf2thumb/library.bin; do
    expect "$file is installed" 0 '' test -s "$stage/usr/$file"
done
expect 'nothing beside PREFIX' 0 '^usr$' ls "$stage"

cp -r "$stage/usr" "$prefix"
mkdir "$scratch/work"
cd "$scratch/work" || exit 1
export PATH=$prefix/bin:$PATH

# project TYPE PATTERN: made, built and run; what it does in the emulator.
project() {
    local name=my-${1%%/*}
    expect "new $1" 0 "^$name/$name.bpf.c: .*next: make -C $name run" hidden bpf2thumb new --type "$1" "$name"
    expect "$1: its files" 0 "^\.gitignore.Makefile.$name.bpf.c$" ls -A "$name"
    expect "$1: nothing is left to fill in" 1 '' grep -E '@[A-Z]+@|// run:' -r "$name"
    expect "$1: make" 0 "^bpf2thumb build [^:]*compile[^:]*$name.blob: [0-9]+ bytes, [0-9]+ of them code$" hidden make -C "$name" --no-print-directory
    expect "$1: make run" 0 "^bpf2thumb run $2" hidden make -C "$name" --no-print-directory run
    expect "$1: make asm" 0 'eBPF +address' hidden make -C "$name" --no-print-directory asm
    expect "$1: verify" 0 "${1%%/*}" hidden bpf2thumb verify "$name/$name.bpf.c"
    expect "$1: make clean" 0 '' hidden make -C "$name" clean
    expect "$1: what make made is gone" 0 "^\.gitignore.Makefile.$name.bpf.c$" ls -A "$name"
}
project raw '.*r0 = 0x214 '
project timer '.*gpio PD12 = 1 at .*gpio PD12 = 0 at 10\.?[0-9]* ms.*r0 = 0x0'
project gpio '.*gpio PD12 = .*array edges\[0\] = 3'
project uart '.*uart 3: "pong.n".*4 bytes, checksum 174'
project adc '.*array range\[0\] = 100.array range\[1\] = 4000'
project trace '.*ringbuf records: 0000000000000000'
project cmd '.*call 1, 5 bytes of arguments.*r0 = 0x5 '
types=$(bpf2thumb new --help --json | python3 -c 'import json, sys; print(*(v.split("/")[0] for o in json.load(sys.stdin)["command"]["options"] if o["name"] == "type" for v in o["values"]))')
expect 'every type has a project here' 0 "^$(ls -d my-* | sed 's/my-//' | sort | tr '\n' ' ')$" \
    bash -c 'printf "%s\n" $0 | sort | tr "\n" " "' "$types"

expect 'new: the default' 0 'SEC\("timer/100ms"\)' hidden bpf2thumb new plain
expect 'new: in another directory' 0 '^sub/dir-2/dir-2.bpf.c' bash -c 'mkdir sub && bpf2thumb new sub/dir-2/'
expect 'new: a name that is no name in C' 0 'int prog_2x' bash -c 'bpf2thumb new 2x && cat 2x/2x.bpf.c'
expect 'new: a name like the section' 0 'r0 = 0x214 ' bash -c 'bpf2thumb new --type raw raw && make -s -C raw run'
echo precious >plain/Makefile
expect 'new: nothing is overwritten' 2 'plain: cannot create the directory: File exists.*fix: choose another name' \
    bpf2thumb new plain
expect 'new: not even a file of another name' 2 'File exists' bpf2thumb new plain/Makefile
expect 'new: it is untouched' 0 '^precious$' cat plain/Makefile
expect 'new: no such directory' 2 'cannot create the directory: No such file' bpf2thumb new none/x
expect 'new: no name' 2 'is no name for a project.*fix: name it with' bpf2thumb new 'a b'
expect 'new: unknown type' 2 'no program type.*fix: use one of raw, timer' bpf2thumb new --type nonsense x
expect 'new: a type out of range' 2 'timer/0ms.*0 is out of range' bpf2thumb new --type timer/0ms x
expect 'new: nothing is left of these' 1 '' test -e x

expect 'the README' 0 '^# bpf2thumb' head -1 "$prefix/share/doc/bpf2thumb/README.md"
expect 'an example' 0 'gpio PD13 = 1' hidden bpf2thumb run "$prefix/share/doc/bpf2thumb/examples/blink.bpf.c"
expect 'the manual page' 0 'bpf2thumb.1.' hidden env MANPATH="$prefix/share/man" man -P cat bpf2thumb-emu
expect 'completion' 0 '^build$' bash -c \
    '. "$0/share/bash-completion/completions/bpf2thumb"; COMP_WORDS=(bpf2thumb bu) COMP_CWORD=1; _bpf2thumb; echo "${COMPREPLY[@]}"' "$prefix"
rm -r "$prefix/share/bpf2thumb/templates"
expect 'without templates' 2 'the templates are not beside .*fix: install' hidden bpf2thumb new y
rm "$prefix/bin/bpf2thumb-emu"
expect 'without the emulator' 2 'cannot start .*bpf2thumb-emu.*fix: .*make install' hidden bpf2thumb run plain/plain.bpf.c

touch "$stage/usr/share/doc/other"
"$make" -s -C "$top" uninstall DESTDIR="$stage" PREFIX=/usr >/dev/null 2>&1
expect 'make uninstall leaves what is not ours' 0 "^$stage/usr/share/doc/other$" find "$stage" -type f
expect 'and no directory of ours' 0 '^$' find "$stage" -name '*bpf2thumb*'
finish
