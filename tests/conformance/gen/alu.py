# SPDX-License-Identifier: MIT
"""Arithmetic: every operation at 32 and 64 bits, with a register, an immediate and constants."""
import oracle
import values
from builder import Pressure, Vector, constant
from oracle import ALU_OPS, M64, alu


def mnemonic(op, width):
    return op + ("32" if width == 32 else "")


def pressure_chains(v, op, width, second, count=4):
    """Runs of `op` with every register live, two of them different in the two arms of a branch."""
    name, rng = mnemonic(op, width), v.random

    def step(regs):
        dst = rng.randrange(10)
        if second is None:
            src = rng.randrange(10)
            v.asm(f"{name} %r{dst}, %r{src}")
            regs[dst] = alu(op, width, regs[dst], regs[src])
        else:
            imm = rng.choice(second)
            v.asm(f"{name} %r{dst}, {imm}")
            regs[dst] = alu(op, width, regs[dst], oracle.imm(imm, width))
        # Something that keeps the registers from all becoming 0
        dst, src = rng.sample(range(10), 2)
        v.asm(f"xor %r{dst}, %r{src}")
        regs[dst] ^= regs[src]

    for _ in range(count):
        p = Pressure(v, [values.mixed(rng) for _ in range(10)])
        for _ in range(5):
            step(p.regs)
        tested = rng.randrange(10)
        then, join = v.label("then"), v.label("join")
        v.asm(f"jset %r{tested}, 1, {then}")
        taken = p.regs[tested] & 1
        for arm in (0, 1):
            regs = list(p.regs)
            for _ in range(4):
                step(regs)
            if arm == taken:
                result = regs
            v.asm(*([f"ja {join}", then + ":"] if arm == 0 else [join + ":"]))
        p.regs = result
        for _ in range(3):
            step(p.regs)
        p.check()


def register_form(op, width):
    """All pairs of operands from memory, so that nothing is known while compiling; then each value with
    itself; then chains under pressure."""
    first, second = values.operands(op)
    n, m = len(first), len(second)
    v = Vector(
        f"{op}{width}-reg",
        [
            f"{op}, {width} bits, register source.",
            f"Cases 1 to {n * m}: a[(case-1) / {m}] {op} b[(case-1) % {m}], a = the first {n} words of memory, b = the",
            f"next {m}. Then a[i] {op} a[i], same register twice. Then 10 cases for each chain: r0 to r9 after it.",
        ],
    )
    a_at, b_at = v.words(first), v.words(second)
    pairs_at = v.words(alu(op, width, a, b) for a in first for b in second)
    same_at = v.words(alu(op, width, a, a) for a in first)
    Pressure.prologue(v)
    v.case(n * m + n)
    name = mnemonic(op, width)
    v.asm(
        "mov %r6, %r1",
        "mov %r9, 0",
        "mov %r7, 0",
        "outer:",
        "mov %r8, 0",
        "inner:",
        "mov %r2, %r6",
        "add %r2, %r7",
        f"ldxdw %r3, [%r2+{a_at}]",
        "mov %r2, %r6",
        "add %r2, %r8",
        f"ldxdw %r4, [%r2+{b_at}]",
        "mov %r5, %r4",
        f"{name} %r3, %r4",
        "mov %r2, %r9",
        "lsh %r2, 3",
        "add %r2, %r6",
        f"ldxdw %r2, [%r2+{pairs_at}]",
        "add %r9, 1",
        "mov %r0, %r9",
        "jne %r3, %r2, fail",
        "jne %r4, %r5, fail",  # the source must not change
        "add %r8, 8",
        f"jlt %r8, {8 * m}, inner",
        "add %r7, 8",
        f"jlt %r7, {8 * n}, outer",
        "mov %r7, 0",
        "same:",
        "mov %r2, %r6",
        "add %r2, %r7",
        f"ldxdw %r8, [%r2+{a_at}]",
        f"{name} %r8, %r8",
        f"ldxdw %r3, [%r2+{same_at}]",
        "add %r9, 1",
        "mov %r0, %r9",
        "jne %r8, %r3, fail",
        "add %r7, 8",
        f"jlt %r7, {8 * n}, same",
    )
    pressure_chains(v, op, width, None)
    v.finish()
    return v


