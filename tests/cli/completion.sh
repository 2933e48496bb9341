#!/bin/bash
# SPDX-License-Identifier: MIT
# The completion scripts in a shell without a terminal: what COMPREPLY holds for a line. They come from the
# tables of the commands, so every command and option of --help must be offered. usage: completion.sh TOOL EMU
. "$(dirname "$0")/../scripts/lib.sh"
tool=$(realpath "$1") emu=$(realpath "$2")
cd "$scratch" || exit 1
mkdir sub
touch a.bpf.c a.bpf.o a.blob a.txt 'two words.bpf.c'
PATH=$(dirname "$tool"):$PATH
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
export LC_ALL=C
eval "$("$tool" completion bash)"
eval "$("$emu" completion bash)"

# complete_line WORD...: what is offered for the last word, sorted, one a line.
complete_line() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    local function
    function=$(complete -p "${1##*/}" | sed 's/.*-F \([^ ]*\) .*/\1/')
    "$function" "$1" "${!#}" "${@:$#-1:1}"
    [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}
# offers WHAT 'WORDS' LINE...: exactly these, separated by blanks.
offers() {
    local what=$1 words=$2
    shift 2
    expect "$what" 0 "^${words// /$'\n'}\$" complete_line "$@"
}

offers 'commands' 'build' bpf2thumb bu
offers 'options of the program' '--help --version' bpf2thumb -
offers 'sources' 'a\.bpf\.c sub two.words\.bpf\.c' bpf2thumb build ''
offers 'objects and sources' 'a\.bpf\.c a\.bpf\.o' bpf2thumb compile a
offers 'blobs too' 'a\.blob a\.bpf\.c a\.bpf\.o' bpf2thumb dump a
offers 'any file after -o' 'a\.blob a\.bpf\.c a\.bpf\.o a\.txt' bpf2thumb compile -o a
offers 'directories after -I' 'sub' bpf2thumb build -I ''
offers 'an option by its start' '--with-bytecode' bpf2thumb compile --w
offers 'levels' '0 1 2 s' bpf2thumb compile -O ''
offers 'levels at their letter' '-O0 -O1 -O2 -Os' bpf2thumb compile -O
offers 'one level at its letter' '-Os' bpf2thumb compile -Os
offers 'after a level at its letter' 'a\.blob a\.bpf\.c a\.bpf\.o' bpf2thumb dump -O1 a
offers 'versions of eBPF' 'v1 v2 v3 v4' bpf2thumb build --cpu v
offers 'hook types' 'timer/10ms trace/sched_switch' bpf2thumb verify --type t
offers 'hook types after =' 'uart/3' bpf2thumb verify --type = u
offers 'an empty value after =' 'always auto never' bpf2thumb verify --color =
offers 'passes after =' 'legalize' bpf2thumb dump --ssa = l
offers 'no pass without =' 'a\.blob a\.bpf\.c a\.bpf\.o' bpf2thumb dump --ssa a
offers 'nothing for a number' '' bpf2thumb verify --mem-size ''
offers 'shells' 'bash' bpf2thumb completion ''
offers 'nothing for what is no command' '' bpf2thumb nonsense ''
offers 'run, by the emulator: engines' 'interp native thumb' bpf2thumb run --engine ''
offers 'run, by the emulator: files' 'a\.blob a\.bpf\.c a\.bpf\.o' bpf2thumb run a
offers 'the emulator itself' 'native' bpf2thumb-emu n
unset -f _bpf2thumb_emu
offers 'run, when only one script is loaded' '--encoder --engine' bpf2thumb run --en
unset -f _bpf2thumb_emu
offers 'run, by a path' '--encoder --engine' "$(dirname "$tool")/bpf2thumb" run --en
eval "$("$emu" completion bash)"

# Nothing of --help is missing.
for program in bpf2thumb bpf2thumb-emu; do
    commands=$("$program" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    offers "all commands of $program" "$(sort <<<"$commands")" $program ''
    for command in $commands; do
        [ "$program $command" != 'bpf2thumb run' ] || continue
        options=$("$program" "$command" --help | sed -n '/^options:/,/^$/p' | grep -oE '^ +(-[a-zA-Z])?(, )?(--[a-z0-9-]+)?' |
            grep -oE -- '--?[a-zA-Z0-9-]+' | sort)
        offers "all options of $program $command" "$options" $program "$command" -
    done
done

expect 'another shell' 2 'no completion for the shell zsh' "$tool" completion zsh
expect 'the script is clean to the shell' 0 '^$' bash -n <("$tool" completion bash)
finish
