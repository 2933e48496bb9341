# SPDX-License-Identifier: MIT
"""Conditional jumps: every test at 32 and 64 bits, taken and not, forward and backward."""
import oracle
import values
from builder import Pressure, Vector, constant
from oracle import JUMP_OPS, alu, jump

OPERANDS = [
    0,
    1,
    2,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x100000000,
    0x100000001,
    0x7FFFFFFFFFFFFFFF,
    0x8000000000000000,
    0x8000000000000001,
    0xFFFFFFFF00000000,
    0xFFFFFFFF80000000,
    0xFFFFFFFFFFFFFFFF,
]
IMMEDIATES = [0, 1, -1, 2, -2, 255, 0x7FFFFFFF, -0x80000000, 0x1000, -0x1001]


def mnemonic(op, width):
    return op + ("32" if width == 32 else "")


def test_shapes(v, test):
    """r0 gets bit 0 by a forward jump over a false arm, bit 1 by a taken skip, bit 2 by a jump back:
    7 when the jump is taken, else 0. `test(target)` is the jump."""
    t, f, back, over, done, skip = (v.label(s) for s in ("t", "f", "back", "over", "done", "skip"))
    v.asm(
        "mov %r0, 0",
        test(t),
        f"ja {f}",
        t + ":",
        "or %r0, 1",
        f + ":",
        "or %r0, 2",
        test(skip),
        "and %r0, -3",
        skip + ":",
        f"ja {over}",
        back + ":",
        "or %r0, 4",
        f"ja {done}",
        over + ":",
        test(back),
        done + ":",
    )


def register_form(op, width):
    n = len(OPERANDS)
    v = Vector(
        f"{op}{width}-reg",
        [
            f"{op}, {width} bits, two registers.",
            f"Cases 1 to {n * n}: a[(case-1) / {n}] and a[(case-1) % {n}], a = the first {n} words of memory. Then a[i]",
            "with itself. Then 10 cases for each chain of jumps: r0 to r9 after it.",
        ],
    )
    a_at = v.words(OPERANDS)
    expected_at = v.bytes(7 * jump(op, width, a, b) for a in OPERANDS for b in OPERANDS)
    same_at = v.bytes(7 * jump(op, width, a, a) for a in OPERANDS)
    v.bytes([0] * (-len(v.mem) % 8))
    Pressure.prologue(v)
    v.case(n * n + n)
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
        f"ldxdw %r4, [%r2+{a_at}]",
    )
    test_shapes(v, lambda target: f"{name} %r3, %r4, {target}")
    v.asm(
        "mov %r2, %r6",
        "add %r2, %r9",
        f"ldxb %r2, [%r2+{expected_at}]",
        "add %r9, 1",
        "mov %r5, %r0",
        "mov %r0, %r9",
        "jne %r5, %r2, fail",
        "add %r8, 8",
        f"jlt %r8, {8 * n}, inner",
        "add %r7, 8",
        f"jlt %r7, {8 * n}, outer",
        "mov %r7, 0",
        "same:",
        "mov %r2, %r7",
        "lsh %r2, 3",
        "add %r2, %r6",
        f"ldxdw %r3, [%r2+{a_at}]",
    )
    test_shapes(v, lambda target: f"{name} %r3, %r3, {target}")
    v.asm(
        "mov %r2, %r6",
        "add %r2, %r7",
        f"ldxb %r2, [%r2+{same_at}]",
        "add %r9, 1",
        "mov %r5, %r0",
        "mov %r0, %r9",
        "jne %r5, %r2, fail",
        "add %r7, 1",
        f"jlt %r7, {n}, same",
    )
    chains(v, op, width, None)
    v.finish()
    return v


def immediate_form(op, width):
    n = len(OPERANDS)
    v = Vector(
        f"{op}{width}-imm",
        [
            f"{op}, {width} bits, register and immediate.",
            f"Case k * {n} + i + 1: a[i] and the k-th immediate, a = the first {n} words of memory. Then 10 cases for",
            "each chain of jumps: r0 to r9 after it.",
        ],
    )
    a_at = v.words(OPERANDS)
    expected_at = v.bytes(
        7 * jump(op, width, a, oracle.imm(i)) for i in IMMEDIATES for a in OPERANDS
    )
    v.bytes([0] * (-len(v.mem) % 8))
    Pressure.prologue(v)
    v.case(n * len(IMMEDIATES))
    name = mnemonic(op, width)
    v.asm("mov %r6, %r1", "mov %r9, 0")
    for imm in IMMEDIATES:
        loop = v.label("loop")
        v.asm(
            f"# immediate {imm}",
            "mov %r7, 0",
            loop + ":",
            "mov %r2, %r6",
            "add %r2, %r7",
            f"ldxdw %r3, [%r2+{a_at}]",
        )
        test_shapes(v, lambda target: f"{name} %r3, {imm}, {target}")
        v.asm(
            "mov %r2, %r6",
            "add %r2, %r9",
            f"ldxb %r2, [%r2+{expected_at}]",
            "add %r9, 1",
            "mov %r5, %r0",
            "mov %r0, %r9",
            "jne %r5, %r2, fail",
            "add %r7, 8",
            f"jlt %r7, {8 * n}, {loop}",
        )
    chains(v, op, width, IMMEDIATES)
    v.finish()
    return v


def constant_form(op, width):
    v = Vector(
        f"{op}{width}-const",
        [f"{op}, {width} bits, operands known while compiling. A comment numbers each case."],
    )
    name, rng = mnemonic(op, width), v.random
    pairs = [(a, b) for a in OPERANDS for b in OPERANDS]
    cases = [(a, b, None) for a, b in rng.sample(pairs, 30)] + [(a, a, None) for a in OPERANDS[::3]]
    cases += [(a, oracle.imm(i), i) for a in OPERANDS[::2] for i in rng.sample(IMMEDIATES, 4)]
    for a, b, imm in cases:
        x, y = rng.sample(range(1, 10), 2)
        over = v.label("over")
        second = f"%r{y}" if imm is None else str(imm)
        v.asm(f"# case {v.case()}: {a:#x}, {b:#x}", f"mov %r0, {v.cases}", constant(x, a))
        if imm is None:
            v.asm(constant(y, b))
        v.asm(f"{name} %r{x}, {second}, {over}")
        v.asm(
            *(
                ["ja fail", over + ":"]
                if jump(op, width, a, b)
                else ["ja +1", over + ":", "ja fail"]
            )
        )
    v.finish()
    return v


def chains(v, op, width, imms, count=4):
    """Jumps between registers that are all live, around changes of them."""
    name, rng = mnemonic(op, width), v.random
    for _ in range(count):
        p = Pressure(
            v, [rng.choice(OPERANDS) if rng.randrange(2) else values.mixed(rng) for _ in range(10)]
        )
        for _ in range(8):
            a, b, dst, src = (rng.randrange(10) for _ in range(4))
            imm = rng.choice(imms) if imms else None
            over = v.label("over")
            v.asm(f"{name} %r{a}, {f'%r{b}' if imm is None else imm}, {over}")
            change = rng.choice(["add", "sub", "xor", "mov", "or", "and"])
            v.asm(f"{change} %r{dst}, %r{src}", over + ":")
            second = p.regs[b] if imm is None else oracle.imm(imm)
            if not jump(op, width, p.regs[a], second):
                p.regs[dst] = alu(change, 64, p.regs[dst], p.regs[src])
        p.check()


def vectors():
    for op in JUMP_OPS:
        for width in (32, 64):
            yield register_form(op, width)
            yield immediate_form(op, width)
            yield constant_form(op, width)
