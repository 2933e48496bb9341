# SPDX-License-Identifier: MIT
"""What compilers make of code: idioms they recognise, distances that branches must reach, constants in
pools, many values at once."""
import machine
import values
from builder import Vector, constant
from machine import SIZE
from oracle import ALU_OPS, JUMP_OPS, M64

INPUTS = values.BOUNDARY + [0x80, 0xFFFF8000, 0xDEADBEEFCAFEBABE]


def zext(r):
    return [("lsh", 64, r, 32), ("rsh", 64, r, 32)]


def sext(r):
    return [("lsh", 64, r, 32), ("arsh", 64, r, 32)]


# Sequences from a = r3 and b = r4 to r3; r5, r8, r9 are free
IDIOMS = {
    "zext32": zext("r3"),
    "sext32": sext("r3"),
    "zext8": [("lsh", 64, "r3", 56), ("rsh", 64, "r3", 56)],
    "sext16": [("lsh", 64, "r3", 48), ("arsh", 64, "r3", 48)],
    "sext16-in-32": [("lsh", 32, "r3", 16), ("arsh", 32, "r3", 16)],
    "umull": zext("r3") + zext("r4") + [("mul", 64, "r3", "r4")],
    "smull": sext("r3") + sext("r4") + [("mul", 64, "r3", "r4")],
    "smull-movsx": [
        ("movsx32", 64, "r3", "r3"),
        ("movsx32", 64, "r4", "r4"),
        ("mul", 64, "r3", "r4"),
    ],
    "mixed-signs-mull": zext("r3") + sext("r4") + [("mul", 64, "r3", "r4")],
    "umlal": [("mov", 64, "r5", "r3")]
    + zext("r3")
    + zext("r4")
    + [("mul", 64, "r3", "r4"), ("add", 64, "r3", "r5")],
    "smlal": [("mov", 64, "r5", "r3")]
    + sext("r3")
    + sext("r4")
    + [("mul", 64, "r3", "r4"), ("add", 64, "r3", "r5")],
    "umulh": zext("r3") + zext("r4") + [("mul", 64, "r3", "r4"), ("rsh", 64, "r3", 32)],
    "smulh": sext("r3") + sext("r4") + [("mul", 64, "r3", "r4"), ("arsh", 64, "r3", 32)],
    "smul16": [("movsx16", 64, "r3", "r3"), ("movsx16", 64, "r4", "r4"), ("mul", 64, "r3", "r4")],
    "smulwb": sext("r3")
    + [("movsx16", 64, "r4", "r4"), ("mul", 64, "r3", "r4"), ("arsh", 64, "r3", 16)],
    "mla32": [("mov", 32, "r5", "r4"), ("mul", 32, "r5", 12345), ("add", 32, "r3", "r5")],
    "mls32": [("mov", 32, "r5", "r4"), ("mul", 32, "r5", "r4"), ("sub", 32, "r3", "r5")],
    "add-shifted": [("mov", 32, "r5", "r4"), ("lsh", 32, "r5", 7), ("add", 32, "r3", "r5")],
    "add-shifted-64": [("mov", 64, "r5", "r4"), ("lsh", 64, "r5", 7), ("add", 64, "r3", "r5")],
    "sub-asr-64": [("mov", 64, "r5", "r4"), ("arsh", 64, "r5", 33), ("sub", 64, "r3", "r5")],
    "ubfx32": [("rsh", 32, "r3", 5), ("and", 32, "r3", 0x7FF)],
    "ubfx64-across": [("rsh", 64, "r3", 27), ("and", 64, "r3", 0x3FF)],
    "ubfx64-high": [("rsh", 64, "r3", 40), ("and", 64, "r3", 0xFF)],
    "sbfx32": [("lsh", 32, "r3", 11), ("arsh", 32, "r3", 20)],
    "sbfx64-across": [("lsh", 64, "r3", 20), ("arsh", 64, "r3", 50)],
    "bfi32": [
        ("and", 32, "r3", -0xFF1),
        ("and", 32, "r4", 0xFF),
        ("lsh", 32, "r4", 4),
        ("or", 32, "r3", "r4"),
    ],
    "bic": [("xor", 64, "r4", -1), ("and", 64, "r3", "r4")],
    "orn32": [("xor", 32, "r4", -1), ("or", 32, "r3", "r4")],
    "mask-high": [("lddw", "r5", 0xFFFF0000FFFF), ("and", 64, "r3", "r5")],
    "negate-add": [("neg", 64, "r4"), ("add", 64, "r3", "r4")],
    "reverse-sub": [("neg", 64, "r3"), ("add", 64, "r3", 100)],
    "rsb32": [("neg", 32, "r3"), ("add", 32, "r3", "r4")],
    "not": [("xor", 64, "r3", -1), ("add", 64, "r3", 1)],
    "abs": [
        ("mov", 64, "r5", "r3"),
        ("arsh", 64, "r5", 63),
        ("xor", 64, "r3", "r5"),
        ("sub", 64, "r3", "r5"),
    ],
    "abs32": [
        ("mov", 32, "r5", "r3"),
        ("arsh", 32, "r5", 31),
        ("xor", 32, "r3", "r5"),
        ("sub", 32, "r3", "r5"),
    ],
    "div10-mod10": [
        ("mov", 64, "r5", "r3"),
        ("div", 64, "r5", 10),
        ("mov", 64, "r8", "r3"),
        ("mod", 64, "r8", 10),
        ("mul", 64, "r8", 1000),
        ("add", 64, "r5", "r8"),
        ("mov", 64, "r3", "r5"),
    ],
    "div-mul-sub": [
        ("mov", 32, "r5", "r3"),
        ("div", 32, "r5", "r4"),
        ("mul", 32, "r5", "r4"),
        ("sub", 32, "r3", "r5"),
    ],
    "sdiv-pow2": [("sdiv", 64, "r3", 8), ("sdiv", 32, "r4", 16), ("add", 64, "r3", "r4")],
    "div-of-zext": zext("r3") + zext("r4") + [("div", 64, "r3", "r4")],
    "mod-of-zext": zext("r3") + zext("r4") + [("mod", 64, "r3", "r4")],
    "sdiv-of-sext": sext("r3") + sext("r4") + [("sdiv", 64, "r3", "r4")],
    "smod-of-sext": sext("r3") + sext("r4") + [("smod", 64, "r3", "r4")],
    "average": [
        ("and", 64, "r3", "r4"),
        ("mov", 64, "r5", "r4"),
        ("xor", 64, "r5", "r3"),
        ("rsh", 64, "r5", 1),
        ("add", 64, "r3", "r5"),
    ],
    "min": [("jlt", 64, "r3", "r4", 1), ("mov", 64, "r3", "r4")],
    "smax": [("jsgt", 64, "r3", "r4", 1), ("mov", 64, "r3", "r4")],
    "umin32": [("jlt", 32, "r3", "r4", 1), ("mov", 32, "r3", "r4")],
    "clamp": [
        ("jsgt", 64, "r3", -100, 1),
        ("mov", 64, "r3", -100),
        ("jslt", 64, "r3", 100, 1),
        ("mov", 64, "r3", 100),
    ],
    "bool-and": [
        ("mov", 64, "r5", 0),
        ("jle", 64, "r3", "r4", 2),
        ("jset", 64, "r3", 1, 1),
        ("mov", 64, "r5", 1),
        ("mov", 64, "r3", "r5"),
    ],
    "three-way": [
        ("mov", 64, "r5", 0),
        ("jeq", 64, "r3", "r4", 3),
        ("mov", 64, "r5", 1),
        ("jgt", 64, "r3", "r4", 1),
        ("mov", 64, "r5", -1),
        ("mov", 64, "r3", "r5"),
    ],
    "carry": [
        ("mov", 64, "r5", "r3"),
        ("add", 64, "r3", "r4"),
        ("mov", 64, "r8", 0),
        ("jge", 64, "r3", "r5", 1),
        ("mov", 64, "r8", 1),
        ("add", 64, "r3", "r8"),
    ],
    "shift-by-difference": [
        ("mov", 64, "r5", 64),
        ("sub", 64, "r5", "r4"),
        ("mov", 64, "r8", "r3"),
        ("lsh", 64, "r3", "r4"),
        ("rsh", 64, "r8", "r5"),
        ("or", 64, "r3", "r8"),
    ],
    "rotate32-by-register": [
        ("mov", 32, "r8", "r3"),
        ("mov", 32, "r5", 32),
        ("sub", 32, "r5", "r4"),
        ("lsh", 32, "r3", "r4"),
        ("rsh", 32, "r8", "r5"),
        ("or", 32, "r3", "r8"),
    ],
    "swap-by-bytes": [
        ("mov", 64, "r5", "r3"),
        ("and", 64, "r5", 0xFF),
        ("lsh", 64, "r5", 8),
        ("rsh", 64, "r3", 8),
        ("and", 64, "r3", 0xFF),
        ("or", 64, "r3", "r5"),
    ],
    "be16-of-be32": [
        ("be", 32, "r3"),
        ("rsh", 64, "r3", 16),
        ("be", 16, "r4"),
        ("xor", 64, "r3", "r4"),
    ],
    "be64-low": [("be", 64, "r3"), ("add", 32, "r3", 0)],
    "popcount8": [
        ("and", 64, "r3", 0xFF),
        ("mov", 64, "r5", "r3"),
        ("rsh", 64, "r5", 1),
        ("and", 64, "r5", 0x55),
        ("sub", 64, "r3", "r5"),
        ("mov", 64, "r5", "r3"),
        ("rsh", 64, "r5", 2),
        ("and", 64, "r5", 0x33),
        ("and", 64, "r3", 0x33),
        ("add", 64, "r3", "r5"),
        ("mov", 64, "r5", "r3"),
        ("rsh", 64, "r5", 4),
        ("add", 64, "r3", "r5"),
        ("and", 64, "r3", 0x0F),
    ],
    "compare-zext": [
        ("mov", 32, "r5", "r3"),
        ("mov", 32, "r8", "r4"),
        ("mov", 64, "r3", 0),
        ("jsle", 64, "r5", "r8", 1),
        ("mov", 64, "r3", 1),
    ],
    "known-range": [
        ("and", 64, "r3", 0xFF),
        ("and", 64, "r4", 0x1FF),
        ("sub", 64, "r3", "r4"),
        ("jslt", 64, "r3", 0, 1),
        ("add", 64, "r3", 1000),
    ],
    "known-negative": [("or", 64, "r3", -0x1000), ("arsh", 64, "r3", 4), ("div", 64, "r3", 3)],
    "add-then-mask": [("add", 64, "r3", "r4"), ("mul", 64, "r3", "r4"), ("and", 64, "r3", 0xFFFF)],
    "add-then-low-word": [
        ("add", 64, "r3", "r4"),
        ("mul", 64, "r3", "r4"),
        ("lsh", 64, "r3", 3),
        ("mov", 32, "r3", "r3"),
    ],
    "self-xor": [("xor", 64, "r3", "r3"), ("xor", 32, "r4", "r4"), ("add", 64, "r3", "r4")],
    "self-sub-shift": [("mov", 64, "r5", "r3"), ("sub", 64, "r5", "r3"), ("lsh", 64, "r3", "r5")],
}
for k in (1, 8, 16, 24, 31, 32, 33, 40, 63):
    IDIOMS[f"rotate64-{k}"] = [
        ("mov", 64, "r5", "r3"),
        ("lsh", 64, "r3", k),
        ("rsh", 64, "r5", 64 - k),
        ("or", 64, "r3", "r5"),
    ]
