#!/bin/bash
# SPDX-License-Identifier: MIT
# run and native from outside: exit status, output, JSON. usage: cli.sh bpf2thumb bpf2thumb-emu native.elf
. "$(dirname "$0")/../scripts/lib.sh"
tool=$(realpath "$1") emu=$(realpath "$2") elf=$(realpath "$3")
cd "$scratch" || exit 1
run() { "$tool" run "$@"; }
examples=$top/build/bpf/programs

# json WHAT STATUS EXPRESSION COMMAND...: stdout is one JSON object `j` for which a Python expression holds.
json() {
    local what=$1 status=$2 expression=$3
    shift 3
    expect "$what" "$status" '^True' bash -c \
        '"$@" 2>/dev/null >out.json; s=$?; python3 -c "import json,sys; j=json.load(open(\"out.json\")); print(bool('"$expression"'), j)"; exit $s' \
        - "$@" --json
}

expect 'help lists the commands' 0 'commands:.*native' "$emu" --help

# Native code. 1*1 + 2*2 + 3*3 = 14, and memory is printed because it changed.
expect 'native: result, cycles, size, memory' 0 \
    'r0 = 0xe \(14\).*cycles: [0-9]+ \(program [0-9]+, library 0,.*text [0-9]+ bytes.*memory 0000: fe 02 03' \
    "$emu" native --entry sum --mem 010203 "$elf"
expect 'native: data keep their values over runs' 0 'r0 = 0x8 \(8\)' "$emu" native --entry count --runs 3 "$elf"
expect 'native: 64-bit division of the compiler' 0 'r0 = 0x48d159e26af' "$emu" native --entry arithmetic --mem 00 "$elf"
expect 'native: a fault is refused' 1 'write outside the program.s memory.*at 0x080c.*address 0x40020000' \
    "$emu" native --entry crash "$elf"
json 'native: JSON' 0 \
    'j[\"ok\"] and j[\"r0\"] == \"0xe\" and j[\"cycles\"][\"total\"] > 20 and j[\"text\"] > 50 and j[\"memory\"] == \"fe0203\"' \
    "$emu" native --entry sum --mem 010203 "$elf"
json 'native: JSON of a fault' 1 'not j[\"ok\"] and j[\"fault\"][\"status\"] == 121 and j[\"fault\"][\"address\"] == 0x40020000' \
    "$emu" native --entry crash "$elf"
expect 'native: unknown function' 1 "has no function 'bench'" "$emu" native "$elf"
echo text >file
expect 'native: no ELF file' 1 'not an ELF file' "$emu" native file
expect 'native: a host executable' 1 'not a linked ARM executable' "$emu" native "$emu"
expect 'native: missing file' 2 'missing.elf' "$emu" native missing.elf
expect 'native: odd hex' 2 "'123' is no memory.*fix: give pairs" "$emu" native --mem 123 "$elf"
expect 'native: too much memory' 2 'has 3 bytes; there is room for 2' "$emu" native --mem 010203 --mem-size 2 "$elf"
expect 'native: budget' 1 'budget used up' "$emu" native --entry sum --mem 010203 --budget 20 "$elf"

# Events from a file, time, random numbers (xorshift32 of 77777), text.
cat >say.bpf.c <<'EOF'
#include "bpf_mcu.h"
SEC("raw") int say(u8 *memory, u32 length) { return bpf_printk("%u is %d", length, 1234); }
EOF
cat >time.bpf.c <<'EOF'
#include "bpf_mcu.h"
SEC("raw") u64 time(u8 *memory, u32 length) {
    u64 before = bpf_ktime_get_ns();
    for (u32 i = 0; i < 4096; i++)
        memory[i & 15]++;
    u64 after = bpf_ktime_get_ns();
    return before == after ? after : 1;
}
EOF
echo '#include "bpf_mcu.h"
SEC("raw") u64 number(u8 *memory, u32 length) { return bpf_get_prandom_u32(); }' >random.bpf.c
printf '# a good one\n0 7e 01 01 05 f9\n\n2500 7e010105f8\n' >frames
printf '0\n2000\n' >twice
printf '1000\n999\n' >backwards
printf '# nothing\n' >empty

