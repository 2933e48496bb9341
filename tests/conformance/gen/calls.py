# SPDX-License-Identifier: MIT
"""Local calls, helper calls, calls through registers, callbacks, and programs that must be refused."""
import values
from builder import Vector, constant
from oracle import M64

ODD = 0x9E3779B97F4A7C15


def expect(v, reg, value, scratch):
    """The next case: %r`reg` holds value. Changes r0 (number of the case) and `scratch`."""
    v.asm(f"mov %r0, {v.case()}", constant(scratch, value), f"jne %r{reg}, %r{scratch}, fail")


def arguments():
    """Five 64-bit arguments, a 64-bit result, r6 to r9 kept although the callee uses them all."""
    v = Vector(
        "call-arguments",
        [
            "A local function of five 64-bit arguments that uses every register, called from a loop and with constants.",
            "Case per call: result; r6 to r9 are compared after each.",
        ],
    )
    rows = [[values.mixed(v.random) for _ in range(5)] for _ in range(12)]

    def result(a):
        r = 0
        for i, x in enumerate(a):
            r = ((r ^ x) * ODD + (x >> (i + 1))) & M64
        return r

    at = v.words(x for row in rows for x in row + [result(row)])
    n = len(rows)
    v.case(n)
    v.asm(
        "lddw %r9, 0xa1a2a3a4a5a6a7a8",
        "lddw %r8, 0xb1b2b3b4b5b6b7b8",
        "mov %r7, %r1",
        "mov %r6, 0",
        "loop:",
        "stxdw [%r10-8], %r6",
        "stxdw [%r10-16], %r7",
        "mov %r0, %r6",
        "mul %r0, 48",
        "add %r0, %r7",
        *[f"ldxdw %r{i + 1}, [%r0+{at + 8 * i}]" for i in range(5)],
        "call local mix",
        "mov %r1, %r6",
        "mul %r1, 48",
        "add %r1, %r7",
        f"ldxdw %r2, [%r1+{at + 40}]",
        "mov %r5, %r0",
        "mov %r0, %r6",
        "add %r0, 1",
        "jne %r5, %r2, fail",
        "ldxdw %r3, [%r10-8]",
        "jne %r3, %r6, fail",
        "lddw %r3, 0xa1a2a3a4a5a6a7a8",
        "jne %r3, %r9, fail",
        "lddw %r3, 0xb1b2b3b4b5b6b7b8",
        "jne %r3, %r8, fail",
        "add %r6, 1",
        f"jlt %r6, {n}, loop",
    )
    for row in [[1, 2, 3, 4, 5], [M64] * 5, [0, 1 << 32, 0, 1 << 63, 7]]:
        v.asm(*[constant(i + 1, x) for i, x in enumerate(row)], "call local mix", "mov %r1, %r0")
        expect(v, 1, result(row), 2)
    v.finish()
    v.asm("mix:", "mov %r6, 0", "lddw %r9, 0x9e3779b97f4a7c15")
    for i in range(5):
        v.asm(
            f"mov %r7, %r{i + 1}",
            f"rsh %r7, {i + 1}",
            f"mov %r8, %r{i + 1}",
            "xor %r6, %r8",
            "mul %r6, %r9",
            "add %r6, %r7",
        )
    v.asm(
        "mov %r0, %r6", "mov %r1, 0", "mov %r2, 0", "mov %r3, 0", "mov %r4, 0", "mov %r5, 0", "exit"
    )
    return v


def nesting():
    """Eight frames of 56 bytes, each filled before the inner call and compared after it; the callee also
    writes into its caller's frame through a pointer."""
    depth = 6  # and the program itself, and the innermost function
    v = Vector(
        "call-nested",
        [
            "Eight frames deep; every frame holds values across the inner call, and the callee changes one word of its",
            "caller's frame. Case 1: the sum that comes back.",
        ],
    )
    seed = v.word(0x1122334455667788)

    def run(level, x):
        if level > depth:
            return (x * 3 + 1) & M64, (x ^ 0xFF) & M64
        words = [(x + k * ODD) & M64 for k in range(5)]
        below, written = run(level + 1, (x ^ (level * 0x0101010101010101)) & M64)
        words[2] = written
        total = below
        for k, w in enumerate(words):
            total = (total * 31 + w) & M64
        return (total ^ x) & M64, (total + level) & M64

    total, written = run(1, 0x1122334455667788)
    v.asm(
        f"ldxdw %r1, [%r1+{seed}]",
        "mov %r2, %r10",
        "add %r2, -8",
        "call local f1",
        "mov %r1, %r0",
        "ldxdw %r3, [%r10-8]",
    )
    expect(v, 1, total, 2)
    expect(v, 3, written, 2)
    v.finish()
    for level in range(1, depth + 2):
        v.asm(f"f{level}:")
        if level > depth:
            v.asm(
                "mov %r0, %r1",
                "mul %r0, 3",
                "add %r0, 1",
                "xor %r1, 0xff",
                "stxdw [%r2+0], %r1",
                "exit",
            )
            continue
        v.asm("mov %r6, %r1", "mov %r7, %r2", f"lddw %r3, {ODD:#x}")
        for k in range(5):
            v.asm(f"stxdw [%r10-{8 + 8 * k}], %r1", "add %r1, %r3")
        v.asm(
            "mov %r1, %r6",
            f"lddw %r3, {level * 0x0101010101010101:#x}",
            "xor %r1, %r3",
            "mov %r2, %r10",
            "add %r2, -24",
            f"call local f{level + 1}",
        )
        for k in range(5):
            v.asm("mul %r0, 31", f"ldxdw %r1, [%r10-{8 + 8 * k}]", "add %r0, %r1")
        v.asm("mov %r1, %r0", f"add %r1, {level}", "stxdw [%r7+0], %r1", "xor %r0, %r6", "exit")
    return v