for k in (1, 7, 8, 16, 31):
    IDIOMS[f"rotate32-{k}"] = [
        ("mov", 32, "r5", "r3"),
        ("lsh", 32, "r3", k),
        ("rsh", 32, "r5", 32 - k),
        ("or", 32, "r3", "r5"),
    ]
for k in (3, 5, 9, 15, 17, 255, 257, 4097, -3, -5, -8, 1 << 20):
    IDIOMS[f"mul64-{k}"] = [("mul", 64, "r3", k)]
    IDIOMS[f"mul32-{k}"] = [("mul", 32, "r3", k)]


def idioms():
    """All pairs of inputs through every idiom; each idiom is a loop; eight files share them."""
    names = list(IDIOMS)
    for part in range(8):
        v = Vector(
            f"idioms-{part}",
            [
                f"Instruction sequences that compilers recognise, on all pairs of {len(INPUTS)} inputs. A case for each sequence:",
                "a sum over all pairs, numbered in comments.",
            ],
        )
        inputs_at = v.words(INPUTS)
        n = len(INPUTS)
        v.asm("mov %r6, %r1")
        for name in names[part::8]:
            sequence = IDIOMS[name]
            outer, inner = v.label("outer"), v.label("inner")
            case = v.case()
            total = 0
            for a in INPUTS:
                for b in INPUTS:
                    r = machine.run(sequence, {"r3": a, "r4": b, "r5": 0, "r8": 0, "r9": 0})["r3"]
                    total = (total * 31 + r) & M64
            v.asm(
                f"# case {case}: {name}",
                "mov %r7, 0",
                "stxdw [%r10-16], %r7",
                outer + ":",
                "mov %r9, 0",
                inner + ":",
                "mov %r2, %r6",
                "add %r2, %r7",
                f"ldxdw %r3, [%r2+{inputs_at}]",
                "mov %r2, %r6",
                "add %r2, %r9",
                f"ldxdw %r4, [%r2+{inputs_at}]",
            )
            machine.text(v, sequence)
            v.asm(
                "ldxdw %r2, [%r10-16]",
                "mul %r2, 31",
                "add %r2, %r3",
                "stxdw [%r10-16], %r2",
                "add %r9, 8",
                f"jlt %r9, {8 * n}, {inner}",
                "add %r7, 8",
                f"jlt %r7, {8 * n}, {outer}",
                f"mov %r0, {case}",
                "ldxdw %r2, [%r10-16]",
                constant(3, total),
                "jne %r2, %r3, fail",
            )
        v.finish()
        yield v