# Programs. CRC-32 of "123456789" is cbf43926.
expect 'run: help' 0 'usage: bpf2thumb-emu run.*--engine.*--json.*example:' run --help
for engine in thumb interp native; do
    expect "run, $engine: result and cycles" 0 \
        'r0 = 0xcbf43926 .*cycles: [0-9]+ .* instructions, stack [0-9]+ bytes' \
        run --engine $engine --text 123456789 --cycles "$examples/crc32.bpf.o"
    expect "run, $engine: devices, and time by the program's period" 0 \
        'PD13 = 1 at [0-9.]+ [un]s.*PD13 = 0 at 100(\.0..)? ms.*PD14 = 1 at 100.*PD15 = 1 at 200' \
        run --engine $engine --runs 3 "$examples/blink.bpf.o"
    expect "run, $engine: frame, answer, map" 0 'gpio PD12 = 1.*gpio PD13 = 0.*uart 3: "ok.n".*array counts\[0\] = 1' \
        run --engine $engine --mem '7e 01 01 05 f9' "$examples/uart_frame.bpf.o"
    expect "run, $engine: stimuli" 0 'gpio PD12 = 1 at 30.*array presses\[0\] = 1' \
        run --engine $engine --runs 10 --gpio PA0=0,1,0,1,1,1,1,1,0,0 "$examples/debounce.bpf.o"
    expect "run, $engine: samples" 0 'array bins\[0\] = 2.*array bins\[15\] = 1' \
        run --engine $engine --samples 100,200,4095 "$examples/histogram.bpf.o"
    expect "run, $engine: ring buffer" 0 \
        'ringbuf events: 0{48}.ringbuf events: 00e1f505' run --engine $engine --runs 2 "$examples/event_log.bpf.o"
    expect "run, $engine: a wild write names its line" 1 \
        "wild.bpf.c:9:[0-9]+: error: write outside the program.s memory.*address 0x40020c14" \
        run --engine $engine "$top/tests/emulator/wild.bpf.c"
    expect "run, $engine: a line of text" 0 'log: "3 is 1234" at ' run --engine $engine --mem 010203 say.bpf.c
    expect "run, $engine: events from a file" 0 \
        'uart 3: "ok.n" at 0 ns.r0 = 0x0 .*uart 3: "error.n" at 2.5 ms.r0.*array counts\[0\] = 1' \
        run --engine $engine --events frames "$examples/uart_frame.bpf.o"
    expect "run, $engine: time stands still in an event" 0 '^r0 = 0x0 .*r0 = 0x1e8480 \(2000000\)' \
        run --engine $engine --events twice time.bpf.c
    expect "run, $engine: random numbers from a seed" 0 'r0 = 0x9a98b8ac ' \
        run --engine $engine --seed 77777 random.bpf.c
    expect "run, $engine: budget" 1 'budget used up \(at 0x080' \
        run --engine $engine --text 123456789 --budget 500 "$examples/crc32.bpf.o"
done
expect 'run: from C, at every level' 0 '(r0 = 0xcbf43926 [^r]*){4}' bash -c \
    'for o in 0 1 2 s; do "$0" run -O$o --text 123456789 "$1"/programs/crc32.bpf.c || exit; done' "$tool" "$top"
expect 'run: a fault names its source line' 1 'crc32.bpf.c:[0-9]+:[0-9]+: error: budget.*[0-9]+ \|' \
    run --text 123456789 --budget 50 "$examples/crc32.bpf.o"
expect 'run: a blob' 0 'r0 = 0xcbf43926' bash -c \
    '"$0" compile --unverified -o crc.blob "$1"/crc32.bpf.o && "$0" run --text 123456789 crc.blob' "$tool" "$examples"
expect 'run: a blob without bytecode' 1 'no code for this engine.*fix: compile it with --with-bytecode' \
    run --engine interp crc.blob
printf x | dd of=crc.blob bs=1 seek=200 conv=notrunc 2>/dev/null
expect 'run: a damaged blob' 1 'CRC-32 differs' run crc.blob
expect 'run: trace' 0 \
    'crc32.bpf.c:[0-9]+: .*  [0-9]+: (mov|ldx)[a-z0-9]* %r.*  080c[0-9a-f]{4}  (movs|ldrb).* r[0-9]+=' \
    run --text 1 --trace "$examples/crc32.bpf.o"