def immediate_form(op, width):
    """Every first operand with every immediate, each immediate an instruction of its own."""
    first, imms = values.operands(op)[0], values.immediates(op, width)
    n = len(first)
    v = Vector(
        f"{op}{width}-imm",
        [
            f"{op}, {width} bits, immediate source.",
            f"Case i * {len(imms)} + k + 1: a[i] {op} the k-th immediate, a = the first {n} words of memory.",
            "Then 10 cases for each chain: r0 to r9 after it.",
        ],
    )
    a_at = v.words(first)
    results_at = v.words(alu(op, width, a, oracle.imm(i, width)) for a in first for i in imms)
    Pressure.prologue(v)
    v.case(n * len(imms))
    # r5 walks over the first operands, r4 over the results
    v.asm(
        "mov %r6, %r1",
        "mov %r7, 0",
        "mov %r0, 0",
        "mov %r4, %r1",
        "loop:",
        "mov %r2, %r6",
        "add %r2, %r7",
        f"ldxdw %r5, [%r2+{a_at}]",
    )
    for k, imm in enumerate(imms):
        reg = [3, 8, 9][k % 3]
        v.asm(
            "add %r0, 1",
            f"mov %r{reg}, %r5",
            f"{mnemonic(op, width)} %r{reg}, {imm}",
            f"ldxdw %r1, [%r4+{results_at + 8 * k}]",
            f"jne %r{reg}, %r1, fail",
        )
    v.asm(f"add %r4, {8 * len(imms)}", "add %r7, 8", f"jlt %r7, {8 * n}, loop")
    pressure_chains(v, op, width, imms)
    v.finish()
    return v


def constant_form(op, width):
    """Operands that the compiler knows: what it folds must be what the instruction computes."""
    first, second = values.operands(op)
    imms = values.immediates(op, width)
    v = Vector(
        f"{op}{width}-const",
        [
            f"{op}, {width} bits, operands known while compiling: what is folded must be what would be computed.",
            "A comment numbers each case.",
        ],
    )
    name, rng = mnemonic(op, width), v.random
    pairs = [(a, b) for a in first for b in second]
    for a, b in rng.sample(pairs, 40):
        x, y, z = rng.sample(range(1, 10), 3)
        v.asm(
            f"# case {v.case()}: {a:#x}, {b:#x}",
            f"mov %r0, {v.cases}",
            constant(x, a),
            constant(y, b),
            f"{name} %r{x}, %r{y}",
            constant(z, alu(op, width, a, b)),
            f"jne %r{x}, %r{z}, fail",
        )
    for a, i in rng.sample([(a, i) for a in first for i in imms], 30):
        x, z = rng.sample(range(1, 10), 2)
        v.asm(
            f"# case {v.case()}: {a:#x}, {i}",
            f"mov %r0, {v.cases}",
            constant(x, a),
            f"{name} %r{x}, {i}",
            constant(z, alu(op, width, a, oracle.imm(i, width))),
            f"jne %r{x}, %r{z}, fail",
        )
    for a in first:
        v.asm(
            f"# case {v.case()}: {a:#x} twice",
            f"mov %r0, {v.cases}",
            constant(1, a),
            f"{name} %r1, %r1",
            constant(2, alu(op, width, a, a)),
            "jne %r1, %r2, fail",
        )
    v.finish()
    return v