def filler(rng, count):
    """Instructions that depend on one another and cannot be computed in advance."""
    out = []
    for _ in range(count):
        kind = rng.randrange(6)
        dst, src = rng.sample(["r2", "r3", "r4", "r5"], 2)
        if kind < 3:
            out.append((rng.choice(["add", "sub", "xor"]), rng.choice([32, 64]), dst, src))
        elif kind == 3:
            out.append(("mul", 64, dst, rng.randrange(3, 1000)))
        elif kind == 4:
            out.append(("add", 64, dst, rng.getrandbits(30)))
        else:
            out.append(("rsh", 64, dst, rng.randrange(1, 5)))
    return out


def distances():
    """Branches over and back across code of many sizes: around the reach of each branch encoding (126, 254
    and 2046 bytes, 4 KiB of literal pool) and beyond."""
    for part, sizes in enumerate(
        [
            [1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100],
            [130, 160, 200, 250, 300, 340, 380],
            [400, 500, 700, 1000],
            [2500],
            [6000],
        ]
    ):
        v = Vector(
            f"distance-{part}",
            [
                f"Loops around, and branches over, {', '.join(map(str, sizes))} instructions. A case per register after each."
            ],
        )
        seed = v.words(values.mixed(v.random) | 1 for _ in range(4))
        v.asm("mov %r6, %r1")
        for size in sizes:
            body = filler(v.random, size)
            loop, over, skip = v.label("loop"), v.label("over"), v.label("skip")
            regs = {
                f"r{i + 2}": int.from_bytes(v.mem[seed + 8 * i : seed + 8 * i + 8], "little")
                for i in range(4)
            }
            v.asm(
                f"# {size} instructions, from case {v.cases + 1}",
                *[f"ldxdw %r{i + 2}, [%r6+{seed + 8 * i}]" for i in range(4)],
                "mov %r7, 3",
                loop + ":",
                f"jeq %r7, 2, {over}",
            )
            machine.text(v, body)
            v.asm(
                over + ":",
                "add %r2, 7",
                "add %r7, -1",
                f"jeq %r7, 0, {skip}",
                f"ja32 {loop}",
                skip + ":",
            )
            for turn in (3, 2, 1):
                if turn != 2:
                    machine.run(body, regs)
                regs["r2"] = (regs["r2"] + 7) & M64
            for r in ("r2", "r3", "r4", "r5"):
                v.asm(f"mov %r0, {v.case()}", constant(8, regs[r]), f"jne %{r}, %r8, fail")
        v.finish()
        yield v


