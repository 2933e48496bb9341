#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that the build and the tests need and that are missing, as root or
# with sudo, and says what it did. Where neither is possible it prints the command to run and fails.
set -euo pipefail

packages=(
    # compilers and their tools
    build-essential clang-format clang-14 clang-19 libclang-rt-19-dev llvm-19
    gcc-arm-none-eabi binutils-arm-none-eabi libnewlib-arm-none-eabi
    # libraries
    libelf-dev libbpf-dev libcjson-dev libunicorn-dev libcapstone-dev libcbor-dev libserialport-dev
    # the board: an emulator, probe, debugger
    qemu-system-arm openocd gdb-multiarch
    # tests and scripts
    libcriterion-dev valgrind python3 pkg-config git groff-base jq man-db
)

if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not a Debian system; install the equivalents of: ${packages[*]}" >&2
    exit 1
fi

missing=()
for p in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are there"
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    echo "setup: packages are missing, and this is neither root nor is there sudo. Run as root:" >&2
    echo "    apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
echo "setup: installed ${missing[*]}"