def sharing():
    """One function from several places with different knowledge of its arguments; several exits; calls in
    both arms of a branch; a function that calls two others."""
    v = Vector(
        "call-shared",
        [
            "Functions with several callers and several exits; calls inside branches and loops. A case per result."
        ],
    )
    inputs = [0, 1, 5, 0x80000000, 0xFFFFFFFF, 0x100000000, 1 << 63, M64]
    at = v.words(inputs)

    def clamp(x, low, high):
        return low if x < low else high if x > high else x

    def twice(x):
        return (clamp(x, 2, 0x100000001) * 2 + clamp(x >> 1, 0, 9)) & M64

    v.asm("mov %r6, %r1")
    for i, x in enumerate(inputs):
        v.asm(f"ldxdw %r1, [%r6+{at + 8 * i}]", "call local twice", "mov %r3, %r0")
        expect(v, 3, twice(x), 4)
    for x in inputs:
        v.asm(constant(1, x), "mov %r2, 3", "mov %r3, 12", "call local clamp", "mov %r3, %r0")
        expect(v, 3, clamp(x, 3, 12), 4)
    total = 0
    for x in inputs:
        total = (total * 7 + (twice(x) if x & 1 else clamp(x, 1, 1 << 40))) & M64
    v.asm(
        "mov %r7, 0",
        "mov %r8, 0",
        "loop:",
        "mov %r2, %r6",
        "add %r2, %r7",
        f"ldxdw %r1, [%r2+{at}]",
        "jset %r1, 1, odd",
        "mov %r2, 1",
        "lddw %r3, 0x10000000000",
        "call local clamp",
        "ja join",
        "odd:",
        "call local twice",
        "join:",
        "mul %r8, 7",
        "add %r8, %r0",
        "add %r7, 8",
        f"jlt %r7, {8 * len(inputs)}, loop",
    )
    expect(v, 8, total, 4)
    v.finish()
    v.asm(
        "twice:",
        "mov %r6, %r1",
        "mov %r2, 2",
        "lddw %r3, 0x100000001",
        "call local clamp",
        "mov %r7, %r0",
        "lsh %r7, 1",
        "mov %r1, %r6",
        "rsh %r1, 1",
        "mov %r2, 0",
        "mov %r3, 9",
        "call local clamp",
        "add %r0, %r7",
        "exit",
        "clamp:",
        "jlt %r1, %r2, low",
        "jgt %r1, %r3, high",
        "mov %r0, %r1",
        "exit",
        "low:",
        "mov %r0, %r2",
        "exit",
        "high:",
        "mov %r0, %r3",
        "exit",
    )
    return v