def pools():
    """Many different constants, more than one literal pool or a row of MOVW and MOVT can share."""
    v = Vector(
        "constants-many",
        [
            "1200 different 64-bit constants, added up with a word of memory in a loop. Cases 1 and 2: the sums."
        ],
    )
    at = v.word(0x0102030405060708)
    v.asm("mov %r6, %r1", f"ldxdw %r3, [%r6+{at}]", "mov %r4, %r3", "mov %r7, 0", "loop:")
    chosen = [
        v.random.choice(
            [
                v.random.getrandbits(64),
                v.random.getrandbits(32),
                v.random.getrandbits(16) << 48,
                0xFFFFFFFF00000000 | v.random.getrandbits(31),
                v.random.getrandbits(8) << 20,
            ]
        )
        for _ in range(1200)
    ]
    x = y = 0x0102030405060708
    for c in chosen:
        v.asm(f"lddw %r2, {c:#x}", "add %r3, %r2", "xor %r4, %r3")
    for _ in range(3):
        for c in chosen:
            x = (x + c) & M64
            y ^= x
    v.asm("add %r7, 1", "jlt %r7, 3, loop")
    for r, value in ((3, x), (4, y)):
        v.asm(f"mov %r0, {v.case()}", constant(8, value), f"jne %r{r}, %r8, fail")
    v.finish()
    return v


