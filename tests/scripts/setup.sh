#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/setup.sh with stand-ins for dpkg-query, apt-get, sudo and id, so that nothing is installed.
. "$(dirname "$0")/lib.sh"
mkdir "$scratch/bin" "$scratch/sudo"
for tool in bash env; do ln -s "$(command -v $tool)" "$scratch/bin/$tool"; done

stand_in() { # FILE BODY
    printf '#!/bin/bash\n%s\n' "$2" >"$scratch/$1"
    chmod +x "$scratch/$1"
}
stand_in bin/apt-get 'echo "apt-get $*"; [ "$1" != "$BREAK" ]'
stand_in bin/id 'echo $FAKE_UID'
# The last argument is the package.
stand_in bin/dpkg-query 'case " $MISSING " in *" ${@: -1} "*) exit 1 ;; esac; echo installed'
stand_in sudo/sudo 'echo "sudo $*"; exec "$@"'

# setup UID PATH MISSING [BREAK]
setup() {
    env -i PATH="$2" FAKE_UID="$1" MISSING="$3" BREAK="${4:-}" "$top/scripts/setup.sh"
}
plain=$scratch/bin
with_sudo=$scratch/bin:$scratch/sudo

expect 'nothing is missing' 0 '^setup: all [0-9]+ packages are there$' setup 1000 "$plain" ''
expect 'root installs what is missing and says so' 0 \
    'installing clang-19 libelf-dev.*apt-get update.*apt-get install [^ ]*.*--no-install-recommends clang-19 libelf-dev.*installed clang-19' \
    setup 0 "$plain" 'libelf-dev clang-19'
expect 'a user does it with sudo' 0 'sudo apt-get update.*sudo env DEBIAN_FRONTEND=noninteractive apt-get install' \
    setup 1000 "$with_sudo" clang-19
expect 'without sudo the command is printed' 1 'Run as root:.*apt-get update && apt-get install .* clang-19$' \
    setup 1000 "$plain" clang-19
expect 'apt-get fails' 1 'apt-get install' setup 0 "$plain" clang-19 install
rm "$scratch/bin/dpkg-query"
expect 'not Debian' 1 'not a Debian system; install the equivalents of: .*clang-19' setup 0 "$plain" ''
finish