expect 'run: trace of the library' 0 '\[ringbuf_reserve: [0-9]+ instructions, [0-9]+ cycles\] r0=2001' \
    run --trace "$examples/event_log.bpf.o"
json 'run: JSON' 0 \
    'j[\"ok\"] and j[\"r0\"] == \"0xcbf43926\" and j[\"cycles\"][\"total\"] == sum(j[\"cycles\"][k] for k in (\"program\", \"library\", \"kernel\"))' \
    "$tool" run --text 123456789 "$examples/crc32.bpf.o"
json 'run: JSON of events and maps' 0 \
    '[e[\"device\"] for e in j[\"events\"]] == [\"uart\"] and j[\"maps\"][0][\"entries\"][0][\"value\"] == \"01000000\"' \
    "$tool" run --text x "$examples/uart_frame.bpf.o"
json 'run: JSON of a fault' 1 'not j[\"ok\"] and j[\"fault\"][\"status\"] == 126 and j[\"messages\"]' \
    "$tool" run --text 123456789 --budget 50 "$examples/crc32.bpf.o"
json 'run: JSON of ring buffer records' 0 'len(j[\"records\"]) == 3' "$tool" run --runs 3 "$examples/event_log.bpf.o"

# What the user may get wrong.
cat >two.bpf.c <<'EOF'
#include "bpf_mcu.h"
SEC("timer/1ms") int first(struct bpf_ctx_timer *ctx) { return bpf_led_set(0, 1); }
SEC("raw") int second(u8 *memory, u32 length) { memory[0] = 7; return length; }
EOF
cat >far.bpf.c <<'EOF'
#include "bpf_mcu.h"
SEC("raw") int far(u8 *memory, u32 length) { memory[17] = 7; return length; }
EOF
expect 'run: memory up to the last change' 0 'memory 0000: aa 00.*memory 0010: 00 07$' run --mem aa far.bpf.c
expect 'run: two programs' 2 'there are 2 programs.*choose with --prog: first, second' run two.bpf.c
expect 'run: one of them' 0 'r0 = 0x2 \(2\).*memory 0000: 07 bb' run --prog second --mem aabb two.bpf.c
expect 'run: none of them' 2 "no program 'third'.*it has first, second" run --prog third two.bpf.c
expect 'run: unknown engine' 2 'unknown engine x.*fix: use thumb, interp or native' run --engine x two.bpf.c
expect 'run: bad stimulus' 2 '--gpio PA99=1.*fix: write --gpio PIN=LEVEL' run --gpio PA99=1 two.bpf.c
expect 'run: bad samples' 2 'not a list of numbers' run --samples 1,x two.bpf.c
expect 'run: frame too long' 2 'more bytes or samples than the context holds' \
    run --text "$(printf 'x%.0s' {1..300})" "$examples/uart_frame.bpf.o"
expect 'run: events that go back in time' 2 'backwards:2:.*comes before the last one: 999.*fix: write a time' \
    run --events backwards two.bpf.c
expect 'run: no events' 2 'empty has no event' run --events empty two.bpf.c
expect 'run: what is no event' 2 'file:1:.*no event.*: text' run --events file two.bpf.c
printf '\033[2J\200x' >noise
expect 'run: noise instead of events is shown as text' 2 'noise:1:.*last one: \?\[2J\?x' run --events noise two.bpf.c
expect 'run: missing events' 2 'missing' run --events missing two.bpf.c
expect 'run: an event that is too large' 2 'more bytes or samples than' \
    bash -c 'printf "0 %0600d\n" 0 >large; "$0" run --events large "$1"/uart_frame.bpf.o' "$tool" "$examples"
json 'run: JSON of events from a file' 0 \
    '[r[\"time_ns\"] for r in j[\"runs\"]] == [0, 2500000] and j[\"runs\"][0][\"r0\"] == \"0x0\" and j[\"runs\"][1][\"context\"][:16] == \"a025260000000000\"' \
    "$tool" run --events frames "$examples/uart_frame.bpf.o"
expect 'run: trace of the interpreter' 2 'trace shows compiled code' run --trace --engine interp two.bpf.c
expect 'run: no operand' 2 'operand is missing' run
expect 'run: missing file' 2 'missing.blob' run missing.blob
expect 'run: not an object' 1 'not an ELF file' run file

finish