def literal_reach():
    """Functions whose constant is as far from their literals as a load of a literal reaches, 1020 bytes, or
    a little further: behind stores of 4 bytes, and behind constants and stores of 4 bytes each."""
    v = Vector(
        "literal-reach",
        [
            "Functions that begin with a constant and are about 1020 bytes long, and longer. Cases: the word that it",
            "changed, and the sum of what the function stored.",
        ],
    )
    kinds = [(count, False) for count in (245, 252, 262, 300)] + [(200, True)]
    far = 128  # from here on a store takes 4 bytes
    factors = v.words(v.random.getrandbits(31) for _ in kinds)
    v.asm("mov %r6, %r1")
    bodies = []
    for i, (count, constants) in enumerate(kinds):
        mask = 0x12345671 + i * 0x01010101
        stored = [0x1001 + 3 * k if constants else 7 for k in range(count)]
        factor = int.from_bytes(v.mem[factors + 8 * i : factors + 8 * i + 8], "little")
        bodies += [f"f{i}:", f"ldxw %r0, [%r1+{factors + 8 * i}]", f"xor32 %r0, {mask}"]
        for k, value in enumerate(stored):
            if constants:
                bodies.append(f"mov32 %r2, {value}")
            bodies.append(f"stxh [%r1+{far + 2 * k}], %r2")
        bodies.append("exit")
        v.asm(
            "mov %r1, %r6",
            "mov %r2, 7",
            f"call local f{i}",
            "mov %r7, %r0",
            f"mov %r0, {v.case()}",
            constant(3, factor ^ mask),
            "jne %r7, %r3, fail",
            "mov %r2, 0",
            "mov %r3, %r6",
            f"mov %r4, {count}",
            f"sum{i}:",
            f"ldxh %r5, [%r3+{far}]",
            "add %r2, %r5",
            "add %r3, 2",
            "add %r4, -1",
            f"jne %r4, 0, sum{i}",
            f"mov %r0, {v.case()}",
            f"jne %r2, {sum(stored)}, fail",
        )
    v.finish()
    v.asm(*bodies)
    return v


