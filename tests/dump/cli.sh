#!/bin/bash
# SPDX-License-Identifier: MIT
# dump from outside: every view of an object, of C source and of a blob; damaged blobs; the same bytes each
# time. usage: cli.sh bpf2thumb
. "$(dirname "$0")/../scripts/lib.sh"
tool=$(realpath "$1")
source=$top/tests/dump/lines.bpf.c
cd "$scratch" || exit 1
dump() { "$tool" dump "$@"; }
compile() { "$tool" compile --unverified "$@"; }

# json WHAT EXPRESSION COMMAND...: stdout is one JSON object `j` for which a Python expression holds.
json() {
    local what=$1 expression=$2
    shift 2
    "$@" --json >out.json
    expect "$what" 0 '^True' python3 -c \
        'import json, sys; j = json.load(open("out.json")); print(bool(eval(sys.argv[1])), j)' "$expression"
}

cp "$source" lines.bpf.c
expect 'build the object' 0 '^$' "$tool" build lines.bpf.c
expect 'compile' 0 '^lines.blob: [0-9]+ bytes' compile lines.bpf.o
expect 'compile with bytecode' 0 '^both.blob: ' compile --with-bytecode -o both.blob lines.bpf.o

# Views of objects and sources.
for input in lines.bpf.o lines.bpf.c; do
    expect "bpf of $input" 0 'program 0 lines.*function 0 inner.*lines\.bpf\.c:17: a = 0x2222' dump $input
    expect "asm of $input" 0 \
        $'\ninner:\n.*\nlines:\n.*lines\\.bpf\\.c:17: a = 0x2222;\n.*[0-9]+: +[0-9a-f]+: [0-9a-f ]+movw +r[0-9]+, #8738\n.*bl +0x0 +; inner\n.*\nsecond:' \
        dump --asm $input
    expect "blob of $input" 0 \
        $'blob: [0-9]+ bytes, ABI 1, .*program 0 lines: SEC\\("raw"\\), type raw.*\nfunction 0 inner: code 0x0.*\ndata 0 .bss: 8 bytes, writable, r9.*zeros\nrange 0: 0x0.*code' \
        dump --blob $input
    expect "final IR of $input" 0 '^; after final.func 0 inner level=32.*; after final.func 1 lines level=32' dump --ssa $input
done
for pass in build legalize trim final isel regalloc cfg dce gvn narrow phi promote sccp simplify; do
    expect "IR after $pass" 0 "^; after $pass.func(tion)? " dump --ssa=$pass lines.bpf.o
done
expect 'IR after all passes' 0 \
    '; after build.*; after gvn.*; after legalize.*; after trim.*; after final.*; after isel.*; after regalloc' \
    dump --ssa=all lines.bpf.o
expect 'IR of the builder has 64 bits' 0 '^; after build.func 0 inner level=64' dump --ssa=build lines.bpf.o
expect 'unknown pass' 2 'there is no pass nonsense.*fix: it is one of build, .*regalloc.*gvn.*all' dump --ssa=nonsense lines.bpf.o
expect 'a pass that does not run' 2 'pass gvn does not run.*fix: .*-O' dump --ssa=gvn -O0 lines.bpf.o
expect 'literals, data and branches' 0 $'  > +[0-9a-f]+: .*; &.rodata.str1.1.*\n.rodata.str1.1:\n +[0-9a-f]+: 6f6b0a00.* .ascii "ok..' \
    dump --asm "$top/programs/uart_frame.bpf.c"
expect 'places of the arena' 0 'ldr.w +r12, \[r9, #32\] +; bpf_gpio_write.*; map counts\+32' \
    dump --asm "$top/programs/uart_frame.bpf.c"
expect 'helpers and maps of a blob' 0 \
    $'map 0 counts: array, key 4 bytes, value 4 bytes, 2 entries.*\nhelper 0: r9\\+32 = bpf_gpio_write \\(1024\\)' \
    dump --blob "$top/programs/uart_frame.bpf.c"

# Views of blobs.
expect 'a blob is listed' 0 '^blob: .*not verified, Thumb-2 code' dump lines.blob
expect 'a blob with bytecode' 0 'flags 0x6: not verified, Thumb-2 code, bytecode' dump both.blob
expect 'its code, without lines' 0 $'\ninner:\n.*\nlines:\n.*#8738' dump --asm lines.blob
expect 'its bytecode' 0 $'\ninner:\n.*\nlines:\n.*call local \\+?-?[0-9]+  ; inner\\(\\)' dump --bpf both.blob
expect 'no bytecode' 1 'lines.blob: error: the blob has no bytecode.*fix: .*--with-bytecode' dump --bpf lines.blob
expect 'no IR' 2 'lines.blob is a blob: it holds no IR.*fix: ' dump --ssa lines.blob

