# SPDX-License-Identifier: MIT
"""Loads, stores and atomics: every size, sign, form and alignment, on the stack and in the context."""
import machine
import oracle
import values
from builder import Pressure, Vector, constant
from machine import SIZE
from oracle import ATOMIC_OPS, M64


def load_name(size, sign):
    return f"ldx{'s' if sign else ''}{SIZE[size]}"


def loads(size, sign):
    """Every alignment; small and large, positive and negative offsets; a base that is overwritten."""
    name = load_name(size, sign)
    v = Vector(name, [f"{name}: offsets, alignments, base registers. A comment numbers each case."])
    rng = v.random
    data = bytes(rng.randrange(256) for _ in range(64))
    at = v.bytes(data)
    far = 1024
    v.bytes([0] * (far - len(v.mem)))
    v.bytes(data)
    v.asm("mov %r6, %r1")

    def expect(case, off, reg):
        value = int.from_bytes(data[off : off + size // 8], "little")
        value = oracle.signed(value, size) & M64 if sign else value
        v.asm(f"lddw %r9, {value:#x}", f"mov %r0, {case}", f"jne %r{reg}, %r9, fail")

    for off in [0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 31, 56]:
        case = v.case()
        v.asm(f"# case {case}: offset {off}", f"{name} %r3, [%r6+{at + off}]")
        expect(case, off, 3)
        case = v.case()
        v.asm(
            f"# case {case}: offset {off} from a base beyond it, into the base",
            "mov %r4, %r6",
            "add %r4, 1060",
            f"{name} %r4, [%r4-{1060 - off}]",
        )
        expect(case, off, 4)
        case = v.case()
        v.asm(f"# case {case}: large offset", f"{name} %r8, [%r6+{far + off}]")
        expect(case, off, 8)
        case = v.case()
        # The index is loaded, so that nobody knows it while compiling
        index = v.word(off)
        v.asm(
            f"# case {case}: index in a register",
            f"ldxdw %r2, [%r6+{index}]",
            "add %r2, %r6",
            f"{name} %r5, [%r2+{at}]",
        )
        expect(case, off, 5)
        case = v.case()
        shifted = v.word(off)
        v.asm(
            f"# case {case}: index in words of 8",
            f"ldxw %r2, [%r6+{shifted}]",
            "and %r2, 7",
            "lsh %r2, 3",
            "mov %r3, %r6",
            "add %r3, %r2",
            f"{name} %r5, [%r3+{at}]",
        )
        expect(case, (off & 7) * 8, 5)
    v.finish()
    return v


def stores(size):
    """stx and st: the bytes that are written, and the neighbours that are not; context and stack."""
    stx, st = "stx" + SIZE[size], "st" + SIZE[size]
    v = Vector(
        stx,
        [f"{stx} and {st}: the bytes written and their neighbours. A comment numbers each case."],
    )
    rng = v.random
    v.bytes([0] * 64)
    v.asm("mov %r6, %r1")
    imms = [0, 1, -1, 0x7FFFFFFF, -0x80000000, 0x12345678, -0x12345678]

    def one(base, off, low):
        """Fills 24 bytes at base+low, stores at base+off, compares the 24 bytes."""
        window = bytearray(rng.randrange(256) for _ in range(24))
        for i in range(3):
            word = int.from_bytes(window[8 * i : 8 * i + 8], "little")
            v.asm(constant(2, word), f"stxdw [%r{base}{low + 8 * i:+d}], %r2")
        if rng.randrange(2):
            imm = rng.choice(imms)
            value = oracle.imm(imm)
            v.asm(f"{st} [%r{base}{off:+d}], {imm}")
        else:
            value = values.mixed(rng)
            at = v.word(value)
            reg = rng.choice([0, 3, 4, 5, 7, 8, 9])
            v.asm(f"ldxdw %r{reg}, [%r6+{at}]", f"{stx} [%r{base}{off:+d}], %r{reg}")
        window[off - low : off - low + size // 8] = (value & oracle.mask(size)).to_bytes(
            size // 8, "little"
        )
        case = v.case()
        for i in range(3):
            word = int.from_bytes(window[8 * i : 8 * i + 8], "little")
            v.asm(
                f"mov %r0, {case}",
                constant(3, word),
                f"ldxdw %r2, [%r{base}{low + 8 * i:+d}]",
                "jne %r2, %r3, fail",
            )

    for delta in range(0, 9):
        v.asm(f"# case {v.cases + 1}: context, offset {8 + delta}")
        one(6, 8 + delta, 8 if delta else 0)
        v.asm(f"# case {v.cases + 1}: stack, offset {delta - 32}")
        one(10, -32 + delta, -32)
        v.asm(f"# case {v.cases + 1}: bottom of the stack, offset {delta - 512}")
        one(10, -512 + delta, -512)
        v.asm(
            f"# case {v.cases + 1}: stack, through a copy of r10", "mov %r1, %r10", "add %r1, -256"
        )
        one(1, delta - 64, -64)
    v.finish()
    return v


def overlaps(kind):
    """Random stores and loads of all sizes over few bytes. On the stack they tempt the compiler to keep
    the bytes in registers; `aliased` also writes them through a pointer that nobody can follow."""
    v = Vector(
        f"overlap-{kind}",
        [
            f"Random loads and stores of all sizes over 32 bytes ({kind}). Each case is one word of the result of a run of",
            "60 accesses: r2 to r5, then the bytes.",
        ],
    )
    rng = v.random
    v.asm("mov %r6, %r1")
    index_at = [v.word(8 * i) for i in range(4)]
    seeds = v.words(values.mixed(rng) for _ in range(8))
    if kind == "context":
        v.bytes([0] * 64)
    base = "r10" if kind != "context" else "r7"
    low = -32 if kind != "context" else 0
    for _ in range(6):
        memory = bytearray(32)
        regs = {}
        if kind == "context":
            v.asm("mov %r7, %r6", f"add %r7, {len(v.mem) - 64}")
        for i in range(4):
            v.asm(f"stdw [%{base}{low + 8 * i:+d}], 0")
        for i in range(4):
            n = rng.randrange(8)
            regs[f"r{i + 2}"] = int.from_bytes(v.mem[seeds + 8 * n : seeds + 8 * n + 8], "little")
            v.asm(f"ldxdw %r{i + 2}, [%r6+{seeds + 8 * n}]")
        for _ in range(60):
            size = rng.choice([8, 16, 32, 64])
            off = rng.randrange(0, 33 - size // 8)
            if rng.randrange(3):  # mostly aligned, as compilers write
                off -= off % (size // 8)
            reg = f"r{rng.randrange(2, 6)}"
            action = rng.randrange(8)
            if action < 3:
                if rng.randrange(4):
                    v.asm(f"stx{SIZE[size]} [%{base}{low + off:+d}], %{reg}")
                    value = regs[reg]
                else:
                    imm = rng.choice(values.IMMEDIATES)
                    v.asm(f"st{SIZE[size]} [%{base}{low + off:+d}], {imm}")
                    value = oracle.imm(imm)
                memory[off : off + size // 8] = (value & oracle.mask(size)).to_bytes(
                    size // 8, "little"
                )
            elif action < 6 or kind != "aliased":
                sign = size < 64 and rng.randrange(2)
                value = int.from_bytes(memory[off : off + size // 8], "little")
                loaded = oracle.signed(value, size) & M64 if sign else value
                other = f"r{rng.randrange(2, 6)}"
                v.asm(f"{load_name(size, sign)} %r8, [%{base}{low + off:+d}]", f"add %{other}, %r8")
                regs[other] = (regs[other] + loaded) & M64
            else:
                slot = rng.randrange(4)
                v.asm(
                    f"ldxdw %r8, [%r6+{index_at[slot]}]",
                    "mov %r9, %r10",
                    "add %r9, -32",
                    "add %r9, %r8",
                    f"stxw [%r9+4], %{reg}",
                )
                memory[8 * slot + 4 : 8 * slot + 8] = (regs[reg] & 0xFFFFFFFF).to_bytes(4, "little")
        for i in range(4):
            case = v.case()
            v.asm(f"mov %r0, {case}", constant(9, regs[f"r{i + 2}"]), f"jne %r{i + 2}, %r9, fail")
        for i in range(4):
            case = v.case()
            word = int.from_bytes(memory[8 * i : 8 * i + 8], "little")
            v.asm(
                f"mov %r0, {case}",
                constant(9, word),
                f"ldxdw %r8, [%{base}{low + 8 * i:+d}]",
                "jne %r8, %r9, fail",
            )
    v.finish()
    return v


def whole_stack():
    """All 512 bytes, each byte different, written by a loop and read back in every size."""
    v = Vector(
        "stack-512",
        [
            "The whole stack of 512 bytes: a loop writes a different value into each word of 8, read back by loops of",
            "each size. Cases 1 to 64: words; then sums of all bytes, halfwords and words of 4.",
        ],
    )
    words = [(0x0123456789ABCDEF * (i + 1) ^ i) & M64 for i in range(64)]
    raw = b"".join(w.to_bytes(8, "little") for w in words)
    v.case(64)
    v.asm(
        "mov %r6, %r10",
        "add %r6, -512",
        "mov %r7, 0",
        "lddw %r4, 0x123456789abcdef",
        "mov %r3, 0",
        "write:",
        "add %r3, %r4",
        "mov %r5, %r3",
        "xor %r5, %r7",
        "mov %r2, %r7",
        "lsh %r2, 3",
        "add %r2, %r6",
        "stxdw [%r2+0], %r5",
        "add %r7, 1",
        "jlt %r7, 64, write",
        "mov %r7, 0",
        "mov %r3, 0",
        "read:",
        "add %r3, %r4",
        "mov %r5, %r3",
        "xor %r5, %r7",
        "mov %r2, %r7",
        "lsh %r2, 3",
        "add %r2, %r6",
        "ldxdw %r8, [%r2+0]",
        "add %r7, 1",
        "mov %r0, %r7",
        "jne %r8, %r5, fail",
        "jlt %r7, 64, read",
    )
    for size in (8, 16, 32):
        step = size // 8
        total = sum(int.from_bytes(raw[i : i + step], "little") for i in range(0, 512, step)) & M64
        loop = v.label("sum")
        case = v.case()
        v.asm(
            "mov %r7, 0",
            "mov %r3, 0",
            loop + ":",
            "mov %r2, %r6",
            "add %r2, %r7",
            f"ldx{SIZE[size]} %r8, [%r2+0]",
            "add %r3, %r8",
            f"add %r7, {step}",
            f"jlt %r7, 512, {loop}",
            f"mov %r0, {case}",
            constant(5, total),
            "jne %r3, %r5, fail",
        )
    v.finish()
    return v


def atomics(op, width):
    """Operand pairs from memory, on the stack and in the context; then with every register live."""
    name = op + ("32" if width == 32 else "")
    olds = [
        0,
        1,
        0xFFFFFFFF,
        0x100000000,
        0x7FFFFFFFFFFFFFFF,
        0xFFFFFFFFFFFFFFFF,
        0x80000000,
        0x123456789ABCDEF0,
    ]
    v = Vector(
        f"lock-{op.replace(' ', '-')}{width}",
        [
            f"lock {name}: old values and sources from memory, on the stack and in the context. For each pair three",
            "cases: memory, source register, r0. Then 11 cases for each run under pressure: r0 to r9, memory.",
        ],
    )
    rows = []
    for i, old in enumerate(olds):
        for k, src in enumerate(olds):
            # cmpxchg: equal, equal in the low word only, different
            r0 = [old, old ^ (5 << 32), old ^ 1, src][(i + k) % 4]
            new, src_after, r0_after = oracle.atomic(op, width, old & oracle.mask(width), src, r0)
            rows.append([old, src, r0, new | (old & ~oracle.mask(width)), src_after, r0_after])
    rows_at = v.words(word for row in rows for word in row)
    slot = v.word(0)
    Pressure.prologue(v)
    v.asm("mov %r6, %r1")
    for place, base, off in (("stack", "r10", -16), ("context", "r9", slot)):
        first = v.case(3 * len(rows))
        loop = v.label(place)
        v.asm(
            f"# {place}: cases {first} to {first + 3 * len(rows) - 1}",
            "mov %r7, 0",
            "mov %r9, %r6",
            loop + ":",
            "mov %r8, %r6",
            "mov %r2, %r7",
            "mul %r2, 48",
            "add %r8, %r2",
            f"ldxdw %r2, [%r8+{rows_at}]",
            f"stxdw [%{base}{off:+d}], %r2",
            f"ldxdw %r3, [%r8+{rows_at + 8}]",
            f"ldxdw %r0, [%r8+{rows_at + 16}]",
            f"lock {name} [%{base}{off:+d}], %r3",
            "mov %r4, %r0",
            "mov %r0, %r7",
            "mul %r0, 3",
            f"add %r0, {first}",
            f"ldxdw %r2, [%{base}{off:+d}]",
            f"ldxdw %r5, [%r8+{rows_at + 24}]",
            "jne %r2, %r5, fail",
            "add %r0, 1",
            f"ldxdw %r5, [%r8+{rows_at + 32}]",
            "jne %r3, %r5, fail",
            "add %r0, 1",
            f"ldxdw %r5, [%r8+{rows_at + 40}]",
            "jne %r4, %r5, fail",
            "add %r7, 1",
            f"jlt %r7, {len(rows)}, {loop}",
        )
    # The upper word as the place of a 32-bit atomic, all registers live, r0 as source too
    for source in (0, 1, 5, 9):
        p = Pressure(v, [values.mixed(v.random) for _ in range(10)])
        place = -104 - (4 if width == 32 else 0)
        # A first store puts a known word there; r`source` and r0 take part in it
        v.asm(
            f"stxdw [%r10-104], %r{(source + 3) % 10}", f"stxdw [%r10-112], %r{(source + 3) % 10}"
        )
        slot_at = -112 if width == 32 else -104
        word = p.regs[(source + 3) % 10]
        old = (word >> 32 if width == 32 else word) & oracle.mask(width)
        v.asm(f"lock {name} [%r10{place:+d}], %r{source}")
        new, src_after, r0_after = oracle.atomic(op, width, old, p.regs[source], p.regs[0])
        p.regs[source] = src_after
        if op == "cmpxchg":
            p.regs[0] = r0_after
        word = (word & 0xFFFFFFFF) | new << 32 if width == 32 else new
        p.check()
        v.asm(
            f"mov %r0, {v.case()}",
            f"ldxdw %r2, [%r10{slot_at:+d}]",
            constant(3, word),
            "jne %r2, %r3, fail",
        )
    v.finish()
    return v


def constants():
    """lddw and mov: every kind of constant, and a jump over an lddw."""
    v = Vector(
        "lddw",
        [
            "64-bit constants, each compared with the same word in memory. A comment numbers each case."
        ],
    )
    kinds = (
        values.BOUNDARY
        + [1 << i for i in range(3, 64, 7)]
        + [~(1 << i) & M64 for i in range(3, 64, 7)]
    )
    kinds += [
        0xFF00FF00FF00FF00,
        0x00AB00AB00AB00AB,
        0xABABABABABABABAB,
        0x0000FFFF0000FFFF,
        0x00000FF000000FF0,
        0xFFFFFFFF80000000,
        0xFFFFFFFF7FFFFFFF,
        0x80000000FFFFFFFF,
        0xF000000F,
        0xFFFFF000,
        0x00FFFF00,
    ]
    for k in kinds:
        reg, number = v.random.sample(range(2, 10), 2)
        at = v.word(k)
        v.asm(
            f"# case {v.case()}: {k:#x}",
            f"mov %r{number}, {v.cases}",
            f"lddw %r{reg}, {k:#x}",
            f"ldxdw %r0, [%r1+{at}]",
            f"jeq %r{reg}, %r0, +2",
            f"mov %r0, %r{number}",
            "ja fail",
        )
    case = v.case()
    v.asm(
        "lddw %r2, 0x1111111122222222",
        "mov %r3, %r1",
        f"mov %r0, {case}",
        "jne %r3, 0, over",
        "lddw %r2, 0x3333333344444444",
        "over:",
        "lddw %r4, 0x1111111122222222",
        "jne %r2, %r4, fail",
    )
    v.finish()
    return v


def offset_limits():
    """Loads and stores around the limits of the machine's offsets, -255 and 4095, on a base that nobody
    knows while compiling."""
    v = Vector(
        "offset-limits",
        ["Loads and stores at offsets around -255 and 4095, for every size. A comment numbers each case."],
    )
    rng = v.random
    for off in [*range(-260, -247), *range(4086, 4099)]:
        at = 1024 if off < 0 else 4032  # of memory, where the access lands
        distance = v.word(at - off)
        for size in (8, 16, 32, 64):
            word, new = rng.getrandbits(64), rng.getrandbits(31)
            name = SIZE[size]
            v.asm(
                f"# case {v.cases + 1}: {name} at offset {off}",
                f"ldxdw %r2, [%r1+{distance}]",
                "add %r2, %r1",
                f"lddw %r3, {word:#x}",
                f"stxdw [%r1+{at}], %r3",
                f"ldx{name} %r4, [%r2{off:+d}]",
                f"mov32 %r5, {new}",
                f"stx{name} [%r2{off:+d}], %r5",
                f"ldxdw %r5, [%r1+{at}]",
            )
            changed = word & ~oracle.mask(size) | new & oracle.mask(size)
            for reg, value in ((4, word & oracle.mask(size)), (5, changed)):
                v.asm(f"mov %r0, {v.case()}", constant(3, value), f"jne %r{reg}, %r3, fail")
    v.finish()
    return v


def vectors():
    for size in (8, 16, 32, 64):
        yield loads(size, False)
        if size < 64:
            yield loads(size, True)
        yield stores(size)
    yield offset_limits()
    for kind in ("stack", "context", "aliased"):
        yield overlaps(kind)
    yield whole_stack()
    for op in ATOMIC_OPS:
        for width in (32, 64):
            yield atomics(op, width)
    yield constants()