def many_values():
    """48 variables in the stack, all live around a loop: more than any register file holds."""
    for part in range(3):
        v = Vector(
            f"variables-{part}",
            [
                "48 variables of 8, 4, 2 or 1 bytes in the stack, changed by random operations in a loop with branches. A",
                "case per variable.",
            ],
        )
        rng = v.random
        count = 48
        sizes = [64 if part == 0 else rng.choice([8, 16, 32, 64]) for _ in range(count)]
        offs = [-(8 * i + 8) for i in range(count)]
        seed = v.words(values.mixed(rng) for _ in range(count))
        stack = bytearray(512)
        v.asm("mov %r6, %r1")
        for i in range(count):
            v.asm(
                f"ldxdw %r2, [%r6+{seed + 8 * i}]", f"stx{SIZE[sizes[i]]} [%r10{offs[i]:+d}], %r2"
            )
            value = int.from_bytes(v.mem[seed + 8 * i : seed + 8 * i + 8], "little")
            machine.run([("stx", sizes[i], offs[i], "r2")], {"r2": value}, stack)
        body = []
        for _ in range(90):
            a, b, c = (rng.randrange(count) for _ in range(3))
            body.append(
                ("ldxs" if sizes[a] < 64 and rng.randrange(2) else "ldx", sizes[a], "r2", offs[a])
            )
            body.append(("ldx", sizes[b], "r3", offs[b]))
            if rng.randrange(3) == 0:
                body.append(
                    (
                        rng.choice(JUMP_OPS),
                        rng.choice([32, 64]),
                        "r2",
                        rng.choice(["r3", rng.randrange(-3, 300)]),
                        1,
                    )
                )
            op = rng.choice([o for o in ALU_OPS if o != "mov"])
            body.append((op, rng.choice([32, 64]), "r2", "r3"))
            body.append(("stx", sizes[c], offs[c], "r2"))
        v.asm("mov %r7, 0", "loop:")
        machine.text(v, body)
        v.asm("add %r7, 1", "jlt %r7, 5, loop")
        regs = {"r2": 0, "r3": 0}
        for _ in range(5):
            machine.run(body, regs, stack)
        for i in range(count):
            at = len(stack) + offs[i]
            value = int.from_bytes(stack[at : at + sizes[i] // 8], "little")
            v.asm(
                f"mov %r0, {v.case()}",
                constant(8, value),
                f"ldx{SIZE[sizes[i]]} %r2, [%r10{offs[i]:+d}]",
                "jne %r2, %r8, fail",
            )
        v.finish()
        yield v


def mixtures():
    """Random straight code and forward branches over six registers: what no list of idioms thinks of."""
    for part in range(6):
        v = Vector(
            f"mixture-{part}",
            [
                "Random instructions and forward branches over r2 to r5, r8 and r9, on inputs from memory. A case per register",
                "and run.",
            ],
        )
        rng = v.random
        names = ["r2", "r3", "r4", "r5", "r8", "r9"]
        v.asm("mov %r6, %r1")
        for _ in range(8):
            regs = {r: values.mixed(rng) for r in names}
            at = v.words(regs.values())
            v.asm(*[f"ldxdw %{r}, [%r6+{at + 8 * i}]" for i, r in enumerate(names)])
            body = []
            for _ in range(70):
                dst, src = rng.choice(names), rng.choice(names)
                kind = rng.randrange(10)
                if kind < 5:
                    op = rng.choice(ALU_OPS)
                    second = src if rng.randrange(2) else rng.choice(values.immediates(op, 32))
                    body.append((op, rng.choice([32, 64]), dst, second))
                elif kind == 5:
                    body.append(
                        rng.choice(
                            [
                                ("neg", 64, dst),
                                ("neg", 32, dst),
                                ("be", 16, dst),
                                ("be", 32, dst),
                                ("bswap", 64, dst),
                                ("le", 32, dst),
                            ]
                        )
                    )
                elif kind == 6:
                    body.append(
                        rng.choice(
                            [
                                ("movsx8", 64, dst, src),
                                ("movsx16", 32, dst, src),
                                ("movsx32", 64, dst, src),
                            ]
                        )
                    )
                elif kind == 7:
                    body.append(("lddw", dst, values.mixed(rng)))
                else:
                    body.append(
                        (
                            rng.choice(JUMP_OPS),
                            rng.choice([32, 64]),
                            dst,
                            src if rng.randrange(2) else rng.choice(values.IMMEDIATES),
                            rng.randrange(1, 6),
                        )
                    )
            body += [("mov", 64, "r2", "r2")] * 6  # room for the last branches
            machine.text(v, body)
            machine.run(body, regs)
            for r in names:
                v.asm(f"mov %r0, {v.case()}", constant(1, regs[r]), f"jne %{r}, %r1, fail")
        v.finish()
        yield v


def vectors():
    yield from idioms()
    yield from distances()
    yield pools()
    yield literal_reach()
    yield from many_values()
    yield from mixtures()