def helpers():
    """Helper calls by number and by register; r6 to r9 and the stack live across them."""
    v = Vector(
        "call-helper",
        [
            "get_smp_processor_id (8), ktime_get_ns (5), get_prandom_u32 (7) and strncmp (182), by number and through a",
            "register. A case per check.",
        ],
    )
    v.asm(
        "lddw %r6, 0x1111222233334444",
        "lddw %r7, 0x5555666677778888",
        "lddw %r8, 0x99990000aaaabbbb",
        "mov %r9, -2",
        "stxdw [%r10-8], %r8",
    )
    for how in ("call", "callx"):

        def call(number):
            v.asm(*([f"call {number}"] if how == "call" else [f"mov %r5, {number}", "callx %r5"]))

        call(8)
        v.asm("mov %r1, %r0")
        expect(v, 1, 0, 2)
        call(7)
        v.asm("mov %r1, %r0", "rsh %r1, 32")
        expect(v, 1, 0, 2)
        call(5)
        v.asm("stxdw [%r10-16], %r0")
        call(5)
        v.asm("mov %r2, %r0", "ldxdw %r1, [%r10-16]", f"mov %r0, {v.case()}", "jgt %r1, %r2, fail")
        for reg, value in (
            (6, 0x1111222233334444),
            (7, 0x5555666677778888),
            (8, 0x99990000AAAABBBB),
            (9, M64 - 1),
        ):
            expect(v, reg, value, 2)
        v.asm("ldxdw %r3, [%r10-8]")
        expect(v, 3, 0x99990000AAAABBBB, 2)
    # strncmp: "abc" at r10-24, "abd" at r10-32
    v.asm("mov %r1, 0x636261", "stxdw [%r10-24], %r1", "mov %r1, 0x646261", "stxdw [%r10-32], %r1")
    for size, sign in ((4, -1), (2, 0), (0, 0)):
        v.asm(
            "mov %r1, %r10",
            "add %r1, -24",
            f"mov %r2, {size}",
            "mov %r3, %r10",
            "add %r3, -32",
            "call 182",
        )
        v.asm(
            "mov %r1, %r0", f"mov %r0, {v.case()}", f"{'jsge' if sign < 0 else 'jne'} %r1, 0, fail"
        )
    v.finish()
    return v


def pointers():
    """Function addresses in registers: callx, in a loop over two functions, and as a callback."""
    v = Vector(
        "call-pointer",
        [
            "lddw of a function, callx through it, two functions chosen by data, and bpf_loop (181) with a callback. A",
            "case per check.",
        ],
    )
    at = v.words([0, 1, 1, 0])
    v.asm(
        "mov %r6, %r1",
        "lddw %r7, func add3",
        "mov %r1, 4",
        "lddw %r2, 0x1000000000000005",
        "mov %r3, -1",
        "callx %r7",
        "mov %r1, %r0",
    )
    expect(v, 1, 0x1000000000000008, 2)
    v.asm(
        "mov %r8, 0",
        "mov %r9, 1",
        "loop:",
        "mov %r2, %r6",
        "add %r2, %r8",
        f"ldxdw %r4, [%r2+{at}]",
        "lddw %r7, func add3",
        "jeq %r4, 0, +2",
        "lddw %r7, func mix3",
        "mov %r1, %r9",
        "mov %r2, %r8",
        "mov %r3, 77",
        "callx %r7",
        "mov %r9, %r0",
        "add %r8, 8",
        "jlt %r8, 32, loop",
    )
    x = 1
    for i, which in enumerate([0, 1, 1, 0]):
        x = (x * 1000003 ^ (8 * i + 77)) & M64 if which else (x + 8 * i + 77) & M64
    expect(v, 9, x, 2)
    # bpf_loop(10, body, &context, 0): body adds index * index to the context, and stops at 7
    v.asm(
        "stdw [%r10-8], 100",
        "mov %r1, 10",
        "lddw %r2, func body",
        "mov %r3, %r10",
        "add %r3, -8",
        "mov %r4, 0",
        "call 181",
        "mov %r3, %r0",
        "ldxdw %r4, [%r10-8]",
    )
    expect(v, 4, 100 + sum(i * i for i in range(8)), 2)
    expect(v, 3, 8, 2)
    v.finish()
    v.asm(
        "add3:",
        "mov %r0, %r1",
        "add %r0, %r2",
        "add %r0, %r3",
        "exit",
        "mix3:",
        "mov %r0, %r1",
        "mul %r0, 1000003",
        "add %r2, %r3",
        "xor %r0, %r2",
        "exit",
        "body:",
        "mov %r3, %r1",
        "mul %r3, %r3",
        "ldxdw %r4, [%r2+0]",
        "add %r4, %r3",
        "stxdw [%r2+0], %r4",
        "mov %r0, 0",
        "jlt %r1, 7, +1",
        "mov %r0, 1",
        "exit",
    )
    return v


def refused(name, about, *lines):
    v = Vector("refused-" + name, [f"Must be refused: {about}."])
    v.asm(*lines)
    v.error = about
    return v