def unary(name, about, result, form):
    """One-operand operations: from memory, in place or between registers; from constants; under pressure."""
    v = Vector(name.replace(" ", "-"), about)
    inputs = values.BOUNDARY + [0x80, 0x8000, 0xFF7F, 0x8081828384858687, 0x0102030405060708]
    n = len(inputs)
    a_at = v.words(inputs)
    results_at = v.words(result(a) for a in inputs)
    Pressure.prologue(v)
    v.case(n)
    v.asm(
        "mov %r6, %r1",
        "mov %r7, 0",
        "loop:",
        "mov %r2, %r6",
        "add %r2, %r7",
        f"ldxdw %r3, [%r2+{a_at}]",
        "mov %r4, %r3",
        form(4, 3),
        f"ldxdw %r5, [%r2+{results_at}]",
        "mov %r0, %r7",
        "rsh %r0, 3",
        "add %r0, 1",
        "jne %r4, %r5, fail",
        "add %r7, 8",
        f"jlt %r7, {8 * n}, loop",
    )
    for a in inputs:
        dst, out = v.random.sample(range(1, 10), 2)
        v.asm(
            f"# case {v.case()}: {a:#x}",
            f"mov %r0, {v.cases}",
            constant(dst, a),
            form(dst, dst),
            constant(out, result(a)),
            f"jne %r{dst}, %r{out}, fail",
        )
    for _ in range(6):
        p = Pressure(v, [values.mixed(v.random) for _ in range(10)])
        for _ in range(10):
            dst, src = v.random.randrange(10), v.random.randrange(10)
            if form(dst, src) == form(dst, dst):
                src = dst
            v.asm(form(dst, src))
            p.regs[dst] = result(p.regs[src])
        p.check()
    v.finish()
    return v


def suffix_cases(n):
    return [
        f"Cases 1 to {n}: the words at the start of memory; then the same as constants (numbered in",
        "comments); then 10 cases for each chain: r0 to r9 after it.",
    ]


def unmasked_shifts():
    """Shift counts at and above the width, and divisions by 0, as immediates. RFC 9669 4.1 gives them a
    meaning; verifiers refuse them, so they have a file of their own."""
    v = Vector(
        "imm-unusual",
        [
            "Immediate shift counts outside the width, and immediate divisors 0: defined by RFC 9669 4.1, and refused",
            "by verifiers. A comment numbers each case; first operands come from memory.",
        ],
    )
    for op in ("lsh", "rsh", "arsh"):
        for width in (32, 64):
            for count in (32, 33, 60, 63, 64, 65, 95, 127, -1, -4, -32, -33, -64, 1 << 30):
                one_immediate(v, op, width, 0xFEDCBA9876543211, count)
    for op in ("div", "sdiv", "mod", "smod"):
        for width in (32, 64):
            for a in (0, 1, 0xFFFFFFFFFFFFFFFF, 0x8000000080000000):
                one_immediate(v, op, width, a, 0)
    v.finish()
    return v


def one_immediate(v, op, width, a, imm):
    at = v.word(a)
    v.asm(
        f"# case {v.case()}: {a:#x} {mnemonic(op, width)} {imm}",
        f"mov %r0, {v.cases}",
        f"ldxdw %r2, [%r1+{at}]",
        f"{mnemonic(op, width)} %r2, {imm}",
        constant(3, alu(op, width, a, oracle.imm(imm, width))),
        "jne %r2, %r3, fail",
    )


def vectors():
    for op in ALU_OPS:
        for width in (32, 64):
            yield register_form(op, width)
            yield immediate_form(op, width)
            yield constant_form(op, width)
    for width in (32, 64):
        yield unary(
            f"neg{width}",
            [f"neg, {width} bits."] + suffix_cases(19),
            lambda a, w=width: alu("neg", w, a, 0),
            lambda d, s, w=width: f"{mnemonic('neg', w)} %r{d}",
        )
    for bits, width in ((8, 32), (16, 32), (8, 64), (16, 64), (32, 64)):
        yield unary(
            f"movsx{bits}{width}",
            [f"movsx{bits}{width}: sign extension from {bits} to {width} bits."] + suffix_cases(19),
            lambda a, b=bits, w=width: oracle.movsx(b, w, a),
            lambda d, s, b=bits, w=width: f"movsx{b}{w} %r{d}, %r{s}",
        )
    for op in ("le", "be", "bswap"):
        for width in (16, 32, 64):
            yield unary(
                f"{op}{width}",
                [f"{op}{width}."] + suffix_cases(19),
                lambda a, o=op, w=width: oracle.byteswap(o, w, a),
                lambda d, s, o=op, w=width: f"{o}{w} %r{d}",
            )
    yield unmasked_shifts()