# The same code, whether from the object or from its blob.
"$tool" dump --unverified --asm lines.bpf.o | sed -n 's/.*\( [0-9a-f]*: [0-9a-f ]*  [a-z].*\)/\1/p' >from-object
"$tool" dump --asm lines.blob | sed -n 's/.*\( [0-9a-f]*: [0-9a-f ]*  [a-z].*\)/\1/p' >from-blob
expect 'code of object and blob agree' 0 '^$' cmp from-object from-blob
expect 'and there is some' 0 '' test -s from-blob

json 'asm as JSON' 'any(r["text"] == "movw r1, #8738" or "#8738" in r["text"] and r["line"] == 17 and r["in"] == "lines" for r in j["asm"])' \
    "$tool" dump --asm lines.bpf.o
json 'blob as JSON' 'j["header"]["abi"] == 1 and j["programs"][1]["name"] == "second" and j["functions"][0]["stack"] == 0 and j["data"][0]["image"] is None' \
    "$tool" dump lines.blob
json 'bpf as JSON' '"lines.bpf.c:17" in j["bpf"]' "$tool" dump lines.bpf.o
json 'IR as JSON' '"; after gvn" in j["ssa"]' "$tool" dump --ssa=gvn lines.bpf.o

# Damaged blobs: the reason and the offset of the field.
# damage WHAT PATTERN OFFSET BYTE...: blob with some bytes replaced. seal: with a CRC that fits again.
damage() {
    local what=$1 pattern=$2
    shift 2
    python3 - "$@" <<'EOF'
import struct, sys, zlib
b = bytearray(open("both.blob", "rb").read())
off, seal = int(sys.argv[1]), sys.argv[2] == "seal"
for i, v in enumerate(sys.argv[3:]):
    b[off + i] = int(v)
if seal:
    b[12:16] = bytes(4)
    b[12:16] = struct.pack("<I", zlib.crc32(b))
open("bad.blob", "wb").write(b)
EOF
    expect "$what" 1 "bad.blob: error: $pattern.*fix: " dump bad.blob
}
damage 'magic' 'not a bpf2thumb blob \(wrong magic\) \(at offset 0\)' 0 no 88
damage 'CRC' 'the blob is damaged \(CRC-32 differs\) \(at offset 12\)' 200 no 255 254 253
damage 'length' 'the blob is shorter than its header says \(at offset 8\)' 8 no 248 255 0
damage 'unknown flag' 'a header field is out of range \(at offset 24\)' 24 seal 255
damage 'table outside' 'a table lies outside the blob or is misaligned \(at offset 48\)' 48 seal 0 255 255 0
damage 'ranges with a gap' 'parts of the arena or of the code overlap' 100 seal 0
size=$(stat -c %s both.blob)
for cut in 0 1 4 100 128 $((size - 8)) $((size - 1)); do
    head -c "$cut" both.blob >short.blob
    expect "cut to $cut bytes" 1 'short.blob: error: .*shorter than its header.*at offset' dump --asm short.blob
done
cat >random.py <<'EOF'
import random, struct, subprocess, sys, zlib
random.seed(int(sys.argv[2]))
good = open("both.blob", "rb").read()
for turn in range(40):
    b = bytearray(good)
    for _ in range(random.randint(1, 4)):
        b[random.randrange(len(b))] = random.choice([0, 1, 127, 128, 255, random.randrange(256)])
    b[12:16] = bytes(4)
    b[12:16] = struct.pack("<I", zlib.crc32(b))
    open("random.blob", "wb").write(b)
    for view in ("--blob", "--asm", "--bpf", "--json"):
        status = subprocess.run([sys.argv[1], "dump", view, "random.blob"], capture_output=True).returncode
        if status not in (0, 1):
            sys.exit(f"status {status} of {view}, turn {turn}")
print("done")
EOF
for seed in 1 2 3; do # any answer but a crash
    expect "damage at random, $seed" 0 '^done$' python3 random.py "$tool" $seed
done

# The same input gives the same bytes: from another directory, in another file, at other addresses.
mkdir -p a b/c
cp lines.bpf.c lines.bpf.o a
cp lines.bpf.c b/c/lines.bpf.c
cp lines.bpf.o b/c/other.bpf.o
for level in 0 1 2 s; do
    {
        (cd a && compile -O$level --with-bytecode -o "$scratch/1.blob" --elf "$scratch/1.elf" lines.bpf.o)
        (cd b/c && compile -O$level --with-bytecode -o "$scratch/2.blob" --elf "$scratch/2.elf" other.bpf.o)
        setarch -R "$tool" compile --unverified -O$level --with-bytecode -o 3.blob --elf 3.elf lines.bpf.o
        compile -O$level --with-bytecode -o 4.blob a/lines.bpf.c
        compile -O$level --with-bytecode -o 5.blob "$scratch/b/c/lines.bpf.c"
    } >/dev/null
    for n in 2 3 4 5; do
        expect "blob $n at -O$level" 0 '^$' cmp 1.blob $n.blob
    done
    expect "ELF of another directory at -O$level" 0 '^$' cmp 1.elf 2.elf
    expect "ELF at fixed addresses at -O$level" 0 '^$' cmp 1.elf 3.elf
done
finish