def refusals():
    end = ("mov %r0, 0", "exit")
    yield refused(
        "recursion",
        "recursion",
        "mov %r1, 3",
        "call local f",
        "exit",
        "f:",
        "jeq %r1, 0, +2",
        "add %r1, -1",
        "call local f",
        *end,
    )
    yield refused(
        "recursion-mutual",
        "recursion through two functions",
        "mov %r1, 3",
        "call local f",
        "exit",
        "f:",
        "jeq %r1, 0, +2",
        "add %r1, -1",
        "call local g",
        *end,
        "g:",
        "call local f",
        "exit",
    )
    yield refused("jump-beyond", "a jump beyond the end", "mov %r0, 0", "ja +1", "exit")
    yield refused("jump-before", "a jump before the start", "mov %r0, 0", "ja -3", "exit")
    yield refused(
        "jump-into-lddw",
        "a jump into the second half of an lddw",
        "mov %r0, 0",
        "jeq %r0, 0, +1",
        "lddw %r1, 0x500000005",
        "exit",
    )
    yield refused("no-exit", "the end is not an exit", "mov %r0, 0", "mov %r1, 0")
    yield refused("register-11", "no register r11", "mov %r11, 0", *end)
    yield refused("source-12", "no register r12", "mov %r0, %r12", "exit")
    yield refused("write-r10", "r10 cannot be written", "mov %r10, 0", *end)
    yield refused("load-r10", "r10 cannot be loaded", "ldxdw %r10, [%r1+0]", *end)
    yield refused("unknown-helper", "there is no such helper", "call 9999", "exit")
    yield refused("runtime-call", "calls by BTF id", "call runtime 3", "exit")
    yield refused("call-beyond", "a call beyond the end", "call local +9", *end)
    yield refused(
        "stack-520", "more than 512 bytes of stack", "mov %r0, 0", "stxdw [%r10-520], %r0", "exit"
    )
    yield refused(
        "stack-above", "the stack ends at r10", "mov %r0, 0", "stxdw [%r10+0], %r0", "exit"
    )
    yield refused(
        "stack-frames",
        "more than 512 bytes of stack in all frames",
        "mov %r1, 0",
        "stxdw [%r10-512], %r1",
        "call local f",
        "exit",
        "f:",
        "mov %r0, 0",
        "stxdw [%r10-8], %r0",
        "exit",
    )


def raw_refusals():
    """Encodings that no assembler writes. The words are opcode, registers, offset, immediate."""
    exit_word = 0x95
    for name, about, words in (
        ("opcode-ff", "opcode 0xff", [0xFF]),
        ("packet-abs", "legacy packet access", [0x20]),
        ("packet-ind", "legacy packet access", [0x40]),
        ("may-goto", "may_goto", [0xE5]),
        ("reserved-alu", "the offset of add is reserved", [0x07 | 1 << 16]),
        ("reserved-exit", "the immediate of exit is reserved", [0x95 | 1 << 32]),
        (
            "reserved-source",
            "the source register of an immediate form is reserved",
            [0x07 | 0x10 << 8],
        ),
        ("atomic-sub", "no such atomic operation", [0xDB | 0x1A << 8 | 0xFFF8 << 16 | 0x10 << 32]),
        ("atomic-byte", "no atomic operation on bytes", [0xD3 | 0x1A << 8 | 0xFFF8 << 16]),
        ("swap-24", "no byte swap of 24 bits", [0xD4 | 24 << 32]),
        ("movsx-7", "no sign extension from 7 bits", [0xBF | 7 << 16]),
        ("load-signed-64", "no sign-extending load of 64 bits", [0x99 | 0x10 << 8]),
        ("half-lddw", "lddw without its second half", [0x18]),
    ):
        v = Vector("refused-" + name, [f"Must be refused: {about}."])
        v.raw = [*words, exit_word] if name != "half-lddw" else [0xB7, exit_word, 0x18]
        v.error = about
        yield v


def faults():
    """Programs that start, and must be stopped."""
    for name, about, lines in (
        ("null-load", "load from address 0", ["mov %r1, 0", "ldxw %r0, [%r1+0]"]),
        (
            "wild-load",
            "load outside the program's memory",
            ["lddw %r1, 0x60000000", "ldxdw %r0, [%r1+0]"],
        ),
        (
            "wild-store",
            "store outside the program's memory",
            ["lddw %r1, 0x60000000", "stw [%r1+0], 1"],
        ),
        (
            "wild-atomic",
            "atomic outside the program's memory",
            ["lddw %r1, 0x60000000", "lock add [%r1+0], %r1"],
        ),
        ("beyond-memory", "store far beyond the memory", ["add %r1, 0x100000", "stw [%r1+0], 1"]),
        (
            "wild-call",
            "call of an address that is no function",
            ["lddw %r1, 0x60000000", "callx %r1"],
        ),
        ("wild-helper", "call of a helper that does not exist", ["mov %r1, 4000", "callx %r1"]),
    ):
        v = Vector("fault-" + name, [f"Must be stopped: {about}."])
        v.word(1)
        v.asm("mov %r0, 0", *lines, "exit")
        v.error = about
        yield v


def vectors():
    yield arguments()
    yield nesting()
    yield sharing()
    yield helpers()
    yield pointers()
    yield from refusals()
    yield from raw_refusals()
    yield from faults()
